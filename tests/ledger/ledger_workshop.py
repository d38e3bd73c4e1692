"""Books to test with: an empty database, a few accounts, and short words for money and postings."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from openstile.ledger import AccountKind, Entry, Hold, Posting
from openstile.ledger.store import LEDGER, Ledger
from openstile.ledger.store.verify import verify
from openstile.office.store.database import Database
from openstile.terms.money import Money

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
ANNA, BEN = "riders:a" + 31 * "0", "riders:b" + 31 * "0"
CASH, REVENUE, HOT = "cash:provider", "revenue:fares", "revenue:hot"
YEN, YEN_CASH = "riders:yen", "cash:yen"


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def transfer(key: str, debit: str, credit: str, minor: int, *, day: date = DAY, memo: str = "") -> Posting:
    """`minor` cents from `credit` to `debit`, in the bookkeeper's sense."""
    return Posting("test", day, (Entry(debit, eur(minor)), Entry(credit, eur(-minor))), key, memo)


def top_up(key: str, rider: str, minor: int) -> Posting:
    return transfer(key, CASH, rider, minor)


def fare(key: str, rider: str, minor: int, *, revenue: str = REVENUE) -> Posting:
    return transfer(key, rider, revenue, minor)


def hold_of(key: str, rider: str, minor: int, *, minutes: int = 10, payee: str = REVENUE) -> Hold:
    return Hold(rider, payee, eur(minor), NOW + timedelta(minutes=minutes), DAY, key)


def open_books(url: str) -> Database:
    """Anna and Ben may not go below zero; nobody else has a limit. All accounts of EUR but YEN and YEN_CASH."""
    database = Database.open(url)
    LEDGER.create_all(database.engine)
    with database.write() as connection:
        ledger = Ledger(connection)
        for rider in (ANNA, BEN):
            ledger.open_account(rider, AccountKind.LIABILITY, "EUR", on=DAY)
        ledger.open_account(CASH, AccountKind.ASSET, "EUR", overdraft_minor=None, on=DAY)
        ledger.open_account(REVENUE, AccountKind.INCOME, "EUR", overdraft_minor=None, on=DAY)
        ledger.open_account(HOT, AccountKind.INCOME, "EUR", overdraft_minor=None, shards=8, on=DAY)
        ledger.open_account(YEN, AccountKind.LIABILITY, "JPY", on=DAY)
        ledger.open_account(YEN_CASH, AccountKind.ASSET, "JPY", overdraft_minor=None, on=DAY)
    return database


@contextmanager
def books_at(url: str) -> Iterator[Database]:
    """Open books, verified at the end."""
    database = open_books(url)
    try:
        yield database
        with database.read() as connection:
            assert verify(connection).findings == ()
    finally:
        database.close()


def balances(database: Database, *names: str) -> tuple[int, ...]:
    """Minor units on the normal side."""
    with database.read() as connection:
        return tuple(Ledger(connection).balance(name).minor for name in names)
