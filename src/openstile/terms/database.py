"""What two rooms do alike with their databases: a schema statement by statement, changes that are all or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


def statements(script: str) -> Iterator[str]:
    """The statements of an SQL script whose lines each end at most one of them, in their order."""
    statement = ""
    for line in script.strip().splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""


@contextmanager
def all_or_nothing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction, with no other writer in between; durable when it ends without an error. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
