"""Opening the journal's files: one writer, any number of readers, nobody else's eyes."""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from openstile.journal.errors import JournalError, JournalInUseError
from openstile.terms.database import all_or_nothing

BUSY_MS = 1000
PAGE_BYTES = 2048
"""A commit writes whole pages, mostly one: eight taps or so."""
LOG_PAGES = 256
"""The write-ahead log is emptied into the database after so many pages, half a megabyte."""
_LOG_BYTES = 32 + (LOG_PAGES + 8) * (24 + PAGE_BYTES)
"""Its header and its frames (https://www.sqlite.org/fileformat2.html#walformat)."""

_PRAGMAS = (
    f"page_size = {PAGE_BYTES}",
    "journal_mode = WAL",
    "synchronous = FULL",
    f"wal_autocheckpoint = {LOG_PAGES}",
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


class explained:  # noqa: N801 (a context, named as those of contextlib; a class, for it lies in a rider's way)
    """Turns what SQLite and the operating system raise into one JournalError line."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        explanation = _explanation(error)
        if explanation is not None:
            raise JournalError(f"journal {self._path}: {explanation}") from error


def _explanation(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.Error):
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return _EXPLANATIONS.get(primary, str(error))
    if isinstance(error, UnicodeDecodeError):  # of SQLite's own message about a damaged schema
        return _EXPLANATIONS[sqlite3.SQLITE_CORRUPT]
    if isinstance(error, OSError):
        return f"{error.strerror}; check the folder and its permissions"
    return None


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


def reserve_log(path: Path) -> None:
    """Lets the write-ahead log take its room on the disk, as zeros, which SQLite reads as the log's end.

    Within a transaction of the caller: nobody else writes the log or cuts it meanwhile. A commit that makes the file
    longer waits for the file system's own log too. Where there is no room for it now, commits only take longer.
    """
    with suppress(OSError):
        log = os.open(path.with_name(f"{path.name}-wal"), os.O_RDWR)
        try:
            end = os.fstat(log).st_size
            if end < _LOG_BYTES:
                os.pwrite(log, bytes(_LOG_BYTES - end), end)
        finally:
            os.close(log)


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
