"""One presentation through the gate's own check: simulated people and prints before the camera, and what is kept."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.attacks.motion import MotionKind
from tests.attacks.presets import draw_scene
from tests.attacks.scene import Species
from tests.attacks.simulator import Shot, render
from tests.crossing.world import FACE_BOX, NOON, SeenEngine, TurnedClock, face_at, frame_of

from openstile.crossing import Policy
from openstile.crossing.attack import CLIP_MS_MAX
from openstile.face import FaceEngine, Frame, LocatedFace
from openstile.face.attack import AttackKit, Evidence, Outcome, Stimulus, Verdict
from openstile.face.attack.stimulus import CLIP_FRAMES, Colour, make_stimulus
from openstile.face.located import Box
from openstile.face.sources import CameraLostError
from openstile.lab.attacks import report_attacks
from openstile.lab.attacks_file import SessionFile, read_session
from openstile.lab.attacks_guide import Guide, Wanted
from openstile.lab.attacks_record import SETTLE_MS, Answer, new_session, present, settled
from openstile.lab.attacks_session import BONA_FIDE
from openstile.terms.limits import ATTACK_PRESENTATION_BYTES_MAX

FRAME_NS = 40_000_000
SHARE = 0.25
POLICY = Policy()


class Lamp:
    """The simulated gate's display; `None` is its texts."""

    lag_frames = 0

    def __init__(self) -> None:
        self.shown: list[Colour | None] = []

    def ready(self) -> bool:
        return True

    def show(self, colour: Colour) -> None:
        self.shown.append(colour)

    def rest(self) -> None:
        self.shown.append(None)

    def light_ratio(self) -> float | None:
        return SHARE


def random_bytes() -> Callable[[int], bytes]:
    return np.random.default_rng(11).bytes


@cache
def shots(species: Species) -> tuple[Shot, ...]:
    """A clip in the light of the plan that `random_bytes` gives: its first frame before the plan begins."""
    scene = draw_scene(species, 21, share=SHARE, motion=MotionKind.TURN)
    colours = make_stimulus(random_bytes()).colours
    return tuple(render(scene, np.array([(0, 0, 0), *colours, colours[-1]], np.uint8)))


def camera(clock: TurnedClock, pictures: list[np.ndarray]) -> Iterator[Frame]:
    """25 frames a second by `clock`."""
    for pixels in pictures:
        clock.ticks_ns += FRAME_NS
        yield Frame(pixels, clock.ticks_ns)


def presented(species: Species, engine: FaceEngine) -> tuple[Answer, Lamp]:
    clock, lamp = TurnedClock(step_ns=0), Lamp()
    kit = AttackKit(light=lamp, random=random_bytes())
    frames = camera(clock, [shot.pixels for shot in shots(species)])
    return present(frames=frames, engine=engine, policy=POLICY, clock=clock, kit=kit), lamp


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def leaves_of(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return [leaf for each in (value.values() if isinstance(value, dict) else value) for leaf in leaves_of(each)]
    return [value]


def test_simulated_people_and_prints_are_recorded_as_the_gate_judges_them_and_no_picture_of_them_stays(
    engine: FaceEngine, tmp_path: Path
) -> None:
    kit = AttackKit(light=Lamp())
    new = new_session(engine=engine, policy=POLICY, kit=kit, random=lambda count: b"\1" * count)
    file = SessionFile.open(tmp_path / "session.json", new=new)
    species = iter((Species.LIVE, Species.FLAT_PRINT))
    lamps = []

    def look() -> Answer:
        answer, lamp = presented(next(species), engine)
        lamps.append(lamp)
        return answer

    wanted = Wanted((BONA_FIDE, "flat print"), conditions="simulated")
    assert Guide(file, look=look, tell=lambda said: None, now=lambda: NOON, ask=None).run(wanted.steps(1, ()), "")
    assert all(lamp.shown[-1] is None and len(lamp.shown) > 5 for lamp in lamps), "the display goes back to its texts"
    living, print_ = read_session(file.path).presentations
    assert living.outcome is Outcome.PASS
    assert print_.outcome is not Outcome.PASS
    said = {one.detector: one for one in living.clips[0]}
    assert {"parallax", "flash_response", "flash_shape"} <= set(said)
    assert said["flash_response"].verdict is Verdict.LIVE
    report = report_attacks([read_session(file.path)])
    assert report.bona_fide is not None
    assert (report.bona_fide.unattended.error.events, report.species[0].unattended.error.events) == (0, 0)
    assert (report.flash, report.from_files, report.to_json()["simulated"]) == (True, 0, False)

    assert [path.name for path in tmp_path.iterdir()] == ["session.json"]
    data = file.path.read_bytes()
    assert len(data) < 2 * ATTACK_PRESENTATION_BYTES_MAX
    kept = json.loads(data)
    assert keys_of(kept) == {
        "format", "session_id", "openstile", "pack", "flash", "monitored", "look_ms_max", "presentations",
        "subject", "species", "instrument", "conditions", "clips", "outcome", "at", "from_file", "void",
        "detector", "verdict", "score",
    }  # fmt: skip
    leaves = leaves_of(kept)
    assert all(leaf is None or isinstance(leaf, int | float | str) for leaf in leaves)
    assert max(len(leaf) for leaf in leaves if isinstance(leaf, str)) <= 40
    scores = sum(len(clip) for one in (living, print_) for clip in one.clips)
    assert sum(isinstance(leaf, float) for leaf in leaves) <= scores, "no number but scores, one for each verdict"


class Told:
    """A detector that says what a test wants, clip by clip."""

    name = "told"

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)
        self.frames = 0

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        """A new clip."""

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        self.frames += 1

    def evidence(self) -> Evidence:
        return Evidence(self.name, self.verdicts.pop(0) if self.verdicts else Verdict.INCONCLUSIVE, 1.23456789)


class Stage:
    """Frames by number: 1 shows a face, 2 two faces, 3 nobody."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.clock, self.engine, self.detector = TurnedClock(step_ns=0), SeenEngine(), Told(*verdicts)
        aside = replace(FACE_BOX, left=FACE_BOX.left + 180)
        self.engine.faces = {1: [face_at()], 2: [face_at(), face_at(aside)], 4: [face_at(Box(430, 140, 160, 200))]}
        self.heard: list[Evidence] = []
        self.pulled = 0

    def frames(self, *numbers: int) -> Iterator[Frame]:
        for number in numbers:
            self.pulled += 1
            self.clock.ticks_ns += FRAME_NS
            yield Frame(pixels_of(number), self.clock.ticks_ns)

    def present(self, *numbers: int, policy: Policy = POLICY, frames: Iterator[Frame] | None = None) -> Answer:
        kit = AttackKit(extra=(lambda: self.detector,), count=self.heard.append)
        shown = self.frames(*numbers) if frames is None else frames
        return present(frames=shown, engine=self.engine, policy=policy, clock=self.clock, kit=kit)


pixels_of = cache(lambda number: frame_of(number).pixels)


def told(answer: Answer) -> list[Verdict]:
    return [one.verdict for clip in answer.clips for one in clip if one.detector == "told"]


@pytest.mark.parametrize(
    ("verdicts", "outcome", "clips"),
    [
        ((Verdict.LIVE,), Outcome.PASS, 1),
        ((Verdict.ATTACK,), Outcome.DENY, 1),
        ((Verdict.INCONCLUSIVE, Verdict.LIVE), Outcome.PASS, 2),
        ((Verdict.INCONCLUSIVE, Verdict.ATTACK), Outcome.DENY, 2),
        ((Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE), Outcome.RETRY, 2),
    ],
)
def test_answer_is_that_of_an_unattended_gate_after_its_retry(
    verdicts: tuple[Verdict, ...], outcome: Outcome, clips: int
) -> None:
    stage = Stage(*verdicts)
    answer = stage.present(*[1] * 90)
    assert (answer.outcome, len(answer.clips), told(answer)) == (outcome, clips, list(verdicts))
    assert stage.pulled == clips * CLIP_FRAMES, "no frame is read once the gate has an answer"
    assert not answer.from_file
    assert stage.heard == [], "nothing of a test is counted among the gate's riders"
    assert answer.clips[0][-1].score == 1.2346


@pytest.mark.parametrize("mode", ["off", "monitor", "enforce"])
def test_gate_is_measured_as_if_it_enforced(mode: Any) -> None:
    policy = replace(POLICY, attack_mode=mode, attendance="attended")
    assert Stage().present(*[1] * 90, policy=policy).outcome is Outcome.RETRY


def test_presentation_without_a_face_in_the_time_limit_has_no_response() -> None:
    for number in (2, 3):
        stage = Stage(Verdict.LIVE)
        answer = stage.present(*[number] * 900)
        assert (answer.outcome, answer.clips) == (None, ())
        assert stage.pulled == POLICY.look_ms_max * 1_000_000 // FRAME_NS
        assert stage.detector.frames == 0


def test_face_that_does_not_stay_for_a_clip_is_not_let_through() -> None:
    answer = Stage(Verdict.LIVE).present(*[1] * (CLIP_FRAMES - 1))
    assert (answer.outcome, answer.clips) == (Outcome.RETRY, ())
    answer = Stage(Verdict.LIVE).present(*[1, 1, 3] * 200)
    assert (answer.outcome, answer.clips) == (Outcome.RETRY, ())
    answer = Stage().present(*[1] * (CLIP_FRAMES + 5))
    assert (answer.outcome, len(answer.clips)) == (Outcome.RETRY, 1)


def test_face_that_always_jumps_ends_with_the_last_clip_that_may_begin() -> None:
    stage = Stage(Verdict.LIVE)
    answer = stage.present(*[1, 4] * 500)
    assert answer.outcome is Outcome.RETRY
    assert stage.pulled <= (POLICY.look_ms_max + CLIP_MS_MAX) * 1_000_000 // FRAME_NS


def test_camera_that_is_lost_is_said_and_the_light_goes_out() -> None:
    stage, lamp = Stage(), Lamp()

    def lost() -> Iterator[Frame]:
        yield from stage.frames(1, 1, 1)
        raise CameraLostError("camera 0: has stopped giving frames")

    with pytest.raises(CameraLostError):
        present(
            frames=lost(), engine=stage.engine, policy=POLICY, clock=stage.clock,
            kit=AttackKit(light=lamp, random=random_bytes()),
        )  # fmt: skip
    assert lamp.shown[-1] is None


def test_camera_settles_first_and_a_file_begins_at_once() -> None:
    stage = Stage()
    first = next(settled(stage.frames(*[1] * 90), stage.clock))
    assert first.taken_ns == SETTLE_MS * 1_000_000
    assert list(settled(stage.frames(1, 1), stage.clock)) == []
    stills = [Frame(pixels_of(1)) for _ in range(30)]
    assert len(list(settled(iter(stills), stage.clock))) == 30
    assert stage.present(frames=iter(stills)).from_file
