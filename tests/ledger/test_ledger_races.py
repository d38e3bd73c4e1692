"""Many at once, and a process that dies in the middle: limits hold, keys count once, nothing is half there."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from tests.ledger.ledger_workshop import (
    ANNA,
    BEN,
    DAY,
    HOT,
    NOW,
    REVENUE,
    balances,
    books_at,
    eur,
    fare,
    hold_of,
    top_up,
    transfer,
)  # fmt: skip

from openstile.ledger import IdempotencyConflictError, InsufficientFundsError, Posting
from openstile.ledger.errors import HoldError, ReversalError
from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify
from openstile.office.store.database import Database

THREADS = 8


@pytest.fixture
def books(database_url: str) -> Iterator[Database]:
    with books_at(database_url) as database:
        yield database


def at_once(books: Database, what: Callable[[int, Ledger], object]) -> list[object]:
    """What each of THREADS transactions gave, or the error that it ended with; all begin together."""
    barrier = Barrier(THREADS)

    def one(index: int) -> object:
        barrier.wait()
        try:
            with books.write() as connection:
                return what(index, Ledger(connection))
        except (InsufficientFundsError, IdempotencyConflictError, ReversalError, HoldError) as error:
            return type(error)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_racing_postings_do_not_overdraw(books: Database) -> None:
    for turn in range(5):
        with books.write() as connection:
            Ledger(connection).post(top_up(f"t{turn}", ANNA, 300))
        found = at_once(books, lambda index, ledger, turn=turn: ledger.post(fare(f"f{turn}-{index}", ANNA, 100)))  # type: ignore[misc]
        assert found.count(InsufficientFundsError) == THREADS - 3
        assert balances(books, ANNA) == (0,)


def test_racing_holds_and_postings_do_not_overdraw(books: Database) -> None:
    with books.write() as connection:
        Ledger(connection).post(top_up("t", ANNA, 300))

    def hold_or_post(index: int, ledger: Ledger) -> str:
        if index % 2:
            return ledger.hold(hold_of(f"h{index}", ANNA, 100), now=NOW)
        return ledger.post(fare(f"f{index}", ANNA, 100))

    found = at_once(books, hold_or_post)
    assert found.count(InsufficientFundsError) == THREADS - 3
    with books.read() as connection:
        assert Ledger(connection).account(ANNA).available == eur(0)


def test_one_key_in_many_hands_is_posted_once(books: Database) -> None:
    """Between accounts without a limit too, where nothing but the key stands in the way."""
    for turn in range(5):
        posting = transfer(f"k{turn}", HOT, REVENUE, 7)
        found = at_once(books, lambda _index, ledger, posting=posting: ledger.post(posting))  # type: ignore[misc]
        assert len(set(found)) == 1
    assert balances(books, REVENUE) == (35,)


def test_one_key_for_many_contents_is_posted_once(books: Database) -> None:
    found = at_once(books, lambda index, ledger: ledger.post(transfer("k", HOT, REVENUE, index + 1)))
    assert found.count(IdempotencyConflictError) == THREADS - 1


def test_a_posting_is_reversed_once_however_many_try(books: Database) -> None:
    with books.write() as connection:
        posted = Ledger(connection).post(transfer("k", HOT, REVENUE, 7))
    found = at_once(books, lambda index, ledger: ledger.reverse(posted, day=DAY, key=f"r{index}"))
    assert found.count(ReversalError) == THREADS - 1
    assert balances(books, REVENUE, HOT) == (0, 0)


def test_a_hold_ends_once_however_many_try(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post(top_up("t", ANNA, 300))
        held = ledger.hold(hold_of("h", ANNA, 300), now=NOW)

    def settle_or_expire(index: int, ledger: Ledger) -> object:
        if index % 2:
            return ledger.expire_due(NOW.replace(hour=9))
        return ledger.settle(held, eur(300), now=NOW, day=DAY, key=f"s{index}")

    found = at_once(books, settle_or_expire)
    settled = [one for one in found if isinstance(one, str)]
    assert len(settled) + sum(one for one in found if isinstance(one, int)) == 1


def test_batches_over_the_same_accounts_in_other_orders_do_not_deadlock(books: Database) -> None:
    def batch(index: int, turn: int) -> list[Posting]:
        both = [transfer(f"{turn}-{index}-{one}", one, HOT, 1) for one in (REVENUE, "cash:provider")]
        riders = [top_up(f"{turn}-{index}-{one}", one, 1) for one in (ANNA, BEN)]
        return (both + riders) if index % 2 else (riders + both)[::-1]

    for turn in range(5):
        found = at_once(books, lambda index, ledger, turn=turn: ledger.post_many(batch(index, turn)))  # type: ignore[misc]
        assert all(isinstance(one, tuple) for one in found)
    assert balances(books, ANNA, BEN) == (5 * THREADS, 5 * THREADS)


KILLED = """
import os, signal, sys
from tests.ledger.ledger_workshop import *
database = Database.open(sys.argv[1])
with database.write() as connection:
    Ledger(connection).post(top_up("kept", ANNA, 100))
with database.write() as connection:
    ledger = Ledger(connection)
    ledger.post_many([top_up("lost", ANNA, 50), fare("gone", ANNA, 20)])
    ledger.hold(hold_of("held", ANNA, 30), now=NOW)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_in_the_middle_leaves_nothing_of_it(books: Database) -> None:
    url = str(books.engine.url.render_as_string(hide_password=False)).replace("postgresql+psycopg", "postgresql")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url], check=False, cwd=Path(__file__).parents[2], env={**os.environ},
    )  # fmt: skip
    assert done.returncode == -9
    with books.read() as connection:
        assert Ledger(connection).account(ANNA).available == eur(100)
        assert verify(connection).findings == ()
    assert balances(books, ANNA, REVENUE) == (100, 0)
