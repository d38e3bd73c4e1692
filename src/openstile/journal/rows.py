"""Rows of the tap table, and the check of each against the one in front of it."""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openstile.journal.chain import DayCount, tap_hash, tap_record
from openstile.journal.errors import JournalBrokenError
from openstile.journal.taps import (
    HASH_BYTES,
    RUN_MAX,
    SEQ_MAX,
    TAP_SALT_BYTES,
    Direction,
    Head,
    JournaledTap,
    Tap,
    instant_of,
)
from openstile.terms import BadInputError, GateId, PassId
from openstile.terms.limits import PASS_ID_BYTES

_SELECT_NEWEST = """
SELECT seq, pass_id, at_us, product, direction, status_unsure, run, mono_us, salt, previous_hash, hash
FROM tap ORDER BY seq DESC LIMIT ?
"""
_SELECT_THROUGH = """
SELECT seq, pass_id, at_us, product, direction, status_unsure, run, mono_us, salt, previous_hash, hash
FROM tap WHERE seq > ? AND seq <= ? ORDER BY seq
"""


@contextmanager
def values_as_written(journal: str) -> Iterator[None]:
    """A damaged file can hold a value of another type or length than its column says: that is a broken journal too."""
    try:
        yield
    except (BadInputError, ValueError, TypeError, OverflowError, struct.error) as error:
        fault = "it holds a value that no gate writes"
        raise JournalBrokenError(journal=journal, seq=None, fault=fault) from error


def tap_of_row(row: tuple[object, ...], *, journal: str, gate: GateId) -> JournaledTap:
    """The tap in a row of one of the queries above. Raises JournalBrokenError for a row that no gate wrote."""
    try:
        return _tap_of_row(row, gate)
    except (BadInputError, ValueError, TypeError, OverflowError) as error:
        seq = row[0] if isinstance(row[0], int) else None
        raise JournalBrokenError(journal=journal, seq=seq, fault="its row was changed: no gate writes such") from error


def _tap_of_row(row: tuple[object, ...], gate: GateId) -> JournaledTap:
    seq, pass_id, at_us, product, direction, status_unsure, run, mono_us, salt, previous_hash, own_hash = row
    if not (isinstance(seq, int) and isinstance(at_us, int) and isinstance(product, str)):
        raise TypeError("a field has the wrong type")
    tap = Tap(
        pass_id=PassId(_blob(pass_id, PASS_ID_BYTES)),
        at=instant_of(at_us),
        gate=gate,
        product=product,
        direction=Direction(str(direction)),
        status_unsure=_flag(status_unsure),
    )
    return JournaledTap(
        seq=seq,
        tap=tap,
        run=_number(run, 1, RUN_MAX),
        mono_us=_number(mono_us, 0, SEQ_MAX),
        salt=_blob(salt, TAP_SALT_BYTES),
        previous_hash=_blob(previous_hash, HASH_BYTES),
        hash=_blob(own_hash, HASH_BYTES),
    )


def last_tap(connection: sqlite3.Connection, *, genesis: Head) -> Head:
    """The number and hash that the next tap follows."""
    row = connection.execute("SELECT seq, hash FROM tap ORDER BY seq DESC LIMIT 1").fetchone()
    return last_anchor(connection, genesis=genesis) if row is None else Head(*row)


def last_anchor(connection: sqlite3.Connection, *, genesis: Head) -> Head:
    """The number and hash of the last tap that has faded; those of the genesis (0) when none has."""
    row = connection.execute("SELECT seq, hash FROM anchor ORDER BY seq DESC LIMIT 1").fetchone()
    return genesis if row is None else Head(*row)


def head_at(connection: sqlite3.Connection, seq: int, *, genesis: Head) -> Head | None:
    """The number and hash of tap `seq`; the genesis for 0. None where there is no such tap, or not any more."""
    if seq == 0:
        return genesis
    row = connection.execute(
        "SELECT hash FROM tap WHERE seq = ? UNION ALL SELECT hash FROM anchor WHERE seq = ?", (seq, seq)
    ).fetchone()
    return None if row is None else Head(seq, *typed(row, bytes))


def read_taps(connection: sqlite3.Connection, *, journal: str, gate: GateId, limit: int) -> tuple[JournaledTap, ...]:
    """The newest taps, newest first, at most `limit`. Raises JournalBrokenError for a row that no gate wrote."""
    return tuple(tap_of_row(row, journal=journal, gate=gate) for row in connection.execute(_SELECT_NEWEST, (limit,)))


def read_counts(connection: sqlite3.Connection) -> tuple[DayCount, ...]:
    """The counts of faded taps, by UTC date, product and direction."""
    rows = connection.execute("SELECT day, product, direction, taps FROM faded ORDER BY day, product, direction")
    return tuple(DayCount(*typed(row, str, str, str, int)) for row in rows)


def typed(row: tuple[Any, ...], *kinds: type) -> tuple[Any, ...]:
    """The row, if its values are of these kinds. Raises TypeError: STRICT tables of damaged files hold others too."""
    if not all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True)):
        raise TypeError("a field has the wrong type")
    return row


def chained_taps(
    connection: sqlite3.Connection, *, journal: str, gate: GateId, after: Head, through: int, beginning: int = -1
) -> Iterator[JournaledTap]:
    """The taps that follow `after`, up to number `through`, each checked against its hash and the one in front of it.

    Rows with numbers up to `beginning` are not looked at; by default all are, and none may be left in front of these.
    Raises JournalBrokenError at the first tap that is missing, changed or out of place.
    """
    expected, previous_hash = after.seq + 1, after.hash
    try:
        for row in connection.execute(_SELECT_THROUGH, (beginning, through)):
            journaled = _checked(row, expected=expected, previous_hash=previous_hash, gate=gate, journal=journal)
            yield journaled
            expected, previous_hash = expected + 1, journaled.hash
    except sqlite3.Error as error:
        raise JournalBrokenError(journal=journal, seq=expected, fault="its row cannot be read") from error
    if expected <= through:
        raise JournalBrokenError(journal=journal, seq=expected, fault="it is missing")


def _checked(
    row: tuple[object, ...], *, expected: int, previous_hash: bytes, gate: GateId, journal: str
) -> JournaledTap:
    if row[0] != expected:
        low = isinstance(row[0], int) and row[0] < expected
        fault = f"a row with number {row[0]} is there, though it has faded" if low else "it is missing"
        raise JournalBrokenError(journal=journal, seq=expected, fault=fault)
    journaled = tap_of_row(row, journal=journal, gate=gate)
    record = tap_record(
        seq=expected, tap=journaled.tap, salt=journaled.salt, run=journaled.run, mono_us=journaled.mono_us
    )
    own_hash = tap_hash(previous_hash=journaled.previous_hash, record=record)
    if own_hash != journaled.hash:
        raise JournalBrokenError(journal=journal, seq=expected, fault="its row was changed after it was written")
    if journaled.previous_hash != previous_hash:
        fault = "it does not follow the tap in front of it: taps were put in, taken out or moved"
        raise JournalBrokenError(journal=journal, seq=expected, fault=fault)
    return journaled


def _number(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise TypeError(f"must be a number from {least} to {most}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, int) or value not in (0, 1):
        raise TypeError("must be 0 or 1")
    return value == 1


def _blob(value: object, length: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != length:
        raise TypeError(f"must be {length} bytes")
    return value
