"""The database of one office: opened, made where there is none, and refused in another version than ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from openstile.assembly.wire import Installation
from openstile.office.store import schema
from openstile.office.store.database import Database
from openstile.office.store.migrations.running import check_current, migrate, version_of


@contextmanager
def open_office_database(installation: Installation, *, new: bool = True) -> Iterator[Database]:
    """The office's database. When `new`, an empty one gets its tables; another version than ours is refused.

    Raises BadInputError, OfficeDatabaseError, SchemaError.
    """
    url = installation.settings.office.database
    database = Database.open(url or f"sqlite:///{installation.home.office_database}")
    try:
        assert schema.MODULES  # importing them is what puts all tables in place
        with database.read() as connection:
            empty = version_of(connection) is None
        if empty and new:
            migrate(database)
        check_current(database)
        yield database
    finally:
        database.close()
