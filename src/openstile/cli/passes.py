"""`openstile pass`: explain a pass; a phone's key, and a pass shown live with it."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from openstile.cli import pass_try
from openstile.cli.options import HomeOption, JsonOption, existing_home_of, folder
from openstile.cli.printing import console, print_json, print_table

EXIT_SOME_REFUSED = 10

app = typer.Typer(
    help="Look into a pass; try it before travel; show one live from a phone; make passes anew.", no_args_is_help=True
)


app.command("try")(pass_try.try_pass)


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
        from openstile.assembly.trust import keyring_in_use
        from openstile.assembly.wire import Installation

        installation = Installation.open(existing_home_of(home))
        keyring, now = keyring_in_use(installation.home), installation.clock.now()
    lines = _lines(inspect_pass(presented, keyring, now))
    if as_json:
        print_json(lines)
        return 0
    for name, value in lines.items():
        if value is not None:
            console().print(f"{name.replace('_', ' '):>20}  {_words(value)}")
    return 0


@app.command()
def holder(
    out: Annotated[Path, typer.Option(parser=folder, help="Folder for holder.json and holder.pub.json.")],
    as_json: JsonOption = False,
) -> int:
    """Make the key of a phone: holder.json stays there, holder.pub.json goes to the desk (openstile enrol --holder)."""
    from openstile.assembly.phone import make_holder

    private, public = make_holder(out)
    if as_json:
        print_json({"private": str(private), "public": str(public)})
    else:
        console().print(f"{private}  stays on the phone\n{public}  goes to the desk")
    return 0


@app.command()
def live(
    wallet: Annotated[Path, typer.Argument(metavar="WALLET", help="pass.wallet, as enrol --holder wrote it.")],
    key: Annotated[Path, typer.Option(help="holder.json of the phone.")],
    out: Annotated[
        Path | None, typer.Option(help="Picture to write, .png or .svg; without it the text is shown.")
    ] = None,
    level: Annotated[
        str, typer.Option(help="Error correction of the QR code: L, M or Q. Screens read best with L.")
    ] = "L",
    watch: Annotated[bool, typer.Option("--watch", help="Make a new code every 10 s, until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show a pass live: a code for now, dead after half a minute, that only the phone with the key can make."""
    from openstile.assembly.phone import Phone, draw
    from openstile.passes.live import LIVE_EVERY_S
    from openstile.terms.instants import SystemClock

    phone, clock = Phone.open(wallet=wallet, key=key), SystemClock()
    while True:
        text = phone.show(clock)
        if out is not None:
            draw(text, out, level=level)
        if as_json:
            print_json(
                {"made": clock.now().isoformat(timespec="seconds"), "text": text, "file": str(out) if out else None}
            )
        else:
            print(text if out is None else f"{out}: made {clock.now():%H:%M:%S} UTC", flush=True)
        if not watch:
            return 0
        time.sleep(LIVE_EVERY_S)


@app.command()
def reissue(
    passes: Annotated[list[Path], typer.Argument(metavar="PASS...", help="Old passes: files, or folders of them.")],
    out: Annotated[Path, typer.Option(parser=folder, help="Folder for the new passes, each in a folder of its own.")],
    everything: Annotated[bool, typer.Option("--all", help="Also those made with the keys of today.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make passes anew after keys changed: same rider, product and end, today's keys; the old ones are withdrawn.

    Only passes that were issued in this home count, also where their issuer's key was stolen and revoked since. Exit
    code 10 when some were refused.
    """
    from rich.progress import Progress

    from openstile.assembly.reissue import Outcome, find_passes, reissue
    from openstile.assembly.wire import Installation
    from openstile.cli.printing import error_console

    installation = Installation.open(existing_home_of(home))
    files = find_passes(passes)
    done = []
    with Progress(console=error_console(), transient=True, disable=as_json) as progress:
        task = progress.add_task("passes", total=len(files))
        for result in reissue(installation, files, out=out, everything=everything):
            done.append(result)
            progress.advance(task)
    if as_json:
        print_json([
            {"file": str(one.file), "outcome": one.outcome.value, "old": str(one.old) if one.old else None,
             "new": str(one.new) if one.new else None, "old_still_good": one.still_good, "detail": one.detail or None}
            for one in done
        ])  # fmt: skip
    else:
        print_table(
            "Passes",
            ("file", "outcome", "old", "new"),
            ((str(one.file), one.detail or one.outcome.value, str(one.old or "-")[:8], str(one.new or "-")[:8])
             for one in done),
        )  # fmt: skip
        if any(one.still_good for one in done):
            console().print("Old passes that name no status list stay good until their keys end: take them back.")
        if any(one.outcome is Outcome.REISSUED and not one.still_good for one in done):
            console().print(
                "Gates do not know yet that the old ones are withdrawn. Now run: openstile status publish --out DIR; "
                "and then bundle build where gates get lists by bundles."
            )
    return EXIT_SOME_REFUSED if any(one.outcome is Outcome.REFUSED for one in done) else 0


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
        "detail": found.detail or None,
        "live_made_at": found.live_made_at.isoformat() if found.live_made_at else None,
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
        "can_be_shown_live": claims.holder is not None,
        "status_list": claims.status.uri if claims.status else None,
        "status_index": claims.status.index if claims.status else None,
    }


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
