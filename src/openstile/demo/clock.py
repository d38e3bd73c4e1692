"""A clock that the demo can turn, so that a pass expires and an anti-passback time ends while one watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from openstile.terms.instants import Clock


class TurnableClock:
    """Another clock, shifted. Between two turns it runs at its true speed: times of steps are measured, not made up."""

    def __init__(self, clock: Clock, *, begins: datetime | None = None) -> None:
        """`begins` is what the wall clock says now; by default what it says anyway."""
        self._clock = clock
        self._shift = timedelta(0) if begins is None else begins - clock.now()
        self._passed = timedelta(0)

    def now(self) -> datetime:
        """The wall clock of the demo as an aware UTC instant."""
        return self._clock.now() + self._shift

    def monotonic_ns(self) -> int:
        """The monotonic clock of the machine in nanoseconds, which goes on with the wall clock and never back."""
        return self._clock.monotonic_ns() + self._passed // timedelta(microseconds=1) * 1000

    def turn(self, by: timedelta) -> None:
        """Let time pass: both clocks go on. Raises ValueError for a time that is negative."""
        if by < timedelta(0):
            raise ValueError("time passes forwards; `turned` looks back")
        self._shift += by
        self._passed += by

    def turn_to(self, instant: datetime) -> None:
        """Let time pass until then; nothing where that is over."""
        self.turn(max(instant - self.now(), timedelta(0)))

    @contextmanager
    def turned(self, by: timedelta) -> Iterator[None]:
        """Turn the wall clock alone for a while, then back."""
        self._shift += by
        try:
            yield
        finally:
            self._shift -= by
