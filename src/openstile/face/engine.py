"""What a model pack must be able to do. The rest of the room knows nothing more of networks."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openstile.face.located import LANDMARKS, LocatedFace, Point
from openstile.terms import BadInputError

CHIP_SIDE_PIXELS_MAX = 1024


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


class FaceEngine(Protocol):
    """A detector and an embedder that belong together, with the threshold calibrated for them."""

    @property
    def pack_id(self) -> str:
        """Goes into each template and pass; templates of different packs are never compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Numbers in an embedding, and bytes in a template."""
        ...

    @property
    def distance_max(self) -> float:
        """Largest Euclidean distance of two embeddings that still counts as the same person."""
        ...

    @property
    def quantisation_range(self) -> float:
        """Embedding values are clipped to this, both signs, and cut into 255 steps."""
        ...

    @property
    def chip_geometry(self) -> ChipGeometry:
        """The chip that `embed` takes."""
        ...

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        """Faces in `pixels` ((height, width, 3) uint8 BGR), in its coordinates, in no certain order."""
        ...

    def embed(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The embedding, (dimensions,) float32, of one chip ((side, side, 3) uint8 BGR)."""
        ...
