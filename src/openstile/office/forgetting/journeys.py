"""Journeys fade with their taps, account by account: a pricing sees a journey with all its taps, or neither.

What pricing may still have to do holds an account's journeys back, for as long as retention.review_days at most:
fresh taps, an open journey, one whose fare is unknown.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, text, update

from openstile.office.forgetting.policy import Cutoffs
from openstile.office.forgetting.tally import Tally, drop_taps
from openstile.office.store.accounts import ACCOUNT
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.rider_taps import portions
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.terms.held import Until

_UNFADED = text("state <> 'faded'")
"""As in the index, or engines do not use it."""
_NOT_PRICED = ("open", "unknown")
FADING_COLUMNS = tuple(c.name for c in JOURNEY.columns if c.info["held"].until is Until.TRIPS_FADE)


@dataclass(frozen=True, slots=True)
class _Trip:
    """A journey that has not faded, with what is known of its taps."""

    journey_id: str
    account_id: str
    day: date
    state: str
    taps: tuple[Row[*tuple[Any, ...]], ...]
    last_us: int
    """Of its newest tap."""
    received_us: int

    def waits(self, fresh: set[str]) -> bool:
        """Whether pricing or somebody of the staff has something to do with it."""
        return self.state in _NOT_PRICED or self.account_id in fresh


def fade_accounts(
    connection: Connection, *, cutoffs: Cutoffs, tally: Tally, after: str = "", limit: int = 200
) -> str | None:
    """Fades what is old of at most `limit` accounts with ids behind `after`; returns the last of them, None for none.

    Locks the accounts, as pricing does, until the caller's transaction ends.
    """
    old = func.coalesce(JOURNEY.c.ended_us, JOURNEY.c.started_us, 0) < cutoffs.trips_us
    chosen = select(JOURNEY.c.account_id).distinct().where(_UNFADED, old, JOURNEY.c.account_id > after)
    accounts = list(connection.execute(chosen.order_by(JOURNEY.c.account_id).limit(limit)).scalars())
    if not accounts:
        return None
    connection.execute(
        select(ACCOUNT.c.account_id)
        .where(ACCOUNT.c.account_id.in_(accounts))
        .order_by("account_id")
        .with_for_update(key_share=True)  # taps that arrive refer to accounts: neither waits for the other
    ).all()
    fresh = set(
        connection.execute(select(TAP_FRESH.c.account_id).where(TAP_FRESH.c.account_id.in_(accounts))).scalars()
    )
    going, superseded = [], []
    for trip in _trips(connection, accounts):
        if trip.last_us >= cutoffs.trips_us:
            continue
        if trip.state == "superseded":
            superseded.append(trip.journey_id)
        elif trip.waits(fresh) and trip.received_us >= cutoffs.waiting_us:
            tally.waiting.update(tap.epoch_id for tap in trip.taps)
        else:
            going.append(trip)
    _fade(connection, going, tally)
    _remove(connection, superseded, tally)
    return str(accounts[-1])


def _trips(connection: Connection, accounts: list[str]) -> list[_Trip]:
    rows = connection.execute(
        select(
            JOURNEY.c.journey_id, JOURNEY.c.account_id, JOURNEY.c.day, JOURNEY.c.state, JOURNEY.c.taps,
            func.coalesce(JOURNEY.c.ended_us, JOURNEY.c.started_us, 0).label("ended_us"),
        ).where(_UNFADED, JOURNEY.c.account_id.in_(accounts))
    ).all()  # fmt: skip
    ids = {row.journey_id: [int(tap) for tap in json.loads(row.taps or "[]")] for row in rows}
    known: dict[int, Row[*tuple[Any, ...]]] = {}
    for some in portions({tap for taps in ids.values() for tap in taps}):
        found = connection.execute(
            select(TAP.c.tap_id, TAP.c.epoch_id, TAP.c.at_us, TAP.c.received_us).where(TAP.c.tap_id.in_(some))
        )
        known.update((tap.tap_id, tap) for tap in found)
    trips = []
    for row in rows:
        taps = tuple(known[tap] for tap in ids[row.journey_id] if tap in known)
        last_us = max((tap.at_us for tap in taps), default=row.ended_us)
        received_us = max((tap.received_us for tap in taps), default=0)
        trips.append(_Trip(row.journey_id, row.account_id, row.day, row.state, taps, last_us, received_us))
    return trips


def _fade(connection: Connection, trips: list[_Trip], tally: Tally) -> None:
    days = {tap.tap_id: trip.day for trip in trips for tap in trip.taps}
    unpriced = [tap.tap_id for trip in trips if trip.state in _NOT_PRICED for tap in trip.taps]
    drop_taps(connection, days, unpriced, tally)
    emptied: dict[str, Any] = {"state": "faded", **dict.fromkeys(FADING_COLUMNS)}
    for some in _lists([trip.journey_id for trip in trips]):
        connection.execute(update(JOURNEY).where(JOURNEY.c.journey_id.in_(some)).values(emptied))
    tally.rows["journey"] += len(trips)


def _remove(connection: Connection, journey_ids: list[str], tally: Tally) -> None:
    """Superseded journeys were reversed: their postings stay, and nothing else is to be said of them."""
    for some in _lists(journey_ids):
        connection.execute(delete(JOURNEY).where(JOURNEY.c.journey_id.in_(some)))
    tally.rows["journey superseded"] += len(journey_ids)


def _lists(ids: list[str], at_a_time: int = 1000) -> list[list[str]]:
    return [ids[first : first + at_a_time] for first in range(0, len(ids), at_a_time)]
