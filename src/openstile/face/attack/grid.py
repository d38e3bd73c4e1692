"""A face's light as a grid: mean linear light of small squares of skin, frame by frame. No picture is kept."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.align import align
from openstile.face.attack.demodulate import Response, demodulate
from openstile.face.attack.safety import linear_light
from openstile.face.attack.shape import LANDMARKS_GENERIC, Numbers
from openstile.face.attack.stimulus import Colour, Stimulus
from openstile.face.engine import ChipGeometry
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace, Point

CELLS = 16
"""Squares on a side of the grid: a seventh of the eye distance each, so that the nose has flanks."""
_CELL_PIXELS = 5
_SIDE = CELLS * _CELL_PIXELS
_LEFT, _TOP, _WIDTH = -1.05, -0.6, 2.2
"""The grid in the coordinates of `shape`: from above the brows to the chin."""
_UNIT = _SIDE / _WIDTH
_CHIP = ChipGeometry(
    _SIDE,
    tuple(Point((mark.x - _LEFT) * _UNIT - 0.5, (mark.y - _TOP) * _UNIT - 0.5) for mark in LANDMARKS_GENERIC),
)
_LINEAR = linear_light(np.arange(256, dtype=np.uint8)).astype(np.float32)


def _places() -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """x and y of each square's middle in the coordinates of `shape`, and whether it lies on the face's oval."""
    steps = (np.arange(CELLS) + 0.5) * _WIDTH / CELLS
    x, y = np.meshgrid(_LEFT + steps, _TOP + steps)
    on_face = (x / 0.98) ** 2 + ((y - 0.5) / 1.1) ** 2 < 1
    return x.reshape(-1), y.reshape(-1), on_face.reshape(-1)


CELL_X, CELL_Y, ON_FACE = _places()


@dataclass(slots=True)
class LightRecord:
    """What the flash detectors share of one clip: the light of each square in each frame, and the colours shown."""

    light: list[NDArray[np.float32]] = field(default_factory=list)
    shown: list[Colour] = field(default_factory=list)
    stimulus: Stimulus | None = None
    light_ratio: float | None = None
    _last: Frame | None = None
    _answer: Response | None = None
    _is_answered: bool = False

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        """A new clip. Called by each detector that shares this record."""
        self.light, self.shown, self._last = [], [], None
        self._answer, self._is_answered = None, False
        self.stimulus, self.light_ratio = stimulus, light_ratio

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        """One frame, once, whoever of those that share this record sees it first."""
        if shown is None or frame is self._last:
            return
        self._last, self._is_answered = frame, False
        self.light.append(cell_light(frame, face))
        self.shown.append(shown)

    def release(self) -> None:
        """Let go of the last frame."""
        self._last = None

    def answer(self) -> Response | None:
        """The face's response so far, worked out once for all that share this record."""
        if not self._is_answered:
            self._answer, self._is_answered = demodulate(np.stack(self.light), self.shown, ON_FACE), True
        return self._answer


def cell_light(frame: Frame, face: LocatedFace) -> NDArray[np.float32]:
    """(CELLS squared, 3) mean linear light, 0..1, blue green red, of the squares of the face's grid."""
    chip = align(frame, face, _CHIP)
    means = cv2.resize(cv2.LUT(chip, _LINEAR), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32).reshape(-1, 3)
