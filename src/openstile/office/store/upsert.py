"""Rows that may be there already: one way to say it to both engines."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """The engine's own INSERT, which knows ON CONFLICT; both have the same methods."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_unless_there(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Inserts a row unless its key is taken; whether it did. Waits for a transaction that is inserting the same key."""
    key = next(iter(table.primary_key.columns))
    inserting = insert_into(connection, table).values(**values).on_conflict_do_nothing().returning(key)
    return connection.execute(inserting).first() is not None
