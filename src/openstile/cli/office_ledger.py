"""Commands of `openstile office ledger`: the trial balance, verification, exports."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json, print_table

EXIT_WRONG = 1
ledger_app = typer.Typer(help="The books: balances, verification, exports.", no_args_is_help=True)
_Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Up to the end of this local day; default: all days.")
]


def add_to(app: typer.Typer) -> None:
    """Adds the group to the group `office`."""
    app.add_typer(ledger_app, name="ledger")


@ledger_app.command()
def balance(day: _Day = None, home: HomeOption = None, as_json: JsonOption = False) -> int:
    """The trial balance. All riders together are one line. Exit code 1 when it does not balance."""
    from openstile.assembly.office_books import book_totals
    from openstile.assembly.wire import Installation

    found = book_totals(Installation.open(existing_home_of(home)), None if day is None else day.date())
    if as_json:
        lines = [
            {"account": one.account, "kind": one.kind.value, "minor": one.balance.minor,
             "currency": one.balance.currency} for one in found.lines
        ]  # fmt: skip
        print_json({"day": day and day.date().isoformat(), "balanced": found.balanced, "lines": lines})
    else:
        rows = [
            (one.account, one.kind.value, str(one.balance) if one.balance.minor >= 0 else "",
             str(-one.balance) if one.balance.minor < 0 else "") for one in found.lines
        ]  # fmt: skip
        print_table("Trial balance", ("account", "kind", "debit", "credit"), rows)
        console().print("debits and credits are equal" if found.balanced else "DEBITS AND CREDITS DIFFER")
    return 0 if found.balanced else EXIT_WRONG


@ledger_app.command()
def verify(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Recompute every balance and sum from the entries. Exit code 1 when something is wrong."""
    from openstile.assembly.office_books import verify_books
    from openstile.assembly.wire import Installation

    found = verify_books(Installation.open(existing_home_of(home)))
    if as_json:
        print_json({"accounts": found.accounts, "postings": found.postings, "entries": found.entries,
                    "findings": list(found.findings)})  # fmt: skip
    else:
        console().print(f"{found.accounts} accounts, {found.postings} postings, {found.entries} entries")
        for finding in found.findings:
            console().print(finding, style="red")
        console().print("nothing wrong" if not found.findings else f"{len(found.findings)} things are wrong")
    return EXIT_WRONG if found.findings else 0


@ledger_app.command()
def export(
    out: Annotated[Path, typer.Argument(help="A new file; only you can read it.")],
    form: Annotated[str, typer.Option("--format", help="csv or beancount.")] = "csv",
    day: _Day = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write the books to a file, for spreadsheets or for Beancount. Riders are random ids there."""
    from openstile.assembly.office_books import export_books
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    count = export_books(installation, out, form=form, day=None if day is None else day.date())
    if as_json:
        print_json({"path": str(out), "format": form, "count": count})
    else:
        console().print(f"{out}: {count} {'entries' if form == 'csv' else 'postings'}")
    return 0
