"""Opening the journal's files: one writer, any number of readers, nobody else's eyes."""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openstile.journal.errors import JournalError, JournalInUseError
from openstile.terms.database import all_or_nothing

BUSY_MS = 1000
PAGE_BYTES = 4096

_PRAGMAS = (
    f"page_size = {PAGE_BYTES}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
    "recursive_triggers = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "temp_store = MEMORY",
)

_EXPLANATIONS = {
    sqlite3.SQLITE_FULL: "there is no room for more; free some disk space or let taps fade",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that it exists, and the permissions of it and its folder",
    sqlite3.SQLITE_PERM: "it cannot be opened; check the permissions of the file and its folder",
    sqlite3.SQLITE_BUSY: "another process is writing it; stop that one first",
    sqlite3.SQLITE_LOCKED: "another process is writing it; stop that one first",
    sqlite3.SQLITE_NOTADB: "it is not a journal; give the right path, or move the file away",
    sqlite3.SQLITE_CORRUPT: "it is damaged; keep the file for whoever investigates and begin a new journal",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it (is it full, or failing?)",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what SQLite and the operating system raise into one JournalError line."""
    try:
        yield
    except sqlite3.Error as error:
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        raise JournalError(f"journal {path}: {_EXPLANATIONS.get(primary, str(error))}") from error
    except UnicodeDecodeError as error:  # of SQLite's own message about a damaged schema
        raise JournalError(f"journal {path}: {_EXPLANATIONS[sqlite3.SQLITE_CORRUPT]}") from error
    except OSError as error:
        raise JournalError(f"journal {path}: {error.strerror}; check the folder and its permissions") from error


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All or nothing; durable when it ends without an error."""
    with explained(path), all_or_nothing(connection):
        yield


def lock_for_writing(path: Path) -> int:
    """Makes the journal's folder when needed and takes the one writer's lock, which the process's end releases.

    Returns the descriptor that holds it. Raises JournalInUseError when another process holds it, JournalError when
    others can enter the folder.
    """
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        raise JournalError(f"journal {path}: others can enter its folder (mode {mode:04o}); run chmod 700 {folder}")
    descriptor = os.open(path.with_name(f"{path.name}-lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise JournalInUseError(
            f"journal {path}: another gate is writing it; each gate needs its own journal"
        ) from error
    return descriptor


def connect_writer(path: Path, *, bytes_max: int) -> sqlite3.Connection:
    """A connection that commits durably, to files only their owner can read. The caller holds the lock."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for suffix in ("", "-wal", "-shm"):
        sibling = path.with_name(path.name + suffix)
        if sibling.exists():
            sibling.chmod(0o600)  # SQLite gives -wal and -shm the mode of the database when it makes them
    connection = sqlite3.connect(
        path,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,  # whoever holds it sees to it that threads take turns
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        limit_growth(connection, bytes_max=bytes_max)
    except BaseException:
        connection.close()
        raise
    return connection


def limit_growth(connection: sqlite3.Connection, *, bytes_max: int) -> None:
    """The database file takes no more than `bytes_max` from now on."""
    connection.execute(f"PRAGMA max_page_count = {max(1, bytes_max // PAGE_BYTES)}")


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read, also while a gate writes, and from a medium that cannot be written."""
    connection = _connect_read_only(path, "mode=ro")
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        connection.close()
        wal = path.with_name(f"{path.name}-wal")
        if wal.exists() and wal.stat().st_size > 0:
            raise
        connection = _connect_read_only(path, "immutable=1")
        try:
            connection.execute("PRAGMA schema_version")
        except BaseException:
            connection.close()
            raise
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_read_only(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=BUSY_MS / 1000, isolation_level=None
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection
