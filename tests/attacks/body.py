"""Neck, shoulders and glasses: flat or nearly flat shapes that go with a head."""

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.attacks.camera import Camera
from tests.attacks.gloss import mirror
from tests.attacks.head import Subject
from tests.attacks.layers import Layer, clip_box
from tests.attacks.light import Ambient, Floats, GateDisplay
from tests.attacks.motion import Pose

_NECK = [(-0.052, 0.060), (0.052, 0.060), (0.058, 0.150), (-0.058, 0.150)]
_SHOULDERS = [
    *((-0.058, 0.128), (0.0, 0.150), (0.058, 0.128), (0.105, 0.145), (0.175, 0.165), (0.215, 0.21), (0.235, 0.32)),
    *((0.24, 0.80), (-0.24, 0.80), (-0.235, 0.32), (-0.215, 0.21), (-0.175, 0.165), (-0.105, 0.145)),
]
_BEHIND = 0.02
"""Metres from the middle of the head back to the neck."""
_LENS_RADII = (0.024, 0.019)
_LENS_RADIUS = 0.10
_GLASS = 0.08
"""Reflectance of a lens without coating: two surfaces of 0.04."""


def body_layers(
    subject: Subject, place: NDArray[np.float64], camera: Camera, ambient: Ambient, display: GateDisplay
) -> list[Layer]:
    """Neck and clothes of a person whose head's middle is at `place`; they do not turn with the head."""
    shapes = ((_NECK, subject.paint.skin * np.float32(0.62)), (_SHOULDERS, subject.cloth))
    return [_flat(outline, colour, place, camera, ambient, display) for outline, colour in shapes]


def _flat(
    outline: list[tuple[float, float]],
    colour: Floats,
    place: NDArray[np.float64],
    camera: Camera,
    ambient: Ambient,
    display: GateDisplay,
) -> Layer:
    corners = np.array([(x, y, _BEHIND) for x, y in outline]) + place
    pixels = camera.project(corners)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    box = clip_box((low[1], high[1], low[0], high[0]), camera)
    mask = np.zeros((box[1] - box[0], box[3] - box[2]), np.uint8)
    shifted = np.rint((pixels - (box[2], box[0])) * 16).astype(np.int32)
    cv2.fillPoly(mask, [shifted], 255, cv2.LINE_AA, 4)
    coverage = np.asarray(mask, np.float32) / np.float32(255)
    middle = np.clip(corners.mean(axis=0), None, (1, place[1] + 0.2, 9)).astype(np.float32)[:, None]
    towards = np.array([[0], [-0.2], [-0.98]], np.float32)
    lit = ambient.irradiance(towards)[0]
    form = display.form_factor(middle, towards)[0] * display.share * ambient.lux
    flat = coverage * colour[:, None, None]
    return Layer(box, coverage, coverage * (colour * lit * ambient.colour)[:, None, None], flat * np.float32(form))


def glasses_layers(pose: Pose, camera: Camera, ambient: Ambient, display: GateDisplay) -> list[Layer]:
    """Dark rims, bridge and temples, and lenses that mirror the display where their curve sends it to the camera."""
    return [
        *(_lens(side, pose, camera, ambient, display) for side in (-1, 1)),
        _rims(pose, camera, ambient, display),
    ]


def _lens(side: int, pose: Pose, camera: Camera, ambient: Ambient, display: GateDisplay) -> Layer:
    middle = np.array([side * 0.0325, 0.004, -0.104])
    centre = camera.project((pose.rotation @ middle + pose.place)[None])[0]
    size = 1.15 * camera.focal_px * np.array(_LENS_RADII) / (pose.place[2] - 0.11)
    box = clip_box((centre[1] - size[1], centre[1] + size[1], centre[0] - size[0], centre[0] + size[0]), camera)
    cx, cy = camera.centre
    y, x = np.mgrid[box[0] : box[1], box[2] : box[3]].astype(np.float32)
    ray = np.stack([(x - cx) / camera.focal_px, (y - cy) / camera.focal_px, np.ones_like(x)]).astype(np.float64)
    plane = pose.rotation[:, 2]
    steps = plane @ (pose.rotation @ middle + pose.place) / np.tensordot(plane, ray, axes=1)
    points = ray * steps
    own = np.tensordot(pose.rotation.T, points - pose.place[:, None, None], axes=1) - middle[:, None, None]
    normals = np.stack([own[0] / _LENS_RADIUS, own[1] / _LENS_RADIUS, -np.ones_like(own[0])])
    normals = np.tensordot(pose.rotation, normals / np.linalg.norm(normals, axis=0), axes=1).astype(np.float32)
    inside = np.hypot(own[0] / _LENS_RADII[0], own[1] / _LENS_RADII[1]) < 1
    part, down = mirror(display, points.astype(np.float32), normals)
    glass = (inside * np.float32(_GLASS)).astype(np.float32)
    room = (0.35 * ambient.lux * (1 - 0.5 * down) * glass).astype(np.float32)
    seen = (part * glass * np.float32(display.luminance(ambient.lux))).astype(np.float32)
    return Layer(box, glass, room * ambient.colour[:, None, None], np.stack([seen] * 3))


def _rims(pose: Pose, camera: Camera, ambient: Ambient, display: GateDisplay) -> Layer:
    turn = np.linspace(0, 2 * np.pi, 40)
    lines = [[(s * 0.0325 + 0.024 * np.cos(a), 0.004 + 0.019 * np.sin(a), -0.104) for a in turn] for s in (-1, 1)]
    lines.append([(-0.0095, -0.001, -0.104), (0.0, -0.003, -0.105), (0.0095, -0.001, -0.104)])
    lines += [[(s * 0.0560, -0.002, -0.103), (s * 0.070, -0.003, -0.092), (s * 0.078, -0.002, -0.04)] for s in (-1, 1)]
    drawn = [camera.project(np.array(line) @ pose.rotation.T + pose.place) for line in lines]
    points = np.concatenate(drawn)
    low, high = points.min(axis=0) - 4, points.max(axis=0) + 4
    box = clip_box((low[1], high[1], low[0], high[0]), camera)
    mask = np.zeros((box[1] - box[0], box[3] - box[2]), np.uint8)
    thick = max(1, round(0.0026 * camera.focal_px / (pose.place[2] - 0.1)))
    for line in drawn:
        cv2.polylines(
            mask, [np.rint((line - (box[2], box[0])) * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4
        )
    coverage = np.asarray(mask, np.float32) / np.float32(255)
    front = (pose.rotation @ np.array([0, 0, -0.104]) + pose.place).astype(np.float32)[:, None]
    towards = np.asarray(-pose.rotation[:, 2:], np.float32)
    albedo = np.float32(0.04) * coverage
    form = display.form_factor(front, towards)[0] * display.share * ambient.lux
    lit = ambient.irradiance(towards)[0] * ambient.colour
    return Layer(box, coverage, albedo * lit[:, None, None], np.stack([albedo * np.float32(form)] * 3))
