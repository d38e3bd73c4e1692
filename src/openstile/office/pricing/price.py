"""Pricing accounts: what their taps cost now against what was posted; differences are reversed and posted anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from openstile.fares.price import price_taps
from openstile.fares.rides import JourneyState, PricedJourney, Rider
from openstile.fares.tariff import Tariff
from openstile.ledger import Entry, Posting, Reversal
from openstile.ledger.store import Ledger
from openstile.office.pricing.books import revenue_account, rider_account
from openstile.office.pricing.rows import (
    CurrentJourney,
    counted_of,
    current_journeys,
    days_back,
    journey_values,
    periods_of,
    same_content,
    taps_of,
)
from openstile.office.store.accounts import ACCOUNT
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.rider_taps import journey_tap_ids, put_fresh, take_fresh
from openstile.terms.limits import LEDGER_MEMO_CHARS_MAX


@dataclass(frozen=True, slots=True)
class Repricing:
    """What one pricing changed. `again_at`: by account, when an open journey will have ended without a tap."""

    priced: int
    superseded: int
    again_at: dict[str, datetime]


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to become of one journey: `old` superseded, `values` written; `posts` where money moves."""

    old: CurrentJourney | None
    values: dict[str, Any] | None
    posts: Posting | None


def price_accounts(
    connection: Connection,
    *,
    tariff: Tariff,
    account_ids: Sequence[str],
    now: datetime,
    new_id: Callable[[], str],
) -> Repricing:
    """Price all taps of these accounts that have not faded, within the caller's transaction.

    A journey that came out as before stays; another is superseded, its posting reversed and the new one posted. A
    journey that is open is not posted yet, one whose fare is unknown never is. All postings are made at once, behind
    the locks on the accounts: no two transactions wait for each other for ever.
    """
    changes: list[_Change] = []
    again_at: dict[str, datetime] = {}
    today = tariff.service_day(now)
    for account_id in sorted(account_ids):
        journeys = _priced(connection, tariff, account_id, now)
        changes += _changes(connection, account_id, journeys, today, new_id)
        ends = [tariff.open_until(journey) for journey in journeys if journey.state is JourneyState.OPEN]
        if ends:
            again_at[account_id] = min(ends)
    _post(connection, changes, today)
    _write(connection, changes)
    superseded = sum(change.old is not None for change in changes)
    return Repricing(sum(change.values is not None for change in changes), superseded, again_at)


def _priced(connection: Connection, tariff: Tariff, account_id: str, now: datetime) -> tuple[PricedJourney, ...]:
    """What the account's taps cost now."""
    account = connection.execute(
        select(ACCOUNT.c.category, ACCOUNT.c.version, ACCOUNT.c.state)
        .where(ACCOUNT.c.account_id == account_id)
        .with_for_update(key_share=True)  # taps of the account may be stored meanwhile: they refer to it
    ).one()
    fresh, since = take_fresh(connection, account_id), days_back(now)
    periods = periods_of(connection, account_id, ending_from=since)  # what ended before may leave the file of rules
    if account.state == "erased":  # taps that were being stored while it was erased: nobody's any more
        return ()
    journeys = price_taps(
        tariff,
        rider=Rider(account.category, tariff.media_id),
        taps=taps_of(connection, fresh | journey_tap_ids(connection, account_id)),
        counted=counted_of(connection, account_id, since=tariff.counted_from(since, periods)),
        periods=periods,
        now=now,
    )
    put_fresh(connection, account_id, fresh.difference(int(tap) for journey in journeys for tap in journey.tap_ids))
    connection.execute(ACCOUNT.update().where(ACCOUNT.c.account_id == account_id).values(version=account.version + 1))
    return journeys


def _changes(
    connection: Connection,
    account_id: str,
    journeys: Sequence[PricedJourney],
    today: date,
    new_id: Callable[[], str],
) -> list[_Change]:
    """How the journeys differ from those that were priced before."""
    before, changes = current_journeys(connection, account_id), []
    for journey in journeys:
        old, values = before.pop(journey.key, None), journey_values(journey)
        if old is None or not same_content(old, values):
            values |= {"journey_id": new_id(), "account_id": account_id, "posting_id": None}
            changes.append(_Change(old, values, _posting(journey, values["journey_id"], account_id, today)))
    return changes + [_Change(gone, None, None) for gone in before.values()]


def _posting(journey: PricedJourney, journey_id: str, account_id: str, today: date) -> Posting | None:
    amount = journey.amount
    if journey.state is JourneyState.OPEN or amount.minor == 0:
        return None
    return Posting(
        kind="fare",
        day=today,
        entries=(Entry(rider_account(account_id), amount), Entry(revenue_account(amount.currency), -amount)),
        key=f"journey:{journey_id}",
        memo=f"ride: {', '.join(journey.product_ids)}"[:LEDGER_MEMO_CHARS_MAX],
    )


def _post(connection: Connection, changes: Sequence[_Change], today: date) -> None:
    """Reverses what is superseded and posts what is new; the new postings' ids go into the values."""
    undone = [
        Reversal(change.old.posting_id, today, f"reprice:{change.old.journey_id}", "priced anew")
        for change in changes
        if change.old is not None and change.old.posting_id is not None
    ]
    done = [change for change in changes if change.posts is not None]
    posted = Ledger(connection).post_many(
        [*undone, *(change.posts for change in done if change.posts is not None)], beyond_limit=True
    )
    for change, posting_id in zip(done, posted[len(undone) :], strict=True):
        if change.values is not None:
            change.values["posting_id"] = posting_id


def _write(connection: Connection, changes: Sequence[_Change]) -> None:
    gone = [{"which": change.old.journey_id} for change in changes if change.old is not None]
    if gone:
        superseded = JOURNEY.update().where(JOURNEY.c.journey_id == bindparam("which")).values(state="superseded")
        connection.execute(superseded, gone)
    new = [change.values for change in changes if change.values is not None]
    if new:
        connection.execute(JOURNEY.insert(), new)
