"""`openstile bundle`: what an operator tells its gates."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json, print_table

if TYPE_CHECKING:
    from openstile.assembly.bundle_apply import JudgedBundle, TrustInUse
    from openstile.trust import Bundle

app = typer.Typer(
    help="Trust bundles: what an operator tells its gates, signed. Build, verify, apply, show.", no_args_is_help=True
)

BundleArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A file made by bundle build.")]


@app.command()
def build(
    out: Annotated[Path, typer.Option(help="File to write.")],
    gate: Annotated[
        list[Path] | None, typer.Option(help="Exported key of a gate that gets the gate-group keys; again for each.")
    ] = None,
    status: Annotated[
        list[Path] | None, typer.Option(help="Status list to send along; again for each. Default: those built here.")
    ] = None,
    days: Annotated[int, typer.Option(help="Gates accept it for so long; in use it works on after that.")] = 30,
    sequence: Annotated[int | None, typer.Option(help="Default: one more than the last.", show_default=False)] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Sign what this home knows, for its gates: issuers, gate-group keys, status lists, settings, products."""
    from openstile.assembly.bundles import BundleOrder, build_bundle
    from openstile.assembly.wire import Installation

    lists = tuple(status) if status else None
    order = BundleOrder(out=out, gates=tuple(gate or ()), lists=lists, days=days, sequence=sequence)
    built = build_bundle(Installation.open(existing_home_of(home)), order)
    if as_json:
        print_json(
            {"file": str(built.file), "bytes": built.bytes_count, "gates": list(built.gates),
             "not_sealed": list(built.not_sealed), "left_out": list(built.left_out), **_describe(built.bundle)}
        )  # fmt: skip
        return 0
    console().print(f"built {built.file}, {built.bytes_count} bytes: {_in_words(built.bundle)}")
    if built.gates:
        console().print(f"gate-group keys for {', '.join(built.gates)}, and for no other gate")
    for kid in built.not_sealed:
        console().print(f"gate-group key {kid}: its private half is not in a file here, so no gate gets it by this")
    for file in built.left_out:
        console().print(
            f"left out: {file}, signed with a key that is revoked since; run openstile status publish --out DIR, then "
            "build again",
            style="bold",
        )
    return 0


@app.command()
def verify(file: BundleArgument, home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Whether this home would accept a bundle, and what would change then. Exit code 7 when it would not."""
    from openstile.assembly.bundle_apply import verify_bundle
    from openstile.assembly.wire import Installation

    return _print_judged("would be accepted", verify_bundle(Installation.open(existing_home_of(home)), file), as_json)


@app.command()
def apply(file: BundleArgument, home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Take a bundle into use, never an older one. A gate that runs goes by it from its next rider on."""
    from openstile.assembly.bundle_apply import apply_bundle
    from openstile.assembly.wire import Installation

    return _print_judged("in use", apply_bundle(Installation.open(existing_home_of(home)), file), as_json)


@app.command()
def show(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """The bundle and the status lists that this home goes by."""
    from openstile.assembly.bundle_apply import trust_in_use
    from openstile.assembly.wire import Installation

    found = trust_in_use(Installation.open(existing_home_of(home)))
    if as_json:
        print_json(_describe_use(found))
    else:
        _print_use(found)
    return 0


def _print_judged(outcome: str, judged: "JudgedBundle", as_json: bool) -> int:
    if as_json:
        changes = [
            {"what": c.what, "subject": c.subject, "before": c.before, "after": c.after, "effect": c.effect}
            for c in judged.changes
        ]
        came = [key.public.kid.hex() for key in judged.keys]
        print_json(
            {"accepted": True, "changes": changes, "keys_received": came, "cannot_open": list(judged.cannot_open),
             **_describe(judged.bundle)}
        )  # fmt: skip
        return 0
    console().print(outcome, style="green", end="")
    console().print(f"  {_in_words(judged.bundle)}")
    if judged.changes:
        print_table(
            "What changes",
            ("what", "which", "from", "to", "so that"),
            ((c.what, c.subject, c.before or "-", c.after or "-", c.effect) for c in judged.changes),
        )
    else:
        console().print("nothing changes: keys and settings stay as they are")
    _print_missing(judged.cannot_open)
    return 0


def _print_use(found: "TrustInUse") -> None:
    if found.bundle is None:
        console().print("no bundle in use: this home goes by its own keys and settings")
    else:
        console().print(_in_words(found.bundle))
        if found.is_old:
            console().print("old: it works on, but this gate is not told anything new; apply a newer one", style="red")
        print_table(
            "Keys",
            ("for", "name", "id", "state"),
            (*(("operator", key.name, key.kid.hex(), "may sign the next bundle") for key in found.bundle.operators),
             *(("issuer", i.key.name, i.key.kid.hex(), "revoked" if i.revoked else "trusted")
               for i in found.bundle.issuers),
             *(("gate group", str(g.key.audience), g.key.kid.hex(),
                "in use" if g.retired_at is None else f"retired from {g.retired_at:%Y-%m-%d %H:%M} UTC")
               for g in found.bundle.group_keys)),
        )  # fmt: skip
    if found.lists:
        print_table(
            "Status lists",
            ("issuer", "address", "made (UTC)", "entries"),
            ((each.issuer, each.uri, f"{each.issued_at:%Y-%m-%d %H:%M:%S}", str(each.entries)) for each in found.lists),
        )
    _print_missing(found.cannot_open)


def _print_missing(kids: tuple[str, ...]) -> None:
    for kid in kids:
        console().print(f"gate-group key {kid}: its private half is not here, passes sealed to it do not open")


def _in_words(bundle: "Bundle") -> str:
    return (
        f"bundle {bundle.sequence} for {bundle.audience}, made {bundle.made:%Y-%m-%d %H:%M}, to be accepted until "
        f"{bundle.expires:%Y-%m-%d %H:%M} UTC: {len(bundle.issuers)} issuer keys, {len(bundle.group_keys)} gate-group "
        f"keys, {len(bundle.status_lists)} status lists, {len(bundle.settings)} settings, "
        f"{len(bundle.products) or 'all'} products"
    )


def _describe(bundle: "Bundle") -> dict[str, object]:
    return {
        "audience": str(bundle.audience),
        "sequence": bundle.sequence,
        "made": bundle.made.isoformat(),
        "expires": bundle.expires.isoformat(),
        "operators": [{"name": key.name, "kid": key.kid.hex()} for key in bundle.operators],
        "issuers": [
            {"name": issuer.key.name, "kid": issuer.key.kid.hex(), "revoked": issuer.revoked}
            for issuer in bundle.issuers
        ],
        "gate_group_keys": [
            {"kid": listed.key.kid.hex(), "not_after": listed.key.not_after.isoformat(),
             "retired_at": listed.retired_at.isoformat() if listed.retired_at else None}
            for listed in bundle.group_keys
        ],
        "status_lists": len(bundle.status_lists),
        "settings": bundle.overrides,
        "products": [{"name": each.name, "showing": "live" if each.live else "any"} for each in bundle.products],
        "gates_with_keys": len({sealed.gate_kid for sealed in bundle.sealed_keys}),
    }  # fmt: skip


def _describe_use(found: "TrustInUse") -> dict[str, object]:
    held = {(each.issuer, each.uri) for each in found.lists}
    return {
        "bundle": None if found.bundle is None else _describe(found.bundle),
        "old": found.is_old,
        "cannot_open": list(found.cannot_open),
        "lists": [
            {"issuer": floor.issuer, "uri": floor.uri, "issued_at": floor.issued_at.isoformat(),
             "usable": (floor.issuer, floor.uri) in held}
            for floor in found.floors.lists
        ],
    }  # fmt: skip
