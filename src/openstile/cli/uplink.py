"""`openstile uplink`: a gate's way to the office that gathers its taps."""

from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json

if TYPE_CHECKING:
    from openstile.assembly.uplink import UplinkStatus
    from openstile.assembly.wire import Installation

EXIT_WAITING = 1

app = typer.Typer(help="A gate's way to the office: join it, send taps, change the key.", no_args_is_help=True)


@app.command()
def join(
    office: Annotated[str, typer.Argument(metavar="URL", help="The office's address, as https://office.example.")],
    token: Annotated[
        str,
        typer.Option(envvar="OPENSTILE_CLAIM_TOKEN", help="The claim token that the operator gave out; works once."),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Admit this gate at an office: from then on its taps go there. The gate must not be running meanwhile."""
    from openstile.assembly import uplink
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    kid = uplink.join(installation, office, token)
    if as_json:
        print_json({"gate": installation.settings.gate.id, "office": office, "kid": kid})
    else:
        console().print(f"gate {installation.settings.gate.id} has joined {office} with key {kid}")
    return 0


@app.command()
def sync(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Send now what the office does not hold yet. A running gate does that by itself; then this only says how far.

    Exit code 1 while taps wait.
    """
    from openstile.assembly.uplink import open_uplink, uplink_status
    from openstile.assembly.wire import Installation
    from openstile.journal.errors import JournalInUseError

    installation = Installation.open(existing_home_of(home))
    sent: int | None = None
    try:
        with installation.open_journal() as journal, open_uplink(installation, journal) as uplink:
            sent = uplink.sync().sent
    except JournalInUseError:
        pass  # the gate that runs here holds the journal, and syncs
    status = uplink_status(installation)
    if as_json:
        print_json({"gate_runs": sent is None, "sent": sent or 0, **status.to_json()})
    elif sent is None:
        every_s = installation.settings.uplink.sync_every_s
        console().print(f"the gate that runs here sends by itself, every {every_s} s; {status.waiting} taps wait")
    else:
        console().print(f"{sent} taps sent; the office holds all up to number {status.receipted_seq}")
    return EXIT_WAITING if status.waiting else 0


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Where this gate stands with its office, without asking it. Works while the gate runs."""
    from openstile.assembly.uplink import uplink_status
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    found = uplink_status(installation)
    if as_json:
        print_json(found.to_json())
    else:
        _say(found, installation)
    return 0


@app.command("rotate-key")
def rotate_key(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Change the key that signs this gate's requests. The office takes both for a while. Works while the gate runs."""
    from openstile.assembly.uplink import change_key
    from openstile.assembly.wire import Installation

    kid = change_key(Installation.open(existing_home_of(home)))
    if as_json:
        print_json({"kid": kid})
    else:
        console().print(f"requests are signed with key {kid} from now on")
    return 0


def _say(found: "UplinkStatus", installation: "Installation") -> None:
    gate = installation.settings.gate.id
    if found.office is None:
        console().print(f"gate {gate} works alone; openstile uplink join URL --token TOKEN lets it join an office")
        return
    joined = "has joined" if found.joined else "has not joined yet"
    console().print(f"gate {gate} {joined} {found.office}")
    console().print(f"key {found.kid or 'none'}{', a change was begun' if found.key_changing else ''}")
    console().print(
        f"epoch {found.epoch or 'none'}: {found.head_seq} taps, the office holds {found.receipted_seq}, "
        f"{found.waiting} wait"
    )
    if found.fault is not None:
        console().print(f"the last sync failed: {found.fault}")
