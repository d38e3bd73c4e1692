"""A simulated camera: pinhole and lens, Bayer sensor with shot and read noise, and what its processor makes of it."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.attacks.light import LUMINANCE, Floats, encode_srgb, planck_rgb

_SENSOR_FROM_SRGB = np.array([[0.80, 0.16, 0.04], [0.10, 0.80, 0.10], [0.03, 0.22, 0.75]], np.float32)
"""How the sensor's filters mix linear sRGB; rows sum to 1. The processor undoes it, which costs noise in colours."""
_WHITE = 32768.0
"""Sixteen bit level of a sensor at its full well, so that white balance has room above."""
_PEDESTAL = 1024.0
"""Black level, so that noise around black is not cut off before the colours are mixed."""
_LEVELS = 4096
"""A converter of twelve bits."""


@dataclass(frozen=True, slots=True)
class Camera:
    """What a gate's camera is made of.

    focal_px: focal length in pixels; the optical axis meets the frame's middle. blur_px: sigma of lens and focus.
    electrons: photoelectrons per lux equivalent and second of a green pixel (f/2, 2.8 micrometres: about 1200).
    white_kelvin: the light the white balance takes for white; None: the ambient light's, missed by a tenth.
    exposure: over what the automatic exposure chooses; it is set at the first frame and then held, as is the white
    balance. jpeg: quality 1..100.
    """

    width: int = 640
    height: int = 480
    focal_px: float = 560.0
    blur_px: float = 0.6
    vignetting: float = 1.0
    electrons: float = 1200.0
    full_well: float = 8000.0
    read_noise: float = 2.5
    exposure_max_s: float = 0.02
    gain_max: float = 16.0
    readout_s: float = 0.016
    white_kelvin: float | None = None
    exposure: float = 1.0
    jpeg: int = 92

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2 or min(self.width, self.height) < 16:
            raise ValueError("camera: width and height must be even and 16 or more")
        if not (self.focal_px > 0 and 0 <= self.blur_px <= 20 and 1 <= self.jpeg <= 100 and self.exposure_max_s > 0):
            raise ValueError("camera: focal_px, blur_px, jpeg or exposure_max_s is out of range")

    @property
    def centre(self) -> tuple[float, float]:
        """Where the optical axis meets the frame, in pixels; (0, 0) is the middle of the top left pixel."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels (n, 2) of points (n, 3) in metres before the camera."""
        return np.asarray(self.focal_px * points[:, :2] / points[:, 2:] + np.array(self.centre), np.float64)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the camera holds during a clip: exposure time in seconds, gain, and white balance of sensor colours."""

    exposure_s: float
    gain: float
    balance: tuple[float, float, float]


def meter(camera: Camera, linear: Floats, face: tuple[slice, slice], kelvin: float) -> Settings:
    """Automatic exposure and white balance for a picture (3, height, width) in lux equivalents.

    Exposure brings the mean of the face (weight 0.6) and of the frame (0.4) to 0.2 of white, but keeps the brightest
    fiftieth of the face below white. First the exposure time grows up to its limit, then the gain.
    """
    luminance = np.tensordot(LUMINANCE, linear[:, ::4, ::4], axes=1)
    window = np.tensordot(LUMINANCE, linear[:, face[0], face[1]][:, ::2, ::2], axes=1)
    middle = 0.6 * float(np.mean(window)) + 0.4 * float(np.mean(luminance))
    wanted = min(0.2 / middle, 0.9 / float(np.percentile(window, 98))) * camera.exposure
    seconds = wanted * camera.full_well / camera.electrons
    exposure_s = min(seconds, camera.exposure_max_s)
    gain = float(np.clip(seconds / exposure_s, 1.0, camera.gain_max))
    taken_for_white = planck_rgb(camera.white_kelvin or 0.9 * kelvin + 0.1 * 5000.0)
    r, g, b = (float(v) for v in _SENSOR_FROM_SRGB @ taken_for_white)
    return Settings(exposure_s, gain, (g / r, 1.0, g / b))


def expose(camera: Camera, settings: Settings, linear: Floats, rng: np.random.Generator) -> NDArray[np.uint16]:
    """What the sensor reads of a picture (3, height, width) in lux equivalents: (height, width) RGGB mosaic with
    `_PEDESTAL` for black.

    Lens blur, vignetting, filters, photoelectrons with shot noise (a Gaussian of the Poisson's variance), read noise,
    full well, twelve bits.
    """
    sharp = linear if camera.blur_px < 0.05 else _blurred(linear, camera.blur_px)
    electrons = mosaic(sharp)
    electrons *= _falloff(camera)
    electrons *= np.float32(camera.electrons * settings.exposure_s)
    noise = _noise(rng, electrons.size).reshape(electrons.shape)
    electrons += noise * np.sqrt(electrons + np.float32(camera.read_noise**2))
    np.minimum(electrons, np.float32(camera.full_well), out=electrons)
    step = _WHITE / _LEVELS
    electrons *= np.float32(settings.gain / camera.full_well * _LEVELS)
    electrons += np.float32(_PEDESTAL / step)
    np.rint(electrons, out=electrons)
    np.clip(electrons, 0, _LEVELS - 1 + _PEDESTAL / step, out=electrons)
    return (electrons * np.float32(step)).astype(np.uint16)


def develop(camera: Camera, settings: Settings, raw: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The frame of a mosaic: (height, width, 3) uint8 BGR. Demosaic, white balance, colours, gamma, JPEG there and
    back.
    """
    sensor = cv2.demosaicing(raw, cv2.COLOR_BayerRGGB2RGB)
    matrix = np.linalg.inv(_SENSOR_FROM_SRGB) @ np.diag(settings.balance)
    offset = -matrix.sum(axis=1, keepdims=True) * _PEDESTAL
    bgr = cv2.transform(sensor, np.hstack([matrix, offset])[::-1])
    picture = _gamma_table()[bgr]
    if camera.jpeg == 100:
        return np.asarray(picture, np.uint8)
    _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def mosaic(picture: Floats) -> Floats:
    """What the sensor's filters pass of a picture (3, height, width), one a pixel: red at even rows and columns, blue
    at odd ones, green at the others.
    """
    plane = np.empty(picture.shape[1:], np.float32)
    for row, column, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        r, g, b = picture[:, row::2, column::2]
        mix = _SENSOR_FROM_SRGB[colour]
        plane[row::2, column::2] = r * mix[0] + g * mix[1] + b * mix[2]
    return plane


def _blurred(picture: Floats, sigma: float) -> Floats:
    return np.stack([np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32) for plane in picture])


def _noise(rng: np.random.Generator, count: int) -> Floats:
    """`count` normal deviates: a stretch of a long table, begun where the random source says (drawing anew would cost
    as much as all else in a frame).
    """
    table = _normal_table()
    start = int(rng.integers(0, len(table) - count))
    return table[start : start + count]


@lru_cache(maxsize=1)
def _normal_table() -> Floats:
    return np.random.default_rng(20).standard_normal(1 << 22, np.float32)


@lru_cache(maxsize=4)
def _falloff(camera: Camera) -> Floats:
    """cos^4 of the angle to the axis, to the power `vignetting`."""
    cx, cy = camera.centre
    y, x = np.mgrid[0 : camera.height, 0 : camera.width].astype(np.float32)
    square = ((x - cx) ** 2 + (y - cy) ** 2) / np.float32(camera.focal_px**2)
    return np.asarray((1 + square) ** np.float32(-2 * camera.vignetting), np.float32)


@lru_cache(maxsize=1)
def _gamma_table() -> NDArray[np.uint8]:
    linear = np.arange(65536, dtype=np.float32) / np.float32(_WHITE)
    return np.rint(encode_srgb(linear)).astype(np.uint8)


def eye_box(landmarks: NDArray[np.float64], camera: Camera) -> tuple[slice, slice]:
    """The window that the exposure is metered on: around the landmarks, inside the frame."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    margin = 0.3 * math.hypot(*(high - low))
    left, top = (int(max(v, 0)) for v in low - margin)
    return slice(top, max(int(high[1] + margin), top + 8)), slice(left, max(int(high[0] + margin), left + 8))
