"""`openstile pass`: explain a pass."""

from pathlib import Path
from typing import Annotated, Any

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json

app = typer.Typer(help="Look into a pass.", no_args_is_help=True)


@app.callback()
def passes() -> None:
    """Look into a pass."""


@app.command()
def inspect(
    pass_file: Annotated[Path, typer.Argument(metavar="PASS", help="pass.txt, or a picture of its QR code.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Explain a pass as far as the keys in the home folder allow; without a home, as far as anybody can."""
    from openstile.assembly.devices import read_presented
    from openstile.passes import inspect_pass

    presented = read_presented(pass_file)
    keyring, now = None, None
    if home is not None:
        from openstile.assembly.wire import Installation

        installation = Installation.open(existing_home_of(home))
        keyring, now = installation.keys.gate_keyring(), installation.clock.now()
    lines = _lines(inspect_pass(presented, keyring, now))
    if as_json:
        print_json(lines)
        return 0
    for name, value in lines.items():
        if value is not None:
            console().print(f"{name.replace('_', ' '):>20}  {_words(value)}")
    return 0


def _lines(found: Any) -> dict[str, object]:
    claims = found.claims
    lines: dict[str, object] = {
        "characters": found.characters,
        "version": found.version,
        "sealed_bytes": found.sealed_bytes,
        "gate_group_kid": found.gate_group_kid,
        "opened": found.opened,
        "issuer_kid": found.issuer_kid,
        "signature_verified": claims is not None,
        "fault": found.fault.value if found.fault else None,
        "detail": found.detail,
    }
    if claims is None:
        return lines
    entitlement = claims.entitlement
    return lines | {
        "pass_id": str(claims.pass_id),
        "issuer": claims.issuer,
        "audience": str(claims.audience),
        "product": entitlement.product,
        "rider_category": entitlement.rider_category,
        "zones": list(entitlement.zones) or None,
        "not_before": claims.not_before.isoformat(),
        "expires": claims.expires.isoformat(),
        "assurance": claims.assurance.value,
        "reference_kind": claims.reference.kind.value,
        "model_pack": claims.reference.pack_id,
        "reference_bytes": found.reference_bytes,
        "status_list": claims.status.uri if claims.status else None,
        "status_index": claims.status.index if claims.status else None,
    }


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
