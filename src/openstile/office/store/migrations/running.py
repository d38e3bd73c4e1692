"""Running revisions within one transaction: a database is of one version or of another, never between."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from openstile.office.store.database import Database
from openstile.terms import OpenstileError

_ONE_AT_A_TIME = 0x6F70656E7374
"""Key of PostgreSQL's advisory lock: two servers that start together do not both migrate."""


class SchemaError(OpenstileError):
    """The database is of another version than this program."""


@cache
def revisions() -> ScriptDirectory:
    """The revisions that this program knows."""
    return ScriptDirectory(Path(__file__).parent)


def newest() -> str:
    """The revision that this program works with."""
    head = revisions().get_current_head()
    assert head is not None
    return head


def version_of(connection: Connection) -> str | None:
    """The revision of a database, None for one without tables of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(connection: Connection) -> bool:
    """Whether the database is of this program's version."""
    return version_of(connection) == newest()


def check_current(database: Database) -> None:
    """What a server does before it serves. Raises SchemaError when the version is another, OfficeDatabaseError."""
    with database.read() as connection:
        version = version_of(connection)
    if version == newest():
        return
    if version is not None and not _knows(version):
        raise SchemaError(f"database: is of version {version}, newer than this program's {newest()}; update openstile")
    if version is None:
        raise SchemaError("database: is empty yet; run: openstile office migrate")
    raise SchemaError(f"database: is of version {version}, not {newest()}; run: openstile office migrate")


def migrate(database: Database, *, to: str = "head") -> str | None:
    """Brings a database of any known version to `to` ("head", "base" or a revision); returns the version it had.

    All or nothing. Raises SchemaError for a database of a version that this program does not know,
    OfficeDatabaseError.
    """
    with database.write() as connection:
        return migrate_within(connection, to=to)


def migrate_within(connection: Connection, *, to: str = "head") -> str | None:
    """`migrate`, within a transaction of the caller."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    before = version_of(connection)
    if before is not None and not _knows(before):
        raise SchemaError(f"database: is of version {before}, newer than this program's {newest()}; update openstile")
    with EnvironmentContext(Config(), revisions(), destination_rev=to) as environment:
        up = to == "head" or (to != "base" and (before is None or int(before) < int(to)))
        steps = revisions()._upgrade_revs if up else revisions()._downgrade_revs
        environment.configure(connection=connection, fn=lambda current, _: steps(to, current))
        environment.run_migrations()
    return before


def _knows(version: str) -> bool:
    try:
        return revisions().get_revision(version) is not None
    except CommandError:
        return False
