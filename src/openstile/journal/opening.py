"""Opening a journal's file: begun, or checked to be this gate's and to end where this gate left off."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openstile.journal.chain import genesis_hash, head_message, tap_hash, tap_record
from openstile.journal.errors import JournalBrokenError, JournalError
from openstile.journal.keys import GateKey, is_signed
from openstile.journal.rows import last_anchor, last_tap
from openstile.journal.schema import APPLICATION_ID, FORMAT_VERSION, SCHEMA
from openstile.journal.taps import EPOCH_BYTES, TAP_SALT_BYTES, Head, JournaledTap, Tap, microseconds_of
from openstile.terms import GateId


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose journal it is: a gate, and the key that signs its heads."""

    gate: GateId
    key: GateKey
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One journal file: its epoch, and what its first tap follows."""

    epoch: bytes
    genesis: Head


def begin_or_check(connection: sqlite3.Connection, path: Path, owner: Owner) -> Chapter:
    """Within a transaction of the caller. Raises JournalError, JournalBrokenError as `Journal.open` says."""
    version, application = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
    )
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if version == 0 and application == 0 and empty:
        begin(connection, owner)
    elif application != APPLICATION_ID:
        raise JournalError(f"journal {path}: it is another program's database; give the right path")
    elif version != FORMAT_VERSION:
        advice = "update Openstile" if version > FORMAT_VERSION else "move it away, and a new one is begun"
        raise JournalError(f"journal {path}: has format {version}, this version reads {FORMAT_VERSION}; {advice}")
    chapter = _checked_owner(connection, path, owner)
    _check_end(connection, path, owner, chapter)
    return chapter


def begin(connection: sqlite3.Connection, owner: Owner) -> Chapter:
    """Makes an empty journal with a new epoch, within a transaction of the caller."""
    for statement in SCHEMA:
        connection.execute(statement)
    epoch = owner.random(EPOCH_BYTES)
    genesis = genesis_hash(gate=owner.gate, public_key=owner.key.public_key, epoch=epoch)
    row = (owner.gate.value, epoch, owner.key.public_key, genesis)
    connection.execute("INSERT INTO gate VALUES (1, ?, ?, ?, ?)", row)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    return Chapter(epoch, Head(0, genesis))


_RUN_STEP_MAX = 1024
"""A file restored from a copy must not give the next run the number of one that the office knows from before."""


def begin_run(connection: sqlite3.Connection, owner: Owner) -> int:
    """The number of a new run, by chance a little higher than the last, within a transaction of the caller."""
    step = 1 + int.from_bytes(owner.random(2)) % _RUN_STEP_MAX
    run: int = connection.execute("SELECT coalesce(max(run), 0) + ? FROM run", (step,)).fetchone()[0]
    connection.execute("INSERT INTO run VALUES (?)", (run,))
    return run


def insert_tap(cursor: sqlite3.Cursor, owner: Owner, tap: Tap, *, after: Head, run: int, mono_us: int) -> JournaledTap:
    """Puts a tap with its signed head behind `after`, the end of the chain: one statement, so all of it or nothing."""
    seq, salt = after.seq + 1, owner.random(TAP_SALT_BYTES)
    record = tap_record(seq=seq, tap=tap, salt=salt, run=run, mono_us=mono_us)
    head = Head(seq, tap_hash(previous_hash=after.hash, record=record))
    row = (seq, tap.pass_id.value, microseconds_of(tap.at), tap.product, tap.direction.value, int(tap.status_unsure),
           run, mono_us, salt, after.hash, head.hash, owner.key.sign(head_message(head)))  # fmt: skip
    cursor.execute("INSERT INTO tap VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    return JournaledTap(seq=seq, tap=tap, run=run, mono_us=mono_us, salt=salt, previous_hash=after.hash, hash=head.hash)


def carry_taps(
    connection: sqlite3.Connection, owner: Owner, chapter: Chapter, taps: Sequence[JournaledTap], *, run: int
) -> None:
    """Puts taps of another journal of this gate into an empty one, each with its run and time, and begins `run`."""
    end, last_run, cursor = chapter.genesis, 0, connection.cursor()
    for carried in taps:
        if carried.run > last_run:
            connection.execute("INSERT INTO run VALUES (?)", (carried.run,))
            last_run = carried.run
        placed = insert_tap(cursor, owner, carried.tap, after=end, run=carried.run, mono_us=carried.mono_us)
        end = Head(placed.seq, placed.hash)
    if run > last_run:
        connection.execute("INSERT INTO run VALUES (?)", (run,))


def _checked_owner(connection: sqlite3.Connection, path: Path, owner: Owner) -> Chapter:
    row = connection.execute("SELECT gate, epoch, public_key, genesis FROM gate").fetchone()
    if row is None:
        raise JournalBrokenError(journal=str(path), seq=None, fault="it does not name its gate")
    gate, epoch, public_key, genesis = row
    if gate != owner.gate.value:
        raise JournalError(f"journal {path}: belongs to gate {gate}, not {owner.gate}; use that gate's own")
    if public_key != owner.key.public_key:
        raise JournalError(f"journal {path}: was begun with another gate key; restore that key, or begin a new journal")
    if genesis != genesis_hash(gate=owner.gate, public_key=public_key, epoch=epoch):
        raise JournalBrokenError(journal=str(path), seq=None, fault="its first hash does not fit its gate and epoch")
    return Chapter(epoch, Head(0, genesis))


def _check_end(connection: sqlite3.Connection, path: Path, owner: Owner, chapter: Chapter) -> None:
    last = last_tap(connection, genesis=chapter.genesis)
    row = connection.execute("SELECT signature FROM tap WHERE seq = ?", (last.seq,)).fetchone()
    faded = last == last_anchor(connection, genesis=chapter.genesis)
    if not faded and (
        row is None or not is_signed(public_key=owner.key.public_key, signature=row[0], message=head_message(last))
    ):
        raise JournalBrokenError(journal=str(path), seq=last.seq, fault="this gate did not sign its head")
