"""New epochs: a journal that cannot go on in its file goes on in a new one (docs/journal-format.md, "Epochs").

The steps are ordered so that a process killed between any two leaves one journal, whole, under the journal's name:
build the next file aside, empty the old one's write-ahead log, give the old one a second name, put the next one in its
place. What an end in between left aside is swept away when the journal is opened again.
"""

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from openstile.journal.connection import connect_writer, transaction
from openstile.journal.errors import JournalError
from openstile.journal.fading import erase, fade_rows
from openstile.journal.opening import Chapter, Owner, begin, begin_or_check, carry_taps
from openstile.journal.rows import chained_taps, last_anchor, last_tap, typed
from openstile.journal.taps import Head
from openstile.terms.files import sync_folder
from openstile.terms.limits import JOURNAL_BYTES_MAX

Reason = Literal["restored", "new"]
"""Why an epoch was begun: the office knows another history of the one before, or that one could not go on."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a journal goes on from: the taps behind number `seq` of `epoch`, an earlier journal of the same gate."""

    epoch: bytes
    seq: int
    reason: Reason


_BESIDE = ("-wal", "-shm")


def build_next(
    connection: sqlite3.Connection,
    path: Path,
    owner: Owner,
    *,
    chapter: Chapter,
    after: Head,
    reason: Reason,
    run: int,
) -> None:
    """Makes the next journal file, whole and durable, beside the present one, with the taps behind `after`.

    Raises JournalError when `after` is not in the present chain, JournalBrokenError when a tap is not as written.
    """
    anchor = last_anchor(connection, genesis=chapter.genesis)
    end = last_tap(connection, genesis=chapter.genesis)
    if after.seq > end.seq:
        raise JournalError(f"journal {path}: ends at tap {end.seq}, a new epoch cannot begin behind {after.seq}")
    taps = chained_taps(connection, journal=str(path), gate=owner.gate, after=anchor, through=end.seq)
    carried = [one for one in taps if one.seq > after.seq]
    refusals = connection.execute("SELECT day, reason, refusals FROM refusal").fetchall()
    next_path = next_of(path)
    _remove(next_path)
    with closing(connect_writer(next_path, bytes_max=JOURNAL_BYTES_MAX)) as new:
        with transaction(new, next_path):
            next_chapter = begin(new, owner)
            new.execute("INSERT INTO origin VALUES (1, ?, ?, ?)", (chapter.epoch, after.seq, reason))
            carry_taps(new, owner, next_chapter, carried, run=run)
            new.executemany("INSERT INTO refusal VALUES (?, ?, ?)", refusals)
        empty_log(new, next_path)
    sync_folder(path.parent)


def empty_log(connection: sqlite3.Connection, path: Path) -> None:
    """All that was written is in the file itself afterwards. Raises JournalError while somebody reads it."""
    if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] != 0:
        raise JournalError(f"journal {path}: somebody reads it, so no new epoch can begin now; it is tried again")


def promote_next(path: Path, *, epoch: bytes) -> None:
    """Puts the file of `build_next` in the journal's place; the journal that was keeps a name with its `epoch`.

    Its log is empty and its connection closed. Raises OSError.
    """
    for suffix in _BESIDE:  # empty now; a reader that is left keeps its own, and meets nothing of the next file
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    retired = path.with_name(f"{path.stem}-{epoch.hex()}{path.suffix}")
    retired.unlink(missing_ok=True)  # a second name of the same file, of an attempt that was cut short
    retired.hardlink_to(path)
    sync_folder(path.parent)
    next_of(path).replace(path)
    sync_folder(path.parent)


def read_origin(connection: sqlite3.Connection) -> Origin | None:
    """What the journal of `connection` goes on from; None for a gate's first. Raises TypeError, as `typed` does."""
    row = connection.execute("SELECT after_epoch, after_seq, reason FROM origin").fetchone()
    if row is None:
        return None
    epoch, seq, reason = typed(row, bytes, int, str)
    return Origin(epoch, seq, "restored" if reason == "restored" else "new")


def sweep(path: Path) -> None:
    """Removes what an epoch that was not begun in full left aside. The caller holds the writer's lock."""
    _remove(next_of(path))
    for retired in retired_of(path):
        if path.exists() and retired.samefile(path):
            retired.unlink()


def fade_retired(path: Path, owner: Owner, *, before: datetime) -> None:
    """Lets taps of earlier epochs' files fade as those of the present one do; a file without taps goes.

    What of them the office does not hold was taken over into the next epoch. Raises JournalBrokenError for a tap that
    is not as it was written.
    """
    for retired in retired_of(path):
        with closing(connect_writer(retired, bytes_max=2 * JOURNAL_BYTES_MAX)) as connection:
            with transaction(connection, retired):
                chapter = begin_or_check(connection, retired, owner)
                fade_rows(connection, journal=str(retired), owner=owner, genesis=chapter.genesis, before=before,
                          unsent_before=before)  # fmt: skip
                left = connection.execute("SELECT count(*) FROM tap").fetchone()[0]
            erased = erase(connection, rewrite=True)
        if left == 0 and erased:
            _remove(retired)


def next_of(path: Path) -> Path:
    """Where the next epoch's file is built."""
    return path.with_name(f"{path.stem}-next{path.suffix}")


def retired_of(path: Path) -> tuple[Path, ...]:
    """The files of earlier epochs that still hold taps."""
    pattern = f"{path.stem}-{'[0-9a-f]' * 32}{path.suffix}"
    return tuple(sorted(path.parent.glob(pattern)))


def _remove(path: Path) -> None:
    for name in (path, *(path.with_name(path.name + suffix) for suffix in _BESIDE)):
        with suppress(FileNotFoundError):
            name.unlink()
