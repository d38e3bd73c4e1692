"""What the pricing engine is given and what it gives: taps in, priced journeys out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from openstile.terms import BadInputError
from openstile.terms.money import Money


class Way(StrEnum):
    """The way of a tap."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class FareTap:
    """One tap of one rider: where and when. `tap_id` is opaque; `at` is an aware UTC instant."""

    tap_id: str
    at: datetime
    stop_id: str
    network_id: str | None
    way: Way

    def __post_init__(self) -> None:
        if self.at.utcoffset() != timedelta(0):
            raise BadInputError(f"tap {self.tap_id[:40]!r}: its time must be in UTC and say so")


@dataclass(frozen=True, slots=True)
class Rider:
    """Which fares a rider has a right to: ids of the feed; None is the default category, or any fare media."""

    category_id: str | None = None
    media_id: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One ride. `to_stop_id` and `end` are None where nobody taps out. Times are aware UTC instants."""

    network_id: str | None
    from_stop_id: str
    to_stop_id: str | None
    start: datetime
    end: datetime | None


class JourneyState(StrEnum):
    """How much is known of a journey."""

    COMPLETE = "complete"
    OPEN = "open"
    MISSING_EXIT = "missing_exit"
    MISSING_ENTRY = "missing_entry"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation: a code with its values (openstile.fares.words says it in a language), and an amount.

    The amounts of a journey's lines sum to what it costs; None is a line that only tells.
    """

    code: str
    values: tuple[str, ...]
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What caps and period products need to know of a journey after its places and times faded.

    `day` is its service day; `full` what it would have cost without caps, `charged` what it did; `rides` is 1 for a
    journey that costs something, whoever pays (0 for others). `cap_scopes` names the caps of the operator's file that
    it counts towards, a rolling one with the first day of its window, as in `week@2026-03-02`; `period_id` is the
    period product that paid for it.
    """

    day: date
    full: Money
    charged: Money
    rides: int
    cap_scopes: tuple[str, ...]
    period_id: str | None


@dataclass(frozen=True, slots=True)
class PricedJourney:
    """One journey. `key` is the id of its first tap; `day` the local service day on which it began.

    A journey in state UNKNOWN costs zero and waits for somebody to look at it: no rule of the feed says its fare.
    An OPEN one may still get another tap and costs what it would if none came before its time is over.
    """

    key: str
    tap_ids: tuple[str, ...]
    legs: tuple[Leg, ...]
    day: date
    state: JourneyState
    product_ids: tuple[str, ...]
    amount: Money
    lines: tuple[Line, ...]
    counted: Counted


@dataclass(frozen=True, slots=True)
class HeldPeriod:
    """A period product that a rider holds: `product_id` of the operator's file, first and last service day, and how
    many rides it has in all (None: any number)."""

    period_id: str
    product_id: str
    from_day: date
    until_day: date
    rides: int | None
