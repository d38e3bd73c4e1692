"""`openstile keys`: issuer and gate-group keys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of, home_of
from openstile.cli.printing import console, print_json, print_table
from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.assembly.wire import Installation
    from openstile.passes.keyfile import Role
    from openstile.passes.keystate import KeyInfo

app = typer.Typer(
    help="Issuer and gate-group keys: create, list, rotate, revoke, export, import.", no_args_is_help=True
)

RoleArgument = Annotated[str, typer.Argument(help="issuer or gate-group")]
NameOption = Annotated[
    str | None, typer.Option(help="Issuer, or operator/gate-group; default: the one in settings.toml.")
]
KidArgument = Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]


@app.command()
def create(
    role: RoleArgument,
    name: NameOption = None,
    algorithm: Annotated[
        str | None, typer.Option(help="EdDSA or ES256, for an issuer; default: settings.toml.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make the first key of an issuer or a gate group."""
    from openstile.assembly.wire import Installation
    from openstile.passes.keyfile import Role
    from openstile.passes.keys import Algorithm

    installation = Installation.open(home_of(home))
    chosen = algorithm or installation.settings.issuer.algorithm
    if chosen not in [known.value for known in Algorithm]:
        raise BadInputError(f"--algorithm {chosen}: give EdDSA or ES256")
    role_of, name_of = _role_and_name(installation, role, name)
    if algorithm is not None and role_of is Role.GATE_GROUP:
        raise BadInputError("--algorithm: a gate-group key has none to choose; leave it out")
    info = installation.keys.create(role_of, name_of, now=installation.clock.now(), algorithm=Algorithm(chosen))
    return _print_one("made", info, as_json)


@app.command(name="list")
def list_(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """All keys in this home, with their state. Private halves are never shown."""
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    infos = installation.keys.list_keys(now=installation.clock.now())
    if as_json:
        print_json([_describe(info) for info in infos])
        return 0
    print_table(
        "Keys",
        ("role", "name", "id", "algorithm", "state", "private half", "until"),
        (
            (i.role.value, i.name, i.kid, i.algorithm, i.state.value, "here" if i.has_private else "elsewhere",
             f"{i.not_after:%Y-%m-%d}")
            for i in infos
        ),
    )  # fmt: skip
    return 0


@app.command()
def rotate(role: RoleArgument, name: NameOption = None, home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Make a new current key. Passes made with the one before stay good until they expire."""
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    role_of, name_of = _role_and_name(installation, role, name)
    return _print_one("made", installation.keys.rotate(role_of, name_of, now=installation.clock.now()), as_json)


@app.command()
def revoke(
    kid: KidArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Refuse from now on every pass made with a key. There is no way back; those riders need new passes."""
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    if not yes and not as_json:
        typer.confirm(f"Refuse every pass made with key {kid} from now on?", abort=True)
    return _print_one("revoked", installation.keys.revoke(kid, now=installation.clock.now()), as_json)


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
    """Take in an exported public half, and with it whether the key was revoked."""
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


def _role_and_name(installation: "Installation", role: str, name: str | None) -> "tuple[Role, str]":
    from openstile.passes.keyfile import Role

    if role not in [known.value for known in Role]:
        raise BadInputError(f"{role}: give issuer or gate-group")
    role_of = Role(role)
    settings = installation.settings
    return role_of, name or (settings.issuer.id if role_of is Role.ISSUER else str(settings.audience()))


def _describe(info: "KeyInfo") -> dict[str, object]:
    return {
        "role": info.role.value,
        "name": info.name,
        "kid": info.kid,
        "algorithm": info.algorithm,
        "state": info.state.value,
        "generation": info.generation,
        "has_private": info.has_private,
        "created": info.created.isoformat(),
        "not_after": info.not_after.isoformat(),
    }


def _print_one(what: str, info: "KeyInfo", as_json: bool) -> int:
    if as_json:
        print_json(_describe(info))
    else:
        console().print(
            f"{what} {info.role.value} key {info.kid} of {info.name} ({info.algorithm}, {info.state.value})"
        )
    return 0
