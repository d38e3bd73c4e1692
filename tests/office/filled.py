"""A database with rows in every table, made from the columns' types and constraints."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    insert,
)

from openstile.office.store.metadata import METADATA
from openstile.office.store.schema import all_tables

AT_US = 1_700_000_000_000_000
DAY = date(2023, 11, 14)
ROWS = 4

_CHOICES = re.compile(r"(\w+) IN \(([^)]*)\)")
_ONE_OF_TWO = re.compile(r"\((\w+) IS NULL\) <> \((\w+) IS NULL\)")
_BOTH_OR_NONE = re.compile(r"\((\w+) IS NULL\) = \((\w+) IS NULL\)")

Special = Mapping[tuple[str, str], Callable[[int], Any]]
SPECIAL: Special = {
    ("journey", "taps"): lambda row: json.dumps([row + 1]),
    ("journey", "products"): lambda row: json.dumps([f"product-{row}"]),
    ("journey", "explanation"): lambda row: json.dumps([["fare", [f"stop-{row}"], 100]]),
    ("journey", "counted"): lambda row: None,
    ("journey", "key"): lambda row: str(row + 1),
    ("tap", "review"): lambda row: ("clear", "accepted", "rejected", "waiting")[row],
    ("tap", "tap_id"): lambda row: row + 1,
    ("tap_fresh", "tap_id"): lambda row: row + 1,
    ("tap_hash", "tap_id"): lambda row: row + 101,
    ("fading", "fading_id"): lambda row: 1,
    ("gate", "gate_id"): lambda row: f"gate-{row}",
    ("gate_epoch", "epoch_id"): lambda row: row + 1,
}
_SINGLE = ("fading",)


def fill(connection: Connection, *, at_us: int = AT_US, special: Special = SPECIAL) -> None:
    """Puts ROWS rows into every table of the office, times around `at_us` (microseconds), and a posting on the ledger.

    Fails for a table of the ledger that it does not know.
    """
    for table in all_tables():
        if table.metadata is METADATA:
            rows = [row_of(table, number, at_us, special) for number in range(1 if table.name in _SINGLE else ROWS)]
            connection.execute(insert(table), rows)
    _fill_ledger(connection)


def row_of(table: Table, number: int, at_us: int = AT_US, special: Special = SPECIAL) -> dict[str, Any]:
    """Row `number` of a table: values that differ from row to row and that its checks take."""
    checks = " ".join(str(check.sqltext) for check in table.constraints if isinstance(check, CheckConstraint))
    choices = {name: re.findall(r"'([^']*)'", listed) for name, listed in _CHOICES.findall(checks)}
    row = {}
    for column in table.columns:
        if (table.name, column.name) in special:
            row[column.name] = special[table.name, column.name](number)
        elif column.name in choices:
            row[column.name] = choices[column.name][number % len(choices[column.name])]
        else:
            row[column.name] = _value(column, number, at_us, special)
    for first, second in _ONE_OF_TWO.findall(checks):
        row[first if number % 2 else second] = None
    return row


def _value(column: Column[Any], number: int, at_us: int, special: Special) -> Any:
    for key in column.foreign_keys:
        return row_of(key.column.table, number, at_us, special)[key.column.name]
    kind = column.type
    if isinstance(kind, Boolean):
        return number % 2 == 1
    if isinstance(kind, Date):
        return date.fromordinal(DAY.toordinal() + number)
    if isinstance(kind, Text):
        return f"text {column.name} {number}"
    if isinstance(kind, String):
        text = f"{column.table.name}.{column.name}.{number}"
        return text if kind.length is None else text[-kind.length :]
    if isinstance(kind, LargeBinary):
        return f"{column.table.name}.{column.name}.{number}".encode().rjust(kind.length or 8, b".")[
            -(kind.length or 40) :
        ]
    if isinstance(kind, BigInteger | Integer | SmallInteger):
        return at_us + number if column.name.endswith("_us") else number + 1
    raise AssertionError(f"{column}: no value for a column of type {kind!r}")


def _fill_ledger(connection: Connection) -> None:
    tables = {table.name: table for table in all_tables() if table.metadata is not METADATA}
    given = _ledger_rows()
    assert set(given) == set(tables), "a table of the ledger is new: give it rows here"
    order = ["ledger_account", "ledger_balance", "ledger_posting", "ledger_entry", "ledger_hold"]
    if connection.dialect.name == "sqlite":  # there the posting's row is the seal
        order[2:4] = order[3:1:-1]
    for name in order:
        connection.execute(insert(tables[name]), given[name])


def _ledger_rows() -> dict[str, list[dict[str, Any]]]:
    account = {"kind": "asset", "currency": "EUR", "overdraft_minor": None, "shards": 1, "opened_on": DAY}
    posting = {"posting_id": "p" * 32, "kind": "fare", "day": DAY, "key": "k", "request_hash": b"h" * 32, "memo": "m",
               "reverses": None, "entries": 2}  # fmt: skip
    entry = {"posting_id": "p" * 32, "day": DAY, "currency": "EUR"}
    hold = {"hold_id": "h" * 32, "account_no": 1, "payee_no": 2, "amount_minor": 5, "currency": "EUR", "key": "h",
            "state": "pending", "request_hash": b"h" * 32, "day": DAY, "memo": "m", "expires_us": AT_US,
            "posting_id": None}  # fmt: skip
    return {
        "ledger_account": [account | {"account_no": number, "name": f"account-{number}"} for number in (1, 2)],
        "ledger_balance": [
            {"account_no": number, "shard": 0, "balance_minor": 0, "held_minor": 0} for number in (1, 2)
        ],
        "ledger_posting": [posting],
        "ledger_entry": [entry | {"position": n, "account_no": n + 1, "amount_minor": 280 - 560 * n} for n in (0, 1)],
        "ledger_hold": [hold],
    }


def contents(connection: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """All rows of all tables."""
    return {table.name: {tuple(row) for row in connection.execute(table.select())} for table in all_tables()}
