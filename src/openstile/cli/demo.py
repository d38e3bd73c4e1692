"""`openstile demo`: the whole house in one run, on public-domain portraits."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from openstile.cli.options import JsonOption
from openstile.cli.printing import error_console


def demo(
    out: Annotated[Path, typer.Option(help="Folder for passes, home and pictures; made anew each time.")] = Path(
        "build/demo"
    ),
    svg: Annotated[
        Path | None, typer.Option(help="Also write the tables to this file, as a picture without faces.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Enrol riders, cross a gate in every way there is, price a day of rides, and show what is left on disk.

    Exit code 1 when anything came otherwise than it has to.
    """
    from openstile.cli.models import download_progress
    from openstile.demo.needs import check_office_is_installed

    check_office_is_installed()
    from openstile.demo.run import run_demo

    return run_demo(
        out,
        as_json=as_json,
        downloading=partial(download_progress, quiet=as_json),
        say=lambda words: None if as_json else error_console().print(f"{words} ...", style="dim"),
        svg=svg,
    )
