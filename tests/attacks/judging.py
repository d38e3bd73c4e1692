"""Simulated presentations before the gate's own detectors and rule, and the table of what came of them.

    python -m tests.attacks.judging 560      prints the table of docs/presentation-attacks.md for so many presentations

Landmarks are the simulator's true ones with the errors of a detector: one of 1 pixel a clip, one of 0.6 pixels a
frame. The light meter of the gate is off by a fifth (deviation).
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from tests.attacks.conditions import presentation
from tests.attacks.scene import Scene, Species
from tests.attacks.simulator import Shot, render

from openstile.face import Frame, LocatedFace
from openstile.face.attack import AttackKit, AttackMode, Evidence, Outcome, fuse
from openstile.face.attack.stimulus import Colour, Stimulus, make_stimulus
from openstile.face.located import Box, Point


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
    evidence: tuple[Evidence, ...]
    outcome: Outcome


def stimulus_of(number: int) -> Stimulus:
    """The plan that presentation `number` is shown."""
    return make_stimulus(np.random.default_rng([78, number]).bytes)


def judge(scene: Scene, number: int, *, metered: bool = True) -> Judged:
    """Render `scene` and let the detectors see it. `number` seeds the plan and the errors of landmarks and meter."""
    stimulus = stimulus_of(number)
    shots = render(scene, np.array(stimulus.colours, np.uint8))
    return judge_shots(scene, shots, stimulus, number, metered=metered)


def judge_shots(
    scene: Scene, shots: Iterable[Shot], stimulus: Stimulus, number: int, *, metered: bool = True
) -> Judged:
    """As `judge`, for shots that were rendered before."""
    rng = np.random.default_rng([5, number])
    ratio = scene.display.share * float(np.exp(rng.normal(0, 0.2))) if metered else None
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
    return Judged(scene, evidence, fuse(evidence, mode=AttackMode.ENFORCE, unattended=True))


def table(judged: Iterable[Judged]) -> str:
    """Markdown: by species, how many an unattended gate accepts, rejects and is unsure about after one clip; then the
    scores by detector, 5 and 95 % of living faces and of each species.
    """
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(_name(one.scene), []).append(one)
    lines = ["| presentation | clips | accepted | rejected | unsure |", "|---|---:|---:|---:|---:|"]
    for name, members in sorted(groups.items()):
        counts = Counter(member.outcome for member in members)
        shown = (counts[Outcome.PASS], counts[Outcome.DENY], counts[Outcome.RETRY])
        lines.append(f"| {name} | {len(members)} | {shown[0]} | {shown[1]} | {shown[2]} |")
    lines += ["", "| presentation | parallax | flash_response | flash_shape |", "|---|---|---|---|"]
    for name, members in sorted(groups.items()):
        scores = [[m.evidence[at].score for m in members] for at in range(3)]
        lines.append(f"| {name} | " + " | ".join(_spread(values) for values in scores) + " |")
    return "\n".join(lines)


def _name(scene: Scene) -> str:
    name = scene.species.value
    if scene.species is Species.RELIT_REPLAY:
        name += f", {scene.lag_frames} frames late"
    if scene.species.is_replay:
        name += f", {scene.screen.value}"
    return name


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "none"
    low, middle, high = np.percentile(known, (5, 50, 95))
    return f"{low:.2f} / {middle:.2f} / {high:.2f}"


if __name__ == "__main__":
    print(table(judge(presentation(number), number) for number in range(int(sys.argv[1]))))
