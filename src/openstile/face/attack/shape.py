"""A generic face as a surface, good enough to tell a head from a sheet; nobody's in particular.

Coordinates: the origin is the middle between the eyes, x to the right and y down in the picture, the unit is the eye
distance (about 63 mm); z towards the camera. An ellipsoid with a ridge for the nose, hollows for the eyes, lips and
chin; measures rounded from anthropometric tables of adults (DIN 33402-2; ISO/TR 7250-2): head 2.4 wide, nose 0.34 high.
"""

import numpy as np
from numpy.typing import NDArray

from openstile.face.align import similarity
from openstile.face.located import LocatedFace, Point

Numbers = NDArray[np.float64]

LANDMARKS_GENERIC = (Point(-0.5, 0.0), Point(0.5, 0.0), Point(0.0, 0.56), Point(-0.42, 1.0), Point(0.42, 1.0))
"""Eyes, nose tip, corners of the mouth, in these coordinates."""
GLASSES = ((-0.92, -0.31, -0.08, 0.41), (0.08, -0.31, 0.92, 0.41))
"""Left, top, right, bottom of what the lens and rim before each eye can cover: 53 by 45 mm."""
_HALF_WIDTH, _HALF_HEIGHT, _DEPTH, _MIDDLE = 1.25, 1.9, 1.3, 0.4


def depth(x: Numbers, y: Numbers) -> Numbers:
    """z of the generic face at (x, y), any shape, in eye distances; the rim of the ellipsoid is 0."""
    inside = 1 - (x / _HALF_WIDTH) ** 2 - ((y - _MIDDLE) / _HALF_HEIGHT) ** 2
    head = _DEPTH * np.sqrt(np.maximum(inside, 0.02))
    bridge = np.where(y < 0.52, 0.36, 0.1)
    nose = 0.34 * np.exp(-((y - 0.52) ** 2) / (2 * bridge**2)) * np.exp(-(x**2) / (2 * 0.13**2))
    eyes = -0.1 * np.exp(-((np.abs(x) - 0.5) ** 2 + y**2) / (2 * 0.17**2))
    lips = 0.06 * np.exp(-(x**2) / (2 * 0.3**2) - ((y - 1.0) ** 2) / (2 * 0.12**2))
    chin = 0.1 * np.exp(-(x**2) / (2 * 0.25**2) - ((y - 1.55) ** 2) / (2 * 0.18**2))
    return np.asarray(head + nose + eyes + lips + chin, np.float64)


def normals(x: Numbers, y: Numbers) -> Numbers:
    """Unit normals of the generic face, (3, *shape): right, down, towards the camera."""
    step = 1e-3
    across = (depth(x + step, y) - depth(x - step, y)) / (2 * step)
    down = (depth(x, y + step) - depth(x, y - step)) / (2 * step)
    length = np.sqrt(across**2 + down**2 + 1)
    return np.stack([-across / length, -down / length, 1 / length])


def at_eyes(x: Numbers, y: Numbers) -> NDArray[np.bool_]:
    """Whether glasses can cover (x, y)."""
    lenses = [(x > left) & (x < right) & (y > top) & (y < bottom) for left, top, right, bottom in GLASSES]
    return np.asarray(np.any(lenses, axis=0), np.bool_)


def face_coordinates(face: LocatedFace) -> Numbers:
    """The (2, 3) matrix that brings pixels of the frame to the coordinates above, by least squares of the landmarks."""
    return similarity(face.landmarks, LANDMARKS_GENERIC)
