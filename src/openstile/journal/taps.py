"""A tap: that a pass opened a gate. Nothing in it says what the rider looks like."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from openstile.terms import BadInputError, GateId, PassId
from openstile.terms.limits import PRODUCT_CHARS_MAX

HASH_BYTES = 32
TAP_SALT_BYTES = 16
EPOCH_BYTES = 16
RUN_MAX = 2**31 - 1
SEQ_MAX = 2**63 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Direction(StrEnum):
    """The way a rider passed the gate."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Tap:
    """One admitted crossing.

    `at` is an aware UTC instant as the gate's clock told it (it may lie before the tap in front of it: the journal
    orders by sequence number, never by time). `product` is the name in the pass's claims, 1 to PRODUCT_CHARS_MAX
    printable characters. `status_unsure` marks a crossing at which the gate could not know whether the
    pass was withdrawn. Raises BadInputError.
    """

    pass_id: PassId
    at: datetime
    gate: GateId
    product: str
    direction: Direction
    status_unsure: bool = False

    def __post_init__(self) -> None:
        if self.at.utcoffset() != timedelta(0):
            raise BadInputError(f"tap: its time {self.at.isoformat()} must be in UTC and say so")
        if not 1 <= len(self.product) <= PRODUCT_CHARS_MAX or not self.product.isprintable():
            raise BadInputError(
                f"tap: its product must be 1 to {PRODUCT_CHARS_MAX} printable characters, got {self.product[:64]!r}"
            )


class JournaledTap(NamedTuple):
    """A tap in its place: `seq` counts from 1 without gaps; `hash` covers all the rest.

    `run` counts how often the journal was opened for writing, and `mono_us` are the microseconds of the monotonic clock
    from that opening to the tap: they tell how long ago it was, however wrong the wall clock is.
    """

    seq: int
    tap: Tap
    run: int
    mono_us: int
    salt: bytes
    previous_hash: bytes
    hash: bytes


class Head(NamedTuple):
    """The end of a journal at one moment: give it away, and a later roll-back behind it can be seen."""

    seq: int
    hash: bytes


def microseconds_of(at: datetime) -> int:
    """Whole microseconds from 1970-01-01T00:00:00Z to `at`, exactly; negative before."""
    return (at - _EPOCH) // _MICROSECOND


def instant_of(microseconds: int) -> datetime:
    """The aware UTC instant of `microseconds_of`. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=microseconds)


def utc_day(at: datetime) -> str:
    """The UTC date of `at` as YYYY-MM-DD. Counts are kept by it; local days belong to fares."""
    return at.astimezone(UTC).date().isoformat()
