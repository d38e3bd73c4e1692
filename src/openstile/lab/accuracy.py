"""Error rates of the face room on photographs of consenting people, in every group they say they belong to.

Terms of ISO/IEC 19795-1. The photographs go through the same functions as a gate's frames, one after the other; what
is kept are counts. Templates live in memory, for the duration of the measurement, and are compared pair by pair.

FTA: photographs without a template. FNMR: mated pairs judged different. FMR: non-mated pairs judged the same. Rates of
comparisons are over pairs of photographs that both gave a template.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path

from openstile.face import FaceEngine, Frame, Template, compare, locate
from openstile.face.compare import distance_of
from openstile.face.faults import FaceFault
from openstile.face.images import read_image
from openstile.face.quality import QualityLimits, assess
from openstile.face.template import Embeddings, cut_template, embed_face
from openstile.face.zone import CaptureZone, choose_rider
from openstile.lab.dataset import DataSet, Group, Subject, read_data_set
from openstile.lab.intervals import Proportion

EVERYBODY = Group("everybody", "everybody")
DISTANCE_BIN = 0.02
"""Width of the bins in which distances are counted, in units of the embedding."""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """Error rates of one group; a non-mated pair counts where both of its people belong to the group.

    FNMR takes one pair of photographs a person, so its trials are independent. Non-mated pairs share people, so theirs
    are not: an interval over pairs is too narrow, and `disjoint_fmr` is what a claim may rest on.
    """

    group: Group
    people: int
    fta: Proportion
    fnmr: Proportion
    fmr: Proportion

    @property
    def disjoint_fmr(self) -> Proportion:
        """False matches in as many pairs as can be formed without using a person twice."""
        pairs = min(self.people // 2, self.fmr.trials)
        return Proportion(min(self.fmr.events, pairs), pairs)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way of enrolling and presenting, such as neutral and smiling."""

    enrolled: str
    presented: str
    rates: tuple[GroupRates, ...]


@dataclass(frozen=True, slots=True)
class QuantisationEffect:
    """What cutting embeddings into bytes does to comparisons. Distances in units of the embedding."""

    comparisons: int
    decisions_changed: int
    distance_change_max: float


@dataclass(frozen=True, slots=True)
class DistanceCounts:
    """How many comparisons fell into each bin of DISTANCE_BIN, from 0 upwards."""

    mated: tuple[int, ...]
    non_mated: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """What was measured. Holds no template, no photograph and no person's id.

    pooled: every pair of photographs once, whichever was enrolled: mated pairs of different conditions, non-mated pairs
    of any. The distance does not depend on which side was enrolled, so the scenarios hold parts of the same pairs and
    must not be added up. Where photographs were prepared before they were presented, pooled is the pairs of both
    scenarios, two mated ones a person. mated_max and non_mated_min: the farthest mated and the closest non-mated
    distance of pooled, None where there is no pair.
    """

    pack_id: str
    distance_max: float
    people: int
    photographs: int
    faults: tuple[tuple[FaceFault, int], ...]
    scenarios: tuple[Scenario, ...]
    pooled: tuple[GroupRates, ...]
    quantisation: QuantisationEffect
    counts: DistanceCounts
    mated_max: float | None
    non_mated_min: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    subject: Subject
    template: Template | None
    embeddings: Embeddings | None = field(repr=False)
    fault: FaceFault | None


_Samples = dict[str, list[_Sample]]


@dataclass(frozen=True, slots=True)
class _Pair:
    first: Subject
    second: Subject
    distance: float
    exact_distance: float
    matched: bool

    @property
    def mated(self) -> bool:
        return self.first is self.second


def measure_accuracy(
    folder: Path,
    *,
    engine: FaceEngine,
    conditions: tuple[str, str] = ("neutral", "smiling"),
    zone: CaptureZone | None = None,
    quality: QualityLimits | None = None,
    distance_max: float | None = None,
    prepare: Callable[[Frame], Frame] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> AccuracyReport:
    """Measure `engine` on the data set in `folder`, with the limits that gates ship with unless others are given.

    `prepare` is done to photographs before they are presented, not before they are enrolled: such as scaling them
    down to a camera's frame. `progress` is called with photographs done and
    in all. Raises BadInputError when the data set is not whole.
    """
    data_set = read_data_set(folder, conditions=conditions)
    limits, zone = quality or QualityLimits(), zone or CaptureZone()
    distance_max = engine.distance_max if distance_max is None else distance_max
    enrolled: _Samples = {condition: [] for condition in conditions}
    presented: _Samples = enrolled if prepare is None else {condition: [] for condition in conditions}
    total = len(data_set.subjects) * len(conditions)
    for done, (condition, subject) in enumerate(product(conditions, data_set.subjects), 1):
        frame = read_image(data_set.photograph(subject, condition))
        enrolled[condition].append(_acquire(subject, frame, engine, zone, limits))
        if prepare is not None:
            presented[condition].append(_acquire(subject, prepare(frame), engine, zone, limits))
        if progress is not None:
            progress(done, total)
    return _report(engine, distance_max, data_set, enrolled, presented)


def _acquire(subject: Subject, frame: Frame, engine: FaceEngine, zone: CaptureZone, limits: QualityLimits) -> _Sample:
    """One photograph as a gate sees a frame: locate, choose the rider, judge, make the template."""
    rider = choose_rider(locate(engine, frame), frame_width=frame.width, frame_height=frame.height, zone=zone)
    fault = rider if isinstance(rider, FaceFault) else assess(frame, rider, limits=limits).fault
    if isinstance(rider, FaceFault) or fault is not None:
        return _Sample(subject, None, None, fault)
    embeddings = embed_face(engine, frame, rider)
    return _Sample(subject, cut_template(engine, embeddings), embeddings, None)


def _compare(engine: FaceEngine, distance_max: float, one: _Sample, other: _Sample) -> Iterator[_Pair]:
    """The one comparison of two photographs; none when either gave no template."""
    if one.template is None or other.template is None or one.embeddings is None or other.embeddings is None:
        return
    comparison = compare(engine=engine, probe=one.template, reference=other.template, distance_max=distance_max)
    exact = distance_of(engine.parts, one.embeddings, other.embeddings)
    yield _Pair(one.subject, other.subject, comparison.distance, exact, comparison.mated)


def _report(
    engine: FaceEngine, distance_max: float, data_set: DataSet, enrolled: _Samples, presented: _Samples
) -> AccuracyReport:
    first, second = data_set.conditions
    scenarios = []
    pooled: list[_Pair] = []
    for reference_condition, probe_condition in ((first, second), (second, first)):
        ways = product(presented[probe_condition], enrolled[reference_condition])
        pairs = [pair for probe, reference in ways for pair in _compare(engine, distance_max, probe, reference)]
        rates = _rates(data_set, pairs, presented[probe_condition])
        scenarios.append(Scenario(reference_condition, probe_condition, rates))
        pooled += pairs if presented is not enrolled or not pooled else []
    if presented is enrolled:
        alike = (pair for condition in enrolled.values() for pair in combinations(condition, 2))
        pooled += [pair for one, other in alike for pair in _compare(engine, distance_max, one, other)]
    photographs = [sample for condition in presented.values() for sample in condition]
    faults = Counter(sample.fault for sample in photographs if sample.fault is not None)
    return AccuracyReport(
        pack_id=engine.pack_id,
        distance_max=distance_max,
        people=len(data_set.subjects),
        photographs=len(photographs),
        faults=tuple(sorted(faults.items())),
        scenarios=tuple(scenarios),
        pooled=_rates(data_set, pooled, photographs),
        quantisation=QuantisationEffect(
            comparisons=len(pooled),
            decisions_changed=sum(pair.matched != (pair.exact_distance <= distance_max) for pair in pooled),
            distance_change_max=max((abs(pair.distance - pair.exact_distance) for pair in pooled), default=0.0),
        ),
        counts=DistanceCounts(
            *(_count(pair.distance for pair in pooled if pair.mated is kind) for kind in (True, False))
        ),
        mated_max=max((pair.distance for pair in pooled if pair.mated), default=None),
        non_mated_min=min((pair.distance for pair in pooled if not pair.mated), default=None),
    )


def _rates(data_set: DataSet, pairs: list[_Pair], presented: list[_Sample]) -> tuple[GroupRates, ...]:
    """The rates of everybody, then of each group, larger groups first."""
    sizes = Counter(group for subject in data_set.subjects for group in subject.groups)
    ordered = sorted(sizes, key=lambda group: (group.attribute, -sizes[group], group.value))
    rates = []
    for group in (EVERYBODY, *ordered):
        shown = [sample for sample in presented if _belongs(sample.subject, group)]
        inside = [pair for pair in pairs if _belongs(pair.first, group) and _belongs(pair.second, group)]
        mated = [pair for pair in inside if pair.mated]
        non_mated = [pair for pair in inside if not pair.mated]
        rates.append(
            GroupRates(
                group=group,
                people=len(data_set.subjects) if group == EVERYBODY else sizes[group],
                fta=Proportion(sum(sample.template is None for sample in shown), len(shown)),
                fnmr=Proportion(sum(not pair.matched for pair in mated), len(mated)),
                fmr=Proportion(sum(pair.matched for pair in non_mated), len(non_mated)),
            )
        )
    return tuple(rates)


def _belongs(subject: Subject, group: Group) -> bool:
    return group == EVERYBODY or group in subject.groups


def _count(distances: Iterator[float]) -> tuple[int, ...]:
    bins = Counter(int(distance / DISTANCE_BIN) for distance in distances)
    return tuple(bins[index] for index in range(max(bins, default=-1) + 1))
