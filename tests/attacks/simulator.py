"""Render presentations to a simulated gate: frames as its camera gives them, with true places of the landmarks.

Nothing here knows how a detector works, and nothing of the rooms of openstile is imported: whatever a detector finds in
these frames, it finds by the physics that docs/attack-simulator.md describes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.attacks.body import body_layers, glasses_layers
from tests.attacks.camera import Camera, Settings, develop, expose, eye_box, meter
from tests.attacks.carriers import CUT_OUT, MONITOR, PAPER, PHONE, TABLET, Carrier, Held, Picture
from tests.attacks.head import Head, make_subject
from tests.attacks.layers import Layer, lay, planes
from tests.attacks.light import (
    FRAME_RATE,
    Ambient,
    Floats,
    GateDisplay,
    RowLight,
    decode_srgb,
    even_light,
    light_rows,
    through_codes,
)
from tests.attacks.motion import Face, Motion, MotionKind, Mover
from tests.attacks.scene import Plan, Scene, Screen, Species, check_plan, plan_of_light

_CARRIERS = {
    Species.FLAT_PRINT: PAPER,
    Species.BENT_PRINT: PAPER,
    Species.FLEXING_PRINT: PAPER,
    Species.BORDERLESS_PRINT: CUT_OUT,
    Species.PHONE: PHONE,
    Species.TABLET: TABLET,
    Species.MONITOR: MONITOR,
}
_SCREENS = {Screen.PHONE: PHONE, Screen.TABLET: TABLET, Screen.MONITOR: MONITOR}
_PHOTOGRAPH = Camera(width=360, height=480, focal_px=900.0)
_VIDEO = Camera(width=288, height=384, focal_px=720.0)
_RECORDED_AT = 0.54
"""Metres from the recorded head to the attacker's camera: a pixel is 0.6 mm of face in a photograph, 0.75 in a video.
"""
_CARRIER_NEAREST = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame.

    pixels: (480, 640, 3) uint8 BGR. landmarks: (5, 2) true places in pixels: the eye at the left of the picture, the
    other eye, tip of the nose, the corner of the mouth at the left, the other. box: left, top, width, height of the
    face. time_s: since the first frame. colour: sRGB that the gate's display was told to show.
    """

    pixels: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    box: tuple[float, float, float, float]
    time_s: float
    colour: tuple[int, int, int]


def render(scene: Scene, plan: Plan) -> Iterator[Shot]:
    """The frames of `scene` at 25 a second, one for each colour of `plan` ((frames, 3) uint8 sRGB).

    The same scene and plan give the same pixels on one machine.
    """
    plan = check_plan(plan)
    stage = _Stage(scene, plan)
    noise = np.random.default_rng([scene.seed, 1])
    settings: Settings | None = None
    for index in range(len(plan)):
        layers, points = stage.set(index)
        landmarks = scene.camera.project(points)
        if settings is None:
            settings = _settle(scene, stage.backdrop, layers, landmarks, plan)
        picture = _compose(scene, stage.backdrop, layers, stage.rows(index, settings.exposure_s))
        pixels = develop(scene.camera, settings, expose(scene.camera, settings, picture, noise))
        colour = (int(plan[index, 0]), int(plan[index, 1]), int(plan[index, 2]))
        yield Shot(pixels, landmarks, face_box(landmarks), index / FRAME_RATE, colour)


def face_box(landmarks: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, top, width, height of a face with these landmarks, as CenterFace draws it on such heads."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    size = max(float(np.linalg.norm(landmarks[1] - landmarks[0])), 0.95 * float(np.linalg.norm(mouth - eyes)))
    width, height = 2.0 * size, 2.72 * size
    middle = (eyes + mouth) / 2
    return float(middle[0] - width / 2), float(middle[1] - 0.2 * size - height / 2), width, height


class _Stage:
    """Where everything is at each frame of a scene."""

    def __init__(self, scene: Scene, plan: Plan) -> None:
        self._scene, self._plan = scene, plan
        self._light = plan_of_light(scene, plan)
        self._subject = make_subject(scene.subject, scene.tone)
        clip_s = (len(plan) - 1) / FRAME_RATE
        replay, present = scene.species.is_replay, scene.species is Species.LIVE
        self._injected = replay and scene.screen is Screen.INJECTED
        self._face = Face(_rng(scene, 2), clip_s=clip_s, liveliness=scene.liveliness)
        self._head_mover = Mover(
            _recorded_motion(scene) if not present else scene.motion, _rng(scene, 3), clip_s=clip_s
        )
        if self._injected:
            self._head_mover = Mover(scene.motion, _rng(scene, 3), clip_s=clip_s)
        self._carrier = _SCREENS.get(scene.screen, TABLET) if replay else _CARRIERS.get(scene.species, PAPER)
        held = self._carrier is not MONITOR
        motion = _scaled(scene.carrier_motion if replay else scene.motion, self._carrier)
        self._carrier_mover = Mover(motion, _rng(scene, 4), clip_s=clip_s, hand_held=held)
        self._flex = _rng(scene, 5).uniform(0, 1, 2)
        self._photograph: Picture | None = None
        self.backdrop = _make_backdrop(scene)

    def rows(self, index: int, exposure_s: float) -> RowLight:
        """The light on the rows of frame `index`; an injected replay brings its own."""
        scene = self._scene
        plan = self._light if self._injected else self._plan
        camera = scene.camera
        return light_rows(
            scene.ambient,
            scene.display,
            plan,
            index,
            rows=camera.height,
            readout_s=camera.readout_s,
            exposure_s=exposure_s,
        )

    def set(self, index: int) -> tuple[list[Layer], NDArray[np.float64]]:
        """Layers from back to front, and the landmarks (5, 3) in metres in the camera's axes."""
        time_s, scene = index / FRAME_RATE, self._scene
        if scene.species is Species.LIVE or self._injected:
            return self._person(time_s, scene.camera, scene.ambient, scene.display)
        pose = self._carrier_mover.pose(time_s)
        held = Held(self._carrier, pose, self._curvature(time_s), scene.glass)
        picture = self._picture(index)
        layers = [held.layer(picture, scene.camera, scene.ambient, scene.display)]
        if self._carrier.cut_out:
            place = np.asarray(pose.place + np.array([0, 0, 0.03]), np.float64)
            layers = body_layers(self._subject, place, scene.camera, scene.ambient, scene.display) + layers
        return layers, held.landmarks(picture)

    def _person(
        self, time_s: float, camera: Camera, ambient: Ambient, display: GateDisplay
    ) -> tuple[list[Layer], NDArray[np.float64]]:
        pose = self._head_mover.pose(time_s)
        head = Head(self._subject, pose, self._face.expression(time_s))
        layers = body_layers(self._subject, pose.place, camera, ambient, display)
        layers.append(head.layer(camera, ambient, display))
        if self._scene.glasses:
            layers += glasses_layers(pose, camera, ambient, display)
        return layers, head.landmarks()

    def _curvature(self, time_s: float) -> float:
        if self._scene.species is Species.BENT_PRINT:
            return self._scene.curvature
        if self._scene.species is Species.FLEXING_PRINT:
            turns = self._flex[0] + (0.8 + 0.6 * self._flex[1]) * time_s
            return float(self._scene.curvature * np.sin(2 * np.pi * turns))
        return 0.0

    def _picture(self, index: int) -> Picture:
        if self._photograph is not None:
            return self._photograph
        if self._scene.species.is_replay:
            return self._record(index / FRAME_RATE, self._light[index])
        self._photograph = self._record(0.0, np.zeros(3, np.uint8))
        return self._photograph

    def _record(self, time_s: float, colour: NDArray[np.uint8]) -> Picture:
        """What the attacker's camera took: in soft white light, lit by a display of this colour, eight bits deep."""
        scene = self._scene
        camera = _VIDEO if scene.species.is_replay else _PHOTOGRAPH
        ambient = Ambient(lux=scene.ambient.lux, kelvin=6500.0, diffuse=0.7)
        layers, points = self._person(time_s, camera, ambient, scene.display)
        wall = np.array([0.42, 0.44, 0.45], np.float32) * np.float32(0.8 * ambient.lux)
        picture = np.broadcast_to(wall[:, None, None], (3, camera.height, camera.width)).copy()
        cut = np.zeros((camera.height, camera.width), np.float32)
        rows = even_light(decode_srgb(colour), camera.height)
        for layer in layers:
            lay(picture, layer, rows)
            top, bottom, left, right = layer.box
            window = cut[top:bottom, left:right]
            np.maximum(window, layer.coverage, out=window)
        blurred = cv2.GaussianBlur(cv2.merge(list(picture)), (0, 0), 0.7)
        seen = through_codes(np.asarray(blurred, np.float32) / np.float32(1.1 * ambient.lux))
        return Picture(seen, cut, camera.project(points), _RECORDED_AT / camera.focal_px)


def _rng(scene: Scene, stream: int) -> np.random.Generator:
    return np.random.default_rng([scene.seed, stream])


def _recorded_motion(scene: Scene) -> Motion:
    """A recorded head moves as it would at the gate, but before the recorder."""
    if scene.species.is_replay:
        return replace(scene.motion, distance=_RECORDED_AT, side=0.0, height=0.0)
    return Motion(MotionKind.STILL, distance=_RECORDED_AT)


def _scaled(motion: Motion, carrier: Carrier) -> Motion:
    """A small picture is held nearer, so that its face is as large, up to where a hand still fits."""
    distance = max(motion.distance * carrier.scale, _CARRIER_NEAREST)
    amount = motion.amount * (carrier.scale if motion.kind is MotionKind.APPROACH else 1.0)
    return replace(motion, distance=distance, amount=amount)


def _make_backdrop(scene: Scene) -> Layer:
    """A room out of focus, some metres behind."""
    camera, rng = scene.camera, _rng(scene, 6)
    height, width = camera.height, camera.width
    albedo = np.ones((height, width, 3), np.float32) * rng.uniform(0.25, 0.6, 3).astype(np.float32).mean()
    for _ in range(12):
        left, top = int(rng.integers(-80, width)), int(rng.integers(-80, height))
        size = rng.integers(30, 260, 2)
        colour = rng.uniform(0.05, 0.7) * rng.uniform(0.8, 1.2, 3)
        cv2.rectangle(albedo, (left, top), (left + int(size[0]), top + int(size[1])), [float(c) for c in colour], -1)
    albedo = planes(np.asarray(cv2.GaussianBlur(albedo, (0, 0), 4.0), np.float32))
    lit = (scene.ambient.colour * np.float32(scene.ambient.lux * rng.uniform(0.4, 1.0)))[:, None, None]
    far = np.float32(scene.display.share * scene.ambient.lux * 0.04)
    everywhere = np.ones((height, width), np.float32)
    return Layer((0, height, 0, width), everywhere, albedo * lit, albedo * far)


def _compose(scene: Scene, backdrop: Layer, layers: list[Layer], rows: RowLight) -> Floats:
    picture = backdrop.light(rows)
    for layer in layers:
        lay(picture, layer, rows)
    return picture


def _settle(scene: Scene, backdrop: Layer, layers: list[Layer], landmarks: NDArray[np.float64], plan: Plan) -> Settings:
    """Exposure and white balance, found before the clip under the mean of the plan's light, and then held."""
    mean = decode_srgb(plan).mean(axis=0).astype(np.float32)
    picture = _compose(scene, backdrop, layers, even_light(mean, scene.camera.height))
    return meter(scene.camera, picture, eye_box(landmarks, scene.camera), scene.ambient.kelvin)
