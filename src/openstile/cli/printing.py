"""Printing for people and for machines. Standard output carries results, standard error everything else."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=None, separators=(", ", ": ")))


def console() -> Console:
    """The terminal for results; rich respects NO_COLOR and a standard output that is no terminal."""
    return Console(highlight=False, soft_wrap=True)


def error_console() -> Console:
    """The terminal for progress and warnings."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with a title; cells are plain text, so that nothing an input says is taken as markup."""
    from rich.text import Text

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)
