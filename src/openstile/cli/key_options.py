"""Which key is meant: arguments and options that the commands about keys share."""

from typing import TYPE_CHECKING, Annotated

import typer

from openstile.terms.errors import BadInputError

if TYPE_CHECKING:
    from openstile.assembly.wire import Installation
    from openstile.passes.hardware import HardwareToken
    from openstile.passes.keyfile import Role

RoleArgument = Annotated[str, typer.Argument(help="issuer, gate-group, operator or gate")]
NameOption = Annotated[
    str | None,
    typer.Option(help="Issuer, operator, operator/gate-group or operator/gate; default: the one in settings.toml."),
]
KidArgument = Annotated[str, typer.Argument(metavar="KID", help="The key's id, as `keys list` shows it.")]


def role_and_name(installation: "Installation", role: str, name: str | None) -> "tuple[Role, str]":
    """The role, and the name or the one in the settings. Raises `BadInputError`."""
    from openstile.passes.keyfile import Role

    if role not in [known.value for known in Role]:
        raise BadInputError(f"{role}: give issuer, gate-group, operator or gate")
    settings = installation.settings
    usual = {
        Role.ISSUER: settings.issuer.id,
        Role.GATE_GROUP: str(settings.audience()),
        Role.OPERATOR: settings.operator.id,
        Role.GATE: f"{settings.operator.id}/{settings.gate.id}",
    }
    return Role(role), name or usual[Role(role)]


def token_of(installation: "Installation") -> "HardwareToken":
    """The token of the settings. Raises `BadInputError` where none is set."""
    token = installation.settings.hardware_token(installation.home.folder)
    if token is None:
        raise BadInputError(
            "--hardware: no token is set; set module, token and pin_file in settings.toml, table hardware"
        )
    return token
