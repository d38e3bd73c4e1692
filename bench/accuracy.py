"""Error rates on consenting people, in every group, at the shipped threshold."""

from pathlib import Path

from bench.report import Section, Table, Target
from bench.workshop import LONDON, Workshop, fit_frame
from openstile.lab.accuracy import DISTANCE_BIN, AccuracyReport, GroupRates, measure_accuracy
from openstile.lab.intervals import Proportion, trials_needed

NAME = "accuracy"
TITLE = "Accuracy on the Face Research Lab London Set (a part of it)"
FNMR_MAX = 0.01
FMR_CLAIM = 0.001
_COLUMNS = ("group", "people", "FTA", "FNMR", "FNMR 95 %", "FMR", "FMR 95 %", f"may claim FNMR <= {FNMR_MAX:.0%}")


def measure(workshop: Workshop) -> Section:
    """Skipped where the photographs are not at hand: they are not part of the project."""
    if not LONDON.is_dir():
        return Section(NAME, TITLE, skipped="../shared/data/london is absent; the photographs are not in the project")
    with workshop.progress(NAME, 240) as step:
        report, small = (
            measure_accuracy(LONDON, engine=workshop.engine, prepare=prepare, progress=lambda done, total: step())
            for prepare in (None, lambda frame: fit_frame(frame.pixels))
        )
    _plot(report, workshop.out / "accuracy.png")
    return Section(
        NAME,
        TITLE,
        tables=_tables(report, small),
        targets=_targets(report),
        notes=_notes(report, small),
        figures=_figures(report),
    )


def _tables(report: AccuracyReport, small: AccuracyReport) -> tuple[Table, ...]:
    named = [(f"{s.enrolled} enrolled, {s.presented} presented", s.rates) for s in report.scenarios]
    every = ("every pair of photographs once (mated: neutral with smiling; non-mated: all)", report.pooled)
    scaled = [
        (f"{s.enrolled} enrolled, {s.presented} presented as frames of 640x480", s.rates) for s in small.scenarios
    ]
    tables = (*named, every, *scaled)
    return tuple(Table(title, _COLUMNS, tuple(map(_row, rates))) for title, rates in tables)


def _row(rates: GroupRates) -> tuple[str, ...]:
    return (
        rates.group.value
        if rates.group.attribute == rates.group.value
        else f"{rates.group.attribute}: {rates.group.value}",
        str(rates.people),
        _events(rates.fta),
        _events(rates.fnmr),
        _limits(rates.fnmr),
        _events(rates.fmr),
        _limits(rates.fmr),
        "yes" if rates.fnmr.carries(FNMR_MAX) else f"no, needs {trials_needed(FNMR_MAX)} people",
    )


def _events(proportion: Proportion) -> str:
    return f"{proportion.events} of {proportion.trials}"


def _limits(proportion: Proportion) -> str:
    if not proportion.trials:
        return "nothing measured"
    return f"{proportion.interval.low:.2%} to {proportion.interval.high:.2%}"


def _targets(report: AccuracyReport) -> tuple[Target, ...]:
    rows = [rates for scenario in report.scenarios for rates in scenario.rates] + list(report.pooled)
    false_matches = max(rates.fmr.events for rates in rows)
    worst = max(rows, key=lambda rates: rates.fnmr.rate or 0.0)
    effect = report.quantisation
    everybody = report.pooled[0]
    return (
        Target(
            f"no false match at the shipped threshold {report.distance_max}, in every group",
            f"{false_matches} of {everybody.fmr.trials} non-mated pairs of {everybody.people} people",
            false_matches == 0,
        ),
        Target(
            f"at most {FNMR_MAX:.0%} false non-match in every group",
            f"{_events(worst.fnmr)} in the worst group; {_events(everybody.fnmr)} among everybody",
            (worst.fnmr.rate or 0.0) <= FNMR_MAX,
        ),
        Target(
            "the int8 template changes no decision",
            f"{effect.decisions_changed} of {effect.comparisons}; the distance moves by at most "
            f"{effect.distance_change_max:.4f}",
            effect.decisions_changed == 0,
        ),
    )


def _notes(report: AccuracyReport, small: AccuracyReport) -> tuple[str, ...]:
    disjoint = report.pooled[0].disjoint_fmr
    claim = (
        f"a false match rate of at most {FMR_CLAIM:.1%} may be claimed"
        if disjoint.carries(FMR_CLAIM)
        else f"no false match rate is claimed: at most {FMR_CLAIM:.1%} would need {trials_needed(FMR_CLAIM)} pairs "
        f"that share nobody; {report.people} people give {disjoint.trials}"
    )
    return (
        "A target above compares what was observed. What may be claimed of other people is less, and is in the last "
        "column: a group's people are too few for any rate of 1 %, whatever was observed among them.",
        f"Farthest mated distance {report.mated_max:.3f}, closest non-mated {report.non_mated_min:.3f}, threshold "
        f"{report.distance_max}. The threshold and the quality limits were chosen with these same people in "
        "view: this is no independent test.",
        "Intervals: Clopper-Pearson, two-sided, 95 %. Non-mated pairs share people, so their interval is too narrow; "
        f"{claim}.",
        "The distance is the same whichever photograph was enrolled, so the two directions hold the same pairs; "
        "they are not added up.",
        f"The targets are for the photographs as they are (720x720). With frames of 640x480 beside references from "
        f"720x720, the farthest mated distance is {small.mated_max:.3f}; a gate would take another frame.",
        "Groups are self-reported. Who named two ethnicities is in a group of that answer. A non-mated pair belongs to "
        "a group when both its people do. FTA: photographs without a template, of those presented.",
    )


def _figures(report: AccuracyReport) -> dict[str, object]:
    return {
        "pack": report.pack_id,
        "distance_max": report.distance_max,
        "mated_max": report.mated_max,
        "non_mated_min": report.non_mated_min,
        "decisions_changed": report.quantisation.decisions_changed,
        "distance_change_max": report.quantisation.distance_change_max,
        "groups": {
            f"{rates.group.attribute}: {rates.group.value}": {
                "people": rates.people,
                "fta": [rates.fta.events, rates.fta.trials],
                "fnmr": [rates.fnmr.events, rates.fnmr.trials],
                "fmr": [rates.fmr.events, rates.fmr.trials],
            }
            for rates in report.pooled
        },
    }


def _plot(report: AccuracyReport, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    for counts, name in ((report.counts.mated, "mated"), (report.counts.non_mated, "non-mated")):
        places = [(index + 0.5) * DISTANCE_BIN for index in range(len(counts))]
        shares = [count / max(1, sum(counts)) for count in counts]
        axes.bar(places, shares, width=DISTANCE_BIN, alpha=0.6, label=f"{name} ({sum(counts)})")
    axes.axvline(report.distance_max, color="black", linestyle="--", label=f"threshold {report.distance_max}")
    axes.set(xlabel="distance", ylabel="share of pairs", title=f"{report.people} people, {report.pack_id}")
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close(figure)
