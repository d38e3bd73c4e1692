"""Scripts of a schema: statements parted by empty lines, one script for each engine."""

import re
from pathlib import Path

from sqlalchemy import Connection

_CREATED = re.compile(r"^CREATE (?:OR REPLACE )?(TABLE|FUNCTION) (\"?\w+\"?)", re.MULTILINE)


def script_path(engine: str) -> Path:
    """Where the script of the first revision for `engine` (sqlite, postgresql) is."""
    return Path(__file__).parent / f"schema_0001.{engine}.sql"


def build(connection: Connection) -> None:
    """Makes all tables, indexes and triggers of the first revision."""
    for statement in script_path(connection.dialect.name).read_text().strip().split("\n\n"):
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def demolish(connection: Connection) -> None:
    """Drops them, the newest first; triggers and indexes go with their tables."""
    script = script_path(connection.dialect.name).read_text()
    made = _CREATED.findall(script)[::-1]
    for wanted in ("TABLE", "FUNCTION"):  # triggers go with their tables, and need their functions until then
        for name in (name for kind, name in made if kind == wanted):
            connection.exec_driver_sql(f"DROP {wanted} {name}")
