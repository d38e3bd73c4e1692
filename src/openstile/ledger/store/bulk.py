"""Writing and finding by sets: the few statements that every posting goes through, for both engines.

They go to the driver as they are, which is what makes them fast. PostgreSQL takes a column of values as one array;
SQLite takes rows one by one, or names as a JSON list.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, func, literal, select

PostingRow = tuple[str, str, date, str, bytes, str, str | None, int]
"""posting_id, kind, day, key, request_hash, memo, reverses, entries"""
EntryRow = tuple[str, int, int, date, int, str]
"""posting_id, position, account_no, day, amount_minor, currency"""
Change = tuple[int, int, int, int]
"""By how many minor units balance_minor and held_minor change, and of which row: account_no, shard"""

_ADD_POSTINGS_SQLITE = (
    "INSERT INTO ledger_posting (posting_id, kind, day, key, request_hash, memo, reverses, entries)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_ENTRIES_SQLITE = (
    "INSERT INTO ledger_entry (posting_id, position, account_no, day, amount_minor, currency) VALUES (?, ?, ?, ?, ?, ?)"
)
_ADD_POSTINGS = (
    "INSERT INTO ledger_posting (posting_id, kind, day, key, request_hash, memo, reverses, entries)"
    " SELECT * FROM unnest(%s::text[], %s::text[], %s::date[], %s::text[], %s::bytea[], %s::text[], %s::text[],"
    " %s::smallint[]) ON CONFLICT DO NOTHING RETURNING posting_id"
)
_ADD_ENTRIES = (
    "INSERT INTO ledger_entry (posting_id, position, account_no, day, amount_minor, currency) SELECT * FROM"
    " unnest(%s::text[], %s::smallint[], %s::bigint[], %s::date[], %s::bigint[], %s::text[])"
)
_CHANGE_BALANCES_SQLITE = (
    "UPDATE ledger_balance SET balance_minor = balance_minor + ?, held_minor = held_minor + ?"
    " WHERE account_no = ? AND shard = ?"
)
_CHANGE_BALANCES = (
    "UPDATE ledger_balance AS b SET balance_minor = b.balance_minor + d.debit, held_minor = b.held_minor + d.held"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[]) AS d(debit, held, account_no, shard)"
    " WHERE b.account_no = d.account_no AND b.shard = d.shard"
)


def is_sqlite(connection: Connection) -> bool:
    """Whether one transaction writes at a time."""
    return connection.dialect.name == "sqlite"


def among(connection: Connection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """That `column` is one of `values`: one parameter, however many there are."""
    chosen = list(values)
    if is_sqlite(connection):
        return column.in_(select(func.json_each(json.dumps(chosen)).table_valued("value").c.value))
    return column.in_(select(func.unnest(literal(chosen, ARRAY(column.type))).column_valued("value")))


def add_postings(connection: Connection, postings: Sequence[PostingRow], entries: Sequence[EntryRow]) -> frozenset[str]:
    """Adds postings with their entries. Gives the ids of those that another transaction kept from being added: one
    with their key, or that reverses the same posting, was committed since the caller looked. Their entries stay out.
    """
    if is_sqlite(connection):  # the posting's row seals its entries: they come first
        connection.exec_driver_sql(
            _ADD_ENTRIES_SQLITE, [(*row[:3], row[3].isoformat(), row[4], row[5]) for row in entries]
        )
        connection.exec_driver_sql(_ADD_POSTINGS_SQLITE, [(*row[:2], row[2].isoformat(), *row[3:]) for row in postings])
        return frozenset()
    ordered = sorted(postings, key=itemgetter(3))  # by key: whoever races waits in one order
    added = {row[0] for row in connection.exec_driver_sql(_ADD_POSTINGS, _columns(ordered))}
    missed = frozenset(row[0] for row in postings if row[0] not in added) if len(added) < len(postings) else frozenset()
    kept = [row for row in entries if row[0] not in missed] if missed else entries
    if kept:
        connection.exec_driver_sql(_ADD_ENTRIES, _columns(kept))
    return missed


def change_balances(connection: Connection, changes: Sequence[Change]) -> None:
    """Adds to balance rows. PostgreSQL: the caller has locked them, in order."""
    if not changes:
        return
    if is_sqlite(connection):
        connection.exec_driver_sql(_CHANGE_BALANCES_SQLITE, list(changes))
    else:
        connection.exec_driver_sql(_CHANGE_BALANCES, _columns(changes))


def _columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
