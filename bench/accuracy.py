"""Error rates on consenting people, in every group, at the shipped threshold."""

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report import Section, Table, Target
from bench.workshop import LONDON, Workshop, fit_frame
from openstile.crossing import Policy
from openstile.face import FaceEngine, Frame, compare
from openstile.face.compare import distance_of
from openstile.face.faults import FaceFault
from openstile.face.images import read_image
from openstile.face.packs import DEFAULT_PACK
from openstile.face.template import Embeddings, cut_template, embed_face, soften_embeddings
from openstile.face.zone import locate_rider
from openstile.lab.accuracy import AccuracyReport, report_accuracy
from openstile.lab.capture import Apparatus, PackSource
from openstile.lab.claims import Measure
from openstile.lab.dataset import Capture, DataSet
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.det import ScoreCounts
from openstile.lab.groups import GroupsReport, report_groups
from openstile.lab.intervals import Proportion
from openstile.lab.rates_among import ErrorRates
from openstile.lab.trials import measure as run_lab

NAME = "accuracy"
TITLE = "Accuracy on the Face Research Lab London Set (a part of it)"
FNMR_MAX = 0.01
FMR_CLAIM = 0.001
_COLUMNS = ("group", "people", "FTA", "FNMR", "FNMR 95 %", "FMR", "FMR 95 %", f"may claim FNMR <= {FNMR_MAX:.0%}")
_FRAMES = "640x480"


def measure(workshop: Workshop) -> Section:
    """Skipped where the photographs are not at hand: they are not part of the project."""
    if not LONDON.is_dir():
        return Section(NAME, TITLE, skipped="../shared/data/london is absent; the photographs are not in the project")
    data_set = read_data_set(LONDON)
    apparatus = Apparatus(PackSource(DEFAULT_PACK), treatments={_FRAMES: as_camera_frame})
    with workshop.progress(NAME, 4 * len(data_set.captures)) as step:
        scores, small = (
            run_lab(each, apparatus, progress=lambda done, total: step())
            for each in (data_set, presented_as(data_set, _FRAMES))
        )
        changed = _quantisation(workshop.engine, data_set, step)
    report, groups, frames = report_accuracy(scores), report_groups(scores), report_groups(small)
    _plot(report, workshop.out / "accuracy.png")
    return Section(
        NAME,
        TITLE,
        tables=_tables(report, groups, frames),
        targets=_targets(report, groups, changed),
        notes=_notes(report, frames),
        figures=_figures(report, groups, changed),
    )


def as_camera_frame(frame: Frame) -> Frame:
    """The photograph in a camera's frame."""
    return fit_frame(frame.pixels)


def presented_as(data_set: DataSet, treatment: str) -> DataSet:
    """Every photograph enrolled as it is, and presented treated: compared with each of other photographs once."""
    plain = data_set.captures
    treated = tuple(
        Capture(f"{c.capture_id} {treatment}", c.subject, c.condition + len(data_set.conditions), c.path, treatment)
        for c in plain
    )
    listed = [
        (enrolled, len(plain) + presented)
        for enrolled, presented in product(range(len(plain)), repeat=2)
        if enrolled != presented
    ]
    conditions = (*data_set.conditions, *(f"{name} as {treatment}" for name in data_set.conditions))
    return DataSet(data_set.name, data_set.subjects, conditions, plain + treated, np.array(listed, np.int32))


def _quantisation(engine: FaceEngine, data_set: DataSet, step: object) -> tuple[int, int, float]:
    """Comparisons, decisions that cutting embeddings into bytes changes, and the largest change of a distance."""
    embeddings: list[Embeddings] = []
    softened: list[Embeddings] = []
    for capture in data_set.captures:
        frame = read_image(capture.path)
        rider = locate_rider(engine, frame, Policy().zone)
        if not isinstance(rider, FaceFault):
            embeddings.append(embed_face(engine, frame, rider))
            softened.append(soften_embeddings(engine, frame, rider, embeddings[-1]))
        if callable(step):
            step()
    probes, references = ([cut_template(engine, each) for each in of] for of in (embeddings, softened))
    exact, cut = [], []
    for one in range(len(embeddings)):
        for other in range(one):
            exact.append(distance_of(engine.parts, embeddings[one], softened[other]))
            cut.append(compare(engine=engine, probe=probes[one], reference=references[other]).distance)
    distances: NDArray[np.float64] = np.array([exact, cut])
    decisions = distances <= engine.distance_max
    return len(exact), int((decisions[0] != decisions[1]).sum()), float(np.abs(distances[0] - distances[1]).max())


def _tables(report: AccuracyReport, groups: GroupsReport, frames: GroupsReport) -> tuple[Table, ...]:
    conditions = [(f"{each.first} with {each.second}", each.rates) for each in report.conditions]
    named = [("everybody", groups.everybody)]
    named += [(f"{each.group.attribute}: {each.group.value}", each.rates) for each in groups.groups]
    small = [("everybody", frames.everybody)]
    small += [(f"{each.group.attribute}: {each.group.value}", each.rates) for each in frames.groups]
    titles = (
        ("every pair of photographs once", named),
        ("pairs of conditions, whichever was enrolled", conditions),
        (f"enrolled as they are, presented as frames of {_FRAMES}", small),
    )
    return tuple(Table(title, _COLUMNS, tuple(_row(*each) for each in rows)) for title, rows in titles)


def _row(name: str, rates: ErrorRates) -> tuple[str, ...]:
    claim = rates.claim(Measure.FNMR, FNMR_MAX)
    return (
        name,
        str(rates.people),
        _events(rates.fta),
        _events(rates.fnmr),
        _limits(rates.fnmr),
        _events(rates.fmr),
        _limits(rates.fmr),
        "yes" if claim.carried else f"no, needs {claim.needed} people",
    )


def _events(proportion: Proportion) -> str:
    return f"{proportion.events} of {proportion.trials}"


def _limits(proportion: Proportion) -> str:
    if not proportion.trials:
        return "nothing measured"
    return f"{proportion.interval.low:.2%} to {proportion.interval.high:.2%}"


def _targets(report: AccuracyReport, groups: GroupsReport, changed: tuple[int, int, float]) -> tuple[Target, ...]:
    everybody = groups.everybody
    rows = [everybody, *(each.rates for each in groups.groups), *(each.rates for each in report.conditions)]
    false_matches = max(rates.fmr.events for rates in rows)
    worst = max(rows, key=lambda rates: rates.fnmr.rate or 0.0)
    comparisons, decisions, moved = changed
    return (
        Target(
            f"no false match at the shipped threshold {report.measured.distance_max}, in every group",
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
            f"{decisions} of {comparisons}; the distance moves by at most {moved:.4f}",
            decisions == 0,
        ),
    )


def _notes(report: AccuracyReport, frames: GroupsReport) -> tuple[str, ...]:
    rates = report.rates
    return (
        "A target above compares what was observed. What may be claimed of other people is less, and is in the last "
        "column: a group's people are too few for any rate of 1 %, whatever was observed among them.",
        f"Farthest mated distance {rates.farthest_mated:.3f}, closest non-mated {rates.closest_non_mated:.3f}, "
        f"threshold {report.measured.distance_max}. The threshold and the quality limits were chosen with these same "
        "people in view: this is no independent test.",
        "Intervals: Clopper-Pearson, two-sided, 95 %. Non-mated pairs share people, so their interval is too narrow; "
        f"{rates.claim(Measure.FMR, FMR_CLAIM).sentence}.",
        f"The targets are for the photographs as they are (720x720). With frames of {_FRAMES} beside references from "
        f"720x720, the farthest mated distance is {frames.everybody.farthest_mated:.3f}; a gate would take another "
        "frame.",
        "Groups are self-reported, ages in bands. Who named two ethnicities is in a group of that answer. A non-mated "
        "pair belongs to a group when both its people do. FTA: photographs without a template, of those presented.",
    )


def _figures(report: AccuracyReport, groups: GroupsReport, changed: tuple[int, int, float]) -> dict[str, object]:
    return {
        "pack": report.measured.pack_id,
        "distance_max": report.measured.distance_max,
        "mated_max": report.rates.farthest_mated,
        "non_mated_min": report.rates.closest_non_mated,
        "empty_band": report.band,
        "d_prime": report.rates.d_prime,
        "decisions_changed": changed[1],
        "distance_change_max": changed[2],
        "groups": {
            f"{each.group.attribute}: {each.group.value}": {
                "people": each.rates.people,
                "fta": [each.rates.fta.events, each.rates.fta.trials],
                "fnmr": [each.rates.fnmr.events, each.rates.fnmr.trials],
                "fmr": [each.rates.fmr.events, each.rates.fmr.trials],
            }
            for each in groups.groups
        },
    }


def _plot(report: AccuracyReport, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    counts: ScoreCounts = report.counts
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for found, name in ((counts.mated, "mated"), (counts.non_mated, "non-mated")):
        places = [(index + 0.5) * counts.bin for index in range(len(found))]
        shares = [count / max(1, sum(found)) for count in found]
        axes.bar(places, shares, width=counts.bin, alpha=0.6, label=f"{name} ({sum(found)})")
    threshold = report.measured.distance_max
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold}")
    title = f"{report.measured.people} people, {report.measured.pack_id}"
    axes.set(xlabel="distance", ylabel="share of pairs", title=title)
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close(figure)
