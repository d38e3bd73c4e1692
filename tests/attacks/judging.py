"""One simulated presentation before the gate's own detectors and rule.

Landmarks are the simulator's true ones with the errors of a detector: one of 1 pixel a clip, one of 0.6 pixels a
frame. The light meter of the gate is off by a fifth (deviation).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from tests.attacks.conditions import SHARES, presentation
from tests.attacks.scene import Scene, Species
from tests.attacks.simulator import Shot, render

from openstile.face import Frame, LocatedFace
from openstile.face.attack import AttackKit, AttackMode, Evidence, Outcome, fuse
from openstile.face.attack.stimulus import Colour, Stimulus, make_stimulus
from openstile.face.located import Box, Point

_ANOTHER = 100
"""Added to the seeds of plans that are not the gate's."""


class Lamp:
    """The simulated gate's display, as the kit wants it."""

    lag_frames = 0

    def __init__(self, ratio: float | None) -> None:
        self._ratio = ratio

    def ready(self) -> bool:
        return True

    def show(self, colour: Colour) -> None:
        """The simulator has the whole plan."""

    def rest(self) -> None:
        """As above."""

    def light_ratio(self) -> float | None:
        return self._ratio


@dataclass(frozen=True, slots=True)
class Judged:
    """One presentation: what it was, what each detector said, and what an unattended gate does about the clip."""

    scene: Scene
    number: int
    evidence: tuple[Evidence, ...]
    outcome: Outcome


def stimulus_of(species: Species, number: int, *, another: bool = False) -> Stimulus:
    """The plan that presentation `number` of `species` is shown; `another`: the one its recording was lit by."""
    seed = list(Species).index(species) + (_ANOTHER if another else 0)
    return make_stimulus(np.random.default_rng([78, seed, number]).bytes)


def presented(species: Species, number: int, shares: tuple[float, float] = SHARES) -> Scene:
    """As `presentation`. Every other recording in a wrong light is one of an earlier plan of the gate's, the rest have
    the gate's own colours of now in another order, which is harder.
    """
    scene = presentation(species, number, shares)
    if species is Species.WRONG_SEQUENCE and number // 2 % 2:
        return replace(scene, recorded=stimulus_of(species, number, another=True).colours)
    return scene


def judge(scene: Scene, number: int, *, metered: bool = True) -> Judged:
    """Render `scene` and let the detectors see it. `number` seeds the plan and the errors of landmarks and meter."""
    stimulus = stimulus_of(scene.species, number)
    shots = render(scene, np.array(stimulus.colours, np.uint8))
    return judge_shots(scene, shots, stimulus, number, metered=metered)


def judge_shots(
    scene: Scene, shots: Iterable[Shot], stimulus: Stimulus, number: int, *, metered: bool = True
) -> Judged:
    """As `judge`, for shots that were rendered before."""
    rng = np.random.default_rng([5, list(Species).index(scene.species), number])
    measured = scene.display.share * float(np.exp(rng.normal(0, 0.2)))
    ratio = measured if metered else None
    detectors = AttackKit(light=Lamp(ratio)).make_detectors(flash=True)
    bias = rng.normal(0, 1.0, (5, 2))
    for detector in detectors:
        detector.begin(stimulus, ratio)
    for shot in shots:
        marks = shot.landmarks + bias + rng.normal(0, 0.6, (5, 2))
        face = LocatedFace(Box(*shot.box), tuple(Point(float(x), float(y)) for x, y in marks), 0.9)
        frame = Frame(shot.pixels)
        for detector in detectors:
            detector.see(frame, face, shot.colour)
    evidence = tuple(detector.evidence() for detector in detectors)
    return Judged(scene, number, evidence, fuse(evidence, mode=AttackMode.ENFORCE, unattended=True))
