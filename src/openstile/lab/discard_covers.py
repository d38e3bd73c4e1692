"""Simulated covers of a face, for `discard_conditions`: bars, glasses, masks, a scarf, a hand, lids painted shut."""

from collections.abc import Callable

import cv2
import numpy as np

from openstile.face.located import LocatedFace
from openstile.lab.discard_changes import SEED, Change, Pixels, place

Polygon = list[tuple[float, float]]
Colour = tuple[int, int, int]


def painted(shape: Callable[[LocatedFace], list[Polygon]], colour: Colour) -> Change:
    """Polygons of one colour (BGR) over the face, corners given in eye distances from the middle of the eyes."""

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        covered = pixels.copy()
        for polygon in shape(face):
            corners = np.rint([place(face, x, y) for x, y in polygon]).astype(np.int32)
            cv2.fillPoly(covered, [corners], colour, lineType=cv2.LINE_AA)
        return covered

    return change


def bar(top: float, bottom: float, left: float = -1.1, right: float = 1.1) -> Callable[[LocatedFace], list[Polygon]]:
    """An upright bar, in eye distances from the middle of the eyes."""
    return lambda face: [[(left, top), (right, top), (right, bottom), (left, bottom)]]


def mask_like(face: LocatedFace) -> list[Polygon]:
    """The outline of a mask over nose, mouth and chin."""
    return [
        [
            (0, 0.28),
            (0.55, 0.5),
            (0.95, 0.55),
            (0.85, 1.3),
            (0.45, 1.85),
            (-0.45, 1.85),
            (-0.85, 1.3),
            (-0.95, 0.55),
            (-0.55, 0.5),
        ]
    ]


def glasses_like(face: LocatedFace) -> list[Polygon]:
    """Two dark lenses and a bridge."""
    lens = [(0.37, 0.0), (0.24, 0.26), (0.0, 0.34), (-0.26, 0.24), (-0.36, 0.0), (-0.3, -0.2), (0.3, -0.2)]
    one, other = ([(x + 0.5 * side, y) for x, y in lens] for side in (-1, 1))
    return [one, other, [(-0.2, -0.12), (0.2, -0.12), (0.2, -0.04), (-0.2, -0.04)]]


def pleated(colour: Colour) -> Change:
    """A mask of `colour` with folds, shading to its sides and a bridge over the nose: less plain than `painted`."""
    plain = painted(mask_like, colour)

    def change(pixels: Pixels, face: LocatedFace) -> Pixels:
        covered = plain(pixels, face).astype(np.float32)
        worn = np.any(covered != pixels, axis=2, keepdims=True)
        eyes = face.landmarks[1].x - face.landmarks[0].x
        x0, y0 = place(face, 0, 0)
        y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
        across, along = (x - x0) / eyes, (y - y0) / eyes
        light = (1 - 0.3 * across**2) * (1 + 0.12 * np.tanh(6 * np.sin(2 * np.pi * along / 0.3)))
        noise = 1 + 0.02 * np.random.default_rng(SEED).normal(size=across.shape)
        return np.where(worn, np.clip(covered * (light * noise)[:, :, None], 0, 255), pixels).astype(np.uint8)

    return change


def scarf(pixels: Pixels, face: LocatedFace) -> Pixels:
    """A knitted scarf in two colours over nose, mouth and chin."""
    covered = painted(mask_like, (60, 40, 140))(pixels, face)
    worn = np.any(covered != pixels, axis=2)
    eyes = face.landmarks[1].x - face.landmarks[0].x
    x0, y0 = place(face, 0, 0)
    y, x = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]]
    checks = np.sin(2 * np.pi * (x - x0) / (0.3 * eyes)) * np.sin(2 * np.pi * (y - y0) / (0.3 * eyes)) > 0
    covered[worn & checks] = (150, 150, 160)
    return covered


def hand(pixels: Pixels, face: LocatedFace) -> Pixels:
    """Four fingers of the face's own colour before the mouth."""
    x, y = (round(value) for value in place(face, 0, 0.5))
    eyes = round(face.landmarks[1].x - face.landmarks[0].x)
    cheek = pixels[y : y + eyes // 4, x - eyes // 2 : x - eyes // 4].reshape(-1, 3).mean(axis=0)
    covered = pixels.copy()
    for finger in range(4):
        start, end = place(face, -0.9, 0.75 + 0.2 * finger), place(face, 0.6, 0.7 + 0.2 * finger)
        points = [(round(px), round(py)) for px, py in (start, end)]
        width = max(2, round(0.19 * eyes))
        cv2.line(covered, points[0], points[1], tuple(int(v) for v in 0.55 * cheek), width + 2, cv2.LINE_AA)
        cv2.line(covered, points[0], points[1], tuple(int(v) for v in cheek), width - 1, cv2.LINE_AA)
    return covered


def lids_shut(pixels: Pixels, face: LocatedFace) -> Pixels:
    """The skin between brow and eye drawn down over each eye, with a dark line for the lashes: a crude closed eye."""
    closed = pixels.copy()
    eyes = abs(complex(face.landmarks[1].x - face.landmarks[0].x, face.landmarks[1].y - face.landmarks[0].y))
    half, high = max(3, round(0.3 * eyes)), max(2, round(0.11 * eyes))
    for eye in face.landmarks[:2]:
        x, y = round(eye.x), round(eye.y)
        if y - 3 * high < 0 or y + high >= pixels.shape[0] or x < half or x + half >= pixels.shape[1]:
            continue
        lid = pixels[y - 2 * high : y - high, x - half : x + half]
        drawn = cv2.resize(lid, (2 * half, 3 * high), interpolation=cv2.INTER_LINEAR)
        shape = np.zeros((3 * high, 2 * half), np.float32)
        cv2.ellipse(shape, (half, 3 * high // 2), (half - 1, round(1.35 * high)), 0, 0, 360, 1.0, -1)
        blend = cv2.GaussianBlur(shape, (0, 0), 1.0)[:, :, None]
        place = closed[y - 2 * high : y + high, x - half : x + half]
        place[:] = (blend * drawn + (1 - blend) * place).astype(np.uint8)
        dark = tuple(int(value) for value in 0.35 * lid.reshape(-1, 3).mean(axis=0))
        cv2.ellipse(closed, (x, y), (round(0.8 * half), round(0.7 * high)), 0, 15, 165, dark, 1, cv2.LINE_AA)
    return closed
