"""Period products (a season ticket, ten rides): bought from the account's balance, and given back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from openstile.fares.rides import HeldPeriod
from openstile.fares.tariff import Tariff
from openstile.journal.taps import microseconds_of
from openstile.ledger import Entry, Posting
from openstile.ledger.store import Ledger
from openstile.office.pricing.books import revenue_account, rider_account
from openstile.office.riders.accounts import being_given_back, lock_account, read_account
from openstile.office.riders.faults import FundsError, PeriodError
from openstile.office.store.accounts import PERIOD
from openstile.terms.money import Money


@dataclass(frozen=True, slots=True)
class Sale:
    """A period product that was bought, what it cost, and the posting that paid for it."""

    period: HeldPeriod
    price: Money
    posting_id: str


def buy(
    connection: Connection,
    *,
    tariff: Tariff,
    account_id: str,
    product_id: str,
    from_day: date,
    now: datetime,
    new_id: Callable[[], str],
) -> Sale:
    """Sells a period product that begins on `from_day`, for what the account's balance holds.

    Raises FundsError, PeriodError (a day that is over, no such product, no price for the rider's category).
    """
    lock_account(connection, account_id, due_us=microseconds_of(now))
    account, today = read_account(connection, account_id), tariff.service_day(now)
    if from_day < today:
        raise PeriodError(f"from_day: {from_day} is over, today is {today}")
    offer = tariff.offer(product_id, category_id=account.category, from_day=from_day)
    if offer is None:
        raise PeriodError(f"product {product_id[:48]!r}: is not sold to this rider category")
    if offer.price.currency != account.currency:
        raise PeriodError(f"product: costs {offer.price.currency}, the account is in {account.currency}")
    if account.balance.minor - being_given_back(connection, account_id) < offer.price.minor:
        raise FundsError(f"account: holds {account.balance}, the product costs {offer.price}; top up first")
    period_id = new_id()
    posting_id = Ledger(connection).post(_sale(period_id, account_id, product_id, offer.price, today))
    connection.execute(
        PERIOD.insert().values(
            period_id=period_id, account_id=account_id, product=product_id, from_day=from_day,
            until_day=offer.until_day, rides=offer.rides, price_minor=offer.price.minor, state="held",
        )
    )  # fmt: skip
    held = HeldPeriod(period_id, product_id, from_day, offer.until_day, offer.rides)
    return Sale(held, offer.price, posting_id)


def give_back(
    connection: Connection, *, tariff: Tariff, account_id: str, period_id: str, amount: Money, now: datetime
) -> str:
    """Takes a period product back for `amount`, at most its price, onto the balance; returns the posting's id.

    Rides that it covered and that have not faded are priced anew, without it.
    """
    lock_account(connection, account_id, due_us=microseconds_of(now))
    row = connection.execute(
        select(PERIOD).where(PERIOD.c.period_id == period_id, PERIOD.c.account_id == account_id).with_for_update()
    ).one_or_none()
    if row is None or row.state != "held":
        raise PeriodError("period product: the account holds none with this id")
    paid = Money(row.price_minor, read_account(connection, account_id).currency)
    if not 0 < amount.minor <= paid.minor or amount.currency != paid.currency:
        raise PeriodError(f"amount: must be more than zero and at most {paid}, which was paid")
    posting_id = Ledger(connection).post(
        Posting(
            kind="refund",
            day=tariff.service_day(now),
            entries=(Entry(revenue_account(amount.currency), amount), Entry(rider_account(account_id), -amount)),
            key=f"refund:{period_id}",
            memo=f"{row.product} given back"[:200],
        )
    )
    connection.execute(PERIOD.update().where(PERIOD.c.period_id == period_id).values(state="refunded"))
    return posting_id


def _sale(period_id: str, account_id: str, product_id: str, price: Money, today: date) -> Posting:
    return Posting(
        kind="sale",
        day=today,
        entries=(Entry(rider_account(account_id), price), Entry(revenue_account(price.currency), -price)),
        key=f"sale:{period_id}",
        memo=product_id[:200],
    )
