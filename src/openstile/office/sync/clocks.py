"""How wrong a gate's clock is, and which taps somebody must look at because of it. Nothing is dropped for its time.

A gate's wall clock may be anything; its monotonic clock runs true while it is on. The office's own clock at the
receipt, less what the monotonic clock says has passed since, is when something was. All numbers are microseconds,
instants from 1970-01-01T00:00:00Z.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from openstile.terms import BadInputError

_MICROSECOND = timedelta(microseconds=1)
_OFFSET_MAX_US = 100 * 366 * 86_400 * 10**6
"""Beyond a century an offset is not an estimate of anything."""


class ReviewReason(StrEnum):
    """Why a tap waits for somebody to look at it."""

    UNKNOWN_PASS = "unknown_pass"  # noqa: S105
    """No account has the pass."""
    CLOCK = "clock"
    """The gate's clock was further off than the tolerance when it was made."""
    FUTURE = "future"
    """It would have been made after it arrived, and how wrong the gate's clock was is not known."""
    OLD = "old"
    """It is older than gates keep taps for."""
    REPEATED = "repeated"
    """It came in another journal of the gate before; or it may have, and that has faded."""


@dataclass(frozen=True, slots=True)
class ClockRules:
    """How far a gate's clock may be off for taps to be priced without a look, and how old taps may be."""

    tolerance: timedelta = timedelta(seconds=120)
    keep: timedelta = timedelta(days=14)
    tolerance_us: int = field(init=False, repr=False)
    keep_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance_us", self.tolerance // _MICROSECOND)  # once, not for each tap
        object.__setattr__(self, "keep_us", self.keep // _MICROSECOND)
        if not (timedelta(0) < self.tolerance <= timedelta(days=1) and timedelta(days=1) <= self.keep):
            raise BadInputError("clock rules: the tolerance must be over 0 s to 1 day, keeping at least a day")


@dataclass(frozen=True, slots=True)
class GateClock:
    """What is known of a gate's clocks at a receipt.

    `began_us`: by run, when its monotonic clock stood at zero, on the office's clock. `wall_offset_us`: by how much
    the gate's wall clock is ahead of the office's now; it serves for runs of which no more is known.
    """

    received_us: int
    wall_offset_us: int
    began_us: Mapping[int, int]

    def offset_of(self, *, run: int, mono_us: int, at_us: int) -> int | None:
        """By how much the wall clock was ahead when it said `at_us`; None when the estimate is absurd."""
        began_us = self.began_us.get(run)
        offset_us = self.wall_offset_us if began_us is None else at_us - (began_us + mono_us)
        return offset_us if abs(offset_us) <= _OFFSET_MAX_US else None

    def doubt(self, *, at_us: int, offset_us: int | None, rules: ClockRules) -> ReviewReason | None:
        """Why a tap at `at_us` cannot be taken at its word, or None."""
        if offset_us is None or abs(offset_us) > rules.tolerance_us:
            return ReviewReason.CLOCK
        if at_us > self.received_us + rules.tolerance_us:
            return ReviewReason.FUTURE
        if at_us < self.received_us - rules.keep_us:
            return ReviewReason.OLD
        return None


def estimate(
    *, run: int, sent_mono_us: int, sent_at_us: int, received_us: int, known_us: Mapping[int, int], rules: ClockRules
) -> GateClock:
    """What is known of a gate's clocks when a batch of `run` comes. `known_us` is what was known of runs before.

    A batch that was long under way makes its run seem to have begun later than an earlier receipt said. Then the
    earlier one is believed; but not where the later one agrees with the gate's wall clock: the office's own clock may
    have been set meanwhile.
    """
    clock = GateClock(received_us, sent_at_us - received_us, {**known_us, run: received_us - sent_mono_us})
    delayed = run in known_us and clock.began_us[run] > known_us[run] + rules.tolerance_us
    if delayed and abs(clock.wall_offset_us) > rules.tolerance_us:
        return GateClock(received_us, clock.wall_offset_us, known_us)
    return clock
