"""What light a display may throw at people: WCAG 2.3.1 (three flashes or below threshold), as numbers.

Formulas: WCAG 2.2, "relative luminance" and "general flash and red flash thresholds". A general flash is a pair of
opposing changes of relative luminance by 10 % of the maximum or more where the darker picture is below 0.80; a red
flash a pair of opposing transitions that involves a saturated red. Both are judged for the whole field of view here,
as if the rider saw nothing but the display.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Triple = tuple[int, int, int]

FLASHES_PER_SECOND_MAX = 3
"""WCAG 2.3.1."""
LUMINANCE_STEP_MAX = 0.1
"""Of relative luminance: less is no general flash."""
DARK_LUMINANCE_MAX = 0.8
RED_SHARE_SATURATED = 0.8
"""R / (R + G + B) of linear light at which red is saturated."""


def linear_light(colour: Triple | Sequence[int] | NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB 0..255 to linear light 0..1 (IEC 61966-2-1), elementwise."""
    value = np.asarray(colour, np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def relative_luminance(colour: Triple) -> float:
    """0 (black) to 1 (white)."""
    return float(linear_light(colour) @ np.array([0.2126, 0.7152, 0.0722]))


def is_saturated_red(colour: Triple) -> bool:
    """Whether red is 0.8 or more of the colour's linear light."""
    red, green, blue = linear_light(colour)
    return bool(red > 0 and red / (red + green + blue) >= RED_SHARE_SATURATED)


def flashes_per_second_max(colours: Sequence[Triple], frame_rate: float) -> float:
    """Most flashes in any second of `colours`, one a frame: pairs of changes of colour, whatever their luminance.

    Stricter than WCAG, which counts a pair only from LUMINANCE_STEP_MAX on.
    """
    changes = [at / frame_rate for at in range(1, len(colours)) if colours[at] != colours[at - 1]]
    return max((sum(start <= at < start + 1 for at in changes) / 2 for start in changes), default=0.0)


def is_low_contrast(colours: Sequence[Triple]) -> bool:
    """Whether no two of the colours differ by a luminance step that would make a general flash."""
    luminances = [relative_luminance(colour) for colour in colours]
    return (
        not luminances
        or max(luminances) - min(luminances) < LUMINANCE_STEP_MAX
        or min(luminances) >= (DARK_LUMINANCE_MAX)
    )
