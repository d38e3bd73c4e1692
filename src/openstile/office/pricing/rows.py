"""Rows of journeys and taps, as the pricing engine has them and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from openstile.fares.rides import Counted, FareTap, HeldPeriod, Line, PricedJourney, Way
from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.store.accounts import PERIOD
from openstile.office.store.gates import GATE, GATE_EPOCH
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.rider_taps import portions
from openstile.office.store.taps import TAP
from openstile.terms.money import Money

PRICED_REVIEWS = ("clear", "accepted")
_CURRENT = ("complete", "open", "missing_exit", "missing_entry", "unknown")
UNFADED_DAYS = 62
"""No trip that a pricing can still change is older: the limit of retention.trips_hours, and of offline gates."""


@dataclass(frozen=True, slots=True)
class CurrentJourney:
    """A journey that was priced before and has neither faded nor been superseded."""

    journey_id: str
    key: str
    posting_id: str | None
    content: tuple[Any, ...]
    """What must be equal for a journey to be left as it is."""


def taps_of(connection: Connection, tap_ids: set[int]) -> tuple[FareTap, ...]:
    """Those of these taps that have not faded and are not held for review, in no order."""
    chosen = (
        select(TAP.c.tap_id, TAP.c.at_us, TAP.c.direction, GATE.c.stop_id, GATE.c.network_id)
        .join(GATE_EPOCH, GATE_EPOCH.c.epoch_id == TAP.c.epoch_id)
        .join(GATE, GATE.c.gate_id == GATE_EPOCH.c.gate_id)
        .where(TAP.c.review.in_(PRICED_REVIEWS))
    )
    rows = (row for some in portions(tap_ids) for row in connection.execute(chosen.where(TAP.c.tap_id.in_(some))))
    return tuple(
        FareTap(str(row.tap_id), instant_of(row.at_us), row.stop_id, row.network_id, Way(row.direction)) for row in rows
    )


def current_journeys(connection: Connection, account_id: str) -> dict[str, CurrentJourney]:
    """The account's journeys that pricing may still change, by key."""
    rows = connection.execute(
        select(JOURNEY).where(JOURNEY.c.account_id == account_id, JOURNEY.c.state.in_(_CURRENT))
    ).mappings()
    found = (
        CurrentJourney(row["journey_id"], row["key"], row["posting_id"], tuple(row[name] for name in _CONTENT))
        for row in rows
    )
    return {journey.key: journey for journey in found}


def counted_of(connection: Connection, account_id: str, *, since: date) -> tuple[Counted, ...]:
    """What is still known of the account's faded journeys since a day, for caps and period products."""
    rows = connection.execute(
        select(JOURNEY.c.counted).where(
            JOURNEY.c.account_id == account_id, JOURNEY.c.state == "faded", JOURNEY.c.day >= since
        )
    )
    return tuple(_read_counted(row.counted) for row in rows if row.counted is not None)


def periods_of(connection: Connection, account_id: str, *, ending_from: date = date.min) -> tuple[HeldPeriod, ...]:
    """The period products that the account holds, without those that ended before `ending_from`."""
    rows = connection.execute(
        select(PERIOD)
        .where(PERIOD.c.account_id == account_id, PERIOD.c.state == "held", PERIOD.c.until_day >= ending_from)
        .order_by(PERIOD.c.period_id)
    )
    return tuple(HeldPeriod(row.period_id, row.product, row.from_day, row.until_day, row.rides) for row in rows)


def held_products(connection: Connection, *, ending_from: date) -> dict[str, date]:
    """The period products that riders hold, and the last day on which somebody does."""
    rows = connection.execute(
        select(PERIOD.c.product, func.max(PERIOD.c.until_day).label("until_day"))
        .where(PERIOD.c.state == "held", PERIOD.c.until_day >= ending_from)
        .group_by(PERIOD.c.product)
    )
    return {row.product: row.until_day for row in rows}


def journey_values(journey: PricedJourney) -> dict[str, Any]:
    """The columns of a priced journey that its taps and the tariff determine."""
    first, last = (journey.legs[0], journey.legs[-1]) if journey.legs else (None, None)
    ended = None if last is None else last.end or last.start
    return {
        "day": journey.day,
        "products": json.dumps(journey.product_ids),
        "amount_minor": journey.amount.minor,
        "currency": journey.amount.currency,
        "state": journey.state.value,
        "counted": _write_counted(journey.counted),
        "key": journey.key,
        "taps": json.dumps([int(tap) for tap in journey.tap_ids]),
        "started_us": None if first is None else microseconds_of(first.start),
        "ended_us": None if ended is None else microseconds_of(ended),
        "from_stop": None if first is None else first.from_stop_id,
        "to_stop": None if last is None else last.to_stop_id,
        "explanation": json.dumps([_written(line) for line in journey.lines]),
    }


def same_content(journey: CurrentJourney, values: dict[str, Any]) -> bool:
    """Whether a journey that was priced before would be written the same way now."""
    return journey.content == tuple(values[name] for name in _CONTENT)


def read_explanation(text: str, currency: str) -> tuple[Line, ...]:
    """The lines of a journey's explanation column."""
    return tuple(
        Line(code, tuple(values), None if minor is None else Money(minor, currency))
        for code, values, minor in json.loads(text)
    )


def read_products(text: str) -> tuple[str, ...]:
    """The product ids of a journey's column."""
    return tuple(json.loads(text))


def days_back(now: datetime) -> date:
    """A day before all trips that have not faded."""
    return (now - timedelta(days=UNFADED_DAYS)).date()


def _written(line: Line) -> tuple[str, Sequence[str], int | None]:
    return line.code, line.values, None if line.amount is None else line.amount.minor


def _write_counted(counted: Counted) -> str:
    return json.dumps(
        {
            "day": counted.day.isoformat(),
            "currency": counted.full.currency,
            "full": counted.full.minor,
            "charged": counted.charged.minor,
            "rides": counted.rides,
            "caps": counted.cap_scopes,
            "period": counted.period_id,
        }
    )


def _read_counted(text: str) -> Counted:
    value = json.loads(text)
    return Counted(
        day=date.fromisoformat(value["day"]),
        full=Money(value["full"], value["currency"]),
        charged=Money(value["charged"], value["currency"]),
        rides=value["rides"],
        cap_scopes=tuple(value["caps"]),
        period_id=value["period"],
    )


_CONTENT = (
    "day", "products", "amount_minor", "currency", "state", "counted", "key", "taps", "started_us", "ended_us",
    "from_stop", "to_stop", "explanation",
)  # fmt: skip
