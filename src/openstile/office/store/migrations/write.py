"""`python -m openstile.office.store.migrations.write`: the scripts of revision 0001, made from the tables.

Only before a version with that revision is released; afterwards a change of a table is a revision of its own.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.engine.mock import MockConnection
from sqlalchemy.schema import CreateIndex, CreateTable

from openstile.office.store.migrations.statements import script_path
from openstile.office.store.schema import COLLECTIONS

ENGINES = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}
LATER_TABLES = frozenset({"fading"})
LATER_COLUMNS = frozenset({("tap_day", "unpriced")})
"""What later revisions add."""


class _Recorder(MockConnection):
    """Takes down what would be run: tables, and the triggers that are made behind them."""

    def __init__(self, engine: str) -> None:
        self.made: list[Any] = []
        super().__init__(make_url(ENGINES[engine]).get_dialect()(), lambda ddl, *_, **__: self.made.append(ddl))

    def exec_driver_sql(self, statement: str) -> None:
        """A trigger. It takes none away that may be there: there is none."""
        if not statement.startswith("DROP"):
            self.made.append(text(statement.replace(":", r"\:")))


def statements_of(engine: str) -> Iterator[str]:
    """The statements that make the schema of revision 0001 on `engine`, without their empty lines."""
    recorder = _Recorder(engine)
    for collection in COLLECTIONS:
        collection.create_all(recorder, checkfirst=False)
    for ddl in _in_order(recorder.made):
        if isinstance(ddl, CreateTable):
            if ddl.element.name in LATER_TABLES:
                continue
            table = ddl.element.name
            ddl.columns = [column for column in ddl.columns if (table, column.element.name) not in LATER_COLUMNS]
        if isinstance(ddl, CreateIndex) and ddl.element.table is not None and ddl.element.table.name in LATER_TABLES:
            continue
        lines = str(ddl.compile(dialect=recorder.dialect)).expandtabs(4).splitlines()
        yield "\n".join(line.rstrip() for line in lines if line.strip()).removesuffix(";") + ";"


def _in_order(made: list[Any]) -> Iterator[Any]:
    """As it was made; the indexes of a table, which come in any order, by their names."""
    for is_index, some in groupby(made, lambda ddl: isinstance(ddl, CreateIndex)):
        statements = list(some)
        yield from sorted(statements, key=lambda ddl: str(ddl.element.name)) if is_index else statements


def script_of(engine: str) -> str:
    """The script of revision 0001 for `engine`."""
    return "\n\n".join(statements_of(engine)) + "\n"


def main() -> None:
    """Writes the scripts of both engines."""
    for engine in ENGINES:
        script_path(engine).write_text(script_of(engine))


if __name__ == "__main__":
    main()
