"""One database, whichever engine: transactions that are durable when they end, and readers that never wait for them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from openstile.terms import BadInputError, OpenstileError

_BUSY_MS = 10_000
_SQLITE_PRAGMAS = (
    f"busy_timeout = {_BUSY_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit that was acknowledged survives a loss of power
    "foreign_keys = ON",
    "secure_delete = ON",
    "trusted_schema = OFF",
)

_POSTGRESQL: Mapping[str, str] = {
    "application_name": "openstile",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",  # a server that vanished is noticed within a minute, not after many
    "options": (
        "-c lock_timeout=30s -c idle_in_transaction_session_timeout=300s "
        "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    ),  # and the server notices an office that vanished in the middle of a transaction: its locks keep nobody out
}
"""Parameters of libpq that the address does not set itself."""


class OfficeDatabaseError(OpenstileError):
    """The office's database cannot be reached, read or written.

    `kind`: the driver's own name or number for it (SQLITE_FULL, a SQLSTATE such as 53100), of no value of a row: logs
    may hold it.
    """

    def __init__(self, message: str, *, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Database:
    """The office's database. Safe for use from several threads."""

    def __init__(self, engine: Engine) -> None:
        """Use `Database.open`."""
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @classmethod
    def open(cls, url: str, *, pool_size: int = 8) -> "Database":
        """The database at `url`: sqlite:////path/office.db or postgresql://user@host/name. Makes no tables.

        Raises BadInputError for an address of another kind, OfficeDatabaseError when a folder cannot be made.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise BadInputError(
                "office.database: is no address; write sqlite:////path or postgresql://host/name"
            ) from None
        if parsed.drivername == "sqlite" and parsed.database:
            path = Path(parsed.database)
            if not path.is_absolute():
                raise BadInputError("office.database: sqlite wants a whole path; write sqlite:////path/office.db")
            return cls(_open_sqlite(path))
        if parsed.get_backend_name() == "postgresql":
            given = {name: value for name, value in _POSTGRESQL.items() if name not in parsed.query}
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_size=pool_size, max_overflow=8, pool_pre_ping=True,
                connect_args=given,
            )  # fmt: skip
            return cls(engine)
        raise BadInputError(
            f"office.database: {parsed.drivername[:40]} is not supported; "
            "write sqlite:////path/office.db or postgresql://user@host/name"
        )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: durable when it ends without an error, nothing when it does not.

        SQLite lets one writer in at a time from the first moment; PostgreSQL reads committed rows, so lock
        (`with_for_update`) what is read to be changed. Raises OfficeDatabaseError.
        """
        with explained(), self.engine.connect() as connection, connection.begin():
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look that changes nothing. Raises OfficeDatabaseError."""
        with explained(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection
            connection.rollback()

    def close(self) -> None:
        """End all connections."""
        self.engine.dispose()


@contextmanager
def explained() -> Iterator[None]:
    """Errors of the driver become ours: a word on what failed, never a statement with its values."""
    try:
        yield
    except DBAPIError as error:
        raise OfficeDatabaseError(
            f"database: {_first_line(error.orig)}; look at the database, then try again", kind=_kind_of(error.orig)
        ) from error
    except SQLAlchemyError as error:
        name = type(error).__name__
        raise OfficeDatabaseError(f"database: {name}; look at the database, then try again", kind=name) from error


def _open_sqlite(path: Path) -> Engine:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # -wal and -shm take over its mode
    except OSError as error:
        raise OfficeDatabaseError(f"database {path}: {error.strerror}; give a folder that you can write") from None
    engine = create_engine(f"sqlite:///{path}", pool_size=8, max_overflow=8, connect_args={"timeout": _BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where `write` and `read` say so
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _kind_of(error: BaseException | None) -> str:
    """SQLite's name of the error, or PostgreSQL's number; where a server could not be asked, the class's name."""
    named = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return named if isinstance(named, str) else type(error).__name__


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or ["unknown error"])[0]
