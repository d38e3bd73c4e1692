"""Bytes of what faded leave the database's files.

What an engine keeps elsewhere is not reached: PostgreSQL's write-ahead log until it is recycled, copies of the disk,
backups (openstile.office.backup has their policy).
"""

from sqlalchemy import text

from openstile.office.store.database import Database, explained
from openstile.office.store.metadata import METADATA
from openstile.terms.held import Until

_WAIT_S = 10
_GOES = (Until.TRIPS_FADE, Until.PASS_FORGOTTEN, Until.ACCOUNT_ERASED, Until.EXPIRES)


def tables_that_forget() -> tuple[str, ...]:
    """Tables that rows or values go from. What is only added to is not among them: the books, the audit log."""
    return tuple(
        table.name for table in METADATA.sorted_tables if any(c.info["held"].until in _GOES for c in table.columns)
    )


def erase(database: Database, *, rewrite: bool) -> bool:
    """Gives freed bytes back. Returns False while somebody who reads or writes prevents it. Raises OfficeDatabaseError.

    SQLite overwrites what it deletes with zeros (secure_delete); here its write-ahead log is emptied, and with
    `rewrite` the whole file is written anew. PostgreSQL only marks: `rewrite` writes tables that something goes
    from anew, by their keys and not in the order in which rows came, and locks each meanwhile.
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
            for table in tables_that_forget():
                connection.execute(text(f"CLUSTER {table} USING pk_{table}" if rewrite else f"VACUUM {table}"))
        finally:
            connection.execute(text("RESET lock_timeout"))
    return True
