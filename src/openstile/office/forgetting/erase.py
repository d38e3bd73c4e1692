"""Bytes of what faded leave the database's files.

What an engine keeps elsewhere is not reached: PostgreSQL's write-ahead log until it is recycled, copies of the disk,
backups (openstile.office.backup has their policy).
"""

from sqlalchemy import text

from openstile.office.store.database import Database, explained
from openstile.office.store.schema import all_tables
from openstile.terms.held import Until

_WAIT_S = 10


def tables_of_trips() -> tuple[str, ...]:
    """Tables with columns that fade."""
    return tuple(
        table.name
        for table in all_tables()
        if any(column.info["held"].until is Until.TRIPS_FADE for column in table.columns)
    )


def erase(database: Database, *, rewrite: bool) -> bool:
    """Gives freed bytes back. Returns False while somebody who reads or writes prevents it. Raises OfficeDatabaseError.

    SQLite overwrites what it deletes with zeros (secure_delete); here its write-ahead log is emptied, and with
    `rewrite` the whole file is written anew. PostgreSQL only marks: `rewrite` writes the tables with trips anew, and
    locks them meanwhile.
    """
    return _erase_sqlite(database, rewrite) if database.is_sqlite else _erase_postgresql(database, rewrite)


def _erase_sqlite(database: Database, rewrite: bool) -> bool:
    with explained(), database.engine.connect() as connection:
        if rewrite:
            connection.exec_driver_sql("VACUUM")
        busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    return busy == 0


def _erase_postgresql(database: Database, rewrite: bool) -> bool:
    with explained(), database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(f"SET lock_timeout = '{_WAIT_S}s'"))
        try:
            for table in tables_of_trips():
                connection.execute(text(f"VACUUM {'(FULL) ' if rewrite else ''}{table}"))
        finally:
            connection.execute(text("RESET lock_timeout"))
    return True
