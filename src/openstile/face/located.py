"""Where a face is in a frame. Coordinates are pixels of the frame; the centre of the top left pixel is (0, 0)."""

import math
from dataclasses import dataclass

from openstile.terms import BadInputError

LANDMARKS = 5


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a frame, in pixels; it may lie outside the frame."""

    x: float
    y: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise BadInputError(f"point: ({self.x}, {self.y}) is not finite")


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in pixels; it may reach over the border of the frame."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (self.left, self.top, self.width, self.height)):
            raise BadInputError("box: its sides must be finite numbers")
        if self.width <= 0 or self.height <= 0:
            raise BadInputError(f"box: {self.width} x {self.height} has no area")

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """The middle of the box."""
        return Point(self.left + self.width / 2, self.top + self.height / 2)


@dataclass(frozen=True, slots=True)
class LocatedFace:
    """One face found in a frame.

    landmarks: five points: the eye at the left of the picture, the other eye, tip of the nose, the corner of the
    mouth at the left of the picture, the other corner.
    confidence: the detector's own score, 0..1.
    """

    box: Box
    landmarks: tuple[Point, ...]
    confidence: float

    def __post_init__(self) -> None:
        if len(self.landmarks) != LANDMARKS:
            raise BadInputError(f"face: has {len(self.landmarks)} landmarks, must have {LANDMARKS}")
        if not 0 <= self.confidence <= 1:
            raise BadInputError(f"face: confidence {self.confidence} is outside 0..1")
