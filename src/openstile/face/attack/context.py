"""An optional network of the deployer's that knows how attacks look like: borders of a sheet or a device in view.

Deny-only: it can say attack and never live, for no network that we measured tells a living face from a good picture
of one. None is shipped. It runs once a clip, through the session that face.packs runs networks with.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.attack.evidence import Evidence, Verdict
from openstile.face.attack.stimulus import Colour, Stimulus
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace
from openstile.face.packs.session import Session
from openstile.terms import BadInputError
from openstile.terms.limits import ATTACK_CONTEXT_SIDE_PIXELS_MAX, MODEL_FILE_BYTES_MAX

CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class ContextInput:
    """How the network wants to see the surroundings of a face, and what its answer means.

    source, result: names of its input and output. side: pixels of the square picture. around: its width over that of
    the face's box. channels, mean, scale: the order of the colours, and (value - mean) * scale in that order.
    attack_index: which number of the output, after softmax, is the attack. attack_min: from which on it is one; the
    deployer sets it on their own data, for nothing is known of their network here.
    """

    source: str
    result: str
    side: int
    attack_index: int
    attack_min: float
    around: float = 2.7
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    channels: Literal["bgr", "rgb"] = "bgr"

    def __post_init__(self) -> None:
        if self.channels not in ("bgr", "rgb"):
            raise BadInputError(f"context network: channels {self.channels!r} must be bgr or rgb")
        if not 16 <= self.side <= ATTACK_CONTEXT_SIDE_PIXELS_MAX:
            raise BadInputError(f"context network: side {self.side} is outside 16..{ATTACK_CONTEXT_SIDE_PIXELS_MAX}")
        if not (1 <= self.around <= 8 and math.isfinite(self.scale) and self.scale > 0):
            raise BadInputError("context network: around must be 1 to 8 and scale above 0")
        if not (0 <= self.attack_index < 1000 and 0 < self.attack_min <= 1):
            raise BadInputError("context network: attack_index must be 0 to 999 and attack_min above 0 and at most 1")


class ContextNetwork:
    """The loaded network; one for all clips of a gate."""

    def __init__(self, model: bytes, wants: ContextInput) -> None:
        """Raises BadInputError, or PackError when it cannot be loaded or has other inputs and outputs than named."""
        if len(model) > MODEL_FILE_BYTES_MAX:
            raise BadInputError(f"context network: is larger than {MODEL_FILE_BYTES_MAX} bytes")
        self._model, self._wants = model, wants
        self._session.run(np.zeros((1, 3, wants.side, wants.side), np.float32))

    @cached_property
    def _session(self) -> Session:
        wants = self._wants
        return Session(self._model, name="context network", source=wants.source, results=(wants.result,))

    def attack_probability(self, frame: Frame, face: LocatedFace) -> float | None:
        """0..1; None where the network's answer is none. Raises PackError."""
        wants = self._wants
        around, swaps = _surroundings(frame, face, wants), wants.channels == "rgb"
        blob = cv2.dnn.blobFromImage(around, wants.scale, mean=wants.mean, swapRB=swaps)
        answer = self._session.run(np.asarray(blob, np.float32))[0].reshape(-1).astype(np.float64)
        if wants.attack_index >= answer.size or not np.isfinite(answer).all():
            return None
        spread = np.exp(answer - answer.max())
        return float(spread[wants.attack_index] / spread.sum())


class ContextDetector:
    """Asks the network about the first frame of a clip."""

    name = CONTEXT

    def __init__(self, network: ContextNetwork, *, attack_min: float) -> None:
        self._network, self._attack_min = network, attack_min
        self._probability: float | None = None
        self._asked = False

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        """A new clip."""
        self._probability, self._asked = None, False

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        """Ask, once."""
        if not self._asked:
            self._asked = True
            self._probability = self._network.attack_probability(frame, face)

    def evidence(self) -> Evidence:
        """ATTACK, or INCONCLUSIVE: never LIVE."""
        attack = self._probability is not None and self._probability >= self._attack_min
        verdict = Verdict.ATTACK if attack else Verdict.INCONCLUSIVE
        return Evidence(self.name, verdict, self._probability, physical=False)


def _surroundings(frame: Frame, face: LocatedFace, wants: ContextInput) -> NDArray[np.uint8]:
    """The square around the face, black where the frame has no pixels."""
    width = wants.around * max(face.box.width, face.box.height)
    scale = wants.side / width
    middle = face.box.centre
    shift = wants.side / 2 - 0.5
    matrix = np.array([[scale, 0, shift - scale * middle.x], [0, scale, shift - scale * middle.y]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(frame.pixels, matrix, (wants.side, wants.side), flags=flags), np.uint8)
