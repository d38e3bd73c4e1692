"""Plays the scenes at one lane of a real gate, and judges each outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from openstile.assembly.devices import read_presented
from openstile.crossing import Crossing
from openstile.demo.camera import WatchedFrames
from openstile.demo.clock import TurnableClock
from openstile.demo.scenes import Scene
from openstile.face import Frame
from openstile.gate.lane import Lane
from openstile.gate.messages import GateState, Language, RiderMessage, refusal_message, state_message
from openstile.journal import Direction
from openstile.passes.qr import read_qr


class CountingBarrier:
    """A barrier that only counts how often it was opened."""

    def __init__(self) -> None:
        self.opened = 0

    def open(self, direction: Direction) -> None:
        """Counts."""
        self.opened += 1

    def close(self) -> None:
        """Does nothing."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one scene. `presented` is the text that the gate got, `frames` those that it read."""

    scene: Scene
    presented: str
    crossing: Crossing
    frames: tuple[Frame, ...]
    barrier_opened: bool

    @property
    def problem(self) -> str | None:
        """What is not as it has to be, or None."""
        wanted, got = self.scene.expected, self.crossing.reason
        if wanted is not got:
            return f"expected {outcome(wanted)}, got {outcome(got)}"
        if self.barrier_opened != self.crossing.admitted:
            return "the barrier opened" if self.barrier_opened else "the barrier did not open"
        if self.frames and not self.scene.looks:
            return "a frame was read, which this pass gives no right to"
        return None

    @property
    def message(self) -> RiderMessage:
        """What the rider reads."""
        reason = self.crossing.reason
        if reason is None:
            return state_message(GateState.ADMITTED, Language.EN)
        return refusal_message(reason, Language.EN)


def outcome(reason: object) -> str:
    """An outcome in one word or two."""
    return "admit" if reason is None else f"refuse: {reason}"


def play(
    scenes: tuple[Scene, ...], *, lane: Lane, barrier: CountingBarrier, clock: TurnableClock
) -> tuple[Played, ...]:
    """Play all scenes, one after the other."""
    played = []
    for scene in scenes:
        clock.turn(scene.later)
        before = barrier.opened
        frames = WatchedFrames(scene.camera)
        presented = _presented(scene.shown)
        crossing = lane.present(presented, frames=frames, ask_pin=partial(_typed, scene))
        played.append(Played(scene, presented, crossing, tuple(frames.pulled), barrier.opened > before))
    return tuple(played)


def _typed(scene: Scene) -> str | None:
    return scene.pin


def _presented(shown: Path | str | Frame | Callable[[], str]) -> str:
    """What the reader makes of what is shown; empty when there is nothing it can read."""
    if isinstance(shown, Frame):
        texts = read_qr(shown.pixels)
        return texts[0] if len(texts) == 1 else ""
    if isinstance(shown, str):
        return shown
    if not isinstance(shown, Path):
        return shown()
    presented = read_presented(shown)
    return presented if isinstance(presented, str) else presented.decode("latin-1")
