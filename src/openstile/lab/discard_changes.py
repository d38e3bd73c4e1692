"""Simulated faults of light, lens, sensor and pose, for `discard_conditions`. Each is a function of pixels and a face.

Pixels are (height, width, 3) uint8 BGR; the face says where it is in them.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.located import LocatedFace

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, LocatedFace], Pixels]

SEED = 17
"""Of the sensor's noise: the same at every run."""


def place(face: LocatedFace, x: float, y: float) -> tuple[float, float]:
    """The pixel at (x, y) in eye distances from the middle of the eyes, x along the eyes, y down the face."""
    left, right = (complex(p.x, p.y) for p in face.landmarks[:2])
    point = (left + right) / 2 + complex(x, y) * (right - left)
    return point.real, point.imag


def unchanged(pixels: Pixels, face: LocatedFace) -> Pixels:
    """Nothing is done."""
    return pixels


def blurred(sigma: float) -> Change:
    """Gaussian blur of `sigma` pixels: out of focus."""
    return lambda pixels, face: np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def softened(sigma: float, *, noise: float) -> Change:
    """A lens that blurs by `sigma` pixels and a sensor with noise of deviation `noise`, however far off the face is."""

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        soft = cv2.GaussianBlur(pixels, (0, 0), sigma)
        sensor = np.random.default_rng(SEED).normal(0, noise, pixels.shape)
        return np.asarray(np.clip(soft + sensor, 0, 255), np.uint8)

    return change


def moved(length: int, *, down: bool = False) -> Change:
    """Motion over `length` pixels while the shutter is open, sideways or down."""
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2, :] = 1 / length
    return lambda pixels, face: np.asarray(cv2.filter2D(pixels, -1, kernel.T if down else kernel), np.uint8)


def lit(light: float, *, noise: float = 0.0) -> Change:
    """`light` times the luminance in 0..255, then the sensor's noise of deviation `noise`, then clipping."""

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        sensor = np.random.default_rng(SEED).normal(0, noise, pixels.shape) if noise else 0.0
        return np.asarray(np.clip(pixels * float(light) + sensor, 0, 255), np.uint8)

    return change


def lit_from_side(darkest: float) -> Change:
    """Light that falls from full at one cheek to `darkest` at the other, on a smooth slope across the face."""

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        left, right = face.landmarks[0].x, face.landmarks[1].x
        along = (np.arange(pixels.shape[1]) - (left + right) / 2) / (right - left)
        light = darkest + (1 - darkest) / (1 + np.exp(5 * along))
        return np.asarray(np.clip(pixels * light[None, :, None], 0, 255), np.uint8)

    return change


def flattened(contrast: float) -> Change:
    """Contrast times `contrast` about middle grey, as behind haze or a fogged lens."""
    return lambda pixels, face: np.clip((pixels - 128.0) * contrast + 128, 0, 255).astype(np.uint8)


def raised(share: float) -> Change:
    """The picture moved up until `share` of the eye distance is left between the middle of the eyes and the border."""

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        eyes = face.landmarks[1].x - face.landmarks[0].x
        cut = max(0, round((face.landmarks[0].y + face.landmarks[1].y) / 2 - share * eyes))
        return np.asarray(cv2.copyMakeBorder(pixels[cut:], 0, cut, 0, 0, cv2.BORDER_REPLICATE), np.uint8)

    return change


def leant(degrees: float) -> Change:
    """The picture turned about the middle of the eyes: a head that leans to its side."""

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        x, y = place(face, 0, 0.5)
        turn = cv2.getRotationMatrix2D((x, y), degrees, 1)
        size = (pixels.shape[1], pixels.shape[0])
        return np.asarray(cv2.warpAffine(pixels, turn, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return change


def turned(degrees: float, *, down: bool = False) -> Change:
    """The head turned about its upright axis, or nodding about the one through its ears, as far as one picture allows.

    Pixels are moved as points of a generic head would be: a paraboloid with a nose on it, seen from far away. What
    the head then hides is left out, what comes into view is drawn from what lies beside it.
    """

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        eyes = face.landmarks[1].x - face.landmarks[0].x
        x0, y0 = place(face, 0, 0.5)
        y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
        across, along = (x - x0) / eyes, (y - y0) / eyes
        depth = _depth(across, along)
        angle = np.deg2rad(degrees)
        moved_to = (along if down else across) * np.cos(angle) + depth * np.sin(angle)
        source = _inverse(moved_to.T if down else moved_to, along.T if down else across)
        source = source.T if down else source
        map_x = x if down else source * eyes + x0
        map_y = source * eyes + y0 if down else y
        turned_to = cv2.remap(
            pixels,
            map_x.astype(np.float32),
            map_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(turned_to, np.uint8)

    return change


def _depth(across: NDArray[np.float32], along: NDArray[np.float32]) -> NDArray[np.float32]:
    """Depth towards the camera of a generic head, in eye distances; 0 in the plane of the ears and outside the head."""
    head = 1.4 * np.sqrt(np.maximum(0, 1 - (across / 1.25) ** 2 - (along / 1.75) ** 6))
    nose = 0.42 * np.exp(-((across / 0.2) ** 2) - ((along - 0.12) / 0.28) ** 2)
    return np.asarray(head + np.where(head > 0, nose, 0), np.float32)


def _inverse(places: NDArray[np.float32], origins: NDArray[np.float32]) -> NDArray[np.float64]:
    """Row by row: which origin is seen at each place of the same grid; of points that one hides, the one further on."""
    seen = np.maximum.accumulate(places, axis=1) + np.arange(places.shape[1]) * 1e-6
    return np.stack([np.interp(row, to, row) for row, to in zip(origins, seen, strict=True)])
