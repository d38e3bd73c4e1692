"""A head before a pinhole camera: rays against its surface, light on its skin, and where its landmarks are."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.attacks.anatomy import RELIEF_SIZE, SEMI_AXES, Shape, directions, grid, grow, sample
from tests.attacks.camera import Camera
from tests.attacks.gloss import Sheen
from tests.attacks.layers import Layer, clip_box, planes
from tests.attacks.light import Ambient, Floats, GateDisplay
from tests.attacks.motion import Expression, Pose
from tests.attacks.skin import Paint, paint

SKIN_SHEEN = Sheen(0.028, 18.0)
"""Skin's surface has a refractive index of 1.4."""
_ROUNDS = 5
_BLOCK = 256
"""Rays are worked off in rows of this length, because OpenCV's remap takes pictures, not lists."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One procedural person: geometry, colours, and the colour of their clothes."""

    shape: Shape
    paint: Paint
    cloth: Floats


@lru_cache(maxsize=16)
def make_subject(number: int, tone: int) -> Subject:
    """Person `number`; the same number with another tone has the same face in another skin."""
    rng = np.random.default_rng([7001, number])
    shape = grow(rng)
    cloth = rng.uniform(0.03, 0.5, 3).astype(np.float32)
    return Subject(shape, paint(shape, tone, rng), cloth)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What the rays met, as flat arrays over `n` rays in blocks (n / _BLOCK, _BLOCK).

    box: the window of the frame; picked: (n,) the window's pixels that the rays belong to (the last rays repeat one).
    u, v: where on the head; points: (3, ...) metres; normals: (3, ...) unit; coverage: 0..1.
    """

    box: tuple[int, int, int, int]
    picked: NDArray[np.intp]
    u: Floats
    v: Floats
    points: Floats
    normals: Floats
    coverage: Floats

    def spread(self, values: Floats) -> Floats:
        """`values` of the rays ([3, ]...) as a picture of the window, 0 where there is no ray."""
        height, width = self.box[1] - self.box[0], self.box[3] - self.box[2]
        if values.ndim == 3:
            return np.stack([self.spread(plane) for plane in values])
        picture = np.zeros(height * width, np.float32)
        picture[self.picked] = values.ravel()
        return picture.reshape(height, width)


class Head:
    """A subject with one expression in one pose."""

    def __init__(self, subject: Subject, pose: Pose, expression: Expression) -> None:
        self._subject, self._pose, self._expression = subject, pose, expression
        self._shift = _shift_map(expression)
        u, v = grid(RELIEF_SIZE)
        self._relief = sample(subject.shape.relief, u + self._shift[..., 0], v + self._shift[..., 1])

    def landmarks(self) -> NDArray[np.float64]:
        """(5, 3) metres in the camera's axes: eyes, tip of the nose, corners of the mouth; true, without error."""
        wanted = self._subject.shape.landmarks
        at = wanted.copy()
        for _ in range(6):
            u, v = (at[:, i : i + 1].astype(np.float32) for i in range(2))
            at = wanted - sample(self._shift, u, v)[:, 0].astype(np.float64)
        return self.points(at)

    def points(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) metres in the camera's axes of directions (n, 2)."""
        u, v = (at[:, i : i + 1].astype(np.float32) for i in range(2))
        lengths = 1 + sample(self._relief, u, v)[:, 0].astype(np.float64)
        own = directions(at[:, 0], at[:, 1]) * lengths[:, None] * SEMI_AXES
        return np.asarray(own @ self._pose.rotation.T + self._pose.place, np.float64)

    def trace(self, camera: Camera) -> Surface:
        """Meet the rays of all pixels that may see the head.

        In axes where the bare ellipsoid is the unit sphere, a ray meets the sphere of radius 1 + relief; the relief
        there gives the next radius. The rounds converge where the relief is less steep than the ray.
        """
        box = clip_box(_bounds(self._pose, camera), camera)
        to_own = (self._pose.rotation.T / SEMI_AXES[:, None]).astype(np.float32)
        origin = -to_own @ self._pose.place.astype(np.float32)
        picked, x, y = self._aim(camera, box, to_own, origin)
        ray = [to_own[i, 0] * x + (to_own[i, 1] * y + to_own[i, 2]) for i in range(3)]
        square = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
        along = -(origin[0] * ray[0] + origin[1] * ray[1] + origin[2] * ray[2]) / square
        nearest = float(origin @ origin) - along * along * square
        radius = np.ones_like(square)
        for _ in range(_ROUNDS):
            t = along - np.sqrt(np.maximum(radius * radius - nearest, 0) / square)
            hit = [origin[i] + t * ray[i] for i in range(3)]
            length = np.sqrt(np.maximum(radius * radius, nearest))
            turned = 1 / (length - hit[2])
            u, v = hit[0] * turned, hit[1] * turned
            radius = 1 + sample(self._relief, u, v)
        pixel = np.float32(np.linalg.norm(self._pose.place) / camera.focal_px / 0.095)
        coverage = np.clip((radius - np.sqrt(np.maximum(nearest, 0))) / pixel + 0.5, 0, 1)
        moved = sample(self._shift, u, v)
        u, v = u + moved[..., 0], v + moved[..., 1]
        own = sample(self._subject.shape.normals, u, v)
        normals = planes(np.asarray(cv2.transform(own, self._pose.rotation.astype(np.float32)), np.float32))
        return Surface(box, picked, u, v, np.stack([t * x, t * y, t]), normals, coverage)

    def _aim(
        self, camera: Camera, box: tuple[int, int, int, int], to_own: Floats, origin: Floats
    ) -> tuple[NDArray[np.intp], Floats, Floats]:
        """The window's pixels whose rays come near the head, and the rays' slopes, in blocks."""
        top, bottom, left, right = box
        cx, cy = camera.centre
        x = ((np.arange(left, right) - cx) / camera.focal_px).astype(np.float32)[None, :]
        y = ((np.arange(top, bottom) - cy) / camera.focal_px).astype(np.float32)[:, None]
        ray = [to_own[i, 0] * x + (to_own[i, 1] * y + to_own[i, 2]) for i in range(3)]
        square = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]
        dot = origin[0] * ray[0] + origin[1] * ray[1] + origin[2] * ray[2]
        reach = np.float32(1.02 + float(self._relief.max()))
        picked = np.flatnonzero(float(origin @ origin) - dot * dot / square < reach * reach)
        if len(picked) == 0:
            picked = np.zeros(1, np.intp)
        picked = np.concatenate([picked, np.repeat(picked[-1:], -len(picked) % _BLOCK)])
        row, column = np.divmod(picked.reshape(-1, _BLOCK), right - left)
        return picked, x[0, column], y[row, 0]

    def layer(self, camera: Camera, ambient: Ambient, display: GateDisplay) -> Layer:
        """The head as the camera sees it: matt skin (Lambert) under an oily surface (Blinn and Phong)."""
        s = self.trace(camera)
        shut = np.float32(self._expression.blink)
        albedo = sample(self._subject.paint.open_eyes, s.u, s.v)
        if shut > 0.02:
            albedo = albedo + shut * (sample(self._subject.paint.shut_eyes, s.u, s.v) - albedo)
        albedo = planes(albedo)
        gloss = sample(self._subject.paint.gloss, s.u, s.v)
        lit = ambient.irradiance(s.normals, sample(self._subject.shape.openness, s.u, s.v))
        form = display.form_factor(s.points, s.normals) * np.float32(display.share * ambient.lux)
        shine_display = gloss * form * SKIN_SHEEN.from_display(display, s.points, s.normals)
        direct = np.float32(ambient.lux * (1 - ambient.diffuse)) * ambient.cosine(s.normals)
        shine_ambient = gloss * direct * SKIN_SHEEN.from_lamp(ambient, s.points, s.normals)
        shine_ambient += np.float32(SKIN_SHEEN.fresnel / 2) * lit
        by_ambient = (albedo * lit + shine_ambient) * (ambient.colour[:, None, None] * s.coverage)
        by_display = (albedo * form + shine_display) * s.coverage
        return Layer(s.box, s.spread(s.coverage), s.spread(by_ambient), s.spread(by_display))


def _bounds(pose: Pose, camera: Camera) -> tuple[float, float, float, float]:
    """Top, bottom, left and right of the ellipsoid with room for the relief, projected as if all of it were near."""
    middle = camera.project(pose.place[None])[0]
    half = 1.1 * np.sqrt(((pose.rotation[:2] * SEMI_AXES) ** 2).sum(axis=1)) + 0.004
    wide, tall = camera.focal_px * half / max(pose.place[2] - 0.04, 0.05)
    return middle[1] - tall, middle[1] + tall, middle[0] - wide, middle[0] + wide


@lru_cache(maxsize=1)
def _moves() -> Floats:
    """(4, rows, columns, 2): by how much a full smile, open jaw and raised brow move the skin, in u and v."""
    u, v = grid(RELIEF_SIZE)
    eye, mouth, jaw, brow = 0.22, 0.315, 0.42, -0.10
    corners = np.exp(-(((np.abs(u) - 0.18) / 0.10) ** 2) - ((v - mouth) / 0.07) ** 2)
    smile = np.stack([0.040 * np.sign(u) * corners, -0.028 * corners], axis=-1)
    below = np.clip((v - mouth) / 0.05, 0, 1) * np.exp(-((u / 0.30) ** 2)) * np.clip((0.9 - v) / 0.2, 0, 1)
    opened = np.stack([np.zeros_like(u), 0.05 * below * np.exp(-(((v - jaw) / 0.30) ** 2))], axis=-1)
    above = np.exp(-(((np.abs(u) - eye * 0.8) / 0.16) ** 2) - ((v - brow) / 0.08) ** 2)
    raised = np.stack([np.zeros_like(u), -0.022 * above], axis=-1)
    return np.stack([smile, opened, raised]).astype(np.float32)


def _shift_map(expression: Expression) -> Floats:
    """(rows, columns, 2): what to add to a place's u and v to find which skin has moved there."""
    weights = np.array([expression.smile, expression.jaw, expression.brows], np.float32)
    moves = _moves()
    return np.asarray((-weights @ moves.reshape(3, -1)).reshape(moves.shape[1:]), np.float32)
