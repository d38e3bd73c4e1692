"""The posting loop without a ledger: the same rows into the same tables by the plain driver, unchecked."""

import secrets
import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import make_url

RIDERS = 1000
DAY = date(2026, 3, 2)
CENTS = 280
_HASH = bytes(32)
_TABLES = (
    "CREATE TABLE posting (posting_id {text} PRIMARY KEY, kind {text}, day {date}, key {text} UNIQUE,"
    " request_hash {bytes}, memo {text}, reverses {text} UNIQUE, entries smallint){tail}",
    "CREATE TABLE entry (posting_id {text}, position smallint, account_no bigint, day {date}, amount_minor bigint,"
    " currency {text}, PRIMARY KEY (posting_id, position)){tail}",
    "CREATE INDEX entry_account ON entry (account_no, day, posting_id, position)",
    "CREATE TABLE balance (account_no bigint PRIMARY KEY, balance_minor bigint)",
)
_COLUMNS = (
    "INSERT INTO posting (posting_id, kind, day, key, request_hash, memo, reverses, entries)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO entry (posting_id, position, account_no, day, amount_minor, currency) VALUES (?, ?, ?, ?, ?, ?)",
    "UPDATE balance SET balance_minor = balance_minor + ? WHERE account_no = ?",
)

Ride = tuple[str, int]
"""A key, and the number of a rider."""


class RawLoop(Protocol):
    """Posts rides in one transaction."""

    def post(self, rides: Sequence[Ride]) -> None: ...

    def close(self) -> None: ...


class RawSqlite:
    """sqlite3, as durable as the office's database."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        for statement in _TABLES:
            self._connection.execute(statement.format(text="text", date="text", bytes="blob", tail=" WITHOUT ROWID"))
        self._connection.executemany("INSERT INTO balance VALUES (?, 0)", [(n,) for n in range(RIDERS + 1)])

    def post(self, rides: Sequence[Ride]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for statement, rows in zip(_COLUMNS, _rows(rides, DAY.isoformat()), strict=True):
            self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class RawPostgresql:
    """psycopg; its executemany sends a set of rows without waiting for each."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(make_url(url).render_as_string(hide_password=False))
        with self._connection.transaction():
            for statement in _TABLES:
                self._connection.execute(statement.format(text="varchar", date="date", bytes="bytea", tail=""))
            with self._connection.cursor() as cursor:
                cursor.executemany("INSERT INTO balance VALUES (%s, 0)", [(n,) for n in range(RIDERS + 1)])

    def post(self, rides: Sequence[Ride]) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for statement, rows in zip(_COLUMNS, _rows(rides, DAY), strict=True):
                cursor.executemany(statement.replace("?", "%s"), rows)

    def close(self) -> None:
        self._connection.close()


def _rows(rides: Sequence[Ride], day: object) -> tuple[list[tuple[object, ...]], ...]:
    postings: list[tuple[object, ...]] = []
    entries: list[tuple[object, ...]] = []
    balances: list[tuple[object, ...]] = []
    for key, rider in rides:
        posting_id = secrets.token_hex(16)
        postings.append((posting_id, "fare", day, key, _HASH, "", None, 2))
        entries += [(posting_id, 0, rider + 1, day, CENTS, "EUR"), (posting_id, 1, 0, day, -CENTS, "EUR")]
        balances += [(CENTS, rider + 1), (-CENTS, 0)]
    return postings, entries, balances
