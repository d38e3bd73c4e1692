"""SQLite: copies without free pages, and a database file that is put in place of another one."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from openstile.office.backup.errors import BackupError
from openstile.office.store.database import Database, explained
from openstile.terms.files import sync_folder


def copy(database: Database, target: Path) -> None:
    """A consistent copy at `target`, a file that is not there; nobody waits for it. Raises OfficeDatabaseError."""
    with explained(), database.engine.connect() as connection:
        connection.execute(text("VACUUM INTO :target"), {"target": str(target)})
    check(target)


def check(path: Path) -> None:
    """Raises BackupError for a file that is no sound database."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            sound = sound and connection.execute("PRAGMA foreign_key_check").fetchone() is None
    except sqlite3.Error:
        sound = False
    if not sound:
        raise BackupError("backup: its database is damaged; take another one")


def is_filled(path: Path) -> bool:
    """Whether there is a database with tables. Raises BackupError for a file that is no database."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error:
        raise BackupError(f"database {path}: is no database; move it away") from None


def put_in_place(new: Path, path: Path) -> None:
    """Puts the database `new` where `path` is, in one step. Raises BackupError while somebody uses that, OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        _close_down(path)
    descriptor = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
    sync_folder(path.parent)


def _close_down(path: Path) -> None:
    """Empties the write-ahead log into the file and takes it away: only possible when nobody else has it open."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        mode = "locked"
    except sqlite3.DatabaseError:
        raise BackupError(f"database {path}: is damaged; move it and its -wal and -shm files away") from None
    if mode != "delete":
        raise BackupError(f"database {path}: is in use; stop the office first")
