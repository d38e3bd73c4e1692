"""What a model pack must be able to do. The rest of the room knows nothing more of networks."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openstile.face.located import LANDMARKS, LocatedFace, Point
from openstile.terms import BadInputError
from openstile.terms.limits import TEMPLATE_BYTES_MAX, TEMPLATE_PARTS_MAX

CHIP_SIDE_PIXELS_MAX = 1024
REFERENCE_SOFTENING_MAX = 0.2
"""Of the distance between the eyes: far more than leaves a face to be known by."""


@dataclass(frozen=True, slots=True)
class ChipGeometry:
    """The square picture of one aligned face that an embedder takes.

    side: pixels. landmarks: where the five landmarks of `LocatedFace` shall lie in it, in pixels.
    """

    side: int
    landmarks: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not 16 <= self.side <= CHIP_SIDE_PIXELS_MAX:
            raise BadInputError(f"chip: side of {self.side} pixels is outside 16..{CHIP_SIDE_PIXELS_MAX}")
        if len(self.landmarks) != LANDMARKS:
            raise BadInputError(f"chip: has {len(self.landmarks)} landmarks, must have {LANDMARKS}")

    @property
    def eye_distance(self) -> float:
        """Between the eyes of an aligned face, in pixels of the chip."""
        one, other = self.landmarks[:2]
        return math.hypot(one.x - other.x, one.y - other.y)


@dataclass(frozen=True, slots=True)
class TemplatePart:
    """What one network of a pack adds to a template.

    chip: the picture it takes. dimensions: numbers in its embedding, and bytes in the template. quantisation_range:
    its values are clipped to this, both signs, and cut into 255 steps. scale: a Euclidean distance of this part times
    `scale` is in the unit of the pack's threshold. reference_softening: sigma of a Gaussian, as a part of the distance
    between the eyes; where it is above 0, a reference is the mean of what the network makes of the chip as it is
    and of the chip softened by it, so that it lies between the face in focus and a little out of focus.
    """

    chip: ChipGeometry
    dimensions: int
    quantisation_range: float
    scale: float = 1.0
    reference_softening: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= TEMPLATE_BYTES_MAX:
            raise BadInputError(f"template part: {self.dimensions} dimensions are outside 1..{TEMPLATE_BYTES_MAX}")
        for name in ("quantisation_range", "scale"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise BadInputError(f"template part: {name} is {value}, must be a finite number above 0")
        if not 0 <= self.reference_softening <= REFERENCE_SOFTENING_MAX:
            raise BadInputError(
                f"template part: reference_softening {self.reference_softening} is outside 0..{REFERENCE_SOFTENING_MAX}"
            )
        if self.reference_softening and self.chip.eye_distance == 0:
            raise BadInputError("template part: reference_softening needs a chip whose eyes are apart")


def check_parts(parts: tuple[TemplatePart, ...]) -> int:
    """The bytes that a template of `parts` has. Raises BadInputError: no part, or too much of them."""
    if not 1 <= len(parts) <= TEMPLATE_PARTS_MAX:
        raise BadInputError(f"template: has {len(parts)} parts, must have 1 to {TEMPLATE_PARTS_MAX}")
    total = sum(part.dimensions for part in parts)
    if total > TEMPLATE_BYTES_MAX:
        raise BadInputError(f"template: its parts have {total} bytes together, at most {TEMPLATE_BYTES_MAX} can be")
    return total


class FaceEngine(Protocol):
    """A detector and one or more embedders that belong together, with the threshold calibrated for them."""

    @property
    def pack_id(self) -> str:
        """Goes into each template and pass; templates of different packs are never compared."""
        ...

    @property
    def distance_max(self) -> float:
        """Largest distance of two templates that still counts as the same person, in the pack's common unit."""
        ...

    @property
    def parts(self) -> tuple[TemplatePart, ...]:
        """What a template is made of, in the order of its bytes. Every part must agree for a match."""
        ...

    @property
    def dimensions(self) -> int:
        """Bytes in a template: those of all parts."""
        ...

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        """Faces in `pixels` ((height, width, 3) uint8 BGR), in its coordinates, in no certain order."""
        ...

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The embedding of `parts[part]`, (its dimensions,) float32, of one chip ((side, side, 3) uint8 BGR), after all
        stages of the pack.
        """
        ...
