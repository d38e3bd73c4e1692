"""Tiny signals whose truth is plain: moving dots of a plane or a head, and squares of light that answer colours."""

import numpy as np
from numpy.typing import NDArray

from openstile.face.attack.grid import CELL_X, CELL_Y, ON_FACE
from openstile.face.attack.safety import linear_light
from openstile.face.attack.shape import depth, normals
from openstile.face.attack.stimulus import Colour
from openstile.face.located import Box, LocatedFace, Point

FOCAL = 560.0
"""Pixels."""
EYES = 0.063
"""Metres between the eyes: the unit of `shape`."""


def dots(rng: np.random.Generator, *, flat: bool, bend: float = 0.0, count: int = 80) -> NDArray[np.float64]:
    """(n, 3) metres: points of a generic head, of a sheet, or of a sheet bent about its upright axis."""
    x, y = rng.uniform(-0.8, 0.8, count), rng.uniform(-0.3, 1.3, count)
    z = -depth(x, y) * EYES if not flat else bend * (x * EYES) ** 2 / 2
    return np.stack([x * EYES, y * EYES, z], axis=1)


def seen(points: NDArray[np.float64], *, yaw: float = 0.0, away: float = 0.5) -> NDArray[np.float32]:
    """(n, 2) pixels of points turned by `yaw` degrees, `away` metres before a pinhole camera."""
    turn = np.radians(yaw)
    x = points[:, 0] * np.cos(turn) + points[:, 2] * np.sin(turn)
    z = -points[:, 0] * np.sin(turn) + points[:, 2] * np.cos(turn) + away
    return np.stack([FOCAL * x / z + 320, FOCAL * points[:, 1] / z + 240], axis=1).astype(np.float32)


def pixels_to_face(away: float = 0.5) -> NDArray[np.float64]:
    """The (2, 3) matrix of a face whose eyes' middle is at (320, 240)."""
    unit = FOCAL * EYES / away
    return np.array([[1 / unit, 0, -320 / unit], [0, 1 / unit, -240 / unit]])


def light_of(
    rng: np.random.Generator,
    shown: tuple[Colour, ...],
    *,
    share: float,
    head: bool,
    answered: tuple[Colour, ...] | None = None,
    noise: float = 0.0006,
    albedo: float = 0.3,
    hollows: float = 0.0,
) -> NDArray[np.float32]:
    """(frames, cells, 3) linear light, blue green red: skin or a sheet under ambient light and a display that shines
    `share` as bright; `answered` differs from `shown` for recordings. hollows: how fast the ambient light falls with
    depth, as a logarithm an eye distance.
    """
    colours = linear_light(np.asarray(answered or shown, np.uint8))[:, ::-1]
    skin = albedo * rng.uniform(0.7, 1.2, (len(CELL_X), 1)) * np.array([0.6, 0.75, 1.0])
    towards = normals(CELL_X, CELL_Y)[2] if head else np.ones(len(CELL_X))
    towards = towards * np.exp(-hollows * (depth(CELL_X, CELL_Y) - depth(np.zeros(1), np.zeros(1))))
    plane = 1 + 0.1 * CELL_X - 0.05 * CELL_Y
    answer = 1 + share * (towards * plane)[None, :, None] * colours[:, None, :]
    light = skin[None] * answer
    return np.asarray(light * (1 + rng.normal(0, noise, light.shape)), np.float32)


def face_at(left: float = 320.0, top: float = 200.0, eyes: float = 70.0) -> LocatedFace:
    """A frontal face whose eyes' middle is at (left, top)."""
    places = ((-0.5, 0.0), (0.5, 0.0), (0.0, 0.56), (-0.42, 1.0), (0.42, 1.0))
    marks = tuple(Point(left + x * eyes, top + y * eyes) for x, y in places)
    return LocatedFace(Box(left - eyes, top - eyes * 0.8, 2 * eyes, 2.6 * eyes), marks, 0.99)


assert ON_FACE.any()
