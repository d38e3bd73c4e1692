"""Restoring: whole or not at all, brought to this version, and with trips faded before anybody can read it."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from psycopg import Error as PsycopgError
from sqlalchemy import Connection

from openstile.office.backup import postgresql, sqlite
from openstile.office.backup.errors import BackupError
from openstile.office.backup.manifest import Manifest, extract_data
from openstile.office.forgetting.erase import erase
from openstile.office.store.database import Database
from openstile.office.store.migrations.running import migrate_within
from openstile.terms import BadInputError


def restore(backup: Path, database: Database, *, fading: Callable[[Connection], object], replace: bool) -> Manifest:
    """Puts what a backup holds into `database`, which has no tables, or is to be replaced.

    `fading` lets old trips fade (openstile.office.forgetting.fade): it runs before the database can be used. Closes
    SQLite's `database`, whose file becomes another one. Raises BadInputError for a backup of the other engine and a
    database that is not to be replaced, BackupError while somebody uses it, and what cannot be read or written:
    then the database is as it was.
    """
    try:
        with tempfile.TemporaryDirectory(dir=_place(database), prefix=".restore-") as folder:
            data = Path(folder) / "office.db"
            manifest = extract_data(backup, data)
            engine = "sqlite" if database.is_sqlite else "postgresql"
            if manifest.engine != engine:
                raise BadInputError(f"backup {backup}: is of {manifest.engine}, the database is {engine}")
            (_restore_sqlite if database.is_sqlite else _restore_postgresql)(data, database, fading, replace)
    except OSError as error:
        raise BackupError(f"restore: {error.strerror}; free space, or look at the folder's mode") from None
    return manifest


def _restore_sqlite(data: Path, database: Database, fading: Callable[[Connection], object], replace: bool) -> None:
    path = _path_of(database)
    database.close()
    if sqlite.is_filled(path) and not replace:
        raise BadInputError(f"database {path}: is not empty; add --yes to replace it")
    sqlite.check(data)
    restored = Database.open(f"sqlite:///{data}")
    try:
        with restored.write() as connection:
            migrate_within(connection)
            fading(connection)
        with restored.engine.connect() as connection:  # bytes of what faded now are not handed on either
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
    finally:
        restored.close()
    sqlite.put_in_place(data, path)


def _restore_postgresql(data: Path, database: Database, fading: Callable[[Connection], object], replace: bool) -> None:
    try:
        with database.write() as connection:
            postgresql.refuse_while_used(connection)
            if postgresql.is_filled(connection):
                if not replace:
                    raise BadInputError("database: is not empty; add --yes to replace it")
                postgresql.clear(connection)
            postgresql.load(connection, data)
            migrate_within(connection)
            fading(connection)
    except PsycopgError as error:
        first = (str(error).strip().splitlines() or ["no word"])[0]
        raise BackupError(f"restore: {first}; the database is as it was") from None
    erase(database, rewrite=True)  # what was loaded and faded has left its bytes


def _path_of(database: Database) -> Path:
    path = database.engine.url.database
    assert path is not None
    return Path(path)


def _place(database: Database) -> Path:
    """Where data may lie for a moment: beside SQLite's file, so that it can be put in its place in one step."""
    if not database.is_sqlite:
        return Path(os.environ.get("TMPDIR", tempfile.gettempdir()))
    folder = _path_of(database).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
