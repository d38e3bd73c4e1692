"""The attack check of a crossing: the same face, one clip, one retry; off costs nothing, monitor refuses nobody."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from tests.crossing.world import RecordedFrames, TurnedClock, World, frame_of, person

from openstile.crossing import Crossing, Policy, Reason
from openstile.crossing.attack import CLIP_MS_MAX, CLIP_MS_MIN
from openstile.face import Frame, LocatedFace
from openstile.face.attack import AttackKit, Evidence, Stimulus, Verdict
from openstile.face.attack.stimulus import CLIP_FRAMES, FRAME_RATE, Colour
from openstile.face.located import Box
from openstile.terms import BadInputError

UNHEARD = ("flash_response", "flash_shape")
"""The world's frames do not answer any light."""
ELSEWHERE = (Box(left=420, top=140, width=160, height=200),)


class Told:
    """A detector that says what a test wants, clip by clip, and remembers what it was shown."""

    name = "told"

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)
        self.clips: list[list[Colour | None]] = []
        self.stimuli: list[Stimulus | None] = []

    def begin(self, stimulus: Stimulus | None, light_ratio: float | None) -> None:
        self.clips.append([])
        self.stimuli.append(stimulus)

    def see(self, frame: Frame, face: LocatedFace, shown: Colour | None) -> None:
        self.clips[-1].append(shown)

    def evidence(self) -> Evidence:
        return Evidence(self.name, self.verdicts.pop(0) if self.verdicts else Verdict.INCONCLUSIVE)


class Lamp:
    """A display in colours that remembers them; `None` is its texts."""

    def __init__(self, *, lag_frames: int = 0, ready: bool = True) -> None:
        self.lag_frames, self.works = lag_frames, ready
        self.shown: list[Colour | None] = []

    def ready(self) -> bool:
        return self.works

    def show(self, colour: Colour) -> None:
        self.shown.append(colour)

    def rest(self) -> None:
        self.shown.append(None)

    def light_ratio(self) -> float | None:
        return 0.1


_frame = cache(frame_of)


class TimedFrames(RecordedFrames):
    """A camera's frames: `rate` of them a second of the world's clock. `at_frame` may change the world meanwhile."""

    def __init__(
        self, clock: TurnedClock, *numbers: int, rate: float = FRAME_RATE, at_frame: Callable[[int], None] | None = None
    ) -> None:
        super().__init__()
        self._frames = iter([_frame(number) for number in numbers])
        self._clock, self._rate, self._at_frame = clock, rate, at_frame

    def __next__(self) -> Frame:
        self._clock.pass_s(1 / self._rate)
        frame = super().__next__()
        if self._at_frame is not None:
            self._at_frame(self.pulled)
        return frame


@pytest.fixture
def world() -> World:
    world = World()
    world.clock.step_ns = 0
    world.show(1, 1)
    world.show(2, 2)
    world.show(3, 1, boxes=ELSEWHERE)
    return world


def crossed(
    world: World, numbers: list[int], detector: Told, *, lamp: Lamp | None = None, counted: list[str] | None = None,
    rate: float = FRAME_RATE, at_frame: Callable[[int], None] | None = None, **policy: str | int | tuple[str, ...],
) -> tuple[Crossing, TimedFrames]:  # fmt: skip
    world.policy = replace(world.policy, **policy)  # type: ignore[arg-type]
    frames = TimedFrames(world.clock, *numbers, rate=rate, at_frame=at_frame)
    heard = counted if counted is not None else []
    kit = AttackKit(lamp, (lambda: detector,), Bytes(), lambda evidence: heard.append(evidence.counted_as))
    return world.cross(world.face_pass(owner=1), frames, kit=kit), frames


class Bytes:
    """Random bytes that repeat from run to run."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self, count: int) -> bytes:
        self._next += 97
        return (self._next * 2654435761 % 2**32).to_bytes(4, "big")[:count].rjust(count, b"\0")


def test_off_makes_no_detector_and_reads_no_more_frames(world: World) -> None:
    detector = Told(Verdict.ATTACK)
    crossing, frames = crossed(world, [1] * 40, detector, attack_mode="off")
    assert crossing.admitted
    assert (frames.pulled, detector.clips) == (1, [])
    assert "attack" not in [step.step for step in crossing.steps]


def test_monitor_looks_for_a_whole_clip_counts_and_refuses_nobody(world: World) -> None:
    counted: list[str] = []
    crossing, frames = crossed(world, [1] * 40, Told(Verdict.ATTACK), attack_mode="monitor", counted=counted)
    assert crossing.admitted
    assert frames.pulled == CLIP_FRAMES
    assert counted == ["pad_parallax_inconclusive", "pad_told_attack"]


def test_monitor_does_not_wait_for_stills_from_files(world: World) -> None:
    still = frame_of(1)
    world.policy = replace(world.policy, attack_mode="monitor")
    frames = iter([Frame(still.pixels)] * 40)
    assert world.cross(world.face_pass(owner=1), frames).admitted
    assert len(list(frames)) == 39


def test_monitor_admits_the_owner_who_leaves_before_the_clip_ends(world: World) -> None:
    crossing, _ = crossed(world, [1] * 5, Told(), attack_mode="monitor")
    assert crossing.admitted


def test_enforced_attack_is_refused_after_one_clip(world: World) -> None:
    crossing, frames = crossed(world, [1] * 60, Told(Verdict.ATTACK), attack_mode="enforce")
    assert crossing.reason is Reason.ATTACK_SUSPECTED
    assert frames.pulled == CLIP_FRAMES


def test_stranger_is_refused_without_waiting_for_the_clip(world: World) -> None:
    crossing, frames = crossed(world, [2] * 60, Told(Verdict.LIVE), attack_mode="enforce")
    assert crossing.reason is Reason.FACE_DOES_NOT_MATCH
    assert frames.pulled == world.policy.comparisons_max


def test_life_opens_an_unattended_gate(world: World) -> None:
    crossing, _ = crossed(world, [1] * 60, Told(Verdict.LIVE), attack_mode="enforce", attendance="unattended")
    assert crossing.admitted


def test_inconclusive_clip_is_retried_once_and_then_refused_unattended(world: World) -> None:
    world.policy = replace(world.policy, attendance="unattended")
    crossing, frames = crossed(world, [1] * 90, Told(), attack_mode="enforce")
    assert crossing.reason is Reason.LIVENESS_UNSURE
    assert frames.pulled == 2 * CLIP_FRAMES
    crossing, _ = crossed(world, [1] * 90, Told(Verdict.INCONCLUSIVE, Verdict.LIVE), attack_mode="enforce")
    assert crossing.admitted


def test_attended_gate_lets_an_inconclusive_clip_pass_and_wants_a_whole_one(world: World) -> None:
    assert crossed(world, [1] * CLIP_FRAMES, Told(), attack_mode="enforce")[0].admitted
    short, _ = crossed(world, [1] * (CLIP_FRAMES - 1), Told(), attack_mode="enforce")
    assert short.reason is Reason.LIVENESS_UNSURE


def test_face_that_jumps_is_another_face_and_must_match_and_live_anew(world: World) -> None:
    detector = Told(Verdict.LIVE)
    crossing, frames = crossed(world, [1] * 10 + [3] * 60, detector, attack_mode="enforce")
    assert crossing.admitted
    assert frames.pulled == 10 + CLIP_FRAMES
    assert [len(clip) for clip in detector.clips] == [10, CLIP_FRAMES]


def test_owner_shown_first_does_not_vouch_for_a_living_stranger_elsewhere(world: World) -> None:
    world.show(4, 2, boxes=ELSEWHERE)
    crossing, _ = crossed(world, [1] * 10 + [4] * 60, Told(Verdict.LIVE), attack_mode="enforce")
    assert crossing.reason is Reason.FACE_DOES_NOT_MATCH


def test_face_that_was_away_for_a_frame_begins_a_new_clip(world: World) -> None:
    detector = Told(Verdict.LIVE)
    crossing, frames = crossed(world, [1] * 10 + [9] + [1] * 60, detector, attack_mode="enforce")
    assert crossing.admitted
    assert frames.pulled == 11 + CLIP_FRAMES


def test_detector_that_is_only_monitored_has_no_say(world: World) -> None:
    with pytest.raises(BadInputError, match="is no detector"):
        Policy(attack_monitored=("told",))
    assert Policy(attack_monitored=("flash_shape",)).attack_monitored == ("flash_shape",)


@pytest.mark.parametrize("lag", [0, 3])
def test_detectors_are_told_the_colour_that_was_on_when_a_frame_was_exposed(world: World, lag: int) -> None:
    detector, lamp = Told(Verdict.LIVE), Lamp(lag_frames=lag)
    crossing, frames = crossed(world, [1] * 90, detector, lamp=lamp, attack_mode="enforce", attack_monitored=UNHEARD)
    stimulus = detector.stimuli[0]
    assert stimulus is not None
    assert crossing.admitted
    assert lamp.shown == [*stimulus.colours[::4], None], "each colour is set once, so that nothing flickers"
    assert detector.clips[0] == [None] * (1 + lag) + list(stimulus.colours)
    assert frames.pulled == 1 + CLIP_FRAMES + lag


@pytest.mark.parametrize("how", ["refused", "no face", "lost"])
def test_display_goes_back_to_its_texts_however_the_crossing_ends(world: World, how: str) -> None:
    lamp = Lamp()
    numbers = {"refused": [1, 1, 1] + [2] * 9, "no face": [1] * 5, "lost": [1] * 5 + [9] * 5}[how]
    crossed(world, numbers, Told(), lamp=lamp, attack_mode="enforce")
    assert lamp.shown[-1] is None
    assert lamp.shown.count(None) == 1


def test_no_display_no_wish_or_no_readiness_means_no_flash(world: World) -> None:
    for lamp, wish in ((None, "on"), (Lamp(), "off"), (Lamp(ready=False), "on")):
        detector = Told(Verdict.LIVE)
        assert crossed(world, [1] * 40, detector, lamp=lamp, attack_mode="enforce", attack_flash=wish)[0].admitted
        assert detector.stimuli == [None]
        assert lamp is None or lamp.shown == []


@pytest.mark.parametrize("rate", [12.0, 30.0, 60.0])
def test_clip_takes_its_time_and_its_frames_at_any_camera(world: World, rate: float) -> None:
    detector, lamp = Told(Verdict.LIVE), Lamp()
    started_ns = world.clock.ticks_ns
    crossing, _ = crossed(
        world, [1] * 90, detector, lamp=lamp, rate=rate, attack_mode="enforce", attack_monitored=UNHEARD
    )
    assert crossing.admitted
    told = [colour for colour in detector.clips[0] if colour is not None]
    assert len(told) >= CLIP_FRAMES
    assert len(set(told)) == 5
    assert CLIP_MS_MIN <= (world.clock.ticks_ns - started_ns) / 1e6 <= 2000


def test_owner_who_comes_late_is_not_refused_for_a_clip_that_ends_after_the_time(world: World) -> None:
    numbers = [9] * 95 + [1] * 60  # 3.8 s of nobody, then 20 frames
    assert crossed(world, numbers, Told(Verdict.LIVE), attack_mode="enforce")[0].admitted
    endless = CLIP_MS_MAX + world.policy.look_ms_max + 100
    late, frames = crossed(world, [9] * 95 + [1] * 200, Told(), attack_mode="enforce", attendance="unattended", rate=2)
    assert late.reason is Reason.NO_FACE
    late, frames = crossed(world, [1] * 200, Told(), attack_mode="enforce", attendance="unattended", rate=4)
    assert late.reason is Reason.LIVENESS_UNSURE
    assert frames.pulled <= endless / 250


def test_owner_whose_face_keeps_jumping_does_not_hold_the_lane(world: World) -> None:
    world.show(4, 1, boxes=ELSEWHERE)
    crossing, frames = crossed(world, [1, 1, 4, 4] * 200, Told(), attack_mode="enforce", attendance="unattended")
    assert crossing.reason is Reason.LIVENESS_UNSURE
    assert frames.pulled <= (world.policy.look_ms_max + CLIP_MS_MAX) / 40 + 1


def test_stranger_who_takes_the_place_of_the_owners_picture_is_not_let_through(world: World) -> None:
    def swap(frame: int) -> None:
        world.engine.people[1] = person(1 if frame <= 3 else 2)

    detector = Told(*[Verdict.LIVE] * 5)
    crossing, _ = crossed(world, [1] * 90, detector, attack_mode="enforce", attendance="unattended", at_frame=swap)
    assert crossing.reason is Reason.FACE_DOES_NOT_MATCH


def test_picture_that_comes_back_after_a_living_stranger_is_judged_by_a_clip_of_its_own(world: World) -> None:
    def swap(frame: int) -> None:
        world.engine.people[1] = person(2 if 4 <= frame <= CLIP_FRAMES else 1)

    detector = Told(Verdict.LIVE, Verdict.ATTACK)
    crossing, _ = crossed(world, [1] * 90, detector, attack_mode="enforce", attendance="unattended", at_frame=swap)
    assert crossing.reason is Reason.ATTACK_SUSPECTED


@pytest.mark.parametrize("then", [9, 3, 4])
def test_monitor_lets_an_owner_go_who_turns_away_or_gives_way_to_somebody(world: World, then: int) -> None:
    world.show(4, 2, boxes=ELSEWHERE)
    counted: list[str] = []
    crossing, frames = crossed(world, [1] * 5 + [then] * 200, Told(), attack_mode="monitor", counted=counted)
    assert crossing.admitted
    assert frames.pulled == 6
    assert counted == []


def test_light_that_fails_or_is_declined_within_a_clip_is_done_without(world: World) -> None:
    lamp, detector = Lamp(), Told(Verdict.LIVE)

    def switch_off(frame: int) -> None:
        lamp.works = frame < 10

    crossing, frames = crossed(
        world, [1] * 90, detector, lamp=lamp, at_frame=switch_off, attack_mode="enforce", attendance="unattended"
    )
    assert crossing.admitted, "the flash detectors, which saw no answer to colours that were not shown, have no say"
    assert lamp.shown[-1] is None
    assert len([colour for colour in lamp.shown if colour]) <= 3
    assert [stimulus is None for stimulus in detector.stimuli] == [False, True]
    assert frames.pulled == 10 + CLIP_FRAMES


def test_still_pictures_are_a_clip_of_frames_without_time_where_detectors_decide(world: World) -> None:
    still = Frame(frame_of(1).pixels)
    world.policy = replace(world.policy, attack_mode="enforce")
    assert world.cross(world.face_pass(owner=1), iter([still] * CLIP_FRAMES)).admitted
    refused = world.cross(world.face_pass(owner=1), iter([still] * (CLIP_FRAMES - 1)))
    assert refused.reason is Reason.LIVENESS_UNSURE


def test_exception_within_a_clip_brings_the_texts_back(world: World) -> None:
    lamp = Lamp()

    def interrupt(frame: int) -> None:
        if frame == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crossed(world, [1] * 20, Told(), lamp=lamp, at_frame=interrupt, attack_mode="enforce")
    assert lamp.shown[-1] is None


def test_nothing_is_lit_before_a_face_is_there(world: World) -> None:
    lamp = Lamp()
    crossed(world, [9] * 200, Told(), lamp=lamp, attack_mode="enforce", look_ms_max=200)
    assert lamp.shown == []
