"""Compare one probe with one reference. There is no other comparison in this project, and no search."""

from dataclasses import dataclass

import numpy as np

from openstile.face.engine import FaceEngine
from openstile.face.template import Template, dequantise
from openstile.terms import BadInputError


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of one comparison (ISO/IEC 2382-37: a comparison score, here a dissimilarity, and its threshold).

    distance: Euclidean, in units of the embedding, 0 or more. distance_max: the pack's calibrated threshold.
    """

    distance: float
    distance_max: float

    @property
    def mated(self) -> bool:
        """Whether probe and reference count as the same person."""
        return self.distance <= self.distance_max


def compare(
    *, engine: FaceEngine, probe: Template, reference: Template, distance_max: float | None = None
) -> Comparison:
    """Compare `probe`, from a frame, with `reference`, from a pass.

    Raises BadInputError when one of them was made by another pack or has another length than the pack's templates.
    """
    for name, template in (("probe", probe), ("reference", reference)):
        if template.pack_id != engine.pack_id:
            raise BadInputError(
                f"{name}: was made by model pack {template.pack_id!r} and this engine runs "
                f"{engine.pack_id!r}; use the same pack for enrolment and for the gate"
            )
        if len(template.data) != engine.dimensions:
            raise BadInputError(f"{name}: has {len(template.data)} bytes, the pack's have {engine.dimensions}")
    range_ = engine.quantisation_range
    difference = dequantise(probe.data, range_) - dequantise(reference.data, range_)
    return Comparison(float(np.linalg.norm(difference)), engine.distance_max if distance_max is None else distance_max)
