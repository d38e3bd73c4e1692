"""Commands of `openstile office` for its database: migrate, backup, restore, retention, data-held."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, error_console, print_json, print_table
from openstile.terms.errors import BadInputError


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the group `office`."""
    for command in (migrate, backup, restore, retention):
        app.command()(command)
    app.command("data-held")(data_held)


def migrate(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Bring the office's database to this version, all or nothing. Make a backup first."""
    from openstile.assembly.office_keeping import migrate_office
    from openstile.assembly.wire import Installation
    from openstile.office.store.migrations.running import newest

    before, now = migrate_office(Installation.open(existing_home_of(home))), newest()
    if as_json:
        print_json({"before": before, "version": now})
    else:
        console().print(f"database: version {now}" + ("" if before == now else f", was {before or 'empty'}"))
    return 0


def backup(
    target: Annotated[Path, typer.Argument(help="A new file, or a folder that is there.")],
    prune: Annotated[bool, typer.Option("--prune", help="Then remove backups in the folder whose days are over.")] = (
        False
    ),
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Back the office's database up, also while it serves: one private file, whole and checked."""
    from openstile.assembly.office_keeping import back_up_office, prune_backups
    from openstile.assembly.wire import Installation

    if prune and not target.is_dir():
        raise BadInputError(f"backup {target}: --prune needs the folder with the backups")
    installation = Installation.open(existing_home_of(home))
    made = back_up_office(installation, target)
    pruned = prune_backups(installation, target) if prune else None
    if as_json:
        removed = [] if pruned is None else [str(path) for path in pruned.removed]
        print_json({"path": str(made.path), "manifest": made.manifest.to_json(), "removed": removed})
        return 0
    console().print(f"{made.path}: {made.manifest.size} bytes, version {made.manifest.version}")
    if pruned is not None:
        console().print(f"{len(pruned.removed)} old backups removed, {len(pruned.kept)} kept")
        for path in pruned.unread:
            error_console().print(f"{path}: is no backup that can be read; look at it", style="yellow")
    return 0


def restore(
    file: Annotated[Path, typer.Argument(help="What `openstile office backup` made.")],
    yes: Annotated[bool, typer.Option("--yes", help="Replace a database that is not empty.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Put a backup in place of the office's database, whole or not at all. Old trips fade in it first."""
    from openstile.assembly.office_keeping import restore_office
    from openstile.assembly.wire import Installation

    manifest = restore_office(Installation.open(existing_home_of(home)), file, replace=yes)
    if as_json:
        print_json({"restored": manifest.to_json()})
    else:
        console().print(f"restored: made {manifest.created:%Y-%m-%d %H:%M:%S} UTC, version {manifest.version}")
    return 0


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go now.")] = False,
    rewrite: Annotated[bool, typer.Option("--rewrite", help="Write the database's files anew, too.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Let everything go whose time is over: priced trips fade, what expired goes. The office does it each hour."""
    from openstile.assembly.office_keeping import forget
    from openstile.assembly.wire import Installation
    from openstile.office.observe.logs import lines_to

    installation = Installation.open(existing_home_of(home))
    with lines_to(sys.stderr):  # an account that cannot be priced is told there
        faded = forget(installation, dry_run=dry_run, rewrite=rewrite)
    if as_json:
        print_json({
            "dry_run": dry_run,
            "until": faded.until.isoformat(),
            "rows": dict(faded.rows),
            "unpriced": faded.unpriced,
            "waiting": faded.waiting,
        })  # fmt: skip
        return 0
    title = f"{'Would go' if dry_run else 'Gone'}: trips before {faded.until:%Y-%m-%d %H:%M:%S} UTC, and what expired"
    print_table(title, ("table", "rows"), [(name, str(count)) for name, count in faded.rows.items()])
    console().print(f"taps that were never priced: {faded.unpriced}; that still wait: {faded.waiting}")
    return 0


def data_held(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """What the office's database holds about people, table by table, and until when (docs/data-held.md)."""
    from openstile.assembly.office_keeping import data_held as held
    from openstile.assembly.wire import Installation
    from openstile.office.forgetting.data_held import as_markdown

    tables = held(Installation.open(existing_home_of(home)))
    if as_json:
        print_json([
            {
                "table": table.name,
                "why": table.why,
                "columns": [
                    {"name": c.name, "says": c.holds and c.holds.value, "until": c.until and c.until.value}
                    for c in table.columns
                ],
            }
            for table in tables
        ])  # fmt: skip
    else:
        console().print(as_markdown(tables))
    return 0
