"""A pass tried before travel: the gate's own functions on a rider's pictures. Nothing is recorded, opened or kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from openstile.assembly.wire import Installation
from openstile.crossing import Crossing, Reason, cross
from openstile.face import FaceEngine, Frame
from openstile.face.faults import FaceFault
from openstile.face.feedback import FEEDBACK, Feedback
from openstile.face.images import read_image
from openstile.face.quality import Quality, QualityLimits, assess
from openstile.face.quality_table import Measured, measured
from openstile.face.zone import locate_rider
from openstile.gate.trust import Trust
from openstile.terms.ids import PassId


@dataclass(frozen=True, slots=True)
class TriedPicture:
    """What a gate would have made of one picture.

    measures: empty where no one face could be judged. feedback: what to do about the picture, the reason's own first;
    then what is only advice.
    """

    name: str
    opens: bool
    reason: Reason | None
    measures: tuple[Measured, ...]
    feedback: tuple[Feedback, ...]


class Rehearsal:
    """One pass, tried as often as its rider likes. Holds no picture, no face and no template between two of them.

    Presentation attacks are not looked for, whatever the gates do: a still shows no life, and no display flashes here.
    """

    def __init__(self, installation: Installation, presented: str | bytes, *, pin: str | None = None) -> None:
        """`presented` is the pass as read. Raises OpenstileError where the home has no keys to open passes with."""
        self._installation = installation
        self._presented = presented
        self._pin = pin
        trust = installation.trust()
        self._trust: Trust = replace(trust, policy=replace(trust.policy, attack_mode="off"))

    def present(self, frames: Iterator[Frame], tell: Callable[[Feedback], None] = lambda feedback: None) -> Crossing:
        """The crossing that these frames would come to at a gate that has not seen this pass before."""
        installation, trust = self._installation, self._trust
        return cross(
            presented=self._presented,
            frames=frames,
            ask_pin=lambda: self._pin,
            load_engine=installation.load_engine,
            keyring=trust.keyring,
            statuses=trust.statuses,
            audience=installation.settings.audience(),
            policy=replace(trust.policy, attack_mode="off"),  # pictures of a rider say nothing of life
            history=_NoHistory(),
            clock=installation.clock,
            tell=tell,
        )

    def try_pictures(self, pictures: Sequence[Path]) -> Iterator[TriedPicture]:
        """Each picture by itself, as the only frame of a gate. Raises BadInputError naming one that cannot be read."""
        for path in pictures:
            frame = read_image(path)
            crossing = self.present(iter([frame]))
            seen = self._judge(frame) if crossing.frames_read else None
            yield _tried(str(path), crossing, seen, self._trust.policy.quality)

    def _judge(self, frame: Frame) -> Quality | FaceFault:
        return judge(self._installation.load_engine(), frame, self._trust)


def judge(engine: FaceEngine, frame: Frame, trust: Trust) -> Quality | FaceFault:
    """What a gate measures of the one face in `frame`, or why there is no one face."""
    rider = locate_rider(engine, frame, trust.policy.zone)
    return rider if isinstance(rider, FaceFault) else assess(frame, rider, limits=trust.policy.quality)


def _tried(name: str, crossing: Crossing, seen: Quality | FaceFault | None, limits: QualityLimits) -> TriedPicture:
    if isinstance(seen, Quality):
        return TriedPicture(name, crossing.admitted, crossing.reason, measured(seen, limits), seen.feedback)
    feedback = () if seen is None else (FEEDBACK[seen],)
    return TriedPicture(name, crossing.admitted, crossing.reason, (), feedback)


class _NoHistory:
    """A gate that has seen nothing: what happened at real gates is theirs, and trying a pass counts nowhere."""

    def last_admitted(self, pass_id: PassId) -> datetime | None:
        return None

    def latest(self) -> datetime | None:
        return None

    def failed_attempts(self, pass_id: PassId) -> int:
        return 0
