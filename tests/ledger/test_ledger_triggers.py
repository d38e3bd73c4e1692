"""What the database refuses to whoever writes past the ledger, on both engines; and what verification finds."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection
from tests.ledger.ledger_workshop import ANNA, CASH, DAY, NOW, YEN, books_at, fare, hold_of, open_books, top_up

from openstile.ledger.errors import LedgerError
from openstile.ledger.store import Ledger, drop_statements, statements
from openstile.ledger.store.verify import verify
from openstile.office.store.database import Database, OfficeDatabaseError

ID, OTHER = 32 * "1", 32 * "2"


@pytest.fixture
def books(database_url: str) -> Iterator[Database]:
    with books_at(database_url) as database:
        with database.write() as connection:
            ledger = Ledger(connection)
            ledger.post(top_up("money", ANNA, 1000))
            ledger.reverse(ledger.post(fare("f", ANNA, 280)), day=DAY, key="r")
            ledger.void(ledger.hold(hold_of("ended", ANNA, 10), now=NOW))
            ledger.hold(hold_of("h", ANNA, 10), now=NOW)
        yield database


def add_posting(
    connection: Connection, *, entries: int = 2, reverses: str | None = None, day: str = "2026-03-02"
) -> None:
    zero = "x'00'" if connection.dialect.name == "sqlite" else "'\\x00'"
    undone = f"'{reverses}'" if reverses else "NULL"
    connection.exec_driver_sql(
        "INSERT INTO ledger_posting (posting_id, kind, day, key, request_hash, memo, reverses, entries)"
        f" VALUES ('{ID}', 'x', '{day}', 'raw', {zero}, '', {undone}, {entries})"
    )


def add_entry(
    connection: Connection, position: int, account: str, minor: int, *, currency: str = "EUR", posting: str = ID,
    day: str = "2026-03-02",
) -> None:  # fmt: skip
    connection.exec_driver_sql(
        "INSERT INTO ledger_entry (posting_id, position, account_no, day, amount_minor, currency) SELECT"
        f" '{posting}', {position}, account_no, '{day}', {minor}, '{currency}' FROM ledger_account"
        f" WHERE name = '{account}'"
    )


def write(connection: Connection, rows: list[tuple[int, str, int]], **posting: object) -> None:
    """A posting and its entries in the order that the engine asks for."""
    last = connection.dialect.name == "sqlite"
    if not last:
        add_posting(connection, **posting)  # type: ignore[arg-type]
    for position, account, minor in rows:
        add_entry(connection, position, account, minor, currency="JPY" if account == YEN else "EUR")
    if last:
        add_posting(connection, **posting)  # type: ignore[arg-type]


def add_pair(connection: Connection, position: int, *, posting: str) -> None:
    add_entry(connection, position, CASH, 5, posting=posting)
    add_entry(connection, position + 1, CASH, -5, posting=posting)


def add_strays(connection: Connection, currency: str, account: str) -> None:
    """A posting that is right but for the accounts of its entries."""
    last = connection.dialect.name == "sqlite"
    if not last:
        add_posting(connection)
    for position, minor in ((0, 5), (1, -5)):
        connection.exec_driver_sql(
            f"INSERT INTO ledger_entry SELECT '{ID}', {position}, {account}, opened_on, {minor}, '{currency}'"
            f" FROM ledger_account WHERE name = '{CASH}'"
        )
    if last:
        add_posting(connection)


CHANGES = (
    "UPDATE ledger_posting SET memo = 'x'",
    "UPDATE ledger_posting SET day = '2020-01-01'",
    "UPDATE ledger_entry SET amount_minor = amount_minor",
    "UPDATE ledger_entry SET account_no = 1",
    "UPDATE ledger_account SET name = 'x'",
    "UPDATE ledger_account SET kind = 'asset'",
    "UPDATE ledger_account SET currency = 'PLN'",
    "UPDATE ledger_balance SET shard = 9",
    "UPDATE ledger_hold SET amount_minor = 1",
    "UPDATE ledger_hold SET state = 'expired', expires_us = NULL",
    "UPDATE ledger_hold SET expires_us = 1 WHERE state = 'pending'",
    "DELETE FROM ledger_posting",
    "DELETE FROM ledger_entry",
    "DELETE FROM ledger_account",
    "DELETE FROM ledger_balance",
    "DELETE FROM ledger_hold",
    "UPDATE ledger_balance SET held_minor = -1",
    "UPDATE ledger_balance SET balance_minor = 1000000000000001",
    "INSERT INTO ledger_balance (account_no, shard, balance_minor, held_minor) VALUES (1, 7, 1, 0)",
    "INSERT INTO ledger_hold SELECT 'x', account_no, payee_no, amount_minor, currency, 'voided', 'x', request_hash,"
    " day, memo, NULL, NULL FROM ledger_hold WHERE state = 'pending'",
)


@pytest.mark.parametrize("statement", CHANGES)
def test_nothing_that_is_written_is_changed_or_deleted(books: Database, statement: str) -> None:
    with pytest.raises(OfficeDatabaseError), books.write() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("table", ["posting", "entry", "account", "balance", "hold"])
def test_no_table_is_emptied_or_written_over(books: Database, table: str) -> None:
    statement = (
        f"INSERT OR REPLACE INTO ledger_{table} SELECT * FROM ledger_{table}"
        if books.is_sqlite
        else f"TRUNCATE ledger_{table} CASCADE"
    )
    with pytest.raises(OfficeDatabaseError, match="ledger: "), books.write() as connection:
        connection.exec_driver_sql(statement)


SPLIT = [(0, CASH, 5), (1, ANNA, -5)]
REFUSED: dict[str, tuple[list[tuple[int, str, int]], dict[str, object]]] = {
    "does not sum to zero": ([(0, CASH, 5), (1, ANNA, -4)], {}),
    "lacks an entry": (SPLIT[:1], {}),
    "lacks all entries": ([], {}),
    "has one more than it says": ([*SPLIT, (2, CASH, 5), (3, ANNA, -5)], {}),
    "leaves a gap": ([(0, CASH, 5), (2, ANNA, -5)], {}),
    "begins below zero": ([(-1, CASH, 5), (1, ANNA, -5)], {}),
    "is of two currencies": ([(0, CASH, 5), (1, YEN, -5)], {}),
    "is of another day than its entries": (SPLIT, {"day": "2026-03-03"}),
    "reverses nothing that is there": (SPLIT, {"reverses": OTHER}),
    "says that it has one entry": ([], {"entries": 1}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_raw_posting_is_refused_that(books: Database, name: str) -> None:
    entries, posting = REFUSED[name]
    with pytest.raises(OfficeDatabaseError), books.write() as connection:
        write(connection, entries, **posting)


def test_a_raw_reversal_must_undo_its_posting(books: Database) -> None:
    with books.read() as connection:
        posted = connection.exec_driver_sql("SELECT posting_id FROM ledger_posting WHERE key = 'money'").scalar_one()
    with pytest.raises(OfficeDatabaseError, match="undo every entry"), books.write() as connection:
        write(connection, SPLIT, reverses=posted)


def test_no_entry_is_added_to_a_complete_posting(books: Database) -> None:
    with books.read() as connection:
        posted = connection.exec_driver_sql("SELECT posting_id FROM ledger_posting WHERE key = 'money'").scalar_one()
    for position in (0, 1, 2, 3, -1):
        with pytest.raises(OfficeDatabaseError), books.write() as connection:
            add_pair(connection, position, posting=posted)


def test_entries_without_a_posting_are_not_committed(books: Database) -> None:
    with pytest.raises(OfficeDatabaseError), books.write() as connection:
        add_pair(connection, 0, posting=ID)


def test_entries_of_another_currency_than_their_account_are_refused(books: Database) -> None:
    for currency, account in (("PLN", "account_no"), ("EUR", "999")):
        with pytest.raises(OfficeDatabaseError, match="ledger: "), books.write() as connection:
            add_strays(connection, currency, account)


def test_statements_go_up_and_down_and_up_again(books: Database) -> None:
    dialect = books.engine.dialect.name
    with books.write() as connection:
        for statement in (*statements(dialect), *drop_statements(dialect), *drop_statements(dialect)):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("UPDATE ledger_posting SET memo = memo")
        for statement in statements(dialect):
            connection.exec_driver_sql(statement)
    with pytest.raises(OfficeDatabaseError), books.write() as connection:
        connection.exec_driver_sql("UPDATE ledger_posting SET memo = memo")


TAMPERED = {
    "its balance is": "UPDATE ledger_balance SET balance_minor = balance_minor + 1 WHERE account_no = 1",
    "are held, its pending holds": "UPDATE ledger_balance SET held_minor = held_minor + 1 WHERE account_no = 1",
    "balance rows instead of": "DELETE FROM ledger_balance WHERE account_no = 1",
    "hash differs": "UPDATE ledger_posting SET memo = 'x' WHERE key = 'money'",
    "equal in each currency": "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE position = 0",
    "another day": "UPDATE ledger_entry SET day = '2020-01-01' WHERE position = 0",
    "has no account of its currency": "UPDATE ledger_entry SET currency = 'PLN' WHERE position = 0",
    "has no account": "UPDATE ledger_entry SET account_no = 999 WHERE position = 0",
    "has not the 2 entries": "DELETE FROM ledger_entry WHERE position = 0",
    "does not undo": "UPDATE ledger_posting SET reverses = NULL WHERE key = 'nothing'",
}


@pytest.mark.parametrize("finding", TAMPERED)
def test_verification_finds_what_was_done_without_triggers(database_url: str, finding: str) -> None:
    database = open_books(database_url)
    with database.write() as connection:
        ledger = Ledger(connection)
        ledger.post(top_up("money", ANNA, 1000))
        undone = ledger.reverse(ledger.post(fare("f", ANNA, 280)), day=DAY, key="r")
        verify(connection).check()
        assert (verify(connection).postings, verify(connection).entries) == (3, 6)
    with database.write() as connection:
        for statement in drop_statements(database.engine.dialect.name):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(TAMPERED[finding])
        if finding == "does not undo":
            other = connection.exec_driver_sql("SELECT posting_id FROM ledger_posting WHERE key = 'money'").scalar_one()
            connection.exec_driver_sql(f"UPDATE ledger_posting SET reverses = '{other}' WHERE posting_id = '{undone}'")
    with database.read() as connection:
        found = verify(connection)
    database.close()
    assert any(finding in text for text in found.findings), found.findings
    with pytest.raises(LedgerError):
        found.check()
