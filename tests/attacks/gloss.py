"""Light thrown back by surfaces without entering: the sheen of skin and paper, the mirror of glass."""

from dataclasses import dataclass

import cv2
import numpy as np
from tests.attacks.light import Ambient, Floats, GateDisplay


@dataclass(frozen=True, slots=True)
class Sheen:
    """A rough surface: fresnel: reflectance at normal incidence, 0..1; shininess: exponent of the lobe."""

    fresnel: float
    shininess: float

    def from_display(self, display: GateDisplay, points: Floats, normals: Floats) -> Floats:
        """Light sent to the camera (at the origin) over illuminance by the display, at points (3, ...) in metres."""
        middle = np.array([display.centre_x, display.centre_y, 0], np.float32).reshape(3, *[1] * (points.ndim - 1))
        source = middle - points
        return self._lobe(normals, source / length(source), -points / length(points))

    def from_lamp(self, ambient: Ambient, points: Floats, normals: Floats) -> Floats:
        """The same for illuminance by the lamp."""
        lamp = np.broadcast_to(ambient.lamp.reshape(3, *[1] * (points.ndim - 1)), points.shape)
        return self._lobe(normals, lamp, -points / length(points))

    def _lobe(self, normals: Floats, source: Floats, view: Floats) -> Floats:
        """Radiance times pi per illuminance: a normalised Blinn-Phong lobe, (m + 8) / 8, with Schlick's Fresnel."""
        half = source + view
        size = np.maximum(length(half), np.float32(1e-6))
        across = np.maximum(dot(half, normals) / size, np.float32(1e-6))
        away = 1 - np.clip(dot(half, view) / size, 0, 1)
        fresnel = np.float32(self.fresnel) + np.float32(1 - self.fresnel) * (away * away) ** 2 * away
        lobe = np.float32((self.shininess + 8) / 8) * fresnel * cv2.pow(across, self.shininess).reshape(across.shape)
        return np.asarray(lobe, np.float32)


def mirror(display: GateDisplay, points: Floats, normals: Floats, haze: float = 0.006) -> tuple[Floats, Floats]:
    """What a smooth surface at points (3, ...) shows the camera: the part of the display, 0..1, soft over `haze`
    metres, and how far down the reflected ray goes, -1..1.
    """
    ray = points / length(points)
    back = ray - 2 * dot(ray, normals) * normals
    steps = points[2] / np.maximum(-back[2], np.float32(1e-3))
    x, y = points[0] + steps * back[0] - display.centre_x, points[1] + steps * back[1] - display.centre_y
    inside = np.minimum(display.width / 2 - np.abs(x), display.height / 2 - np.abs(y))
    part = np.clip(0.5 + inside / np.float32(2 * haze), 0, 1) * (back[2] < 0)
    return np.asarray(part, np.float32), np.asarray(back[1], np.float32)


def length(vectors: Floats) -> Floats:
    """Of vectors (3, ...)."""
    return np.asarray(np.sqrt(dot(vectors, vectors)), np.float32)


def dot(a: Floats, b: Floats) -> Floats:
    """Of vectors (3, ...), one by one."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], np.float32)
