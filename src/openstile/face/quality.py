"""Judge a located face before it is made into a template: a bad picture costs a rider one more frame, not a false
result.

All measures but size and position are taken on an upright chip of the face of 150 x 150 pixels (luminance of ITU-R
BT.601, 0..255), inside an ellipse over brows, eyes, nose and mouth, so that a face's distance does not change their
meaning. The evidence below: 60 adults, neutral enrolled, smiling presented at a face width of 112 pixels unless
another is named, each condition simulated on the smiling photographs; FNMR at the default pack's threshold
(tests/face/test_quality.py repeats it). Sharp photographs at widths of 50 to 240 pixels: none is rejected.
"""

import math
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.align import align, similarity
from openstile.face.engine import ChipGeometry
from openstile.face.faults import FaceFault
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace, Point
from openstile.terms import BadInputError

Luminance = NDArray[np.float32]

_CHIP = ChipGeometry(
    150, (Point(46.37, 46.02), Point(102.16, 44.20), Point(74.11, 77.07), Point(50.21, 101.82), Point(97.37, 100.05))
)
_CENTRE_X, _CENTRE_Y, _RADIUS_X, _RADIUS_Y = 74.0, 75.0, 48.0, 58.0
_BLOWN_OUT = 250.0
_COLUMNS_SHARE = 1.2
"""Eyes and mouth lie across, so a sharp face has more detail along the columns: smallest ratio 0.451, rows 0.369."""
_DIAGONALS_SHARE = 1.05
"""As above: 0.387."""


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Limits of `assess`, each with what it buys."""

    eye_distance_min: float = 20.0
    """Pixels of the frame between the eyes; a face is about 2.15 times as wide. Widths down to 50 (23 between the eyes)
    cost no mated comparison."""
    visible_min: float = 0.97
    """Part of the face's ellipse that lies inside the frame."""
    bright_part_min: float = 20.0
    """Luminance that the brightest twentieth of the face reaches (so a dark skin is not a dark picture). Sharp faces
    have 96..206; at 15 % of their light, where only coarse steps are left, 14..30.
    """
    blown_out_max: float = 0.5
    """Part of the face at luminance 250 or more. 1.5 times overexposed: 0.05 (at most 0.49), FNMR 2 %; 2.2 times: 0.73,
    FNMR 32 %."""
    noise_max: float = 0.05
    """Deviation of the noise over the contrast of the face. Clean: at most 0.025. Noise of deviation 15 in full light:
    0.035, FNMR 2 %; of 8 at a quarter of the light: 0.067, FNMR 13 %; of 8 at 15 % of the light: 0.096, FNMR 50 %."""
    sharpness_min: float = 0.39
    """Fine detail over coarse detail. Sharp: 0.44 or more. Gaussian blur of sigma 1.5: 0.40, FNMR 2 %, one in six
    rejected; of sigma 2: 0.36, FNMR 5 %, 98 % rejected (with steadiness: all); of sigma 3: 0.31, FNMR
    33 %, all rejected.
    """
    steadiness_min: float = 0.347
    """Fine over coarse detail in the direction that has least of it, of four. Sharp: 0.369 or more. Motion over 5
    pixels: 0.389, FNMR 0; over 9: 0.316, FNMR 5 %, all rejected; over 13: 0.288, FNMR 60 %, all rejected.
    """
    yaw_max: float = 0.3
    """Nose tip off the middle of the eyes, over the eye distance: 0.55 tan(yaw) for a nose of usual depth, so 0.3 is
    about 29 degrees. Frontal photographs: at most 0.13.
    """
    pitch_min: float = 0.35
    """Where the nose tip lies between the eyes (0) and the mouth (1). Frontal photographs: 0.50..0.64."""
    pitch_max: float = 0.8
    """As `pitch_min`, for a head that looks down."""
    roll_max: float = 35.0
    """Degrees that the line of the eyes leans. Alignment turns the face upright; beyond this the detector's landmarks
    become unreliable."""

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise BadInputError(f"quality limits: {name} is {value}, must be a finite number of 0 or more")
        if self.pitch_min >= self.pitch_max:
            raise BadInputError("quality limits: pitch_min must be below pitch_max")


@dataclass(frozen=True, slots=True)
class Quality:
    """What `assess` measured, in the units of `QualityLimits`, and the first fault found, if any.

    The measures that need pixels (bright_part to steadiness) are None for a face that is too small or cut.
    """

    eye_distance: float
    visible: float
    yaw: float
    pitch: float
    roll: float
    bright_part: float | None = None
    blown_out: float | None = None
    noise: float | None = None
    sharpness: float | None = None
    steadiness: float | None = None
    fault: FaceFault | None = None


def assess(frame: Frame, face: LocatedFace, *, limits: QualityLimits) -> Quality:
    """Measure `face` in `frame` and hold it against `limits`. Faults are looked for in this order: too far, cut,
    turned, too dark, too bright, too noisy, blurred (noise hides blur, darkness hides both).
    """
    eye_distance, yaw, pitch, roll = _measure_pose(face)
    visible = _measure_visible(frame, face)
    fault = _fault_of_place(eye_distance, visible, yaw, pitch, roll, limits)
    if fault in (FaceFault.FACE_TOO_FAR, FaceFault.FACE_CUT):
        return Quality(eye_distance, visible, yaw, pitch, roll, fault=fault)
    luminance = _luminance(frame, face)
    inside = luminance[_ELLIPSE]
    dark_part, bright_part = (float(value) for value in np.percentile(inside, (5, 95)))
    blown_out = float(np.mean(inside >= _BLOWN_OUT))
    noise = _measure_noise(luminance, contrast=bright_part - dark_part)
    sharpness, steadiness = _measure_sharpness(luminance), _measure_steadiness(luminance)
    if fault is None:
        fault = _fault_of_light(bright_part, blown_out, noise, limits)
    if fault is None and (sharpness < limits.sharpness_min or steadiness < limits.steadiness_min):
        fault = FaceFault.FACE_BLURRED
    return Quality(eye_distance, visible, yaw, pitch, roll, bright_part, blown_out, noise, sharpness, steadiness, fault)


def _fault_of_place(
    eye_distance: float, visible: float, yaw: float, pitch: float, roll: float, limits: QualityLimits
) -> FaceFault | None:
    if eye_distance < limits.eye_distance_min:
        return FaceFault.FACE_TOO_FAR
    if visible < limits.visible_min:
        return FaceFault.FACE_CUT
    upright = abs(roll) <= limits.roll_max and limits.pitch_min <= pitch <= limits.pitch_max
    return None if upright and abs(yaw) <= limits.yaw_max else FaceFault.FACE_TURNED


def _fault_of_light(bright_part: float, blown_out: float, noise: float, limits: QualityLimits) -> FaceFault | None:
    if bright_part < limits.bright_part_min:
        return FaceFault.TOO_DARK
    if blown_out > limits.blown_out_max:
        return FaceFault.TOO_BRIGHT
    return FaceFault.TOO_NOISY if noise > limits.noise_max else None


def _measure_pose(face: LocatedFace) -> tuple[float, float, float, float]:
    """Eye distance in pixels, yaw and pitch as positions of the nose, roll in degrees."""
    left, right, nose, mouth_left, mouth_right = (complex(p.x, p.y) for p in face.landmarks)
    eyes = right - left
    distance = abs(eyes)
    if distance == 0:
        return 0.0, math.inf, math.inf, 0.0
    middle = (left + right) / 2
    along = (nose - middle) / eyes  # real: to the right in eye distances; imaginary: down
    mouth = ((mouth_left + mouth_right) / 2 - middle) / eyes
    pitch = along.imag / mouth.imag if mouth.imag > 0 else math.inf
    return distance, along.real, pitch, math.degrees(math.atan2(eyes.imag, eyes.real))


def _measure_visible(frame: Frame, face: LocatedFace) -> float:
    """Part of the ellipse's points that lie inside the frame."""
    matrix = similarity(face.landmarks, _CHIP.landmarks)
    if not np.any(matrix[:, :2]):
        return 0.0
    x, y = cv2.invertAffineTransform(matrix) @ _ELLIPSE_POINTS
    return float(np.mean((x >= -0.5) & (y >= -0.5) & (x <= frame.width - 0.5) & (y <= frame.height - 0.5)))


def _luminance(frame: Frame, face: LocatedFace) -> Luminance:
    chip = align(frame, face, _CHIP).astype(np.float32)
    return np.asarray(cv2.transform(chip, np.array([[0.114, 0.587, 0.299]], np.float32)), np.float32)


def _measure_noise(luminance: Luminance, *, contrast: float) -> float:
    """Deviation of the noise (Immerkaer 1996, with the median instead of the mean, so that edges do not count) /
    contrast.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = cv2.filter2D(luminance, -1, kernel)[_ELLIPSE]
    return float(np.median(np.abs(response))) / (6 * 0.6745) / max(contrast, 1.0)


def _measure_sharpness(luminance: Luminance) -> float:
    """The smaller of two ratios of neighbouring bands: one fine (best without noise), one coarser (which noise hardly
    moves).
    """
    fine = _band_ratio(luminance, (0.7, 1.4, 2.8))
    return min(fine, _band_ratio(luminance, (1.5, 2.5, 5.0)))


def _measure_steadiness(luminance: Luminance) -> float:
    """The least of the band ratios along the rows, the columns and both diagonals: motion wipes out detail in one
    direction. Columns and diagonals are set off by the share of detail a sharp face has in them.
    """
    turned = cv2.warpAffine(luminance, _EIGHTH_TURN, (_CHIP.side, _CHIP.side), borderMode=cv2.BORDER_REPLICATE)
    diagonal = np.asarray(turned, np.float32)
    sigmas = (1.5, 2.5, 5.0)
    return min(
        _band_ratio(luminance, sigmas, across=False),
        _band_ratio(luminance, sigmas, across=True) / _COLUMNS_SHARE,
        _band_ratio(diagonal, sigmas, across=False) / _DIAGONALS_SHARE,
        _band_ratio(diagonal, sigmas, across=True) / _DIAGONALS_SHARE,
    )


def _band_ratio(picture: Luminance, sigmas: tuple[float, float, float], *, across: bool | None = None) -> float:
    """Energy between the first two Gaussian scales over that between the last two, as amplitudes.

    across: None smooths both ways, False along the rows only, True along the columns only (0.8 the other way).
    """
    first, second, third = (
        cv2.GaussianBlur(
            picture,
            (0, 0),
            sigmaX=0.8 if across is True else sigma,
            sigmaY=0.8 if across is False else sigma,
        )
        for sigma in sigmas
    )
    return cv2.norm(first, second, cv2.NORM_L2, _MASK) / max(cv2.norm(second, third, cv2.NORM_L2, _MASK), 1e-3)


def _make_ellipse() -> NDArray[np.bool_]:
    y, x = np.mgrid[0 : _CHIP.side, 0 : _CHIP.side]
    inside = ((x - _CENTRE_X) / _RADIUS_X) ** 2 + ((y - _CENTRE_Y) / _RADIUS_Y) ** 2 < 1
    return np.asarray(inside, np.bool_)


_ELLIPSE = _make_ellipse()
_MASK = _ELLIPSE.astype(np.uint8)
_ELLIPSE_POINTS = np.array([[x, y, 1.0] for y, x in np.argwhere(_ELLIPSE)[::7]]).T
_EIGHTH_TURN = cv2.getRotationMatrix2D((_CENTRE_X, _CENTRE_Y), 45, 1)
