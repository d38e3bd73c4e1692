"""Mated comparisons of spoilt frames: what a gate measures of each frame, and whether it is then compared wrongly.

One photograph of each person is enrolled, the others are presented, each as it is and spoilt in every simulated way.
One reference is in memory at a time, and each is compared with frames of its own person only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

from openstile.crossing import Policy
from openstile.face import FaceEngine, Frame, LocatedFace, Template, compare, extract_template, locate
from openstile.face.faults import FaceFault
from openstile.face.images import read_image
from openstile.face.quality import QualityLimits, assess
from openstile.face.quality_table import Measured, measured
from openstile.face.template import extract_reference
from openstile.face.zone import locate_rider
from openstile.lab.dataset import Capture, DataSet
from openstile.lab.discard_conditions import Condition, present
from openstile.terms.errors import BadInputError

ANYTHING = QualityLimits(**{field.name: 1e9 if field.name.endswith("_max") else 0.0 for field in fields(QualityLimits)})
"""Limits that reject no frame, so that all measures of it are taken."""


@dataclass(frozen=True, slots=True)
class DiscardTrial:
    """One presented frame: whose (a number), under which condition, what was measured, and how its comparison ended.

    non_match: the mated comparison came out as non-match. measures is empty and non_match None where the gate found no
    one face.
    """

    subject: int
    condition: Condition
    measures: tuple[Measured, ...]
    non_match: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class DiscardTrials:
    """All trials of one run. subjects: how many people; left_out: people without two usable photographs."""

    pack_id: str
    distance_max: float
    subjects: int
    left_out: int
    trials: tuple[DiscardTrial, ...]

    def __post_init__(self) -> None:
        if not any(trial.non_match is not None for trial in self.trials):
            raise BadInputError("quality: no frame could be compared; give photographs of people, two of each")


def run_discard_trials(
    data_set: DataSet,
    engine: FaceEngine,
    conditions: Sequence[Condition],
    *,
    policy: Policy,
    progress: Callable[[int, int], None] | None = None,
) -> DiscardTrials:
    """Enrol the first photograph of each person, present the others in all `conditions`. Raises BadInputError.

    The zone's smallest face is not asked for, so that the limit on the eye distance is measured itself. The frames of
    one person are made, judged, compared and dropped before the next person's. `progress` hears people
    done and in all.
    """
    distance_max = engine.distance_max if policy.distance_max is None else policy.distance_max
    policy = replace(policy, zone=replace(policy.zone, face_height_min=0.0))
    people = photographs(data_set)
    trials: list[DiscardTrial] = []
    left_out = 0
    for done, (subject, captures) in enumerate(people, 1):
        reference = enrolled(engine, read_image(captures[0].path))
        probes = [read_image(capture.path) for capture in captures[1:]]
        found = [(frame, largest_face(engine, frame)) for frame in probes]
        usable = [(frame, face) for frame, face in found if face is not None]
        if reference is None or not usable:
            left_out += 1
            continue
        for frame, face in usable:
            trials += _present_all(engine, subject, frame, face, reference, conditions, policy)
        if progress is not None:
            progress(done, len(people))
    return DiscardTrials(engine.pack_id, distance_max, len(people) - left_out, left_out, tuple(trials))


def largest_face(engine: FaceEngine, frame: Frame) -> LocatedFace | None:
    """The largest face of a photograph, wherever it is."""
    return next(iter(locate(engine, frame)), None)


def enrolled(engine: FaceEngine, frame: Frame) -> Template | None:
    """The reference of the photograph's largest face."""
    face = largest_face(engine, frame)
    return None if face is None else extract_reference(engine, frame, face)


def present_frame(
    engine: FaceEngine, frame: Frame, reference: Template, policy: Policy
) -> tuple[tuple[Measured, ...], bool] | None:
    """What the gate measures of the rider's face in `frame`, and whether it differs from `reference`; None: no face."""
    rider = locate_rider(engine, frame, policy.zone)
    if isinstance(rider, FaceFault):
        return None
    quality = assess(frame, rider, limits=ANYTHING)
    probe = extract_template(engine, frame, rider)
    comparison = compare(engine=engine, probe=probe, reference=reference, distance_max=policy.distance_max)
    return measured(quality, policy.quality), not comparison.mated


def _present_all(
    engine: FaceEngine,
    subject: int,
    frame: Frame,
    face: LocatedFace,
    reference: Template,
    conditions: Sequence[Condition],
    policy: Policy,
) -> Iterator[DiscardTrial]:
    for condition in conditions:
        outcome = present_frame(engine, Frame(present(frame.pixels, face, condition)), reference, policy)
        measures, non_match = outcome if outcome is not None else ((), None)
        yield DiscardTrial(subject, condition, measures, non_match)


def photographs(data_set: DataSet) -> list[tuple[int, list[Capture]]]:
    """The photographs of each person who has two or more, those of the first condition first."""
    of: dict[int, list[Capture]] = {}
    for capture in data_set.captures:
        of.setdefault(capture.subject, []).append(capture)
    people = [(subject, sorted(captures, key=lambda c: c.condition)) for subject, captures in sorted(of.items())]
    people = [(subject, captures) for subject, captures in people if len(captures) > 1]
    if not people:
        raise BadInputError(f"{data_set.name}: nobody has two photographs; one is enrolled and the others presented")
    return people
