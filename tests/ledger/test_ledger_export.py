"""Exports, on both engines: Beancount itself loads the text without an error and comes to the same balances."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core import realization
from beancount.core.data import Transaction
from tests.ledger.ledger_workshop import (
    ANNA,
    BEN,
    CASH,
    DAY,
    HOT,
    REVENUE,
    YEN,
    YEN_CASH,
    books_at,
    fare,
    top_up,
    transfer,
)  # fmt: skip

from openstile.ledger import AccountKind, Entry, Posting
from openstile.ledger.store import Ledger
from openstile.ledger.store.export import CSV_COLUMNS, beancount_name, write_beancount, write_csv
from openstile.office.store.database import Database
from openstile.terms import BadInputError
from openstile.terms.money import Money

LAST = date(2026, 3, 31)


@pytest.fixture
def books(database_url: str) -> Iterator[Database]:
    with books_at(database_url) as database:
        with database.write() as connection:
            ledger = Ledger(connection)
            ledger.post_many([top_up("t", ANNA, 12345), top_up("u", BEN, 500)])
            ride = ledger.post(fare("f", ANNA, 280))
            ledger.reverse(ride, day=date(2026, 3, 4), key="r", memo='priced "anew" \\ again')
            ledger.post(fare("g", BEN, 5, revenue=HOT))
            ledger.post(
                Posting("exchange", DAY, (Entry(YEN_CASH, Money(160, "JPY")), Entry(YEN, Money(-160, "JPY"))), "y")
            )
            ledger.post(transfer("early", ANNA, REVENUE, 1, day=date(2026, 2, 27)))
            ledger.post(transfer("late", ANNA, REVENUE, 2, day=date(2026, 4, 1)))
        yield database


def test_beancount_loads_the_export_and_balances_are_equal(books: Database) -> None:
    text = io.StringIO()
    with books.read() as connection:
        assert write_beancount(connection, text, through=LAST) == 7
        expected = {
            beancount_name(line.account, line.kind): Decimal(line.balance.decimal)
            for line in Ledger(connection).trial_balance(LAST).lines
        }
    entries, errors, _ = loader.load_string(text.getvalue())
    assert errors == []
    assert len([entry for entry in entries if isinstance(entry, Transaction)]) == 7
    root = realization.realize(entries)  # type: ignore[no-untyped-call]
    for name, amount in expected.items():
        account = realization.get(root, name)  # type: ignore[no-untyped-call]
        assert account is not None
        assert sum((position.units.number for position in account.balance), Decimal(0)) == amount, name


def test_beancount_finds_a_balance_that_is_wrong(books: Database) -> None:
    """So the test above can fail."""
    text = io.StringIO()
    with books.read() as connection:
        write_beancount(connection, text, through=LAST)
    _, errors, _ = loader.load_string(text.getvalue().replace("-2.80 EUR", "-2.81 EUR", 1))
    assert errors


def test_csv_has_every_entry_once(books: Database) -> None:
    text = io.StringIO()
    with books.read() as connection:
        assert write_csv(connection, text) == 16
        assert write_csv(connection, io.StringIO(), through=LAST) == 14
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["day"] for row in rows] == sorted(row["day"] for row in rows)
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row["account"]] = sums.get(row["account"], Decimal(0)) + Decimal(row["amount"])
    assert sums[ANNA] == Decimal("-123.42")
    assert sums[CASH] == Decimal("128.45")
    assert sums[YEN] == -160
    assert {row["memo"] for row in rows} == {"", 'priced "anew" \\ again'}


def test_account_names_stay_different_and_are_what_beancount_takes() -> None:
    assert beancount_name("riders:0a-b", AccountKind.LIABILITY) == "Liabilities:Riders:0a-b"
    assert beancount_name("a:b", AccountKind.INCOME) != beancount_name("a-b", AccountKind.INCOME)


def test_the_last_day_of_the_calendar_has_no_day_after_it(books: Database) -> None:
    with books.read() as connection, pytest.raises(BadInputError):
        write_beancount(connection, io.StringIO(), through=date.max)
