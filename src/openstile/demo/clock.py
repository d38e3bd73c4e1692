"""A clock that the demo can turn, so that a pass expires and an anti-passback time ends while one watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from openstile.terms.instants import Clock


class TurnableClock:
    """Another clock, shifted. Durations run at their true speed, so that times of steps are measured, not made up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shift = timedelta(0)

    def now(self) -> datetime:
        """The wall clock of the demo as an aware UTC instant."""
        return self._clock.now() + self._shift

    def monotonic_ns(self) -> int:
        """The monotonic clock of the machine in nanoseconds, never turned back."""
        return self._clock.monotonic_ns()

    def turn(self, by: timedelta) -> None:
        """Turn the wall clock on, or back when `by` is negative."""
        self._shift += by

    @contextmanager
    def turned(self, by: timedelta) -> Iterator[None]:
        """Turn the wall clock for a while, then back."""
        self.turn(by)
        try:
            yield
        finally:
            self.turn(-by)
