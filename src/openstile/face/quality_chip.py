"""The picture on which a face's quality is measured: upright, 150 x 150 pixels, so that distance changes no meaning.

Luminance is that of ITU-R BT.601, 0..255. Most measures look inside an ellipse over brows, eyes, nose and mouth.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.align import align, similarity
from openstile.face.engine import ChipGeometry
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace, Point

Luminance = NDArray[np.float32]
"""(150, 150) float32."""
Mask = NDArray[np.uint8]

CHIP = ChipGeometry(
    150, (Point(46.37, 46.02), Point(102.16, 44.20), Point(74.11, 77.07), Point(50.21, 101.82), Point(97.37, 100.05))
)
CENTRE = (74.0, 75.0)
_RADIUS_X, _RADIUS_Y = 48.0, 58.0
_TRUNCATE = 3.0
"""Gaussian kernels end at so many sigmas: 0.3 % of their weight lies beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """The luminance smoothed by Gaussians of sigma 0.7 to 5 pixels of the chip: what is left of detail so large."""

    plain: Luminance
    s07: Luminance
    s14: Luminance
    s15: Luminance
    s25: Luminance
    s28: Luminance
    s50: Luminance


def luminance_of(frame: Frame, face: LocatedFace) -> Luminance:
    """The luminance of the face's chip."""
    chip = align(frame, face, CHIP).astype(np.float32)
    return np.asarray(cv2.transform(chip, np.array([[0.114, 0.587, 0.299]], np.float32)), np.float32)


def scales_of(luminance: Luminance) -> Scales:
    """Smooth `luminance`."""
    return Scales(luminance, *(_smooth(luminance, sigma) for sigma in (0.7, 1.4, 1.5, 2.5, 2.8, 5.0)))


def gaussian(sigma: float) -> Luminance:
    """A Gaussian kernel as a column, (n, 1) float32; sigma in pixels."""
    return np.asarray(cv2.getGaussianKernel(_size(sigma), sigma, cv2.CV_32F), np.float32)


def _smooth(picture: Luminance, sigma: float) -> Luminance:
    size = _size(sigma)
    return np.asarray(cv2.GaussianBlur(picture, (size, size), sigmaX=sigma), np.float32)


def _size(sigma: float) -> int:
    return 2 * int(_TRUNCATE * sigma + 0.5) + 1


def visible_part(frame: Frame, face: LocatedFace) -> float:
    """Part of the ellipse that lies inside the frame, 0..1."""
    matrix = similarity(face.landmarks, CHIP.landmarks)
    if not np.any(matrix[:, :2]):
        return 0.0
    to_frame = cv2.invertAffineTransform(matrix)
    if np.all(_inside(frame, to_frame @ _CORNERS)):
        return 1.0
    return float(np.mean(_inside(frame, to_frame @ _ELLIPSE_POINTS)))


def _inside(frame: Frame, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of `points` (2, n) lie in `frame`, whose pixels reach half a pixel beyond their centres."""
    x, y = points
    return np.asarray((x >= -0.5) & (y >= -0.5) & (x <= frame.width - 0.5) & (y <= frame.height - 0.5), np.bool_)


def rectangle(x: float, y: float, half_width: float, half_height: float) -> Mask:
    """A mask of the chip that is 1 inside a rectangle around (x, y)."""
    rows, columns = np.mgrid[0 : CHIP.side, 0 : CHIP.side]
    return np.asarray((abs(columns - x) <= half_width) & (abs(rows - y) <= half_height), np.uint8)


def _make_ellipse() -> NDArray[np.bool_]:
    y, x = np.mgrid[0 : CHIP.side, 0 : CHIP.side]
    inside = ((x - CENTRE[0]) / _RADIUS_X) ** 2 + ((y - CENTRE[1]) / _RADIUS_Y) ** 2 < 1
    return np.asarray(inside, np.bool_)


ELLIPSE = _make_ellipse()
MASK: Mask = ELLIPSE.astype(np.uint8)
_ELLIPSE_POINTS = np.array([[x, y, 1.0] for y, x in np.argwhere(ELLIPSE)[::7]]).T
_CORNERS = np.array(
    [
        [x, y, 1.0]
        for x in (CENTRE[0] - _RADIUS_X, CENTRE[0] + _RADIUS_X)
        for y in (CENTRE[1] - _RADIUS_Y, CENTRE[1] + _RADIUS_Y)
    ]
).T
"""Of a rectangle around the ellipse: when they lie inside a frame, so does all of it."""
