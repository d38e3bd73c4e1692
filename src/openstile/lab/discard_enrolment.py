"""What a worse reference costs: photographs spoilt in simulated ways, enrolled, and compared with good frames.

Why enrolment asks more than a gate: of each simulated fault, how many references a gate's limits and enrolment's take,
and how often the frames that a gate compares come out as non-match. One reference is in memory at a time, and each is
compared with frames of its own person only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openstile.crossing import Policy
from openstile.face import FaceEngine, Frame, LocatedFace, Template, compare, extract_template
from openstile.face.images import read_image
from openstile.face.quality import Quality, QualityLimits, assess
from openstile.face.quality_limits import ENROLMENT_LIMITS, stricter
from openstile.face.quality_table import measured
from openstile.face.template import extract_reference
from openstile.lab.dataset import DataSet
from openstile.lab.discard_conditions import CONDITIONS, Condition, present
from openstile.lab.discard_trials import ANYTHING, largest_face, photographs
from openstile.lab.intervals import Proportion
from openstile.terms.errors import BadInputError

_NAMED = {condition.name: condition for condition in CONDITIONS}
REFERENCES = tuple(
    _NAMED[name]
    for name in (
        "clean", "blur 1", "blur 1.5", "motion 5", "noise 15 at light 1", "noise 3 at light 0.15", "light 0.15",
        "light 2", "face of 50 pixels", "face of 50 pixels, soft lens", "turn 20", "nod 20", "contrast 0.25",
        "contrast 0.12",
    )
)  # fmt: skip
"""How enrolled photographs are spoilt."""
FRAMES = tuple(
    _NAMED[name] for name in ("clean", "blur 1.5", "noise 15 at light 1", "noise 3 at light 0.3", "motion 5", "turn 20")
)
"""How the presented ones are; those that a gate's limits reject are left out."""


@dataclass(frozen=True, slots=True)
class Taken:
    """References that some limits take; comparisons with them: false non-matches, and how many there were."""

    references: Proportion
    comparisons: Proportion


@dataclass(frozen=True, slots=True)
class ReferenceReport:
    """What one way of spoiling a reference costs, if it is taken by a gate's limits, and by enrolment's."""

    name: str
    gate: Taken
    enrolment: Taken


@dataclass(frozen=True, slots=True)
class _Reference:
    condition: Condition
    gate_takes: bool
    enrolment_takes: bool
    errors: int
    comparisons: int


def report_enrolment(
    data_set: DataSet,
    engine: FaceEngine,
    *,
    policy: Policy,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ReferenceReport, ...]:
    """One line for each of REFERENCES, and one for all of them. Raises BadInputError."""
    people = photographs(data_set)
    made: list[_Reference] = []
    for done, (_, captures) in enumerate(people, 1):
        frames = [_located(engine, read_image(capture.path)) for capture in captures]
        found = [each for each in frames if each is not None]
        if len(found) > 1:
            made += _references_of(found[0], found[1:], engine, policy)
        if progress is not None:
            progress(done, len(people))
    if not any(one.comparisons for one in made):
        raise BadInputError("enrolment: no frame could be compared; give photographs of people, two of each")
    lines = [_line(condition.name, [one for one in made if one.condition is condition]) for condition in REFERENCES]
    return (*lines, _line("all of them", made))


def _located(engine: FaceEngine, frame: Frame) -> tuple[Frame, LocatedFace] | None:
    face = largest_face(engine, frame)
    return None if face is None else (frame, face)


def _references_of(
    first: tuple[Frame, LocatedFace], others: Sequence[tuple[Frame, LocatedFace]], engine: FaceEngine, policy: Policy
) -> list[_Reference]:
    """Every spoilt reference of one person, compared with the good frames of theirs."""
    strict = stricter(policy.quality, ENROLMENT_LIMITS)
    presented = [_presented(engine, photograph, frame) for photograph in others for frame in FRAMES]
    probes = [extract_template(engine, *found[:2]) for found in presented if found and _fits(found[2], policy.quality)]
    made = []
    for condition in REFERENCES:
        found = _presented(engine, first, condition)
        if found is None:
            made.append(_Reference(condition, False, False, 0, 0))
            continue
        frame, face, quality = found
        reference = extract_reference(engine, frame, face)
        errors = sum(_is_missed(engine, probe, reference, policy) for probe in probes)
        takes = (_fits(quality, policy.quality), _fits(quality, strict))
        made.append(_Reference(condition, *takes, errors, len(probes)))
    return made


def _presented(
    engine: FaceEngine, photograph: tuple[Frame, LocatedFace], condition: Condition
) -> tuple[Frame, LocatedFace, Quality] | None:
    frame = Frame(present(photograph[0].pixels, photograph[1], condition))
    face = largest_face(engine, frame)
    return None if face is None else (frame, face, assess(frame, face, limits=ANYTHING))


def _fits(quality: Quality, limits: QualityLimits) -> bool:
    return all(one.fits for one in measured(quality, limits) if one.rejects)


def _is_missed(engine: FaceEngine, probe: Template, reference: Template, policy: Policy) -> bool:
    return not compare(engine=engine, probe=probe, reference=reference, distance_max=policy.distance_max).mated


def _line(name: str, made: Sequence[_Reference]) -> ReferenceReport:
    return ReferenceReport(
        name,
        gate=_taken(made, [one for one in made if one.gate_takes]),
        enrolment=_taken(made, [one for one in made if one.enrolment_takes]),
    )


def _taken(made: Sequence[_Reference], taken: Sequence[_Reference]) -> Taken:
    errors, comparisons = (sum(getattr(one, name) for one in taken) for name in ("errors", "comparisons"))
    return Taken(Proportion(len(taken), len(made)), Proportion(errors, comparisons))
