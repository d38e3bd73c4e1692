"""The attack check of a crossing: the same face, one clip, one retry; off costs nothing, monitor refuses nobody."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.crossing.world import RecordedFrames, World, frame_of

from openstile.crossing import Crossing, Policy, Reason
from openstile.crossing.attack import GAP_FRAMES
from openstile.face import Frame, LocatedFace
from openstile.face.attack import AttackKit, Evidence, Stimulus, Verdict
from openstile.face.attack.safety import flashes_per_second_max
from openstile.face.attack.stimulus import CLIP_FRAMES, FRAME_RATE, Colour
from openstile.face.located import Box
from openstile.terms import BadInputError

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
        self.lag_frames, self._ready = lag_frames, ready
        self.shown: list[Colour | None] = []

    def ready(self) -> bool:
        return self._ready

    def show(self, colour: Colour) -> None:
        self.shown.append(colour)

    def rest(self) -> None:
        self.shown.append(None)

    def light_ratio(self) -> float | None:
        return 0.1


@pytest.fixture
def world() -> World:
    world = World()
    world.show(1, 1)
    world.show(2, 2)
    world.show(3, 1, boxes=ELSEWHERE)
    return world


def crossed(
    world: World, numbers: list[int], detector: Told, *, lamp: Lamp | None = None, counted: list[str] | None = None,
    **policy: str | tuple[str, ...],
) -> tuple[Crossing, RecordedFrames]:  # fmt: skip
    world.policy = replace(world.policy, **policy)  # type: ignore[arg-type]
    frames = RecordedFrames(*numbers)
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
    unheard = ("flash_response", "flash_shape")  # the world's frames do not answer any light
    crossing, frames = crossed(world, [1] * 90, detector, lamp=lamp, attack_mode="enforce", attack_monitored=unheard)
    stimulus = detector.stimuli[0]
    assert stimulus is not None
    assert crossing.admitted
    assert lamp.shown == [*stimulus.colours, None]
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


@pytest.mark.parametrize("moves_every", [1, 4, 7, 13])
def test_clips_that_begin_again_and_again_keep_to_three_flashes_a_second(world: World, moves_every: int) -> None:
    numbers = [1 if at // moves_every % 2 else 3 for at in range(100)]
    lamp = Lamp()
    on: list[Colour | None] = []

    class Watched(RecordedFrames):
        def __next__(self) -> Frame:
            on.append(lamp.shown[-1] if lamp.shown else None)
            return super().__next__()

    world.policy = replace(world.policy, attack_mode="enforce", attendance="unattended")
    world.cross(world.face_pass(owner=1), Watched(*numbers), kit=AttackKit(light=lamp, random=Bytes()))
    colours = [colour or (0, 0, 0) for colour in on]
    assert flashes_per_second_max(colours, FRAME_RATE) <= 3
    assert GAP_FRAMES >= 5


def frames_with_nobody() -> Iterator[Frame]:
    while True:
        yield frame_of(9)


def test_nothing_is_lit_before_a_face_is_there(world: World) -> None:
    lamp = Lamp()
    world.policy = replace(world.policy, attack_mode="enforce", look_ms_max=200)
    world.cross(world.face_pass(owner=1), frames_with_nobody(), kit=AttackKit(light=lamp))
    assert lamp.shown == []
