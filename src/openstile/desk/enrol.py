"""From a rider's photographs to the one reference that goes into their pass."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from openstile.desk.advice import ADVICE, say
from openstile.face import FaceEngine, Frame, LocatedFace, Template, compare
from openstile.face.faults import FaceFault
from openstile.face.quality import QualityLimits, assess
from openstile.face.quality_limits import ENROLMENT_LIMITS, stricter
from openstile.face.template import cut_template, embed_face, soften_embeddings
from openstile.face.zone import CaptureZone, locate_rider
from openstile.terms.errors import BadInputError
from openstile.terms.limits import ENROL_FACES_MAX


class EnrolmentError(BadInputError):
    """A photograph that cannot become a reference: the message names it and what to do."""


def face_reference(photographs: Sequence[tuple[str, Frame]], *, engine: FaceEngine, quality: QualityLimits) -> Template:
    """The reference of the one rider shown in all `photographs` (pairs of a name for messages and a frame).

    Each must be as good as gates ask (`quality`) and as enrolment does (ENROLMENT_LIMITS), whichever asks for more.
    With several photographs it is the one closest to all others (the medoid): a real photograph's template, so an
    outlier cannot pull it away. Each of the others must match it. Raises `EnrolmentError` naming every photograph that
    cannot be used.
    """
    if not 1 <= len(photographs) <= ENROL_FACES_MAX:
        raise EnrolmentError(f"{len(photographs)} photographs given; give 1 to {ENROL_FACES_MAX} of the rider")
    riders = _choose_riders(photographs, engine, stricter(quality, ENROLMENT_LIMITS))
    probes, references = _templates(engine, riders)
    comparisons = [[compare(engine=engine, probe=probe, reference=each) for probe in probes] for each in references]
    distances = np.array([[comparison.distance for comparison in row] for row in comparisons])
    middle = int(np.argmin(distances.sum(axis=1) - distances.diagonal()))
    for (name, _, _), comparison in zip(riders, comparisons[middle], strict=True):
        if not comparison.mated:
            raise EnrolmentError(
                f"{name} and {riders[middle][0]}: do not show the same person, or one of them not clearly; "
                "give frontal photographs of the rider alone"
            )
    return references[middle]


def _templates(
    engine: FaceEngine, riders: Sequence[tuple[str, Frame, LocatedFace]]
) -> tuple[list[Template], list[Template]]:
    """Of each photograph what a gate would make of it, and what would go into a pass."""
    probes, references = [], []
    for _, frame, rider in riders:
        sharp = embed_face(engine, frame, rider)
        probes.append(cut_template(engine, sharp))
        references.append(cut_template(engine, soften_embeddings(engine, frame, rider, sharp)))
    return probes, references


def _choose_riders(
    photographs: Sequence[tuple[str, Frame]], engine: FaceEngine, limits: QualityLimits
) -> list[tuple[str, Frame, LocatedFace]]:
    """The one face of each photograph. Raises `EnrolmentError` with a sentence for each that has none good enough."""
    zone = _whole_photograph(CaptureZone())
    good: list[tuple[str, Frame, LocatedFace]] = []
    problems = []
    for name, frame in photographs:
        rider = locate_rider(engine, frame, zone)
        if isinstance(rider, FaceFault):
            problems.append(f"{name}: {ADVICE[rider]}")
            continue
        quality = assess(frame, rider, limits=limits)
        if quality.fault is not None:
            problems.append(f"{name}: {say(quality, limits)}")
            continue
        good.append((name, frame, rider))
    if problems:
        raise EnrolmentError(". ".join(problems))
    return good


def _whole_photograph(zone: CaptureZone) -> CaptureZone:
    """The zone for photographs: a portrait may place the face anywhere."""
    return replace(zone, left=0.0, right=1.0, top=0.0, bottom=1.0)
