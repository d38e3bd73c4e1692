"""`openstile journal`: look at and verify the gate's record of taps."""

from typing import Annotated

import typer

from openstile.cli.options import HomeOption, JsonOption, existing_home_of
from openstile.cli.printing import console, print_json, print_table

app = typer.Typer(help="The gate's record of taps: show it, verify it, let old trips fade.", no_args_is_help=True)


@app.command()
def verify(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Check every hash and signature. Exit code 4 and the first bad number when something was changed."""
    from openstile.assembly.wire import Installation

    report = Installation.open(existing_home_of(home)).verify_journal()
    if as_json:
        print_json(
            {
                "verified": True,
                "gate": str(report.gate),
                "taps": report.taps,
                "faded": report.faded,
                "first_seq": report.first_seq,
                "head": {"seq": report.head.seq, "hash": report.head.hash.hex()},
            }
        )
    else:
        console().print("verified", style="green", end="")
        console().print(
            f"  gate {report.gate}: {report.taps} taps, {report.faded} faded, "
            f"head {report.head.seq} {report.head.hash.hex()[:16]}"
        )
    return 0


@app.command()
def show(
    home: HomeOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest taps.")] = 100,
) -> int:
    """The newest taps, what is left of faded ones, and refusals by reason. Works while the gate runs."""
    from openstile.assembly.wire import Installation

    shown = Installation.open(existing_home_of(home)).read_journal(limit=limit)
    if as_json:
        print_json(
            {
                "gate": str(shown.gate),
                "taps": [
                    {
                        "seq": entry.seq,
                        "at": entry.tap.at.isoformat(),
                        "pass_id": str(entry.tap.pass_id),
                        "product": entry.tap.product,
                        "direction": entry.tap.direction.value,
                        "status_unsure": entry.tap.status_unsure,
                        "hash": entry.hash.hex(),
                    }
                    for entry in shown.taps
                ],
                "faded": [
                    {"day": count.day, "product": count.product, "direction": count.direction, "taps": count.taps}
                    for count in shown.faded
                ],
                "refusals": [
                    {"day": count.day, "reason": count.reason, "refusals": count.refusals} for count in shown.refusals
                ],
            }
        )
        return 0
    print_table(
        f"Taps of gate {shown.gate}, newest first",
        ("seq", "at (UTC)", "pass", "product", "way"),
        (
            (str(e.seq), f"{e.tap.at:%Y-%m-%d %H:%M:%S}", str(e.tap.pass_id)[:8], e.tap.product, e.tap.direction.value)
            for e in shown.taps
        ),
    )
    if shown.faded:
        print_table(
            "Faded trips: all that is left of them",
            ("day", "product", "way", "taps"),
            ((c.day, c.product, c.direction, str(c.taps)) for c in shown.faded),
        )
    print_table("Refusals", ("day", "reason", "count"), ((c.day, c.reason, str(c.refusals)) for c in shown.refusals))
    return 0


@app.command()
def fade(home: HomeOption = None, as_json: JsonOption = False) -> int:
    """Reduce taps older than `retention.trips_hours` to counts now. The gate does this every hour by itself."""
    from openstile.assembly.wire import Installation

    installation = Installation.open(existing_home_of(home))
    fading = installation.fade_journal()
    if as_json:
        print_json({"faded": fading.taps, "through_seq": fading.through_seq, "erased": fading.erased})
    else:
        console().print(f"{fading.taps} taps faded, all up to number {fading.through_seq}")
    return 0
