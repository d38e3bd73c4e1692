"""Posting, on both engines: what each operation does to balances, and what is refused with nothing written."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from random import Random

import pytest
from tests.ledger.ledger_workshop import (
    ANNA,
    BEN,
    CASH,
    DAY,
    HOT,
    REVENUE,
    YEN,
    YEN_CASH,
    balances,
    books_at,
    eur,
    fare,
    top_up,
    transfer,
)

from openstile.ledger import (
    AccountKind,
    Entry,
    IdempotencyConflictError,
    InsufficientFundsError,
    LedgerError,
    Posting,
    Reversal,
)
from openstile.ledger.errors import ReversalError, UnknownAccountError
from openstile.ledger.store import Ledger
from openstile.office.store.database import Database
from openstile.terms import BadInputError
from openstile.terms.limits import LEDGER_BATCH_MAX, LEDGER_ENTRIES_MAX, MONEY_MINOR_MAX
from openstile.terms.money import Money


@pytest.fixture
def books(database_url: str) -> Iterator[Database]:
    with books_at(database_url) as database:
        yield database


def test_balances_after_each_step(books: Database) -> None:
    """Each side shows what it holds on its normal side: the rider's money, the provider's cash, the fares earned."""
    steps = (
        (top_up("t1", ANNA, 1000), (1000, 0, 1000, 0)),
        (fare("f1", ANNA, 280), (720, 0, 1000, 280)),
        (top_up("t2", BEN, 500), (720, 500, 1500, 280)),
        (fare("f2", BEN, 500), (720, 0, 1500, 780)),
        (transfer("refund", ANNA, CASH, 720), (0, 0, 780, 780)),
    )
    for posting, expected in steps:
        with books.write() as connection:
            Ledger(connection).post(posting)
        assert balances(books, ANNA, BEN, CASH, REVENUE) == expected, posting.key


def test_many_in_one_call_are_posted_together_and_limits_hold_for_the_sum(books: Database) -> None:
    with books.write() as connection:
        ids = Ledger(connection).post_many([fare("f", ANNA, 280), top_up("t", ANNA, 300)])
    assert len(set(ids)) == 2
    assert balances(books, ANNA, REVENUE) == (20, 280)


def test_one_refused_posting_of_many_leaves_nothing(books: Database) -> None:
    with books.write() as connection, pytest.raises(InsufficientFundsError) as refused:
        Ledger(connection).post_many([top_up("t", ANNA, 300), fare("f", BEN, 1)])
    assert refused.value.accounts == (BEN,)
    assert BEN not in str(refused.value)
    assert balances(books, ANNA, BEN, CASH) == (0, 0, 0)


def test_same_key_and_content_is_the_same_posting(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        first = ledger.post(top_up("t", ANNA, 300))
        assert ledger.post(top_up("t", ANNA, 300)) == first
        assert ledger.post_many([top_up("t", ANNA, 300), top_up("u", ANNA, 1), top_up("u", ANNA, 1)])[0] == first
    with books.write() as connection:
        assert Ledger(connection).post(top_up("t", ANNA, 300)) == first
    assert balances(books, ANNA) == (301,)


def test_a_repeated_posting_is_no_second_draw_on_the_limit(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post(top_up("t", ANNA, 300))
        spent = ledger.post(fare("f", ANNA, 300))
        assert ledger.post(fare("f", ANNA, 300)) == spent


@pytest.mark.parametrize(
    "other",
    [
        top_up("t", ANNA, 301),
        top_up("t", BEN, 300),
        transfer("t", CASH, ANNA, 300, day=date(2026, 3, 3)),
        transfer("t", CASH, ANNA, 300, memo="cash"),
        Posting("other", DAY, top_up("t", ANNA, 300).entries, "t"),
        Posting("test", DAY, tuple(reversed(top_up("t", ANNA, 300).entries)), "t"),
    ],
    ids=["amount", "account", "day", "memo", "kind", "order"],
)
def test_same_key_with_other_content_is_refused(books: Database, other: Posting) -> None:
    with books.write() as connection:
        Ledger(connection).post(top_up("t", ANNA, 300))
    with books.write() as connection, pytest.raises(IdempotencyConflictError):
        Ledger(connection).post(other)
    with books.write() as connection, pytest.raises(IdempotencyConflictError):
        Ledger(connection).post_many([top_up("new", ANNA, 1), other])
    assert balances(books, ANNA) == (300,)


def test_overdraft_is_allowed_to_the_last_minor_unit(books: Database) -> None:
    with books.write() as connection:
        Ledger(connection).set_overdraft(ANNA, 100)
        Ledger(connection).post(fare("f", ANNA, 100))
        with pytest.raises(InsufficientFundsError):
            Ledger(connection).post(fare("g", ANNA, 1))
    assert balances(books, ANNA) == (-100,)


def test_what_must_be_booked_goes_beyond_the_limit_and_then_only_up(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post(fare("f", ANNA, 250), beyond_limit=True)
        ledger.post(top_up("t", ANNA, 100))  # still below zero: more is welcome
        with pytest.raises(InsufficientFundsError):
            ledger.post(fare("g", ANNA, 1))
    assert balances(books, ANNA) == (-150,)


def test_a_limit_of_an_asset_account_is_on_its_debit_side(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.open_account("cash:drawer", AccountKind.ASSET, "EUR", on=DAY)
        ledger.post(transfer("in", "cash:drawer", REVENUE, 10))
        with pytest.raises(InsufficientFundsError):
            ledger.post(transfer("out", REVENUE, "cash:drawer", 11))
        ledger.post(transfer("out", REVENUE, "cash:drawer", 10))
    assert balances(books, "cash:drawer") == (0,)


def test_reversal_undoes_every_entry_once(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post(top_up("t", ANNA, 1000))
        ride = ledger.post(fare("f", ANNA, 280))
        undone = ledger.reverse(ride, day=DAY, key="r", memo="priced anew")
        assert ledger.reverse(ride, day=DAY, key="r", memo="priced anew") == undone
        with pytest.raises(ReversalError, match="reversed already"):
            ledger.reverse(ride, day=DAY, key="again")
        with pytest.raises(ReversalError, match="is a reversal"):
            ledger.reverse(undone, day=DAY, key="back")
        with pytest.raises(ReversalError, match="no such posting"):
            ledger.reverse(32 * "0", day=DAY, key="nothing")
        with pytest.raises(IdempotencyConflictError):
            ledger.reverse(ride, day=date(2026, 3, 4), key="r", memo="priced anew")
        assert [(e.reverses, e.amount.minor) for e in ledger.entries(REVENUE) if e.reverses] == [(ride, 280)]
    assert balances(books, ANNA, REVENUE) == (1000, 0)


def test_pricing_anew_reverses_and_posts_in_one_call(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post(top_up("t", ANNA, 300))
        old = ledger.post(fare("f", ANNA, 280))
        requests: list[Posting | Reversal] = [Reversal(old, DAY, "f:undo"), fare("f:2", ANNA, 300)]
        assert ledger.post_many(requests) == ledger.post_many(requests)
    assert balances(books, ANNA, REVENUE) == (0, 300)


def test_a_posting_reversed_twice_in_one_call_is_refused(books: Database) -> None:
    with books.write() as connection:
        posted = Ledger(connection).post(top_up("t", ANNA, 1))
        with pytest.raises(ReversalError):
            Ledger(connection).post_many([Reversal(posted, DAY, "x"), Reversal(posted, DAY, "y")])
    assert balances(books, ANNA) == (1,)


def test_currencies_are_never_mixed(books: Database) -> None:
    with pytest.raises(BadInputError, match="equal in each currency"):
        Posting("x", DAY, (Entry(ANNA, eur(1)), Entry(YEN, Money(-1, "JPY"))), "k")
    wrong = Posting("x", DAY, (Entry(YEN, eur(1)), Entry(CASH, eur(-1))), "k")
    with books.write() as connection, pytest.raises(LedgerError, match="never mixed"):
        Ledger(connection).post(wrong)
    both = Posting(
        "exchange",
        DAY,
        (Entry(CASH, eur(100)), Entry(ANNA, eur(-100)), Entry(YEN_CASH, Money(160, "JPY")),
         Entry(YEN, Money(-160, "JPY"))),
        "k",
    )  # fmt: skip
    with books.write() as connection:
        Ledger(connection).post(both)
    assert balances(books, ANNA, CASH, YEN, YEN_CASH) == (100, 100, 160, 160)


def test_unknown_accounts_are_refused_and_not_named(books: Database) -> None:
    with books.write() as connection, pytest.raises(UnknownAccountError) as refused:
        Ledger(connection).post(fare("f", "riders:nobody", 1))
    assert refused.value.accounts == ("riders:nobody",)
    assert "nobody" not in str(refused.value)


def test_balances_stay_in_the_bounds_of_money(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post(top_up("t", ANNA, MONEY_MINOR_MAX))
        with pytest.raises(LedgerError, match="beyond"):
            ledger.post(top_up("u", ANNA, 1))
        with pytest.raises(
            LedgerError, match="beyond"
        ):  # an eighth for each of eight shards, so that they sum in bounds
            ledger.post(fare("f", ANNA, MONEY_MINOR_MAX // 8 + 1, revenue=HOT))
        ledger.post(fare("f", ANNA, MONEY_MINOR_MAX // 8, revenue=HOT))


def test_shards_are_summed(books: Database) -> None:
    for index in range(20):
        with books.write() as connection:
            Ledger(connection, random=Random(index).randbytes).post_many(
                [top_up(f"t{index}", ANNA, 7), fare(f"f{index}", ANNA, 7, revenue=HOT)]
            )
    with books.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT count(*) FROM ledger_balance AS b JOIN ledger_account AS a ON a.account_no = b.account_no"
            " WHERE a.name = 'revenue:hot' AND b.balance_minor <> 0"
        ).scalar_one()
    assert rows == 8
    assert balances(books, HOT) == (140,)


def test_an_account_is_opened_once_as_it_is(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.open_account(ANNA, AccountKind.LIABILITY, "EUR", on=date(2027, 1, 1))
        for kind, currency, shards in (
            (AccountKind.ASSET, "EUR", 1),
            (AccountKind.LIABILITY, "PLN", 1),
            (AccountKind.LIABILITY, "EUR", 2),
        ):
            with pytest.raises(LedgerError, match="open already"):
                ledger.open_account(ANNA, kind, currency, overdraft_minor=None, shards=shards, on=DAY)
        for wrong in ({"shards": 2}, {"shards": 0}, {"shards": 257, "overdraft_minor": None}, {"overdraft_minor": -1}):
            with pytest.raises(BadInputError):
                ledger.open_account("new", AccountKind.ASSET, "EUR", on=DAY, **wrong)
        with pytest.raises(BadInputError):
            ledger.set_overdraft(HOT, 0)


def test_entries_come_in_pages_by_day(books: Database) -> None:
    days = [date(2026, 3, 5), date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 3)]
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post_many([transfer(f"t{at}", CASH, ANNA, at + 1, day=day) for at, day in enumerate(days)])
        pages, after = [], None
        while page := ledger.entries(ANNA, after=after, limit=3):
            pages.append([(entry.day.day, entry.amount.minor) for entry in page])
            after = page[-1].cursor
        assert sorted(pages[0]) == [(1, -2), (3, -4), (3, -3)]
        assert pages[1:] == [[(5, -1)]]
        for wrong in ("x", "2026-13-01." + 32 * "0" + ".0", ""):
            with pytest.raises(BadInputError, match="no cursor"):
                ledger.entries(ANNA, after=wrong)


def test_trial_balance_is_that_of_the_end_of_the_day(books: Database) -> None:
    with books.write() as connection:
        ledger = Ledger(connection)
        ledger.post(transfer("t", CASH, ANNA, 500, day=date(2026, 3, 1)))
        ledger.post(transfer("f", ANNA, REVENUE, 280, day=date(2026, 3, 2)))
        first = ledger.trial_balance(date(2026, 3, 1))
        assert [(line.account, line.balance.minor) for line in first.lines] == [(CASH, 500), (ANNA, -500)]
        last = ledger.trial_balance()
        assert [(line.account, line.balance.minor) for line in last.lines] == [
            (CASH, 500),
            (REVENUE, -280),
            (ANNA, -220),
        ]
        assert (last.debits("EUR"), last.credits("EUR"), last.currencies) == (500, 500, ("EUR",))
        assert ledger.trial_balance(date(2026, 2, 28)).lines == ()


def test_a_batch_has_a_limit(books: Database) -> None:
    with books.write() as connection:
        assert Ledger(connection).post_many([]) == ()
        with pytest.raises(BadInputError, match="at most"):
            Ledger(connection).post_many([top_up("t", ANNA, 1)] * (LEDGER_BATCH_MAX + 1))
        many = [top_up(f"t{at}", ANNA, 1) for at in range(LEDGER_BATCH_MAX)]
        assert len(set(Ledger(connection).post_many(many))) == LEDGER_BATCH_MAX
    assert balances(books, ANNA) == (LEDGER_BATCH_MAX,)


PAIR = (Entry(ANNA, eur(1)), Entry(CASH, eur(-1)))


@pytest.mark.parametrize(
    ("kind", "day", "entries", "key", "memo"),
    [
        ("Fare", DAY, PAIR, "k", ""),
        ("reversal", DAY, PAIR, "k", ""),
        ("", DAY, PAIR, "k", ""),
        ("fare", datetime(2026, 3, 2, 7, tzinfo=UTC), PAIR, "k", ""),
        ("fare", DAY, PAIR[:1], "k", ""),
        ("fare", DAY, (PAIR[0], PAIR[0]), "k", ""),
        ("fare", DAY, PAIR * (LEDGER_ENTRIES_MAX // 2 + 1), "k", ""),
        ("fare", DAY, PAIR, "", ""),
        ("fare", DAY, PAIR, "k" * 101, ""),
        ("fare", DAY, PAIR, "a b", ""),
        ("fare", DAY, PAIR, "k", "x" * 201),
        ("fare", DAY, PAIR, "k", "two\nlines"),
        ("fare", DAY, PAIR, "k", "=1+1"),
    ],
)
def test_postings_out_of_bounds_are_refused(
    kind: str, day: date, entries: tuple[Entry, ...], key: str, memo: str
) -> None:
    with pytest.raises(BadInputError):
        Posting(kind, day, entries, key, memo)
    Posting("fare", DAY, PAIR * (LEDGER_ENTRIES_MAX // 2), "k" * 100, "x" * 200)  # the most there may be


@pytest.mark.parametrize("name", ["", "Riders", "riders:", ":a", "a b", "a::b", "-a", "x" * 81, "riders:ä", "a\n"])
def test_account_names_out_of_the_ordinary_are_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        Entry(name, eur(1))


def test_an_entry_of_nothing_is_refused() -> None:
    with pytest.raises(BadInputError, match="zero"):
        Entry(ANNA, eur(0))
