"""One picture from a camera or a file."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from openstile.terms import BadInputError
from openstile.terms.limits import IMAGE_PIXELS_MAX, IMAGE_SIDE_PIXELS_MAX, IMAGE_SIDE_PIXELS_MIN


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A colour picture, upright, and when it was taken.

    pixels: (height, width, 3) uint8, blue green red, 0..255. The frame keeps a read-only view.
    taken_ns: monotonic clock in nanoseconds; 0 for a picture from a file.
    Raises BadInputError when shape, dtype or size is outside the limits.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    taken_ns: int = 0

    def __post_init__(self) -> None:
        pixels = self.pixels
        if getattr(pixels, "dtype", None) != np.uint8:
            raise BadInputError("frame: pixels must be a numpy array of uint8")
        if pixels.ndim != 3 or pixels.shape[2] != 3:
            raise BadInputError(f"frame: pixels have shape {pixels.shape}, must have (height, width, 3)")
        check_size(width=pixels.shape[1], height=pixels.shape[0], name="frame")
        view = np.ascontiguousarray(pixels).view()
        view.flags.writeable = False
        object.__setattr__(self, "pixels", view)

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.pixels.shape[0])


def check_size(*, width: int, height: int, name: str) -> None:
    """Raise BadInputError when a picture of `width` x `height` pixels is smaller or larger than the limits allow."""
    if min(width, height) < IMAGE_SIDE_PIXELS_MIN:
        raise BadInputError(
            f"{name}: {width} x {height} pixels is too small; each side needs {IMAGE_SIDE_PIXELS_MIN} or more"
        )
    if max(width, height) > IMAGE_SIDE_PIXELS_MAX or width * height > IMAGE_PIXELS_MAX:
        raise BadInputError(
            f"{name}: {width} x {height} pixels is too large; scale it down to at most "
            f"{IMAGE_PIXELS_MAX // 1_000_000} million pixels and {IMAGE_SIDE_PIXELS_MAX} on a side"
        )
