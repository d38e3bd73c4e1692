"""Parallax: a head's nose moves against its cheeks when it turns or comes nearer; a sheet's or a screen's cannot.

Corners of the face (Shi and Tomasi 1994) are followed from frame to frame (Lucas and Kanade 1981, pyramidal, there and
back). Any view of a plane is a homography of any other, so each frame's places are taken back by their homography
to the first frame's; what is left is fitted with what the depth of a generic face would leave (turning either way,
and coming nearer), both made free of every tangent of a homography. Blind to a replayed video: what moves in it has
depth.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.attack.evidence import Evidence, Verdict
from openstile.face.attack.shape import GLASSES, Numbers, depth, face_coordinates
from openstile.face.attack.stimulus import Colour, Stimulus
from openstile.face.attack.thresholds import (
    PARALLAX_ATTACK_MAX,
    PARALLAX_CORNERS_MIN,
    PARALLAX_FRAMES_MIN,
    PARALLAX_LIVE_MIN,
    PARALLAX_MOTION_MIN,
)
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace

Pixels = NDArray[np.uint8]
Places = NDArray[np.float32]

_CORNERS_MAX = 90
_WINDOW = (15, 15)
_LEVELS = 2
_BACK_PIXELS_MAX = 0.6
_TANGENTS = 8
_OUTLIER = 3.0
"""Of medians of the residual's length: an eyelid or a glint, not the face."""


@dataclass(frozen=True, slots=True)
class ParallaxFit:
    """f_ratio: variance that the depth profile explains over what stays, each by its degrees of freedom. motion: how
    far the face turned or came nearer, as change of its scale or of its aspect, 0.1 for a tenth. corners: those left.
    """

    f_ratio: float
    motion: float
    corners: int
    frames: int


class Parallax:
    """The detector. Keeps the previous frame in grey until the next one, and where the corners were."""

    name = "parallax"

    def __init__(self) -> None:
        self._grey: Pixels | None = None
        self._first: Places = np.empty((0, 2), np.float32)
        self._places = self._first
        self._alive: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._seen: list[Places] = []
        self._matrix: Numbers = np.zeros((2, 3))

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        """A new clip; neither stimulus nor light matter here."""
        self._grey, self._seen = None, []
        self._first = self._places = np.empty((0, 2), np.float32)
        self._alive = np.empty(0, np.bool_)

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        """Follow the corners into `frame`."""
        grey = np.asarray(cv2.cvtColor(frame.pixels, cv2.COLOR_BGR2GRAY), np.uint8)
        if self._grey is None:
            self._start(grey, face)
        elif len(self._places):
            self._follow(self._grey, grey)
        self._grey = grey

    def evidence(self) -> Evidence:
        """LIVE where depth explains the residual well, ATTACK where the face turned or came nearer and it does not,
        INCONCLUSIVE where it kept still or too few corners stayed in view.
        """
        fit = self.fit()
        self._grey = None
        if fit is None:
            return Evidence(self.name, Verdict.INCONCLUSIVE)
        verdict = Verdict.INCONCLUSIVE
        if fit.f_ratio >= PARALLAX_LIVE_MIN:
            verdict = Verdict.LIVE
        elif fit.f_ratio <= PARALLAX_ATTACK_MAX and fit.motion >= PARALLAX_MOTION_MIN:
            verdict = Verdict.ATTACK
        return Evidence(self.name, verdict, fit.f_ratio)

    def fit(self) -> ParallaxFit | None:
        """The clip so far, None where it has too few frames or corners."""
        kept = np.flatnonzero(self._alive)
        if len(self._seen) < PARALLAX_FRAMES_MIN or len(kept) < PARALLAX_CORNERS_MIN:
            return None
        return fit_parallax(self._first[kept], [places[kept] for places in self._seen], self._matrix)

    def _start(self, grey: Pixels, face: LocatedFace) -> None:
        self._matrix = face_coordinates(face)
        mask = _face_mask(grey.shape, self._matrix)
        found: object = cv2.goodFeaturesToTrack(grey, _CORNERS_MAX, 0.01, _spacing(self._matrix), mask=mask)
        corners = found if isinstance(found, np.ndarray) else np.empty(0)  # None where there is none
        self._first = corners.astype(np.float32).reshape(-1, 2)
        self._places, self._alive = self._first, np.ones(len(self._first), np.bool_)

    def _follow(self, before: Pixels, grey: Pixels) -> None:
        options = {"winSize": _WINDOW, "maxLevel": _LEVELS}
        there, found, _ = cv2.calcOpticalFlowPyrLK(before, grey, self._places, None, **options)  # type: ignore[call-overload]
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey, before, there, None, **options)  # type: ignore[call-overload]
        error = np.linalg.norm(back - self._places, axis=1)
        good = (found.reshape(-1) == 1) & (found_back.reshape(-1) == 1) & (error < _BACK_PIXELS_MAX)
        self._alive &= good
        self._places = np.asarray(there, np.float32)
        self._seen.append(self._places)


def fit_parallax(first: Places, seen: Sequence[Places], matrix: Numbers) -> ParallaxFit | None:
    """`first` and each of `seen`: (n, 2) pixels of the same corners; `matrix`: pixels of the first frame to the
    coordinates of `shape`. None where a frame has no homography.
    """
    start = _moved(first, matrix)
    tangent = _homography_tangent(start)
    profile = _depth_columns(start, tangent)
    explained = left = 0.0
    degrees_explained = degrees_left = 0
    motion = 0.0
    for places in seen:
        now = _moved(places, matrix)
        found: object = cv2.findHomography(now, start, 0)[0]
        if not isinstance(found, np.ndarray):
            return None
        homography = np.asarray(found, np.float64)
        taken_back = np.asarray(cv2.perspectiveTransform(now[:, None], homography), np.float64).reshape(-1, 2)
        fitted = _fit(taken_back - start, tangent, profile)
        explained, left = explained + fitted[0], left + fitted[1]
        degrees_explained += profile.shape[1]
        degrees_left += fitted[2]
        motion = max(motion, _motion(homography))
    if degrees_left <= 0 or left <= 0:
        return None
    ratio = (explained / degrees_explained) / (left / degrees_left)
    return ParallaxFit(float(ratio), motion, len(first), len(seen)) if math.isfinite(ratio) else None


def _fit(residual: Numbers, tangent: Numbers, profile: Numbers) -> tuple[float, float, int]:
    """Squares explained by the profile, squares left, degrees of freedom left; corners far off are left out first."""
    flat = _free_of(residual.reshape(-1), tangent)
    rest = flat - profile @ (profile.T @ flat)
    lengths = np.linalg.norm(rest.reshape(-1, 2), axis=1)
    kept = lengths <= _OUTLIER * max(float(np.median(lengths)), 1e-9)
    rows = np.repeat(kept, 2)
    base, _ = np.linalg.qr(np.concatenate([tangent, profile], axis=1)[rows])
    flat = residual.reshape(-1)[rows]
    flat = flat - base[:, :_TANGENTS] @ (base[:, :_TANGENTS].T @ flat)
    parts = base[:, _TANGENTS:].T @ flat
    explained = float(parts @ parts)
    return explained, max(float(flat @ flat) - explained, 0.0), int(rows.sum()) - base.shape[1]


def _homography_tangent(places: Numbers) -> Numbers:
    """(2n, 8), orthonormal: all first-order moves of points of a plane (x, y in turn)."""
    x, y = places.T
    nil, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([one, x, y, nil, nil, nil, x * x, x * y], axis=1)
    down = np.stack([nil, nil, nil, one, x, y, x * y, y * y], axis=1)
    base, _ = np.linalg.qr(np.stack([across, down], axis=1).reshape(-1, _TANGENTS))
    return np.asarray(base, np.float64)


def _depth_columns(places: Numbers, tangent: Numbers) -> Numbers:
    """(2n, 3), orthonormal: what depth adds when the face turns about y, about x, or comes nearer."""
    x, y = places.T
    z, nil = depth(x, y), np.zeros_like(x)
    columns = np.stack([np.stack([z, nil], 1), np.stack([nil, z], 1), np.stack([z * x, z * y], 1)], axis=2)
    base, _ = np.linalg.qr(_free_of(columns.reshape(-1, 3), tangent))
    return np.asarray(base, np.float64)


def _free_of(values: Numbers, base: Numbers) -> Numbers:
    return np.asarray(values - base @ (base.T @ values), np.float64)


def _motion(homography: NDArray[np.float64]) -> float:
    """Change of scale and of aspect in the affine part: coming nearer, and the foreshortening of a turn."""
    stretches = np.linalg.svd(homography[:2, :2] / homography[2, 2], compute_uv=False)
    scale = abs(math.log(max(float(stretches[0] * stretches[1]), 1e-9))) / 2
    return scale + math.log(max(float(stretches[0]), 1e-9) / max(float(stretches[1]), 1e-9))


def _moved(places: Places, matrix: Numbers) -> Numbers:
    return np.asarray(places.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2], np.float64)


def _face_mask(shape: tuple[int, ...], matrix: Numbers) -> Pixels:
    """The oval from brows to chin without what glasses can cover, 255 in the frame's pixels. Rims stand before the
    face, lenses mirror what moves otherwise, lids blink: no generic face explains their corners.
    """
    angles = np.linspace(0, 2 * math.pi, 40)
    oval = np.stack([1.02 * np.cos(angles), 0.55 + 1.15 * np.sin(angles)], axis=1)
    mask = np.zeros(shape[:2], np.uint8)
    inverse = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    cv2.fillConvexPoly(mask, _in_frame(oval, inverse), 255)
    for left, top, right, bottom in GLASSES:
        lens = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        cv2.fillConvexPoly(mask, _in_frame(lens, inverse), 0)
    return mask


def _in_frame(corners: Numbers, inverse: Numbers) -> NDArray[np.int32]:
    return np.asarray(np.rint(corners @ inverse[:, :2].T + inverse[:, 2]), np.int32)


def _spacing(matrix: Numbers) -> float:
    """Pixels between corners: a twelfth of the eye distance, at least 3."""
    return max(3.0, 1 / (12 * math.hypot(matrix[0, 0], matrix[1, 0])))
