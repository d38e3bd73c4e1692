"""`openstile demo`: the whole house in one run, on public-domain portraits."""

from pathlib import Path
from typing import Annotated

import typer

from openstile.cli.options import JsonOption


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the pictures and the report; made anew.")] = Path("build/demo"),
    svg: Annotated[Path | None, typer.Option(help="Also write the tables as a picture, without faces.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Enrol riders, cross a gate in every way there is, and show what is left on disk."""
    from openstile.cli.models import download_progress
    from openstile.demo.run import run_demo

    with download_progress(quiet=as_json) as progress:
        return run_demo(out, as_json=as_json, progress=progress, svg=svg)
