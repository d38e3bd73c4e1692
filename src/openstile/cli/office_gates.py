"""`openstile office gate`: the gates that may bring their taps."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of, home_of
from openstile.cli.printing import console, error_console, print_json, print_table
from openstile.terms.errors import BadInputError
from openstile.terms.limits import CLAIM_TTL_S_MAX

if TYPE_CHECKING:
    from openstile.office.sync.registry import KnownGate

app = typer.Typer(help="The gates that may bring their taps to this office.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="gate.id of the gate's settings.toml.")]


def add_to(office: typer.Typer) -> None:
    """Adds this group to the group `office`."""
    office.add_typer(app, name="gate")


@app.command()
def add(
    name: NameArgument,
    stop: Annotated[str, typer.Option(help="Where it stands: a stop_id of the feed.")],
    direction: Annotated[str, typer.Option(help="in or out: the way its riders go.")],
    network: Annotated[str | None, typer.Option(help="Of which network: a network_id of the feed.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Add a gate. It is admitted when it uses the token that `claim` gives."""
    from openstile.assembly.office_gates import new_gate
    from openstile.assembly.wire import Installation
    from openstile.journal import Direction

    if direction not in [known.value for known in Direction]:
        raise BadInputError(f"--direction {direction}: give {' or '.join(known.value for known in Direction)}")
    installation = Installation.open(home_of(home))
    _say(new_gate(installation, name, stop=stop, network=network, direction=Direction(direction)), as_json=as_json)
    return 0


@app.command()
def claim(
    name: NameArgument,
    minutes: Annotated[int, typer.Option(min=1, max=CLAIM_TTL_S_MAX // 60, help="How long the token is good.")] = 60,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Print a token with which the gate joins, once: `openstile uplink join URL --token TOKEN`. Older ones are void."""
    from openstile.assembly.office_gates import claim_token
    from openstile.assembly.wire import Installation

    issued = claim_token(Installation.open(existing_home_of(home)), name, ttl=timedelta(minutes=minutes))
    expires = issued.expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    if as_json:
        print_json({"gate": name, "token": issued.token, "expires": expires})
    else:
        console().print(issued.token)
        error_console().print(f"good once, until {expires}; hand it over by a way you trust")
    return 0


@app.command(name="list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Which gates there are, and whether they may bring taps."""
    from openstile.assembly.office_gates import all_gates
    from openstile.assembly.wire import Installation

    found = all_gates(Installation.open(existing_home_of(home)))
    if as_json:
        print_json([_told(gate) for gate in found])
    else:
        columns = ("gate", "stop", "network", "direction", "state")
        print_table("gates", columns, [[value or "-" for value in _told(gate).values()] for gate in found])
    return 0


@app.command()
def lock(name: NameArgument, home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Take nothing more of a gate: it was stolen, say. It keeps its taps until it is unlocked."""
    from openstile.assembly import office_gates
    from openstile.assembly.wire import Installation

    _say(office_gates.lock(Installation.open(existing_home_of(home)), name), as_json=as_json)
    return 0


@app.command()
def unlock(name: NameArgument, home: HomeOption = None, as_json: JsonOption = False) -> int:
    """End the lock of a gate."""
    from openstile.assembly import office_gates
    from openstile.assembly.wire import Installation

    _say(office_gates.unlock(Installation.open(existing_home_of(home)), name), as_json=as_json)
    return 0


def _told(gate: "KnownGate") -> dict[str, Any]:
    return {
        "gate": gate.gate_id.value,
        "stop": gate.stop_id,
        "network": gate.network_id,
        "direction": gate.direction.value,
        "state": gate.state.value,
    }


def _say(gate: "KnownGate", *, as_json: bool) -> None:
    if as_json:
        print_json(_told(gate))
    else:
        console().print(f"gate {gate.gate_id} at {gate.stop_id} is {gate.state.value}")
