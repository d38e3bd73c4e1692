"""Options that many commands share."""

from pathlib import Path
from typing import Annotated

import typer

from openstile.assembly.home import Home, open_home
from openstile.terms.errors import BadInputError


def folder(text: str) -> Path:
    """The folder called `text`. Raises `BadInputError` when it is empty, as an unset variable of a shell is."""
    if not text:
        raise BadInputError("the name of a folder is empty; give . for the current one")
    return Path(text)


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="OPENSTILE_HOME",
        parser=folder,
        help="Folder with keys, settings and journal; made with safe defaults on first use.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of words.")]


def home_of(folder: Path | None) -> Home:
    """The home that the option or the environment names. Raises `BadInputError` when neither does."""
    if folder is None:
        raise BadInputError("no home given; add --home DIR or set OPENSTILE_HOME")
    return open_home(folder)


def existing_home_of(folder: Path | None) -> Home:
    """As `home_of`, for commands that only look at or change what is there: a slip of the pen makes no new home."""
    if folder is not None and not folder.expanduser().is_dir():
        raise BadInputError(
            f"home {folder}: does not exist; openstile enrol, keys create or office staff add makes one"
        )
    return home_of(folder)


def wants_json(arguments: list[str]) -> bool:
    """Whether the caller asked for JSON, as far as can be told before the options are parsed."""
    return "--json" in arguments
