"""Depth and infrared cameras: what one must give, and the check that refuses a flat face whatever its picture shows.

No driver is shipped. A deployer's driver keeps to a protocol here, and its camera must see the face as the colour
camera does: registered to its pixels and taken with its frame.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.attack.evidence import Evidence, Verdict
from openstile.face.attack.shape import Numbers, depth, face_coordinates
from openstile.face.attack.stimulus import Colour, Stimulus
from openstile.face.attack.thresholds import (
    DEPTH_DETAIL_MIN,
    DEPTH_FLAT_MAX,
    DEPTH_FRAMES_MIN,
    DEPTH_MATCH_MIN,
    DEPTH_POINTS_MIN,
    DEPTH_RELIEF_MIN,
)
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace
from openstile.terms import BadInputError
from openstile.terms.limits import DEPTH_SIDE_PIXELS_MAX


@dataclass(frozen=True, slots=True, eq=False)
class DepthFrame:
    """millimetres: (height, width) float32, distance along the camera's axis, registered to the colour frame's pixels
    (of its size or a whole fraction of it); 0 or NaN where nothing was measured.
    """

    millimetres: NDArray[np.float32]

    def __post_init__(self) -> None:
        _check_picture(self.millimetres, np.float32, "depth frame")


@dataclass(frozen=True, slots=True, eq=False)
class InfraredFrame:
    """level: (height, width) uint16, linear, of near infrared light, registered as a `DepthFrame` is. lit: whether the
    gate's own infrared lamp was on.
    """

    level: NDArray[np.uint16]
    lit: bool

    def __post_init__(self) -> None:
        _check_picture(self.level, np.uint16, "infrared frame")


class DepthCamera(Protocol):
    """A stereo, structured light or time of flight camera."""

    def depth_of(self, frame: Frame) -> DepthFrame | None:
        """The depth taken with `frame`; None where there is none. Raises nothing: a camera that fails gives None."""
        ...


class InfraredCamera(Protocol):
    """A near infrared camera; a screen is dark in its light, and a print answers its lamp as a sheet."""

    def infrared_of(self, frame: Frame) -> InfraredFrame | None:
        """The infrared picture taken with `frame`; None where there is none. Raises nothing."""
        ...


class PlanarDepth:
    """The reference check for any depth camera: is the face flat, or shaped as a face is?"""

    name = "planar_depth"

    def __init__(self, camera: DepthCamera) -> None:
        self._camera = camera
        self._measures: list[tuple[float, float]] = []

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        """A new clip."""
        self._measures = []

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        """Measure the relief of the face in this frame."""
        taken = self._camera.depth_of(frame)
        measure = None if taken is None else measure_relief(taken, frame, face)
        if measure is not None:
            self._measures.append(measure)

    def evidence(self) -> Evidence:
        """Score: relief off the best plane in millimetres, median over frames. LIVE where it is a face's in size and
        shape, ATTACK where it is a sheet's, INCONCLUSIVE between (a bent sheet, a mask, a noisy camera) and without
        depth.
        """
        if len(self._measures) < DEPTH_FRAMES_MIN:
            return Evidence(self.name, Verdict.INCONCLUSIVE)
        relief, match = (float(np.median(values)) for values in zip(*self._measures, strict=True))
        verdict = Verdict.INCONCLUSIVE
        if relief <= DEPTH_FLAT_MAX:
            verdict = Verdict.ATTACK
        elif relief >= DEPTH_RELIEF_MIN and match >= DEPTH_MATCH_MIN:
            verdict = Verdict.LIVE
        return Evidence(self.name, verdict, relief)


def measure_relief(taken: DepthFrame, frame: Frame, face: LocatedFace) -> tuple[float, float] | None:
    """Root mean square of the face's depth off its best plane, in millimetres at the size of a face; and the
    correlation with the generic face's of what no bent sheet can show. None where fewer than half of the places were
    measured.
    """
    steps = np.linspace(-0.8, 0.8, 17), np.linspace(-0.4, 1.3, 18)
    x, y = (axis.reshape(-1) for axis in np.meshgrid(*steps))
    inverse = cv2.invertAffineTransform(face_coordinates(face))
    places = np.stack([x, y], axis=1) @ inverse[:, :2].T + inverse[:, 2]
    height, width = taken.millimetres.shape
    columns = np.rint((places[:, 0] + 0.5) * width / frame.width - 0.5).astype(int)
    rows = np.rint((places[:, 1] + 0.5) * height / frame.height - 0.5).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    values = np.zeros(len(x))
    values[inside] = taken.millimetres[rows[inside], columns[inside]]
    known = np.isfinite(values) & (values > 0)
    if known.sum() < DEPTH_POINTS_MIN * len(x):
        return None
    x, y, near = x[known], y[known], -values[known]
    plane = np.stack([np.ones_like(x), x, y], axis=1)
    relief = math.sqrt(float(np.mean(_off(near, plane) ** 2)))
    bent = np.concatenate([plane, np.stack([x * x, x * y, y * y], axis=1)], axis=1)
    own, generic = _off(near, bent), _off(depth(x, y), bent)
    if math.sqrt(float(np.mean(own**2))) < DEPTH_DETAIL_MIN:
        return relief, 0.0
    return relief, float(own @ generic / (np.linalg.norm(own) * np.linalg.norm(generic)))


def _off(values: Numbers, surface: Numbers) -> Numbers:
    """What the best sum of the surface's columns leaves."""
    base, _ = np.linalg.qr(surface)
    return np.asarray(values - base @ (base.T @ values), np.float64)


def _check_picture(picture: NDArray[np.float32] | NDArray[np.uint16], kind: type, name: str) -> None:
    if getattr(picture, "dtype", None) != kind or picture.ndim != 2:
        raise BadInputError(f"{name}: must be a numpy array (height, width) of {kind.__name__}")
    if not 1 <= min(picture.shape) <= max(picture.shape) <= DEPTH_SIDE_PIXELS_MAX:
        raise BadInputError(f"{name}: its sides are {picture.shape}, must be 1 to {DEPTH_SIDE_PIXELS_MAX}")
    assert math.prod(picture.shape) > 0
