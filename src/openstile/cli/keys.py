"""`openstile keys`: the keys of issuers, gate groups, operators and gates."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.key_changes import retire, revoke, rotate
from openstile.cli.key_options import KidArgument, NameOption, RoleArgument, role_and_name, token_of
from openstile.cli.key_plans import describe_key, print_key, state_words
from openstile.cli.options import HomeOption, JsonOption, existing_home_of, home_of
from openstile.cli.printing import console, print_json, print_table
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.passes.keystate import KeyInfo

app = typer.Typer(
    help="Keys of issuers, gate groups, operators and gates: create, list, rotate, retire, revoke, export, import.",
    no_args_is_help=True,
)


@app.command()
def create(
    role: RoleArgument,
    name: NameOption = None,
    algorithm: Annotated[
        str | None,
        typer.Option(help="EdDSA or ES256, for an issuer or operator; default: issuer.algorithm in settings.toml."),
    ] = None,
    hardware: Annotated[
        bool, typer.Option("--hardware", help="In the token of settings.toml, table hardware.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make the first key of an issuer, a gate group, an operator or a gate."""
    from openstile.assembly.wire import Installation
    from openstile.passes.keyfile import Role
    from openstile.passes.keys import Algorithm

    installation = Installation.open(home_of(home))
    chosen = algorithm or installation.settings.issuer.algorithm
    if chosen not in [known.value for known in Algorithm]:
        raise BadInputError(f"--algorithm {chosen}: give EdDSA or ES256")
    role_of, name_of = role_and_name(installation, role, name)
    if algorithm is not None and role_of not in (Role.ISSUER, Role.OPERATOR):
        raise BadInputError(f"--algorithm: a {role_of.value} key has none to choose; leave it out")
    info = installation.keys.create(
        role_of,
        name_of,
        now=installation.clock.now(),
        algorithm=Algorithm(chosen),
        hardware=token_of(installation) if hardware else None,
    )
    return _print_one("made", info, as_json)


@app.command(name="list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """All keys in this home, with their state. Private halves are never shown."""
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    infos = installation.keys.list_keys(now=installation.clock.now())
    if as_json:
        print_json([describe_key(info) for info in infos])
        return 0
    print_table(
        "Keys",
        ("role", "name", "id", "state", "private half", "until"),
        ((i.role.value, i.name, i.kid, state_words(i), _where_private(i), f"{i.not_after:%Y-%m-%d}") for i in infos),
    )
    return 0


app.command()(rotate)
app.command()(retire)
app.command()(revoke)


@app.command(name="export")
def export(
    kid: KidArgument,
    out: Annotated[Path, typer.Option(help="File to write.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write the public half of a key to a file, for a gate or an issuer elsewhere."""
    from openstile.assembly.wire import Installation
    from openstile.terms.files import write_private

    data = Installation.open(existing_home_of(home)).keys.export_public(kid)
    if out.exists():
        raise BadInputError(f"{out}: is there already; give another file")
    write_private(out, data)
    if as_json:
        print_json({"kid": kid, "file": str(out)})
    else:
        console().print(f"public half of {kid} is in {out}")
    return 0


@app.command(name="import")
def import_(file: Annotated[Path, typer.Argument()], home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Take in an exported public half, and with it whether the key was revoked or retires."""
    from openstile.assembly.wire import Installation
    from openstile.terms.limits import KEY_FILE_BYTES_MAX

    try:
        with file.open("rb") as opened:
            data = opened.read(KEY_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror}; give a file made by openstile keys export") from None
    installation = Installation.open(home_of(home))
    info = installation.keys.import_public(data, what=str(file), now=installation.clock.now())
    return _print_one("imported", info, as_json)


def _where_private(info: "KeyInfo") -> str:
    if info.token is not None:
        return f"in token {info.token}"
    return "here" if info.has_private else "elsewhere"


def _print_one(what: str, info: "KeyInfo", as_json: bool) -> int:
    if as_json:
        print_json(describe_key(info))
    else:
        print_key(what, info)
    return 0
