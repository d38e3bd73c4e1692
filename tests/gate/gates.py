"""Parts of a gate for tests: a lane with a real journal, a barrier that can break, a display that remembers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from tests.crossing.world import AUDIENCE, World

from openstile.crossing import Crossing, Reason
from openstile.face import Frame
from openstile.face.feedback import Feedback
from openstile.gate.barrier import BarrierError
from openstile.gate.lane import Lane, LaneIdentity
from openstile.gate.messages import GateState
from openstile.gate.trust import Trust
from openstile.journal import Direction, GateKey, Journal
from openstile.passes.qr import qr_modules
from openstile.terms import GateId

GATE = GateId("gate-1")


@dataclass
class ShownBarrier:
    """Opens, and remembers what the journal held at that moment; or is broken."""

    taps_when_opened: list[int] = field(default_factory=list)
    count_taps: Callable[[], int] = lambda: -1
    broken: bool = False

    def open(self, direction: Direction) -> None:
        if self.broken:
            raise BarrierError("barrier: its motor does not answer")
        self.taps_when_opened.append(self.count_taps())

    def close(self) -> None:
        self.broken = True


@dataclass
class ShownDisplay:
    """Remembers everything that a rider would have seen."""

    shown: list[GateState | Feedback | Reason] = field(default_factory=list)

    def show_state(self, state: GateState) -> None:
        self.shown.append(state)

    def show_feedback(self, feedback: Feedback) -> None:
        self.shown.append(feedback)

    def show_reason(self, reason: Reason) -> None:
        self.shown.append(reason)


@contextmanager
def journal_in(folder: Path) -> Iterator[Journal]:
    with Journal.open(folder / "journal.db", key=GateKey.open(folder / "gate.pem"), gate=GATE) as journal:
        yield journal


def lane_of(world: World, journal: Journal, barrier: ShownBarrier, *, told_at: datetime | None = None) -> Lane:
    barrier.count_taps = lambda: len(journal.taps(limit=100))
    return Lane(
        identity=LaneIdentity(GATE, Direction.IN, AUDIENCE),
        trust=lambda: Trust(world.keyring, world.statuses, world.policy, told_at),
        load_engine=lambda: world.engine,
        journal=journal,
        barrier=barrier,
        clock=world.clock,
    )


def frame_showing(text: str) -> Frame:
    """A camera's frame in which a pass is held up; its first pixel is white, so no face is behind it."""
    modules = np.where(np.pad(qr_modules(text), 6), 0, 255).astype(np.uint8)
    grey = np.kron(modules, np.ones((5, 5), np.uint8))
    return Frame(np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2)), 0)


def camera_of(*sessions: Iterator[Frame]) -> Callable[[], AbstractContextManager[Iterator[Frame]]]:
    """A camera that gives the frames of the first session, and after it was lost and opened again those of the next."""
    left = list(sessions)

    @contextmanager
    def opened() -> Iterator[Iterator[Frame]]:
        yield left.pop(0)

    return opened


@dataclass
class Reports:
    """The crossings that the loop reported."""

    crossings: list[Crossing] = field(default_factory=list)

    def __call__(self, crossing: Crossing) -> None:
        self.crossings.append(crossing)

    @property
    def reasons(self) -> list[Reason | None]:
        return [crossing.reason for crossing in self.crossings]
