"""Printing for people and for machines. Standard output carries results, standard error everything else."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openstile.terms.errors import BadInputError

_WHOLE = ("id", "key", "pass", "role", "until")


def print_json(value: Any) -> None:
    """One JSON value on standard output, in ASCII: it can be written whatever the terminal's encoding is."""
    print(json.dumps(value), flush=True)


def console() -> Console:
    """The terminal for results; rich respects NO_COLOR and a standard output that is no terminal.

    Nothing that is printed is taken as markup or emoji, for a product or a path may look like it: colour is a `style`.
    """
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def error_console() -> Console:
    """The terminal for progress and warnings; plain text, as `console`."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def ask(question: str) -> None:
    """Goes on after a yes. Raises `typer.Abort` after a no or Ctrl-C, `BadInputError` where nobody can answer."""
    try:
        yes = typer.confirm(question)
    except typer.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        print(file=sys.stderr)  # the question has no line end of its own
        raise BadInputError("nobody is there to answer, so nothing was changed; add --yes") from None
    if not yes:
        raise typer.Abort


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with a title; cells are plain text, so that nothing an input says is taken as markup.

    What one copies stays in one piece.
    """
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in _WHOLE)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)
