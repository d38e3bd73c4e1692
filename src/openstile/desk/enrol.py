"""From a rider's photographs to the one reference that goes into their pass."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from openstile.face import FaceEngine, Frame, Template, compare, extract_template, locate
from openstile.face.faults import FaceFault
from openstile.face.quality import QualityLimits, assess
from openstile.face.zone import CaptureZone, choose_rider
from openstile.terms.errors import BadInputError
from openstile.terms.limits import ENROL_FACES_MAX

_ADVICE = {
    FaceFault.NO_FACE: "no face found; use a frontal photograph in good light",
    FaceFault.TWO_FACES: "more than one face; use a photograph of the rider alone",
    FaceFault.FACE_TOO_FAR: "the face is too small; come closer or use a larger photograph",
    FaceFault.FACE_CUT: "the face is cut by the border; use a photograph that shows all of it",
    FaceFault.FACE_TURNED: "the face is turned away; look straight at the camera",
    FaceFault.FACE_BLURRED: "the face is blurred; use a sharper photograph",
    FaceFault.TOO_DARK: "the face is too dark; use more light",
    FaceFault.TOO_BRIGHT: "the face is too bright; use less light",
    FaceFault.TOO_NOISY: "the photograph is too noisy; use more light",
}


class EnrolmentError(BadInputError):
    """A photograph that cannot become a reference: the message names it and what to do."""


def face_reference(photographs: Sequence[tuple[str, Frame]], *, engine: FaceEngine, quality: QualityLimits) -> Template:
    """The reference of the one rider shown in all `photographs` (pairs of a name for messages and a frame).

    With several photographs it is the one closest to all others (the medoid): a real photograph's template, so an
    outlier cannot pull it away. Each of the others must match it. Raises `EnrolmentError`.
    """
    if not 1 <= len(photographs) <= ENROL_FACES_MAX:
        raise EnrolmentError(f"{len(photographs)} photographs given; give 1 to {ENROL_FACES_MAX} of the rider")
    named = [(name, _template_of(name, frame, engine, quality)) for name, frame in photographs]
    comparisons = [[compare(engine=engine, probe=probe, reference=other) for _, other in named] for _, probe in named]
    middle = int(np.argmin([sum(comparison.distance for comparison in row) for row in comparisons]))
    for (name, _), comparison in zip(named, comparisons[middle], strict=True):
        if not comparison.mated:
            raise EnrolmentError(
                f"{name} and {named[middle][0]}: do not show the same person, or one of them not clearly; "
                "give frontal photographs of the rider alone"
            )
    return named[middle][1]


def _template_of(name: str, frame: Frame, engine: FaceEngine, quality: QualityLimits) -> Template:
    height, width = frame.pixels.shape[:2]
    rider = choose_rider(
        locate(engine, frame), frame_width=width, frame_height=height, zone=_whole_photograph(CaptureZone())
    )
    if isinstance(rider, FaceFault):
        raise EnrolmentError(f"{name}: {_ADVICE[rider]}")
    fault = assess(frame, rider, limits=quality).fault
    if fault is not None:
        raise EnrolmentError(f"{name}: {_ADVICE[fault]}")
    return extract_template(engine, frame, rider)


def _whole_photograph(zone: CaptureZone) -> CaptureZone:
    """The zone for photographs: a portrait may place the face anywhere."""
    return replace(zone, left=0.0, right=1.0, top=0.0, bottom=1.0)
