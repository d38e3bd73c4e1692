"""What the demo's camera sees: frames of 640 x 480 made from portraits, and the passes held up in front of it."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face import FaceEngine, Frame, locate
from openstile.face.located import LocatedFace
from openstile.passes.qr import QUIET_MODULES, qr_modules

Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
_FACE_HEIGHT = 190.0
_FACE_MIDDLE = 215.0
_FEATHER = 28
_WALL = (92, 84, 76)


class WatchedFrames(Iterator[Frame]):
    """Frames that remember which of them were pulled: the canary looks for these, and the demo counts them."""

    def __init__(self, frames: tuple[Frame, ...]) -> None:
        self._frames = iter(frames)
        self.pulled: list[Frame] = []

    def __next__(self) -> Frame:
        frame = next(self._frames)
        self.pulled.append(frame)
        return frame


def in_front_of_camera(engine: FaceEngine, portrait: Frame, *, width: int = WIDTH) -> Frame:
    """The person of `portrait` standing at the gate: a frame of `width` x HEIGHT, the largest face in its middle."""
    return Frame(_stand(portrait.pixels, locate(engine, portrait)[0], width))


def side_by_side(engine: FaceEngine, left: Frame, right: Frame) -> Frame:
    """Two people in front of one camera."""
    halves = [in_front_of_camera(engine, portrait, width=WIDTH // 2).pixels for portrait in (left, right)]
    return Frame(np.concatenate(halves, axis=1))


def out_of_focus(frame: Frame, *, sigma: float = 7.0) -> Frame:
    """The same view, blurred by a Gaussian of `sigma` pixels."""
    return Frame(np.asarray(cv2.GaussianBlur(frame.pixels, (0, 0), sigma), dtype=np.uint8))


def empty_lane() -> Frame:
    """The camera's view while nobody stands there: a wall, lit from above, with the grain of a sensor."""
    return Frame(_wall(np.random.default_rng(1)))


def pass_held_up(background: Frame, text: str) -> Frame:
    """`background` with the QR code of a pass on paper in front of it, held at an angle."""
    modules = np.pad(~qr_modules(text), QUIET_MODULES, constant_values=True)
    paper = modules.astype(np.uint8).repeat(8, 0).repeat(8, 1) * 225 + 15
    paper = np.pad(paper, 30, constant_values=240)
    side = float(paper.shape[0])
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    held = np.array([[118, 62], [520, 28], [548, 430], [96, 448]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, held)
    size = (WIDTH, HEIGHT)
    small = cv2.GaussianBlur(paper, (0, 0), 0.45 * side / 410)
    sheet = cv2.warpPerspective(small, matrix, size, flags=cv2.INTER_LINEAR)[:, :, None].astype(np.float32)
    shade = np.linspace(1.0, 0.82, WIDTH, dtype=np.float32)[None, :, None]
    cover = cv2.warpPerspective(np.ones(paper.shape, np.float32), matrix, size, flags=cv2.INTER_AREA)
    cover = cv2.GaussianBlur(cover, (0, 0), 0.8)[:, :, None]
    shadow = cv2.GaussianBlur(cover, (0, 0), 14)[:, :, None] * 0.55
    behind = background.pixels * (1 - shadow)
    return Frame(np.clip(sheet * shade * cover + behind * (1 - cover), 0, 255).astype(np.uint8))


def _stand(portrait: Pixels, face: LocatedFace, width: int) -> Pixels:
    scale = min(_FACE_HEIGHT / face.box.height, 1.0)
    person = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    middle = face.box.centre
    left = round(width / 2 - middle.x * scale)
    top = round(min(_FACE_MIDDLE, middle.y * scale) - middle.y * scale)
    shift = np.array([[1, 0, left], [0, 1, top]], np.float64)
    there = cv2.warpAffine(person, shift, (width, HEIGHT), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    inside = np.ones(person.shape[:2], np.float32)
    inside[:, :_FEATHER] = np.linspace(0, 1, _FEATHER)
    inside[:, -_FEATHER:] = np.linspace(1, 0, _FEATHER)
    weight = cv2.warpAffine(inside, shift, (width, HEIGHT))[:, :, None]
    around = _background(portrait, width)
    return np.clip(there * weight + around * (1 - weight), 0, 255).astype(np.uint8)


def _background(portrait: Pixels, width: int) -> NDArray[np.float32]:
    """The portrait's own colours, stretched and far out of focus: where the person is narrower than the view."""
    few = cv2.resize(portrait, (4, 3), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(few, (width, HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _wall(random: np.random.Generator) -> Pixels:
    light = np.linspace(1.25, 0.6, HEIGHT)[:, None, None]
    grain = random.normal(0, 2.0, (HEIGHT, WIDTH, 3))
    return np.clip(np.array(_WALL) * light + grain, 0, 255).astype(np.uint8)
