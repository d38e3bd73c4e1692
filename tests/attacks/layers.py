"""Pictures of things, each with how it answers ambient light and the display, laid over each other."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from tests.attacks.camera import Camera
from tests.attacks.light import Floats, RowLight


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One thing in a window of the frame, in lux equivalents.

    box: top, bottom, left, right in pixels. coverage: (h, w) 0..1, how much it takes of the light from behind.
    What it sends to the camera itself (where it covers a part of a pixel, that part), linear RGB: ambient: (3, h, w)
    by mean ambient light; display: (3, h, w) by an all-white display; emitted: (3, h, w) its own light.
    """

    box: tuple[int, int, int, int]
    coverage: Floats
    ambient: Floats
    display: Floats
    emitted: Floats | None = None

    def light(self, rows: RowLight) -> Floats:
        """(3, h, w) what it sends to the camera while `rows` shine."""
        top, bottom = self.box[:2]
        result = self.ambient * rows.flicker[top:bottom] + self.display * rows.display[:, top:bottom]
        return result if self.emitted is None else result + self.emitted


def lay(picture: Floats, layer: Layer, rows: RowLight) -> None:
    """Lay `layer` over `picture` (3, height, width), in place."""
    top, bottom, left, right = layer.box
    under = picture[:, top:bottom, left:right]
    under *= 1 - layer.coverage
    under += layer.light(rows)


def planes(picture: Floats) -> Floats:
    """(3, h, w) of an interleaved picture (h, w, 3)."""
    return np.asarray(np.stack(cv2.split(picture)), np.float32)


def clip_box(box: tuple[float, float, float, float], camera: Camera) -> tuple[int, int, int, int]:
    """The pixels of `box` (top, bottom, left, right) that the frame has; at least one."""
    top = min(max(math.floor(box[0]), 0), camera.height - 1)
    left = min(max(math.floor(box[2]), 0), camera.width - 1)
    bottom = min(max(math.ceil(box[1]) + 1, top + 1), camera.height)
    right = min(max(math.ceil(box[3]) + 1, left + 1), camera.width)
    return top, bottom, left, right
