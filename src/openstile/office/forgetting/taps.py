"""Old taps that are in no journey: rejected by a review, or kept until somebody looks, for a bounded time."""

import json
from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import Connection, delete, exists, select, union

from openstile.journal.taps import instant_of
from openstile.office.forgetting.policy import Cutoffs
from openstile.office.forgetting.tally import Tally, drop_taps
from openstile.office.store.accounts import PASS
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.taps import HELD_FOR_REVIEW, TAP, TAP_FRESH

ServiceDay = Callable[[datetime], date]
_AGE_US_MAX = 100 * 86_400 * 10**6
"""A tap that its gate says is older than this when it comes was made by a clock that was never set."""


def fade_other_taps(
    connection: Connection, *, cutoffs: Cutoffs, service_day: ServiceDay, tally: Tally, after: int = -1,
    limit: int = 1000,
) -> int | None:  # fmt: skip
    """Fades at most `limit` old taps with numbers behind `after`; returns the last one looked at, None for none.

    Comes after `fade_accounts`, which leaves few old taps. What is held for review is old by when it came, too: its
    gate's clock may say any year.
    """
    old = union(
        select(TAP.c.tap_id).where(TAP.c.at_us < cutoffs.trips_us),
        select(TAP.c.tap_id).where(HELD_FOR_REVIEW, TAP.c.received_us < cutoffs.trips_us),
    )
    taps = connection.execute(
        select(TAP.c.tap_id, TAP.c.epoch_id, TAP.c.pass_id, TAP.c.at_us, TAP.c.received_us, TAP.c.review)
        .where(TAP.c.tap_id.in_(old), TAP.c.tap_id > after)
        .order_by(TAP.c.tap_id)
        .limit(limit)
    ).all()
    if not taps:
        return None
    fresh = set(
        connection.execute(
            select(TAP_FRESH.c.tap_id).where(TAP_FRESH.c.tap_id.in_([tap.tap_id for tap in taps]))
        ).scalars()
    )
    accounts = _accounts(connection, {tap.pass_id for tap in taps})  # read behind the fresh ones: see _in_journeys
    priced = _in_journeys(connection, set(accounts.values()))
    days: dict[int, date] = {}
    unpriced: list[int] = []
    for tap in taps:
        waits = tap.review == "waiting" or tap.tap_id in fresh
        held = waits or tap.tap_id in priced or (tap.review != "rejected" and tap.pass_id not in accounts)
        if held and tap.received_us >= cutoffs.waiting_us:
            if waits:
                tally.waiting[tap.epoch_id] += 1
            continue
        if tap.tap_id in priced:  # its journey is not old yet, as its newest tap is not
            continue
        days[tap.tap_id] = day_of(tap.at_us, tap.received_us, service_day)
        if waits:
            unpriced.append(tap.tap_id)
    drop_taps(connection, days, unpriced, tally)
    return int(taps[-1].tap_id)


def day_of(at_us: int, received_us: int, service_day: ServiceDay) -> date:
    """The service day of a tap by its gate's clock; by the office's, where that one cannot be right."""
    plausible = 0 <= received_us - at_us <= _AGE_US_MAX
    return service_day(instant_of(at_us if plausible else received_us))


def _accounts(connection: Connection, passes: set[bytes]) -> dict[bytes, str]:
    found = connection.execute(select(PASS.c.pass_id, PASS.c.account_id).where(PASS.c.pass_id.in_(passes)))
    return {row.pass_id: row.account_id for row in found}


def _in_journeys(connection: Connection, accounts: set[str]) -> set[int]:
    """Taps of the accounts' journeys. A pricing makes a tap part of one in the step in which it is fresh no more, so
    who asks for fresh ones first and then here does not miss it."""
    rows = connection.execute(
        select(JOURNEY.c.taps).where(
            JOURNEY.c.account_id.in_(accounts), JOURNEY.c.taps.is_not(None), JOURNEY.c.state != "superseded"
        )
    ).scalars()
    return {int(tap) for taps in rows for tap in json.loads(taps)}


def drop_fresh_without_taps(connection: Connection) -> None:
    """Forgets whose taps have faded before any pricing took them."""
    connection.execute(delete(TAP_FRESH).where(~exists().where(TAP.c.tap_id == TAP_FRESH.c.tap_id)))
