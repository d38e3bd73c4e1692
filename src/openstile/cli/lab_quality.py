"""`openstile lab quality`: which quality measures put the frames first that are compared wrongly."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli import lab_options as options
from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table

if TYPE_CHECKING:
    from openstile.lab.discard import DiscardReport, MeasureReport
    from openstile.lab.discard_curve import Gain
    from openstile.lab.discard_enrolment import ReferenceReport
    from openstile.lab.intervals import Proportion


def quality(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of a data set, two sessions or more.")],
    session: options.SessionOption = None,
    allow_missing: options.MissingOption = False,
    pack: options.PackOption = None,
    enrolment: Annotated[
        bool, typer.Option("--enrolment", help="Instead: what a spoilt reference costs, and which enrolment takes.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """Error against discard for each quality measure, on photographs spoilt in simulated ways."""
    import cv2

    from openstile.lab.discard import report_discard
    from openstile.lab.discard_conditions import CONDITIONS
    from openstile.lab.discard_enrolment import report_enrolment
    from openstile.lab.discard_trials import run_discard_trials

    cv2.setNumThreads(1)
    run = options.LabRun(dataset, None, tuple(session or ()), allow_missing, pack, home=home)
    data_set, apparatus = run.data_set(), run.apparatus()
    engine, policy = apparatus.open_engine(), apparatus.policy
    with options.lab_progress("people", quiet=as_json) as progress:
        if enrolment:
            references = report_enrolment(data_set, engine, policy=policy, progress=progress)
        else:
            trials = run_discard_trials(data_set, engine, CONDITIONS, policy=policy, progress=progress)
    if enrolment:
        _show_references(references, f"{engine.pack_id} at {engine.distance_max:g}", as_json=as_json)
        return 0
    report = report_discard(trials)
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)
    return 0


def _show_references(references: "Sequence[ReferenceReport]", pack: str, *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in references])
        return
    print_table(
        f"References, {pack}",
        ("reference", "a gate would take", "false non-matches", "enrolment takes", "false non-matches"),
        (
            (
                one.name,
                *(_rate(each) for taken in (one.gate, one.enrolment) for each in (taken.references, taken.comparisons)),
            )
            for one in references
        ),
    )


_COLUMNS = (
    "measure", "gain, its own faults", "gain, all", "FNMR of rejected", "of what passes", "of those it alone rejects",
    "clean rejected", "earns its place",
)  # fmt: skip


def _print(report: "DiscardReport") -> None:
    title = f"Measures, {report.subjects} people, {report.pack_id} at {report.distance_max:g}"
    print_table(title, _COLUMNS, (_row(one) for one in report.measures))
    print_table(
        "Simulated faults",
        ("fault", "no face", "FNMR", "rejected", "FNMR of what passes"),
        (
            (one.name, _rate(one.no_face), _rate(one.fnmr), _rate(one.rejected), _rate(one.fnmr_passing))
            for one in report.conditions
        ),
    )
    console().print(f"FNMR of all frames {_rate(report.all_frames)}, of those that pass {_rate(report.passing)}")
    console().print(
        "Gain: 1 is a perfect order, 0 chance; 95 % of bootstrap samples of the people lie in the brackets."
    )


def _row(one: "MeasureReport") -> tuple[str, ...]:
    counts = (one.rejected, one.passing, one.alone, one.clean_rejected)
    verdict = _verdict(earns=one.earns, rejects=one.rejects)
    return (one.measure, _gain(one.own_gain), _gain(one.gain), *map(_rate, counts), verdict)


def _gain(gain: "Gain | None") -> str:
    return "no error made" if gain is None else f"{gain.value:.2f} [{gain.low:.2f}, {gain.high:.2f}]"


def _rate(proportion: "Proportion") -> str:
    return f"{proportion.events} of {proportion.trials}"


def _verdict(*, earns: bool, rejects: bool) -> str:
    if earns:
        return "yes" if rejects else "yes, advice only"
    return "not shown; rejects" if rejects else "no: advice only"
