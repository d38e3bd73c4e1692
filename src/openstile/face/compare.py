"""Compare one probe with one reference. There is no other comparison in this project, and no search."""

from dataclasses import dataclass

import numpy as np

from openstile.face.engine import FaceEngine, TemplatePart
from openstile.face.template import Embeddings, Template, restore_embeddings
from openstile.terms import BadInputError


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of one comparison (ISO/IEC 2382-37: a comparison score, here a dissimilarity, and its threshold).

    distance: in the pack's common unit, 0 or more (see `distance_of`). distance_max: the pack's calibrated threshold.
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
    parts = engine.parts
    distance = distance_of(parts, restore_embeddings(parts, probe.data), restore_embeddings(parts, reference.data))
    return Comparison(distance, engine.distance_max if distance_max is None else distance_max)


def distance_of(parts: tuple[TemplatePart, ...], probe: Embeddings, reference: Embeddings) -> float:
    """The largest of the parts' distances: each Euclidean, times the part's scale. So every part must agree."""
    differences = zip(parts, probe, reference, strict=True)
    return max(part.scale * float(np.linalg.norm(one - other)) for part, one, other in differences)
