"""`openstile lab speed`: how long each step of the gate's code takes here."""

from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli import lab_options as options
from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table

if TYPE_CHECKING:
    from openstile.lab.speed import SpeedReport


def speed(
    dataset: options.DatasetArgument,
    session: options.SessionOption = None,
    allow_missing: options.MissingOption = False,
    pack: options.PackOption = None,
    photographs: Annotated[int, typer.Option(help="How many, evenly spread over the data set.")] = 100,
    comparisons: Annotated[int, typer.Option(help="Comparisons of the lab's own kind to time.")] = 10_000_000,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Milliseconds of reading, locating, quality, template and comparison, one photograph after the other."""
    from openstile.lab.speed import measure_speed
    from openstile.terms.instants import SystemClock

    run = options.LabRun(dataset, None, tuple(session or ()), allow_missing, pack, home=home)
    with options.lab_progress("photographs", quiet=as_json) as progress:
        report = measure_speed(
            run.data_set(),
            run.apparatus(),
            clock=SystemClock(),
            photographs=photographs,
            comparisons=comparisons,
            progress=progress,
        )
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)
    return 0


def _print(report: "SpeedReport") -> None:
    print_table(
        f"One photograph, pack {report.pack_id}, milliseconds",
        ("step", "samples", "median", "95th percentile", "longest"),
        (
            (each.step, str(each.samples), f"{each.median_ms:.2f}", f"{each.p95_ms:.2f}", f"{each.max_ms:.2f}")
            for each in report.steps
        ),
    )
    if report.frame_ms is not None:
        console().print(f"pixels to decision: {report.frame_ms:.1f} ms (median of {report.compared} photographs)")
    console().print(f"comparisons of a lab run: {report.comparisons_per_s:,.0f} a second")
