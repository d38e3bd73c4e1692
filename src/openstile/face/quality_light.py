"""Light on a face: how bright, how much of it blown out, how many steps of luminance it spans, and how evenly it falls.

All from one histogram of the luminance inside the ellipse, in whole steps 0..255.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.quality_chip import CENTRE, CHIP, MASK, Luminance, Mask

_BLOWN_OUT = 250
_LEVELS = 256
_EVENNESS_LEVELS = 32


@dataclass(frozen=True, slots=True)
class Light:
    """dark_part, bright_part: luminance that the darkest and the brightest twentieth of the face reaches.

    blown_out: part of the face at luminance 250 or more. dynamic_range: entropy of the luminance in bits, 0..8 (ISO/IEC
    29794-5, dynamic range). evenness: what the histograms of both halves of the face have in common, 0..1 (ISO/IEC
    29794-5, illumination uniformity).
    """

    dark_part: float
    bright_part: float
    blown_out: float
    dynamic_range: float
    evenness: float


def measure_light(luminance: Luminance) -> Light:
    """The light in `luminance`, inside the ellipse."""
    steps = luminance.astype(np.uint8)
    left, right = (_histogram(steps, half) for half in (_LEFT, _RIGHT))
    both = left + right
    shares = both / both.sum()
    cumulated = np.cumsum(shares)
    present = shares[shares > 0]
    return Light(
        dark_part=float(np.searchsorted(cumulated, 0.05)),
        bright_part=float(np.searchsorted(cumulated, 0.95)),
        blown_out=float(shares[_BLOWN_OUT:].sum()),
        dynamic_range=max(0.0, float(-(present * np.log2(present)).sum())),
        evenness=_common(left, right),
    )


def _common(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    one, other = (half.reshape(_EVENNESS_LEVELS, -1).sum(axis=1) / half.sum() for half in (left, right))
    return float(np.minimum(one, other).sum())


def _histogram(steps: NDArray[np.uint8], mask: Mask) -> NDArray[np.float64]:
    counts = cv2.calcHist([steps], [0], mask, [_LEVELS], [0, _LEVELS])
    return np.asarray(counts, np.float64).reshape(-1)


_IS_LEFT = (np.arange(CHIP.side) < int(CENTRE[0]))[None, :].astype(np.uint8)
_LEFT: Mask = MASK * _IS_LEFT
_RIGHT: Mask = MASK * (1 - _IS_LEFT)
