"""Turn a located face into the chip an embedder takes.

Alignment decides accuracy: without it the separation of mated and non-mated pairs falls to little more than half.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.engine import ChipGeometry
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace, Point

_MARGIN_PIXELS = 4


def align(frame: Frame, face: LocatedFace, geometry: ChipGeometry) -> NDArray[np.uint8]:
    """The chip of `face`: (side, side, 3) uint8 BGR, black where the frame has no pixels.

    Least-squares similarity of the five landmarks to those of `geometry`. A picture that must shrink by more than two
    is first halved by area averaging, so that no detail folds into noise.
    """
    matrix = similarity(face.landmarks, geometry.landmarks)
    picture, matrix = _crop(frame.pixels, matrix, geometry.side)
    while _scale(matrix) < 0.5 and min(picture.shape[:2]) >= 4:
        picture, matrix = _halve(picture, matrix)
    chip = cv2.warpAffine(picture, matrix, (geometry.side, geometry.side), flags=cv2.INTER_LINEAR)
    return np.asarray(chip, dtype=np.uint8)


def similarity(source: tuple[Point, ...], target: tuple[Point, ...]) -> NDArray[np.float64]:
    """The (2, 3) matrix of rotation, one scale and shift that brings `source` nearest to `target` by least squares.

    Written with complex numbers: target = a * source + b has the solution a = sum(conj(s) t) / sum(|s|^2) of centred
    points, and no reflection can come out. Points that all coincide give the scale 0.
    """
    s = np.array([complex(p.x, p.y) for p in source])
    t = np.array([complex(p.x, p.y) for p in target])
    s_mean, t_mean = complex(s.mean()), complex(t.mean())
    spread = float(np.sum(np.abs(s - s_mean) ** 2))
    a = complex(np.vdot(s - s_mean, t - t_mean)) / spread if spread > 0 else 0j
    b = t_mean - a * s_mean
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _scale(matrix: NDArray[np.float64]) -> float:
    return math.hypot(matrix[0, 0], matrix[1, 0])


def _crop(
    picture: NDArray[np.uint8], matrix: NDArray[np.float64], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Cut `picture` down to what the chip can show, so that the size of the frame costs nothing."""
    if _scale(matrix) == 0:
        return picture, matrix
    corners = np.array([[0, 0, side, side], [0, side, 0, side], [1, 1, 1, 1]], dtype=np.float64)
    x, y = cv2.invertAffineTransform(matrix) @ corners
    margin = _MARGIN_PIXELS * max(1.0, 1 / _scale(matrix))
    height, width = picture.shape[:2]
    left, right = (int(np.clip(v, 0, width)) for v in (x.min() - margin, x.max() + margin))
    top, bottom = (int(np.clip(v, 0, height)) for v in (y.min() - margin, y.max() + margin))
    if right - left < 2 or bottom - top < 2:
        return picture, matrix
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([left, top], dtype=np.float64)
    return picture[top:bottom, left:right], shifted


def _halve(picture: NDArray[np.uint8], matrix: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Half the size by area averaging; pixel x of the small picture is centred at 2 x + 0.5 of the large one."""
    height, width = (length // 2 * 2 for length in picture.shape[:2])
    small = cv2.resize(picture[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    doubled = matrix.copy()
    doubled[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5])
    doubled[:, :2] *= 2
    return np.asarray(small, dtype=np.uint8), doubled
