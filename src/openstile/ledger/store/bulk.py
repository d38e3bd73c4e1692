"""Writing and finding by sets: the few statements that every posting goes through, for both engines.

They go to the driver as they are, which is what makes them fast. PostgreSQL takes a column of values as one array;
SQLite takes rows one by one, or names as a JSON list.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, func, literal, select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

Day = date | str
"""A day as the driver takes it."""
PostingRow = tuple[str, str, Day, str, bytes, str, str | None, int]
"""posting_id, kind, day, key, request_hash, memo, reverses, entries"""
EntryRow = tuple[str, int, int, Day, int, str]
"""posting_id, position, account_no, day, amount_minor, currency"""
Change = tuple[int, int, int, int]
"""By how many minor units balance_minor and held_minor change, and of which row: account_no, shard"""

_LOCK_SQLITE = (
    "SELECT a.account_no, a.name, a.kind, a.currency, a.shards, a.overdraft_minor, b.shard, b.balance_minor,"
    " b.held_minor FROM json_each(?2) AS n CROSS JOIN ledger_account AS a ON a.name = n.value"
    " CROSS JOIN ledger_balance AS b ON b.account_no = a.account_no AND b.shard = ?1 % a.shards"
)
_LOCK = (
    "SELECT a.account_no, n.name, a.kind, a.currency, a.shards, a.overdraft_minor, b.shard, b.balance_minor,"
    " b.held_minor FROM unnest((SELECT %s::text[])) AS n(name)"
    " CROSS JOIN LATERAL (SELECT * FROM ledger_account WHERE name = n.name OFFSET 0) AS a"
    " JOIN ledger_balance AS b ON b.account_no = a.account_no AND b.shard = %s::int %% a.shards"
    " ORDER BY a.account_no FOR NO KEY UPDATE OF b"
)
"""OFFSET 0 keeps the planner to one look into the index a name: it would read all of a table that it takes for small,
and keep to that while the table grows. An array in a sub-select hides its length: a plan for any length is then as good
as one for this, so a statement is planned once and not at each call."""
_KEYS_SQLITE = (
    "SELECT p.key, p.posting_id, p.request_hash FROM json_each(?) AS n"
    " CROSS JOIN ledger_posting AS p ON p.key = n.value"
)
_KEYS = (
    "SELECT p.key, p.posting_id, p.request_hash FROM unnest((SELECT %s::text[])) AS n(key)"
    " CROSS JOIN LATERAL (SELECT * FROM ledger_posting WHERE key = n.key OFFSET 0) AS p"
)
_ADD_POSTINGS_SQLITE = (
    "INSERT INTO ledger_posting (posting_id, kind, day, key, request_hash, memo, reverses, entries)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_ENTRIES_SQLITE = (
    "INSERT INTO ledger_entry (posting_id, position, account_no, day, amount_minor, currency) VALUES (?, ?, ?, ?, ?, ?)"
)
_POST = (
    "WITH p AS (INSERT INTO ledger_posting (posting_id, kind, day, key, request_hash, memo, reverses, entries)"
    " SELECT * FROM unnest((SELECT %s::text[]), (SELECT %s::text[]), (SELECT %s::date[]), (SELECT %s::text[]),"
    " (SELECT %s::bytea[]), (SELECT %s::text[]), (SELECT %s::text[]), (SELECT %s::smallint[]))"
    " ON CONFLICT DO NOTHING RETURNING posting_id),"
    " e AS (INSERT INTO ledger_entry (posting_id, position, account_no, day, amount_minor, currency)"
    " SELECT e.* FROM unnest((SELECT %s::text[]), (SELECT %s::smallint[]), (SELECT %s::bigint[]),"
    " (SELECT %s::date[]), (SELECT %s::bigint[]), (SELECT %s::text[]))"
    " AS e(posting_id, position, account_no, day, amount_minor, currency)"
    " WHERE (e.posting_id IN (SELECT posting_id FROM p)) IS TRUE),"
    " b AS (UPDATE ledger_balance AS b"
    " SET balance_minor = b.balance_minor + d.debit, held_minor = b.held_minor + d.held"
    " FROM unnest((SELECT %s::bigint[]), (SELECT %s::bigint[]), (SELECT %s::bigint[]), (SELECT %s::smallint[]))"
    " AS d(debit, held, account_no, shard)"
    " WHERE b.account_no = d.account_no AND b.shard = d.shard) SELECT posting_id FROM p"
)
_CHANGE_BALANCES_SQLITE = (
    "UPDATE ledger_balance SET balance_minor = balance_minor + ?, held_minor = held_minor + ?"
    " WHERE account_no = ? AND shard = ?"
)
_CHANGE_BALANCES = (
    "UPDATE ledger_balance AS b SET balance_minor = b.balance_minor + d.debit, held_minor = b.held_minor + d.held"
    " FROM unnest((SELECT %s::bigint[]), (SELECT %s::bigint[]), (SELECT %s::bigint[]), (SELECT %s::smallint[]))"
    " AS d(debit, held, account_no, shard)"
    " WHERE b.account_no = d.account_no AND b.shard = d.shard"
)


def is_sqlite(connection: Connection) -> bool:
    """Whether one transaction writes at a time."""
    return connection.dialect.name == "sqlite"


def day_for(connection: Connection, day: date) -> Day:
    """`day` as a row of `add_postings` has it."""
    return day.isoformat() if is_sqlite(connection) else day


def among(connection: Connection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """That `column` is one of `values`: one parameter, however many there are."""
    chosen = list(values)
    if is_sqlite(connection):
        return column.in_(select(func.json_each(json.dumps(chosen)).table_valued("value").c.value))
    return column.in_(select(func.unnest(literal(chosen, ARRAY(column.type))).column_valued("value")))


def lock_rows(connection: Connection, names: list[str], *, seed: int) -> Sequence[Any]:
    """Of accounts by name: account_no, name, kind, currency, shards, overdraft_minor, and shard, balance_minor and
    held_minor of shard `seed` modulo the shards. PostgreSQL locks the balance rows after it has sorted them by
    account_no and gives each as it is once locked; in SQLite whoever writes is alone.
    """
    if is_sqlite(connection):
        return _run(connection, _LOCK_SQLITE, (seed, json.dumps(names)))
    return _run(connection, _LOCK, (names, seed))


def find_keys(connection: Connection, keys: list[str]) -> Sequence[Any]:
    """Postings by idempotency key: key, posting_id, request_hash."""
    if is_sqlite(connection):
        return _run(connection, _KEYS_SQLITE, (json.dumps(keys),))
    return _run(connection, _KEYS, (keys,))


def add_postings(
    connection: Connection, postings: Sequence[PostingRow], entries: Sequence[EntryRow], changes: Sequence[Change]
) -> frozenset[str]:
    """Adds postings with their entries, and to the balance rows that they change.

    Gives the ids of those that another transaction kept from being added: one with their key, or that reverses the same
    posting, was committed since the caller looked. Their entries are not added; balances are, the caller takes it back.
    """
    if is_sqlite(connection):  # the posting's row seals its entries: they come first
        _run_many(connection, _ADD_ENTRIES_SQLITE, entries)
        _run_many(connection, _ADD_POSTINGS_SQLITE, postings)
        change_balances(connection, changes)
        return frozenset()
    ordered = sorted(postings, key=itemgetter(3))  # by key: whoever races waits in one order
    columns = (*_columns(ordered), *_columns(entries), *_columns(changes or [(0, 0, 0, 0)]))
    added = {row[0] for row in _run(connection, _POST, columns)}
    return frozenset(row[0] for row in postings if row[0] not in added) if len(added) < len(postings) else frozenset()


def change_balances(connection: Connection, changes: Sequence[Change]) -> None:
    """Adds to balance rows. PostgreSQL: the caller has locked them, in order."""
    if not changes:
        return
    if is_sqlite(connection):
        _run_many(connection, _CHANGE_BALANCES_SQLITE, changes)
    else:
        _run(connection, _CHANGE_BALANCES, _columns(changes))


def _run(connection: Connection, statement: str, parameters: Sequence[Any]) -> Sequence[Any]:
    with _cursor(connection, statement) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else ()


def _run_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    with _cursor(connection, statement) as cursor:
        cursor.executemany(statement, rows)


@contextmanager
def _cursor(connection: Connection, statement: str) -> Iterator[DBAPICursor]:
    """A cursor of the driver, in the connection's transaction; its errors are SQLAlchemy's, and show no values."""
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy itself does before a first statement
    cursor = connection.connection.cursor()
    driver_error = connection.dialect.loaded_dbapi.Error
    try:
        yield cursor
    except driver_error as error:
        raise DBAPIError.instance(
            statement, None, error, driver_error, hide_parameters=True, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()


def _columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
