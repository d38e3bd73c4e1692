"""What the database itself refuses, whoever asks: DDL for SQLite and PostgreSQL.

Run for the metadata's `create_all`, and by migrations (`statements`, `drop_statements`). Repeating them does no harm.
"""

from typing import Any

from sqlalchemy import Connection, event

from openstile.ledger.store.tables import LEDGER
from openstile.ledger.store.triggers_postgresql import DROP_POSTGRESQL, POSTGRESQL
from openstile.ledger.store.triggers_sqlite import DROP_SQLITE, SQLITE

_STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
_DROPS = {"sqlite": DROP_SQLITE, "postgresql": DROP_POSTGRESQL}


def statements(dialect_name: str) -> tuple[str, ...]:
    """The statements that put all triggers in place, after the tables; `sqlite` or `postgresql`. Raises KeyError."""
    return drop_statements(dialect_name) + _STATEMENTS[dialect_name]


def drop_statements(dialect_name: str) -> tuple[str, ...]:
    """The statements that take all triggers away, before the tables go; `sqlite` or `postgresql`. Raises KeyError."""
    return _DROPS[dialect_name]


@event.listens_for(LEDGER, "after_create")
def _guard(_target: object, connection: Connection, **_rest: Any) -> None:
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
