"""Options that many commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

from openstile.assembly.home import Home, open_home
from openstile.terms.errors import BadInputError

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="OPENSTILE_HOME",
        help="Folder with keys, settings and journal; made with safe defaults on first use.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of words.")]


def home_of(folder: Path | None) -> Home:
    """The home that the option or the environment names. Raises `BadInputError` when neither does."""
    if folder is None or not os.fspath(folder):
        raise BadInputError("no home given; add --home DIR or set OPENSTILE_HOME")
    return open_home(folder)


def wants_json(arguments: list[str]) -> bool:
    """Whether the caller asked for JSON, as far as can be told before the options are parsed."""
    return "--json" in arguments
