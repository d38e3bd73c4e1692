"""What shows a picture instead of a face: paper that reflects, screens that emit and mirror. Flat or bent."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.attacks.camera import Camera
from tests.attacks.gloss import Sheen, mirror
from tests.attacks.layers import Layer, clip_box, planes
from tests.attacks.light import Ambient, Floats, GateDisplay
from tests.attacks.motion import Pose

PAPER_SHEEN = Sheen(0.04, 10.0)
_PAPER_BLACK, _PAPER_WHITE = 0.035, 0.85
GLASS = 0.04
"""Reflectance of a screen's bare glass."""
_SCREEN_MATT = 0.012
"""Albedo of a dark screen: what its pixels and glue scatter."""
_SCREEN_WHITE = np.array([0.96, 1.0, 1.06], np.float32)[:, None, None]
"""A screen's white is a little bluer than sRGB's."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture to be shown. linear: (rows, columns, 3) light 0..1; cut: (rows, columns) 0..1, 1 where the person is;
    landmarks: (5, 2) true places in texels; texel: metres of one texel at the person's own size.
    """

    linear: Floats
    cut: Floats
    landmarks: NDArray[np.float64]
    texel: float


@dataclass(frozen=True, slots=True)
class Carrier:
    """A sheet or a screen. width, height: of the part that shows the picture or belongs to it; border: around it, in
    metres; scale: of the picture over its own size. nits: a screen's greatest luminance, 0 for paper.
    """

    width: float
    height: float
    border: float
    scale: float
    nits: float = 0.0
    cut_out: bool = False
    gloss: float = 0.4


PAPER = Carrier(0.210, 0.285, 0.006, 1.0)
CUT_OUT = Carrier(0.216, 0.288, 0.0, 1.0, cut_out=True)
PHONE = Carrier(0.068, 0.146, 0.004, 0.31, nits=500.0)
TABLET = Carrier(0.160, 0.214, 0.010, 0.74, nits=400.0)
MONITOR = Carrier(0.530, 0.298, 0.012, 1.0, nits=250.0)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A carrier in a pose. curvature: 1 / radius in 1/metre about the upright axis, above 0 bent around a face. glass:
    a screen's reflectance, 0..1.
    """

    carrier: Carrier
    pose: Pose
    curvature: float = 0.0
    glass: float = GLASS

    def landmarks(self, picture: Picture) -> NDArray[np.float64]:
        """(5, 3) metres in the camera's axes of the shown landmarks."""
        rows, columns = picture.linear.shape[:2]
        flat = (picture.landmarks - ((columns - 1) / 2, (rows - 1) / 2)) * picture.texel * self.carrier.scale
        return self.points(flat)

    def points(self, flat: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) metres in the camera's axes of places (n, 2) on the sheet, along and down it."""
        k = self.curvature
        x = np.sin(k * flat[:, 0]) / k if k else flat[:, 0]
        z = (1 - np.cos(k * flat[:, 0])) / k if k else np.zeros(len(flat))
        own = np.stack([x, flat[:, 1], z], axis=1)
        return np.asarray(own @ self.pose.rotation.T + self.pose.place, np.float64)

    def layer(self, picture: Picture, camera: Camera, ambient: Ambient, display: GateDisplay) -> Layer:
        """The carrier as the camera sees it."""
        box, x, y = self._aim(camera)
        along, down, points, normals, edge = self._meet(x, y, camera)
        rows, columns = picture.linear.shape[:2]
        step = picture.texel * self.carrier.scale
        at = (along / step + (columns - 1) / 2, down / step + (rows - 1) / 2)
        shown = planes(np.asarray(cv2.remap(picture.linear, *at, cv2.INTER_LINEAR), np.float32))
        if self.carrier.cut_out:
            edge = edge * cv2.remap(picture.cut, *at, cv2.INTER_LINEAR)
        inner = _soft(along, self.carrier.width, step) * _soft(down, self.carrier.height, step)
        draw = self._screen if self.carrier.nits else self._paper
        ambient_part, display_part, emitted = draw(shown, inner, points, normals, ambient, display)
        emitted_part = None if emitted is None else emitted * edge
        return Layer(box, edge, ambient_part * edge, display_part * edge, emitted_part)

    def _paper(
        self, shown: Floats, inner: Floats, points: Floats, normals: Floats, ambient: Ambient, display: GateDisplay
    ) -> tuple[Floats, Floats, Floats | None]:
        """Ink on paper: an albedo under the room's light, and a weak sheen."""
        albedo = np.float32(_PAPER_WHITE) - (np.float32(_PAPER_WHITE - _PAPER_BLACK) * (1 - shown)) * inner
        lit = ambient.irradiance(normals)
        form = display.form_factor(points, normals) * np.float32(display.share * ambient.lux)
        gloss = np.float32(self.carrier.gloss)
        direct = np.float32(ambient.lux * (1 - ambient.diffuse)) * ambient.cosine(normals)
        shine_ambient = gloss * direct * PAPER_SHEEN.from_lamp(ambient, points, normals)
        shine_display = gloss * form * PAPER_SHEEN.from_display(display, points, normals)
        by_ambient = (albedo * lit + shine_ambient) * ambient.colour[:, None, None]
        return by_ambient, albedo * form + shine_display, None

    def _screen(
        self, shown: Floats, inner: Floats, points: Floats, normals: Floats, ambient: Ambient, display: GateDisplay
    ) -> tuple[Floats, Floats, Floats | None]:
        """Pixels that emit, set as bright as the room where the screen can, behind glass that mirrors."""
        white = np.float32(min(math.pi * self.carrier.nits, 1.15 * ambient.lux))
        emitted = shown * (inner * white * _SCREEN_WHITE)
        part, downward = mirror(display, points, normals)
        lit = np.float32(_SCREEN_MATT) * ambient.irradiance(normals)
        room = np.float32(self.glass * 0.35 * ambient.lux) * (1 - np.float32(0.5) * downward)
        form = display.form_factor(points, normals) * np.float32(_SCREEN_MATT * display.share * ambient.lux)
        glare = part * np.float32(self.glass * display.luminance(ambient.lux))
        return (lit + room) * ambient.colour[:, None, None], np.stack([form + glare] * 3), emitted

    def _aim(self, camera: Camera) -> tuple[tuple[int, int, int, int], Floats, Floats]:
        half = np.array([self.carrier.width, self.carrier.height]) / 2 + self.carrier.border
        across = np.linspace(-1, 1, 9) * half[0]
        edges = self.points(np.array([(x, y) for x in across for y in (-half[1], half[1])]))
        edges[:, 2] = np.maximum(edges[:, 2], 0.02)
        pixels = camera.project(edges)
        low, high = pixels.min(axis=0) - 2, pixels.max(axis=0) + 2
        box = clip_box((low[1], high[1], low[0], high[0]), camera)
        cx, cy = camera.centre
        x = ((np.arange(box[2], box[3]) - cx) / camera.focal_px).astype(np.float32)[None, :]
        y = ((np.arange(box[0], box[1]) - cy) / camera.focal_px).astype(np.float32)[:, None]
        return box, x, y

    def _meet(self, x: Floats, y: Floats, camera: Camera) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Where rays (x, y, 1) meet the sheet: along and down it in metres, points, normals (3, h, w), coverage.

        In the sheet's own axes it is part of the cylinder k (x^2 + z^2) = 2 z, for k = 0 of the plane z = 0.
        """
        turn = self.pose.rotation.T.astype(np.float32)
        k = np.float32(self.curvature)
        start = (-self.pose.rotation.T @ self.pose.place).astype(np.float32)
        ray = [turn[i, 0] * x + (turn[i, 1] * y + turn[i, 2]) for i in range(3)]
        a = k * (ray[0] * ray[0] + ray[2] * ray[2])
        b = k * (start[0] * ray[0] + start[2] * ray[2]) - ray[2]
        c = k * (start[0] * start[0] + start[2] * start[2]) - 2 * start[2]
        root = b * b - a * c
        t = c / (-b + np.sqrt(np.maximum(root, 0)))
        own = [start[i] + t * ray[i] for i in range(3)]
        along = np.arcsin(np.clip(k * own[0], -1, 1)) / k if k else own[0]
        zero = np.zeros_like(t)
        normal = np.stack([k * own[0], zero, k * own[2] - 1])
        normals = np.tensordot(self.pose.rotation.astype(np.float32), normal, axes=1)
        pixel = float(self.pose.place[2]) / camera.focal_px
        border = 2 * self.carrier.border
        edge = _soft(along, self.carrier.width + border, pixel) * _soft(own[1], self.carrier.height + border, pixel)
        edge = edge * (root > 0)
        return along, own[1], np.stack([t * x, t * y, t]), normals, edge


def _soft(place: Floats, size: float, soft: float) -> Floats:
    """1 inside -size/2..size/2, 0 outside, over `soft` metres in between."""
    return np.asarray(np.clip((size / 2 - np.abs(place)) / np.float32(soft) + 0.5, 0, 1), np.float32)
