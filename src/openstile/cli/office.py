"""`openstile office`: the back office, served; its staff; its API described.

Other modules add commands to `app` (see cli.app).
"""

import json
from typing import Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of, home_of
from openstile.cli.printing import ask, console, error_console, print_json, print_table
from openstile.terms.errors import BadInputError

app = typer.Typer(help="The back office: gathers taps, prices journeys, keeps the books. Alone: serves.")
staff_app = typer.Typer(help="Who works at the office, and in which role.", no_args_is_help=True)
app.add_typer(staff_app, name="staff")


@app.callback(invoke_without_command=True)
def office(context: typer.Context, home: HomeOption = None, as_json: JsonOption = False) -> int | None:
    """The back office: gathers taps, prices journeys, keeps the books. Without a command: serves, as `serve`."""
    command = context.invoked_subcommand
    if command is None:
        return serve(home, as_json)
    given = context.get_parameter_source("home")
    if as_json or (
        given is not None and given.name == "COMMANDLINE"
    ):  # the command would not see them, and might take another home
        raise BadInputError(f"office {command}: write --home and --json at the end, behind the whole command")
    return None


@app.command()
def serve(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Serve the API and do what is due, until Ctrl-C or SIGTERM; then end what has begun. Logs are JSON lines."""
    from openstile.assembly.office import open_office
    from openstile.assembly.wire import Installation
    from openstile.office.observe.logs import configure_logs
    from openstile.office.observe.traces import export_traces
    from openstile.office.server import serve as serve_office

    installation = Installation.open(home_of(home))
    configure_logs()
    if installation.settings.office.traces_url:
        export_traces(installation.settings.office.traces_url)
    with open_office(installation) as opened:
        serve_office(
            opened.office,
            opened.listening,
            jobs=opened.jobs,
            started=lambda port: _started(opened.listening.host, port, as_json=as_json),
        )
    return 0


def _started(host: str, port: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"listening": {"host": host, "port": port}})
    else:
        error_console().print(f"office: listening on {host}:{port}")


@app.command()
def openapi(as_json: JsonOption = False) -> int:
    """Print the description of the API (OpenAPI 3.1, always JSON)."""
    del as_json
    from openstile.office.api.app import api_document

    print(json.dumps(api_document(), indent=1))
    return 0


@staff_app.command()
def add(
    name: Annotated[str, typer.Argument(help="As it stands in the audit log.")],
    role: Annotated[str, typer.Option(help="agent, operator or auditor.")],
    oidc_subject: Annotated[
        str | None, typer.Option(help="Who this is at office.oidc_issuer (its claim sub); then no passkey is needed.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Take somebody on, and print the invitation with which they register a passkey. It is printed this once."""
    from openstile.assembly.office_staff import take_on
    from openstile.assembly.wire import Installation

    taken = take_on(Installation.open(home_of(home)), name=name, role=role, subject=oidc_subject)
    if as_json:
        print_json({
            "staff_id": taken.member.staff_id,
            "role": taken.member.role.value,
            "invitation": taken.invitation,
            "expires": taken.expires,
        })  # fmt: skip
    else:
        console().print(f"{taken.member.role.value} {taken.member.staff_id}")
        if taken.invitation is not None:
            console().print(f"invitation {taken.invitation}")
            error_console().print(f"good once, until {taken.expires}; hand it over by a way you trust")
    return 0


@staff_app.command(name="list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Who is of the staff."""
    from openstile.assembly.office_staff import everybody
    from openstile.assembly.wire import Installation

    found = everybody(Installation.open(existing_home_of(home)))
    if as_json:
        print_json([{"staff_id": one.staff_id, "name": one.name, "role": one.role.value} for one in found])
    else:
        print_table("staff", ("id", "role", "name"), [(one.staff_id, one.role.value, one.name) for one in found])
    return 0


@staff_app.command()
def remove(
    staff_id: Annotated[str, typer.Argument(help="As `staff list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Let somebody go: sessions end at once, passkeys and the name are removed. The audit log keeps who it was."""
    from openstile.assembly.office_staff import let_go
    from openstile.assembly.wire import Installation

    if len(staff_id) != 32:
        raise BadInputError("staff id: has 32 digits; openstile office staff list shows it")
    installation = Installation.open(existing_home_of(home))
    if not yes:
        ask(f"let {staff_id} go?")
    let_go(installation, staff_id)
    if as_json:
        print_json({"removed": staff_id})
    else:
        console().print(f"{staff_id} is removed")
    return 0
