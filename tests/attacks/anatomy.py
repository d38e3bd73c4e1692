"""Shape of a procedural head: an ellipsoid with relief, drawn through control points of a generic adult face.

Directions from the middle of the head are written as stereographic coordinates (u, v) of the ellipsoid's unit sphere:
(0, 0) looks out of the face, the unit circle is where the sides of the head begin. A surface point of direction n
lies at (1 + relief(u, v)) * n * SEMI_AXES; x right and y down in the picture of a frontal face, z away from the camera.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.attacks.light import Floats, Numbers

SEMI_AXES = np.array([0.075, 0.115, 0.098])
"""Metres: half the breadth, height and depth of a skull."""
EXTENT = 1.25
"""The maps cover -EXTENT..EXTENT in u and v."""
RELIEF_SIZE = (240, 360)
"""Columns and rows of the relief and of what is as smooth."""

_MIDDLE = [
    *((0, -0.115, 0.0), (0, -0.100, -0.048), (0, -0.080, -0.070), (0, -0.060, -0.085), (0, -0.038, -0.093)),
    *((0, -0.018, -0.097), (0, -0.002, -0.093), (0, 0.010, -0.098), (0, 0.022, -0.107), (0, 0.034, -0.117)),
    *((0, 0.041, -0.120), (0, 0.047, -0.113), (0, 0.052, -0.104), (0, 0.063, -0.105), (0, 0.069, -0.100)),
    *((0, 0.077, -0.103), (0, 0.086, -0.096), (0, 0.098, -0.099), (0, 0.112, -0.090), (0, 0.118, -0.060)),
]
_SIDE = [
    *((0.016, 0.000, -0.085), (0.0315, 0.000, -0.083), (0.0315, 0.009, -0.083), (0.046, 0.000, -0.075)),
    *((0.030, -0.019, -0.091), (0.050, -0.016, -0.078), (0.066, -0.010, -0.050), (0.042, -0.050, -0.079)),
    *((0.008, 0.018, -0.097), (0.011, 0.034, -0.107), (0.015, 0.044, -0.101), (0.020, 0.045, -0.093)),
    *((0.032, 0.022, -0.088), (0.052, 0.018, -0.073), (0.066, 0.015, -0.048), (0.025, 0.055, -0.093)),
    *((0.025, 0.069, -0.089), (0.046, 0.048, -0.073), (0.056, 0.075, -0.045), (0.060, 0.065, -0.015)),
    *((0.022, 0.103, -0.086), (0.042, 0.094, -0.058), (0.075, 0.010, 0.000), (0.066, -0.060, 0.000)),
]
_LANDMARKS = np.array(
    [(-0.0315, 0, -0.083), (0.0315, 0, -0.083), (0, 0.041, -0.120), (-0.025, 0.069, 0), (0.025, 0.069, 0)]
)
_LANDMARKS[3:, 2] = -0.089


_LOWER_FACE = 0.93
"""Brings the mouth as far below the eyes as the eyes are apart, the mean of adults."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One head's geometry.

    relief: (360, 240) over the unit sphere. normals: (360, 240, 3) unit, outward. openness: (360, 240), part of the
    surroundings seen, 0..1. landmarks: (5, 2) directions (u, v): eyes, tip of the nose, corners of the mouth.
    """

    relief: Floats
    normals: Floats
    openness: Floats
    landmarks: NDArray[np.float64]


def grid(size: tuple[int, int]) -> tuple[Floats, Floats]:
    """u and v of the middles of the texels of a map with `size` (columns, rows)."""
    axes = [(np.arange(n, dtype=np.float32) + 0.5) * np.float32(2 * EXTENT / n) - np.float32(EXTENT) for n in size]
    u, v = np.meshgrid(*axes)
    return u, v


def directions(u: Numbers, v: Numbers) -> Numbers:
    """Unit vectors (..., 3) of stereographic coordinates."""
    square = u * u + v * v
    return np.asarray(np.stack([2 * u, 2 * v, square - 1], axis=-1) / (1 + square)[..., None])


def stereographic(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(u, v) (n, 2) and relief (n,) of points (n, 3) in metres."""
    scaled = points / SEMI_AXES
    length = np.linalg.norm(scaled, axis=1)
    return scaled[:, :2] / (length - scaled[:, 2])[:, None], length - 1


def sample(field: Floats, u: Floats, v: Floats) -> Floats:
    """`field` (rows, columns[, channels]) at directions, bilinear; beyond the map its border."""
    rows, columns = field.shape[:2]
    x = u * np.float32(columns / (2 * EXTENT)) + np.float32(columns / 2 - 0.5)
    y = v * np.float32(rows / (2 * EXTENT)) + np.float32(rows / 2 - 0.5)
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def grow(rng: np.random.Generator) -> Shape:
    """A head whose proportions vary as adults' do: breadth, length, nose, jaw, lips and depth by some per cent."""
    middle, side = np.array(_MIDDLE), np.array(_SIDE)
    points = np.concatenate([middle, side, side * (-1, 1, 1)])
    factors = 1 + rng.normal(0, 1, 3) * (0.035, 0.03, 0.03)
    nose, jaw = rng.normal(0, 0.12), rng.normal(0, 0.06)
    points, marks = (_vary(p, factors, nose, jaw) for p in (points, _LANDMARKS))
    uv, relief = stereographic(points)
    relief_map = _thin_plate(uv, relief)
    return Shape(relief_map, _normals(relief_map), _openness(relief_map), stereographic(marks)[0])


def _vary(points: NDArray[np.float64], factors: NDArray[np.float64], nose: float, jaw: float) -> NDArray[np.float64]:
    x, y, z = points.T
    y = np.where(y > 0, y * _LOWER_FACE, y)
    bridge = np.exp(-((x / 0.016) ** 2) - ((y - 0.035) / 0.016) ** 2)
    low = np.clip((y - 0.04) / 0.05, 0, 1)
    varied = np.stack([x * (1 + jaw * low), y, z - 0.022 * nose * bridge], axis=1)
    return np.asarray(varied * np.where(np.abs(points) > 0, factors, 1), np.float64)


def _thin_plate(uv: NDArray[np.float64], values: NDArray[np.float64]) -> Floats:
    """Thin plate spline through `values` at `uv`, faded to the bare ellipsoid at the sides of the head."""
    back = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = 1.15 * np.stack([np.cos(back), np.sin(back)], axis=1)
    places = np.concatenate([uv, ring])
    heights = np.concatenate([values, np.zeros(len(ring))])
    n = len(places)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _kernel(places, places) + 1e-4 * np.eye(n)
    system[:n, n:] = np.column_stack([np.ones(n), places])
    system[n:, :n] = system[:n, n:].T
    weights = np.linalg.solve(system, np.concatenate([heights, np.zeros(3)]))
    u, v = grid((RELIEF_SIZE[0] // 2, RELIEF_SIZE[1] // 2))
    where = np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float64)
    relief = (
        _kernel(where, places) @ weights[:n] + np.column_stack([np.ones(len(where)), where]) @ weights[n:]
    ).reshape(u.shape)
    relief *= 1 - np.clip((np.hypot(u, v) - 0.85) / 0.3, 0, 1)
    return np.asarray(cv2.resize(relief.astype(np.float32), RELIEF_SIZE, interpolation=cv2.INTER_CUBIC), np.float32)


def _kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    square = ((a[:, None] - b[None]) ** 2).sum(axis=2) + 1e-12
    return np.asarray(square * np.log(square), np.float64)


def _normals(relief: Floats) -> Floats:
    u, v = grid(RELIEF_SIZE)
    surface = directions(u, v) * (1 + relief)[..., None] * SEMI_AXES
    along_v, along_u = np.gradient(surface, axis=(0, 1))
    normals = np.cross(along_v, along_u)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    outward = np.sign((normals * surface).sum(axis=2, keepdims=True))
    return np.ascontiguousarray(normals * outward, dtype=np.float32)


def _openness(relief: Floats) -> Floats:
    """Hollows see less of the surroundings: how far a place lies below its neighbourhood, in two sizes."""
    hollow = sum(np.maximum(cv2.GaussianBlur(relief, (0, 0), sigma) - relief, 0) for sigma in (5, 14))
    return np.asarray(np.clip(1 - 7 * np.asarray(hollow), 0.35, 1), np.float32)
