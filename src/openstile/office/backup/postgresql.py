"""PostgreSQL: dumps by pg_dump, and a restore within one transaction of ours, so that nobody sees it half done.

pg_restore's own single transaction would end before trips have faded again. So pg_restore only turns the dump into its
script, and the script is run here: what makes the tables, the rows (COPY), what comes behind them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from psycopg import Cursor
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, text

from openstile.office.backup.errors import BackupError
from openstile.office.backup.programs import output_of, program, run
from openstile.office.store.database import Database

_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)
_TABLES = text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()")
_FUNCTIONS = text(
    "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
)


def dump(database: Database, target: Path) -> None:
    """A consistent dump of the database's schema at `target`. Raises BackupError."""
    connect, password = _connection_text(database)
    run(
        [program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", "--no-password", f"--file={target}",
         f"--dbname={connect}"],
        password=password,
    )  # fmt: skip


def refuse_while_used(connection: Connection) -> None:
    """Raises BackupError while somebody else is connected."""
    if connection.execute(_OTHERS).scalar_one():
        raise BackupError("database: is in use; stop the office and end all other connections first")


def is_filled(connection: Connection) -> bool:
    """Whether there are tables."""
    return bool(connection.execute(_TABLES).all())


def clear(connection: Connection) -> None:
    """Removes all tables and functions of the database's schema: it is the office's alone."""
    for name in connection.execute(_TABLES).scalars().all():
        connection.exec_driver_sql(f"DROP TABLE {name} CASCADE")
    for name in connection.execute(_FUNCTIONS).scalars().all():
        connection.exec_driver_sql(f"DROP FUNCTION {name} CASCADE")


def load(connection: Connection, data: Path) -> None:
    """Runs what a dump holds, within the connection's transaction. Raises BackupError, errors of the driver."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        for section in ("pre-data", "data", "post-data"):
            with output_of([program("pg_restore"), f"--section={section}", "--no-owner", "--no-privileges",
                            "--file=-", str(data)]) as script:  # fmt: skip
                _run_script(cursor, script)
        cursor.execute("RESET ALL")


def _run_script(cursor: Cursor[Any], script: IO[bytes]) -> None:
    """Statements between blocks of rows: `COPY … FROM stdin;`, rows, and a line of a backslash and a point."""
    statements: list[bytes] = []
    for line in script:
        if line.startswith(b"COPY ") and line.rstrip().endswith(b"FROM stdin;"):
            _execute(cursor, statements)
            with cursor.copy(line.rstrip().removesuffix(b";")) as copying:
                for row in _rows(script):
                    copying.write(row)
        elif not line.startswith((b"\\restrict", b"\\unrestrict")):  # for psql alone
            statements.append(line)
    _execute(cursor, statements)


def _rows(script: IO[bytes]) -> Iterator[bytes]:
    for line in script:
        if line == b"\\.\n":
            return
        yield line
    raise BackupError("backup: its dump ends in the middle; take another one")


def _execute(cursor: Cursor[Any], statements: list[bytes]) -> None:
    script = b"".join(statements)
    statements.clear()
    if script.strip():
        cursor.execute(script)


def _connection_text(database: Database) -> tuple[str, str | None]:
    """How PostgreSQL's programs reach the database, and the password, which belongs into no list of processes."""
    url = database.engine.url
    given: dict[str, Any] = {
        "host": url.host, "port": url.port, "user": url.username, "dbname": url.database, **url.query,
    }  # fmt: skip
    password = None if url.password is None else str(url.password)
    return make_conninfo("", **{name: value for name, value in given.items() if value is not None}), password
