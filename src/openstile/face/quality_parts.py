"""Are eyes, nose and mouth there to be seen? What five landmarks and their pixels can say of it.

A bar, a mask or dark glasses leave few upright edges where a part of the face should have many. An edge counts by the
gradient of the luminance along the rows, over the luminance around it (Weber contrast), so that shadow and skin tone
change little; a part's edges count over those of the whole face, so that blur and contrast do.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from openstile.face.quality_chip import CHIP, MASK, Luminance, Mask, Scales, rectangle

_DARK_LEVELS = 10.0
"""Added to the luminance that an edge is divided by: noise in the dark is no edge."""


@dataclass(frozen=True, slots=True)
class Parts:
    """eyes_seen, nose_seen, mouth_seen: upright edges of the part over the mean of all edges of the face, 0 where it is
    covered; of the eyes the one with more, for a rider may wear a patch. eyes_open: upright edges around the iris times
    its darkness against the cheek, mean of both. mouth_open: Weber contrast of the mouth.
    """

    eyes_seen: float
    nose_seen: float
    mouth_seen: float
    eyes_open: float
    mouth_open: float


def measure_parts(scales: Scales) -> Parts:
    """The parts of the face in the chip that `scales` were made of."""
    around = scales.s50 + np.float32(_DARK_LEVELS)
    along = cv2.divide(cv2.Sobel(scales.s15, cv2.CV_32F, 1, 0), around)
    down = cv2.divide(cv2.Sobel(scales.s15, cv2.CV_32F, 0, 1), around)
    contrast = cv2.divide(cv2.subtract(scales.s15, scales.s50), around)
    all_edges = max(_mean_edge(along, MASK) + _mean_edge(down, MASK), 1e-6)
    left, right, nose, mouth = (_mean_edge(along, part) / all_edges for part in (*_EYES, _NOSE, _MOUTH))
    opened = (
        _mean_edge(along, iris) / all_edges * _darkness(scales.s25, iris, cheek)
        for iris, cheek in zip(_IRISES, _CHEEKS, strict=True)
    )
    return Parts(
        eyes_seen=max(left, right),
        nose_seen=nose,
        mouth_seen=mouth,
        eyes_open=sum(opened) / 2,
        mouth_open=cv2.norm(contrast, cv2.NORM_L2, _MOUTH) / cv2.countNonZero(_MOUTH) ** 0.5,
    )


def _mean_edge(edges: cv2.typing.MatLike, part: Mask) -> float:
    return cv2.norm(edges, cv2.NORM_L1, part) / cv2.countNonZero(part)


def _darkness(smoothed: Luminance, iris: Mask, cheek: Mask) -> float:
    """How much darker the darkest place of the eye is than the cheek below it, 0..1."""
    darkest = cv2.minMaxLoc(smoothed, iris)[0]
    return max(0.0, 1 - darkest / max(cv2.mean(smoothed, cheek)[0], 1.0))


_LEFT, _RIGHT = CHIP.landmarks[0], CHIP.landmarks[1]
_EYES = tuple(rectangle(eye.x, eye.y, 14, 8) for eye in (_LEFT, _RIGHT))
_IRISES = tuple(rectangle(eye.x, eye.y, 9, 6) for eye in (_LEFT, _RIGHT))
_CHEEKS = tuple(rectangle(eye.x, eye.y + 20, 10, 5) for eye in (_LEFT, _RIGHT))
_NOSE = rectangle(74, 80, 17, 12)
_MOUTH = rectangle(74, 102, 26, 10)
