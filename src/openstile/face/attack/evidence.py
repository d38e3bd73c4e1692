"""What a detector of presentation attacks says, and what it must be able to do (terms of ISO/IEC 30107-1)."""

import math
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Protocol

from openstile.face.attack.stimulus import Colour, Stimulus
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace
from openstile.terms import BadInputError
from openstile.terms.limits import ATTACK_DETECTOR_CHARS_MAX


@unique
class Verdict(StrEnum):
    """One detector's answer about one clip."""

    ATTACK = "attack"
    LIVE = "live"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The verdict of `detector` on one clip. Holds no frame, no template and nothing that says whose face it was.

    score: in the detector's own unit (`thresholds`), None where nothing could be measured. physical: whether what was
    measured is a property of a living face in front of the camera, so that LIVE is positive evidence of life; a
    detector that only knows how attacks look like may deny and nothing more.
    """

    detector: str
    verdict: Verdict
    score: float | None = None
    physical: bool = True

    def __post_init__(self) -> None:
        name = self.detector
        if not (
            1 <= len(name) <= ATTACK_DETECTOR_CHARS_MAX
            and name.isascii()
            and name.isidentifier()
            and name == name.lower()
        ):
            raise BadInputError(
                f"evidence: the detector's name {name[:64]!r} must be of 1 to {ATTACK_DETECTOR_CHARS_MAX} small letters"
            )
        if self.score is not None and not math.isfinite(self.score):
            raise BadInputError(f"evidence of {name}: the score {self.score} is not finite")
        if self.verdict is Verdict.LIVE and not self.physical:
            raise BadInputError(f"evidence of {name}: a detector that is not physical can deny and cannot say live")

    @property
    def counted_as(self) -> str:
        """The name under which such outcomes are counted, as pad_parallax_live (PAD: ISO/IEC 30107-1)."""
        return f"pad_{self.detector}_{self.verdict.value}"


class Detector(Protocol):
    """Sees one clip of one face that is followed from frame to frame, then says what it was. Used again for the next
    clip; keeps sums and places of the clip it sees, never a frame longer than until the next one.
    """

    @property
    def name(self) -> str:
        """As in its evidence."""
        ...

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        """A new clip. `stimulus`: what the display will show, None where there is no such display. `light_ratio`: the
        display's light on the face over the ambient light there, None where nothing measures it.
        """
        ...

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        """The next frame of the clip. `shown`: the colour that was on while it was exposed, None for none."""
        ...

    def evidence(self) -> Evidence:
        """What the clip so far amounts to. Raises nothing on account of the clip: too little is INCONCLUSIVE."""
        ...
