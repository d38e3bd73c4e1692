"""`openstile lab accuracy`: error rates of the gate's code on a folder of photographs."""

from typing import TYPE_CHECKING, Annotated

import typer

from openstile.cli import lab_options as options
from openstile.cli.lab_words import (
    RATES_COLUMNS,
    events,
    number,
    percent,
    print_claims,
    print_measured,
    rates_cells,
    spread,
)
from openstile.cli.options import HomeOption, JsonOption
from openstile.cli.printing import console, print_json, print_table

if TYPE_CHECKING:
    from openstile.lab.accuracy import AccuracyReport


def accuracy(
    dataset: options.DatasetArgument,
    pairs: options.PairsOption = None,
    session: options.SessionOption = None,
    allow_missing: options.MissingOption = False,
    pack: options.PackOption = None,
    threshold: options.ThresholdOption = None,
    workers: options.WorkersOption = None,
    block: options.BlockOption = options.BLOCK,
    seed: options.SeedOption = options.SEED,
    work: options.WorkOption = None,
    cluster: options.ClusterOption = None,
    replicates: options.ReplicatesOption = options.REPLICATES,
    claim_fmr: options.ClaimFmrOption = options.CLAIM_FMR,
    claim_fnmr: options.ClaimFnmrOption = options.CLAIM_FNMR,
    worst: Annotated[
        int, typer.Option(min=0, max=1000, help="Name so many of the worst pairs of each kind, by data-set ids.")
    ] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> int:
    """FTA, FMR, FNMR, EER and d' of the gate's own code, with intervals and what they allow to claim."""
    from openstile.lab.accuracy import report_accuracy
    from openstile.lab.bootstrap import Resampling
    from openstile.lab.claims import check_wanted

    run = options.LabRun(
        dataset, pairs, tuple(session or ()), allow_missing, pack, threshold, home, workers, block, seed, work, cluster
    )
    how = Resampling(replicates, seed)
    check_wanted(fmr_max=claim_fmr, fnmr_max=claim_fnmr)
    scores = run.run(quiet=as_json)
    report = report_accuracy(scores, how=how, fmr_claim=claim_fmr, fnmr_claim=claim_fnmr, worst=worst)
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)
    return 0


def _print(report: "AccuracyReport") -> None:
    print_measured(report.measured)
    if report.faults:
        print_table("No template", ("why", "photographs"), ((fault.value, str(n)) for fault, n in report.faults))
    rows = [("all", *rates_cells(report.rates))]
    rows += [(f"{each.first} / {each.second}", *rates_cells(each.rates)) for each in report.conditions]
    print_table("Rates at the threshold", ("conditions", *RATES_COLUMNS), rows)
    eer = "-" if report.eer is None else f"{percent(report.eer.rate)} at {report.eer.threshold:.3f}"
    rates = report.rates
    apart = rates.resampled.d_prime
    print_table(
        "Scores",
        ("farthest mated", "closest non-mated", "empty band", "EER", "over people", "d'", "over people"),
        [
            (
                number(rates.farthest_mated),
                number(rates.closest_non_mated),
                number(report.band),
                eer,
                spread(report.chosen.eer),
                number(rates.d_prime),
                "-" if apart is None else f"{apart.low:.2f} to {apart.high:.2f}",
            )
        ],
    )
    print_table(
        "Thresholds for a wanted FMR, set and seen on these same people",
        ("FMR wanted", "threshold", "over people", "FMR", "FNMR", "over people"),
        (
            (
                percent(t.fmr_wanted),
                f"{t.threshold:.4f}",
                "-" if s.threshold is None else f"{s.threshold.low:.4f} to {s.threshold.high:.4f}",
                events(t.fmr),
                events(t.fnmr),
                spread(s.fnmr),
            )
            for t, s in zip(report.thresholds, report.chosen.thresholds, strict=True)
        ),
    )
    if report.worst:
        print_table(
            "Worst pairs",
            ("kind", "first", "second", "distance"),
            (("mated" if w.mated else "non-mated", w.first, w.second, f"{w.distance:.3f}") for w in report.worst),
        )
    print_claims(report.claims)
    console().print(
        "95 %: Clopper-Pearson over comparisons; they share people, so for FMR it is too narrow. Over people: bootstrap"
    )
