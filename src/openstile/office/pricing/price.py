"""Pricing one account: what its taps cost now against what was posted; differences are reversed and posted anew."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from openstile.fares.price import price_taps
from openstile.fares.rides import JourneyState, PricedJourney, Rider
from openstile.fares.tariff import Tariff
from openstile.ledger import Entry, Ledger, Posting
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
from openstile.terms.money import Money

REVENUE = "revenue:fares"
"""The ledger account that fares are earned on, one in each currency."""


@dataclass(frozen=True, slots=True)
class Repricing:
    """What one pricing of an account changed. `again_at`: when an open journey will have ended without a tap."""

    priced: int
    superseded: int
    unchanged: int
    again_at: datetime | None


def rider_account(account_id: str) -> str:
    """The ledger account with what the operator owes a rider: what was paid in and not yet ridden."""
    return f"rider:{account_id}"


def price_account(
    connection: Connection,
    *,
    tariff: Tariff,
    account_id: str,
    now: datetime,
    new_id: Callable[[], str],
) -> Repricing:
    """Price all of the account's taps that have not faded, within the caller's transaction.

    A journey that came out as before stays; another is superseded, its posting reversed and the new one posted. A
    journey that is open is not posted yet, one whose fare is unknown never is.
    """
    account = connection.execute(
        select(ACCOUNT.c.category, ACCOUNT.c.version).where(ACCOUNT.c.account_id == account_id).with_for_update()
    ).one()
    fresh = take_fresh(connection, account_id)
    journeys = price_taps(
        tariff,
        rider=Rider(account.category, tariff.media_id),
        taps=taps_of(connection, fresh | journey_tap_ids(connection, account_id)),
        counted=counted_of(connection, account_id, since=days_back(now)),
        periods=periods_of(connection, account_id),
        now=now,
    )
    put_fresh(connection, account_id, fresh.difference(int(tap) for journey in journeys for tap in journey.tap_ids))
    before, today, ledger = current_journeys(connection, account_id), tariff.service_day(now), Ledger(connection)
    changed = unchanged = 0
    for journey in journeys:
        old, values = before.pop(journey.key, None), journey_values(journey)
        if old is not None and same_content(old, values):
            unchanged += 1
            continue
        if old is not None:
            _supersede(connection, ledger, old, today)
        journey_id = new_id()
        posting_id = _post(ledger, journey, journey_id, account_id, today)
        connection.execute(
            JOURNEY.insert().values(journey_id=journey_id, account_id=account_id, posting_id=posting_id, **values)
        )
        changed += 1
    for gone in before.values():
        _supersede(connection, ledger, gone, today)
    connection.execute(ACCOUNT.update().where(ACCOUNT.c.account_id == account_id).values(version=account.version + 1))
    ends = [tariff.open_until(journey) for journey in journeys if journey.state is JourneyState.OPEN]
    return Repricing(changed, len(before), unchanged, min(ends, default=None))


def _post(ledger: Ledger, journey: PricedJourney, journey_id: str, account_id: str, today: date) -> str | None:
    if journey.state is JourneyState.OPEN or journey.amount.minor == 0:
        return None
    amount = journey.amount
    return ledger.post(
        Posting(
            kind="fare",
            day=today,
            entries=(Entry(rider_account(account_id), amount), Entry(revenue_account(amount), -amount)),
            key=f"journey:{journey_id}",
            memo=", ".join(journey.product_ids)[:200],
        )
    )


def revenue_account(amount: Money) -> str:
    """The revenue account of an amount's currency."""
    return f"{REVENUE}:{amount.currency}"


def _supersede(connection: Connection, ledger: Ledger, old: CurrentJourney, today: date) -> None:
    if old.posting_id is not None:
        ledger.reverse(old.posting_id, day=today, key=f"reprice:{old.journey_id}", memo="priced anew")
    connection.execute(JOURNEY.update().where(JOURNEY.c.journey_id == old.journey_id).values(state="superseded"))
