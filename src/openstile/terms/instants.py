"""Time: aware UTC instants, and a clock that is always passed in."""

import time
from datetime import UTC, datetime
from typing import Protocol

_COUNTS_SLEEP: int | None = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux's monotonic clock stands still while the machine sleeps; this one does not."""


class Clock(Protocol):
    """A source of wall time and of monotonic time. Tests pass one they can turn."""

    def now(self) -> datetime:
        """The wall clock as an aware UTC instant. It may jump, backwards too."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed moment of this boot; never goes back."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The wall clock as an aware UTC instant."""
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        """The monotonic clock in nanoseconds; where the system has one, the one that goes on while it sleeps."""
        return time.monotonic_ns() if _COUNTS_SLEEP is None else time.clock_gettime_ns(_COUNTS_SLEEP)


def utc_from_epoch(seconds: int) -> datetime:
    """The aware UTC instant `seconds` after 1970-01-01T00:00:00Z (a NumericDate of RFC 8392, whole seconds)."""
    return datetime.fromtimestamp(seconds, UTC)
