"""Taps, journals and break-ins for the tests of the journal."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openstile.journal import Direction, GateKey, Journal, Tap
from openstile.terms import GateId, PassId

GATE = GateId("north-1")
START = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)


def pass_id(number: int) -> PassId:
    return PassId(bytes([number % 251 + 1]) * 8 + number.to_bytes(8, "big"))


def tap(number: int, *, at: datetime | None = None, product: str = "adult-monthly") -> Tap:
    """Tap `number`, one minute after the one in front of it."""
    return Tap(
        pass_id=pass_id(number),
        at=at or START + timedelta(minutes=number),
        gate=GATE,
        product=product,
        direction=Direction.IN if number % 3 else Direction.OUT,
    )


def journal_of(path: Path, key: GateKey, *, taps: int) -> Path:
    """A closed journal that holds taps 1 to `taps`."""
    with Journal.open(path, key=key, gate=GATE) as journal:
        for number in range(1, taps + 1):
            journal.append(tap(number))
    return path


def guards(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return list(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))


def break_in(path: Path, *statements: str, restore: bool = True) -> None:
    """What somebody with the file and SQLite does: takes the guards off, edits, puts the guards back."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        taken_off = guards(connection)
        for name, _ in taken_off:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in taken_off if restore else ():
            connection.execute(sql)
    finally:
        connection.close()
