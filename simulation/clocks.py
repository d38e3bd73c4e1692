"""Time that goes when the simulation says so, and gates' clocks, which may be wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
"""Monday, 04:00 in London: half an hour before the service day begins."""


@dataclass(slots=True)
class TrueClock:
    """The time that it is, everywhere; the office's clock shows it."""

    at: datetime = START

    def now(self) -> datetime:
        """The wall clock."""
        return self.at

    def monotonic_ns(self) -> int:
        """The monotonic clock."""
        return (self.at - START) // timedelta(microseconds=1) * 1000


@dataclass(slots=True)
class GateClock:
    """A gate's clocks. The wall clock is `ahead`; the monotonic one began when the gate's machine did."""

    true: TrueClock
    ahead: timedelta = timedelta(0)
    booted: datetime = START

    def now(self) -> datetime:
        """What the gate takes for the time."""
        return self.true.at + self.ahead

    def monotonic_ns(self) -> int:
        """The monotonic clock of this boot."""
        return (self.true.at - self.booted) // timedelta(microseconds=1) * 1000

    def boot(self) -> None:
        """The machine starts anew."""
        self.booted = self.true.at
