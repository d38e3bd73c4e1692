"""Holds, on both engines: reserve, settle, void, expire; each ends once, and an ended one keeps no time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.ledger.ledger_workshop import (
    ANNA,
    BEN,
    DAY,
    HOT,
    NOW,
    REVENUE,
    YEN,
    balances,
    books_at,
    eur,
    fare,
    hold_of,
    top_up,
)

from openstile.ledger import Hold, IdempotencyConflictError, InsufficientFundsError, LedgerError
from openstile.ledger.errors import HoldError
from openstile.ledger.store import Ledger
from openstile.office.store.database import Database
from openstile.terms import BadInputError
from openstile.terms.money import Money

LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def books(database_url: str) -> Iterator[Database]:
    with books_at(database_url) as database:
        with database.write() as connection:
            Ledger(connection).post(top_up("money", ANNA, 1000))
        yield database


def state(books: Database, name: str = ANNA) -> tuple[int, int, int]:
    with books.read() as connection:
        account = Ledger(connection).account(name)
    return account.balance.minor, account.held.minor, account.available.minor


def test_a_hold_reserves_and_moves_nothing(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        first = ledger.hold(hold_of("h", ANNA, 600), now=NOW)
        assert ledger.hold(hold_of("h", ANNA, 600, minutes=20), now=NOW) == first
        with pytest.raises(InsufficientFundsError):
            ledger.hold(hold_of("i", ANNA, 401), now=NOW)
        with pytest.raises(InsufficientFundsError):
            ledger.post(fare("f", ANNA, 401))
        ledger.post(fare("f", ANNA, 400))
    assert state(books) == (600, 600, 0)
    assert balances(books, REVENUE) == (400,)


def test_a_settled_hold_frees_what_was_not_taken(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        held = ledger.hold(hold_of("h", ANNA, 600, payee=HOT), now=NOW)
        with pytest.raises(HoldError, match="at most what is held"):
            ledger.settle(held, eur(601), now=NOW, day=DAY, key="s")
        with pytest.raises(HoldError, match="in its currency"):
            ledger.settle(held, Money(1, "PLN"), now=NOW, day=DAY, key="s")
        posted = ledger.settle(held, eur(250), now=NOW, day=DAY, key="s")
        assert ledger.settle(held, eur(250), now=LATER, day=DAY, key="s") == posted
        with pytest.raises(IdempotencyConflictError):
            ledger.settle(held, eur(251), now=NOW, day=DAY, key="s")
        with pytest.raises(HoldError, match="settled already"):
            ledger.settle(held, eur(250), now=NOW, day=DAY, key="t")
        with pytest.raises(HoldError, match="was settled"):
            ledger.void(held)
    assert state(books) == (750, 0, 750)
    assert balances(books, HOT) == (250,)


def test_a_settlement_takes_what_it_reserved_though_the_account_fell_below_its_limit(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        held = ledger.hold(hold_of("h", ANNA, 1000), now=NOW)
        ledger.post(fare("f", ANNA, 300), beyond_limit=True)
        ledger.settle(held, eur(1000), now=NOW, day=DAY, key="s")
    assert state(books) == (-300, 0, -300)


def test_a_key_of_another_posting_settles_nothing(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        one, two = (ledger.hold(hold_of(key, ANNA, 100), now=NOW) for key in ("h", "i"))
        ledger.settle(one, eur(100), now=NOW, day=DAY, key="s")
        with pytest.raises(IdempotencyConflictError):
            ledger.settle(two, eur(100), now=NOW, day=DAY, key="s")
    assert state(books) == (900, 100, 800)


def test_a_void_hold_frees_all_once(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        held = ledger.hold(hold_of("h", ANNA, 600), now=NOW)
        ledger.void(held)
        ledger.void(held)
        with pytest.raises(HoldError, match="ended"):
            ledger.settle(held, eur(1), now=NOW, day=DAY, key="s")
    assert state(books) == (1000, 0, 1000)


def test_a_hold_expires_at_its_instant_not_before(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        early, late = (ledger.hold(hold_of(key, ANNA, 100, minutes=at), now=NOW) for key, at in (("h", 10), ("i", 11)))
        assert ledger.expire_due(LATER - timedelta(microseconds=1)) == 0
        with pytest.raises(HoldError, match="expired"):  # nobody swept yet, and still it is over
            ledger.settle(early, eur(1), now=LATER, day=DAY, key="s")
        assert ledger.expire_due(LATER) == 1
        assert ledger.expire_due(LATER) == 0
        ledger.settle(late, eur(100), now=LATER, day=DAY, key="t")
        times = connection.exec_driver_sql("SELECT expires_us FROM ledger_hold").scalars().all()
    assert times == [None, None]
    assert state(books) == (900, 0, 900)


def test_same_key_with_another_hold_is_refused(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.hold(hold_of("h", ANNA, 600), now=NOW)
        for other in (hold_of("h", ANNA, 601), hold_of("h", BEN, 600), hold_of("h", ANNA, 600, payee=HOT)):
            with pytest.raises(IdempotencyConflictError):
                ledger.hold(other, now=NOW)


def test_what_cannot_be_held_is_refused(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        for minutes in (0, -1, 24 * 60 + 1):
            with pytest.raises(BadInputError, match="within 24 hours"):
                ledger.hold(hold_of("h", ANNA, 1, minutes=minutes), now=NOW)
        ledger.hold(hold_of("longest", ANNA, 1, minutes=24 * 60), now=NOW)
        with pytest.raises(BadInputError, match="shard"):
            ledger.hold(hold_of("h", HOT, 1), now=NOW)
        with pytest.raises(LedgerError, match="never mixed"):
            ledger.hold(hold_of("h", ANNA, 1, payee=YEN), now=NOW)
        with pytest.raises(HoldError, match="no such one"):
            ledger.void(32 * "0")
        with pytest.raises(BadInputError):
            ledger.void("1")
    with pytest.raises(BadInputError, match="more than zero"):
        hold_of("h", ANNA, 0)
    with pytest.raises(BadInputError, match="one"):
        hold_of("h", ANNA, 1, payee=ANNA)
    with pytest.raises(BadInputError, match="UTC"):
        Hold(ANNA, REVENUE, eur(1), NOW.replace(tzinfo=None), DAY, "h")
