"""Opening the register's file: for its owner's eyes only, durable, and shared by processes that take turns."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openstile.issuer.errors import RegisterError
from openstile.issuer.schema import APPLICATION_ID, FORMAT_VERSION, SCHEMA
from openstile.terms.database import all_or_nothing

BUSY_MS = 5000

_PRAGMAS = (
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
    sqlite3.SQLITE_FULL: "there is no room for more; free some disk space",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of it and its folder",
    sqlite3.SQLITE_PERM: "it cannot be opened; check the permissions of the file and its folder",
    sqlite3.SQLITE_BUSY: "another process is writing it; try again when that one is done",
    sqlite3.SQLITE_LOCKED: "another process is writing it; try again when that one is done",
    sqlite3.SQLITE_NOTADB: "it is not a register; give the right home, or move the file away",
    sqlite3.SQLITE_CORRUPT: "it is damaged; bring back the newest copy of it, and withdraw again what was since",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it (is it full, or failing?)",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what SQLite and the operating system raise into one RegisterError line."""
    try:
        yield
    except sqlite3.Error as error:
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        raise RegisterError(f"register {path}: {_EXPLANATIONS.get(primary, str(error))}") from error
    except OSError as error:
        raise RegisterError(f"register {path}: {error.strerror}; check the folder and its permissions") from error


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All or nothing, no other writer in between; durable when it ends without an error."""
    with explained(path), all_or_nothing(connection):
        yield


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the register at `path`, begun when it is not there. Raises RegisterError.

    The file is 0600 in a folder of 0700; a folder that others can enter is refused.
    """
    with explained(path):
        folder = path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o077:
            raise RegisterError(
                f"register {path}: others can enter its folder (mode {mode:04o}); run: chmod 700 {folder}"
            )
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)  # SQLite gives -wal and -shm the mode of the database when it makes them
        connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
    try:
        with explained(path):
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        _begin_or_check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_or_check(connection: sqlite3.Connection, path: Path) -> None:
    """An empty file becomes a register; anything but a register of this version is refused."""
    with explained(path):
        if _marks(connection) == (APPLICATION_ID, FORMAT_VERSION):
            return  # without waiting for whoever writes
    with transaction(connection, path):
        application, version = _marks(connection)
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if (application, version) == (0, 0) and empty:
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        elif application != APPLICATION_ID:
            raise RegisterError(f"register {path}: it is another program's database; give the right home")
        elif version != FORMAT_VERSION:
            raise RegisterError(
                f"register {path}: has format {version}, this version reads {FORMAT_VERSION}; update Openstile"
            )


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    return application, version
