"""The crossing's rules, one test each: what is looked at when, and which reason ends it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.crossing.world import NOON, RecordedFrames, World, frame_of

from openstile.crossing import Crossing, Policy, Reason
from openstile.face import Frame
from openstile.face.located import Box
from openstile.face.sources import CameraLostError
from openstile.passes import GateKeyring
from openstile.passes.keyring import TrustedIssuer
from openstile.terms import BadInputError, PassId


@pytest.fixture
def world() -> World:
    return World()


def _pass_id(crossing: Crossing) -> PassId:
    assert crossing.pass_id is not None
    return crossing.pass_id


def test_owner_is_admitted_on_the_first_good_frame(world: World) -> None:
    world.show(1, 1)
    frames = RecordedFrames(1, 1, 1)
    crossing = world.cross(world.face_pass(owner=1), frames)
    assert crossing.admitted
    assert crossing.reason is None
    assert frames.pulled == crossing.frames_read == 1
    assert crossing.product == "season"
    assert [s.step for s in crossing.steps] == [
        "open_pass", "check_status", "check_policy", "load_engine", "frame", "locate", "quality", "template", "compare",
    ]  # fmt: skip
    assert crossing.total_ms == pytest.approx(sum(s.elapsed_ms for s in crossing.steps))


def test_stranger_with_anothers_pass_is_refused(world: World) -> None:
    world.show(1, 2)
    crossing = world.cross(world.face_pass(owner=1), RecordedFrames(*[1] * 9))
    assert crossing.reason is Reason.FACE_DOES_NOT_MATCH
    assert crossing.frames_read == world.policy.comparisons_max


@pytest.mark.parametrize("presented", ["", "OS1:", "OS2:ABC", "hello", b"\xff\xfe", "OS1:" + "A" * 9000])
def test_no_frame_is_read_before_a_valid_pass_was_opened(world: World, presented: str | bytes) -> None:
    frames = RecordedFrames(1)
    crossing = world.cross(presented, frames)
    assert crossing.reason in (Reason.PASS_UNREADABLE, Reason.PASS_VERSION_UNKNOWN)
    assert (frames.pulled, world.engine_loads, world.pins_asked) == (0, 0, 0)
    assert crossing.pass_id is None
    assert crossing.product is None


def test_no_frame_is_read_for_a_pass_that_is_expired_or_not_yet_valid(world: World) -> None:
    presented, frames = world.face_pass(days=1), RecordedFrames(1)
    world.clock.wall = NOON + timedelta(days=1, seconds=world.policy.clock_skew_s)
    assert world.cross(presented, frames).reason is Reason.PASS_EXPIRED
    world.clock.wall = NOON - timedelta(seconds=world.policy.clock_skew_s + 1)
    assert world.cross(presented, frames).reason is Reason.PASS_NOT_YET_VALID
    assert frames.pulled == 0


def test_pass_is_good_to_the_last_second_of_its_time_and_skew(world: World) -> None:
    world.show(1, 1)
    presented = world.face_pass(days=1)
    world.clock.wall = NOON + timedelta(days=1, seconds=world.policy.clock_skew_s) - timedelta(microseconds=1)
    assert world.cross(presented, RecordedFrames(1)).admitted


def test_pass_of_an_unknown_or_revoked_issuer_is_refused_unseen(world: World) -> None:
    presented, frames = world.face_pass(), RecordedFrames(1)
    world.keyring = GateKeyring(world.keyring.gate_group_keys, ())
    assert world.cross(presented, frames).reason is Reason.ISSUER_UNKNOWN
    world.keyring = GateKeyring(world.keyring.gate_group_keys, (TrustedIssuer(world.issuer.public, revoked=True),))
    assert world.cross(presented, frames).reason is Reason.ISSUER_REVOKED
    assert frames.pulled == 0


def test_pass_sealed_for_other_gates_is_refused_unseen(world: World) -> None:
    frames = RecordedFrames(1)
    assert world.cross(World().face_pass(), frames).reason is Reason.PASS_FOR_OTHER_GATES
    assert frames.pulled == 0


def test_pin_pass_never_reads_a_frame_nor_loads_a_network(world: World) -> None:
    presented, frames = world.pin_pass("4711"), RecordedFrames(1)
    assert world.cross(presented, frames, pin="4711").admitted
    assert world.cross(presented, frames, pin="4712").reason is Reason.PIN_WRONG
    assert world.cross(presented, frames, pin="x").reason is Reason.PIN_WRONG
    assert world.cross(presented, frames, pin=None).reason is Reason.PIN_MISSING
    assert (frames.pulled, world.engine_loads) == (0, 0)


def test_face_pass_never_asks_for_a_pin(world: World) -> None:
    world.show(1, 1)
    assert world.cross(world.face_pass(), RecordedFrames(1), pin="4711").admitted
    assert world.pins_asked == 0


def test_product_that_this_gate_does_not_take_is_refused_unseen(world: World) -> None:
    frames = RecordedFrames(1)
    world.policy = replace(world.policy, products=("staff",))
    assert world.cross(world.face_pass(), frames).reason is Reason.PRODUCT_NOT_ACCEPTED
    world.policy = replace(world.policy, products=("staff", "season"))
    world.show(1, 1)
    assert world.cross(world.face_pass(), frames).admitted


def test_second_use_within_the_passback_time_is_refused_unseen_and_after_it_is_not(world: World) -> None:
    world.show(1, 1)
    presented = world.face_pass()
    world.history.admitted[_pass_id(world.cross(presented, RecordedFrames(1)))] = NOON
    world.clock.wall = NOON + timedelta(seconds=world.policy.passback_s) - timedelta(microseconds=1)
    frames = RecordedFrames(1)
    assert world.cross(presented, frames).reason is Reason.USED_RECENTLY
    assert frames.pulled == 0
    world.clock.wall = NOON + timedelta(seconds=world.policy.passback_s)
    assert world.cross(presented, frames).admitted


def test_use_recorded_in_the_future_counts_as_recent(world: World) -> None:
    """A clock that went back a little must not let a pass through twice."""
    world.show(1, 1)
    presented = world.face_pass()
    world.history.admitted[_pass_id(world.cross(presented, RecordedFrames(1)))] = NOON + timedelta(seconds=20)
    assert world.cross(presented, RecordedFrames(1)).reason is Reason.USED_RECENTLY


def test_too_many_failed_attempts_refuse_the_pass_unseen(world: World) -> None:
    world.show(1, 1)
    presented = world.face_pass()
    pass_id = _pass_id(world.cross(presented, RecordedFrames(1)))
    world.history.failures[pass_id] = world.policy.attempts_max - 1
    assert world.cross(presented, RecordedFrames(1)).admitted
    world.history.failures[pass_id] = world.policy.attempts_max
    frames = RecordedFrames(1)
    assert world.cross(presented, frames).reason is Reason.TOO_MANY_ATTEMPTS
    assert frames.pulled == 0


def test_clock_far_behind_the_newest_record_admits_nobody(world: World) -> None:
    world.show(1, 1)
    world.history.newest = NOON + timedelta(seconds=world.policy.clock_back_s_max)
    assert world.cross(world.face_pass(), RecordedFrames(1)).admitted
    world.history.newest += timedelta(microseconds=1)
    frames = RecordedFrames(1)
    assert world.cross(world.face_pass(), frames).reason is Reason.CLOCK_UNSURE
    assert frames.pulled == 0


def test_template_of_another_pack_or_length_is_not_compared(world: World) -> None:
    frames = RecordedFrames(1)
    assert world.cross(world.face_pass(pack="other-1"), frames).reason is Reason.REFERENCE_NOT_SUPPORTED
    assert world.cross(world.face_pass(dimensions=64), frames).reason is Reason.REFERENCE_NOT_SUPPORTED
    assert frames.pulled == 0


def test_copied_pass_with_no_face_before_the_gate_is_refused(world: World) -> None:
    crossing = world.cross(world.face_pass(), RecordedFrames(1, 2, 3))
    assert crossing.reason is Reason.NO_FACE
    nothing = world.cross(world.face_pass(), iter(()))
    assert (nothing.reason, nothing.frames_read) == (Reason.NO_FACE, 0)


def test_two_riders_in_the_zone_are_refused_and_no_template_is_made(world: World) -> None:
    left, right = Box(120, 140, 160, 200), Box(360, 140, 160, 200)
    world.show(1, boxes=(left, right))
    assert world.cross(world.face_pass(), RecordedFrames(1, 1)).reason is Reason.TWO_FACES


def test_one_of_two_riders_steps_back_and_the_owner_is_admitted(world: World) -> None:
    world.show(1, boxes=(Box(120, 140, 160, 200), Box(360, 140, 160, 200)))
    world.show(2, 1)
    assert world.cross(world.face_pass(owner=1), RecordedFrames(1, 2)).admitted


def test_reason_stays_a_mismatch_when_the_stranger_then_hides(world: World) -> None:
    world.show(1, 2)
    assert world.cross(world.face_pass(owner=1), RecordedFrames(1, 9, 9)).reason is Reason.FACE_DOES_NOT_MATCH


def test_owner_may_follow_one_odd_frame(world: World) -> None:
    world.show(1, 2)
    world.show(2, 1)
    assert world.cross(world.face_pass(owner=1), RecordedFrames(1, 2)).admitted


def test_looking_ends_at_the_time_limit(world: World) -> None:
    world.clock.step_ns = 100_000_000
    frames = RecordedFrames(*[9] * 60)
    crossing = world.cross(world.face_pass(), frames)
    assert crossing.reason is Reason.NO_FACE
    assert frames.pulled <= world.policy.look_ms_max / 100


def test_lost_camera_ends_the_crossing_with_its_own_reason(world: World) -> None:
    def breaking() -> Iterator[Frame]:
        yield frame_of(9)
        raise CameraLostError("camera:0: no more frames")

    assert world.cross(world.face_pass(), breaking()).reason is Reason.CAMERA_LOST


def test_operator_may_set_a_stricter_threshold_than_the_pack(world: World) -> None:
    world.show(1, 1)
    world.engine.people[1] = world.engine.people[1] * 0.8
    assert world.cross(world.face_pass(owner=1), RecordedFrames(1)).admitted
    world.policy = replace(world.policy, distance_max=0.1)
    assert world.cross(world.face_pass(owner=1), RecordedFrames(1)).reason is Reason.FACE_DOES_NOT_MATCH


@pytest.mark.parametrize(
    "setting",
    [{"look_ms_max": 199}, {"look_ms_max": 60_001}, {"comparisons_max": 0}, {"comparisons_max": 11},
     {"clock_skew_s": -1}, {"clock_skew_s": 601}, {"passback_s": 86_401}, {"attempts_max": 0},
     {"attempts_window_s": 0}, {"distance_max": 2.1}, {"clock_back_s_max": -1}],
)  # fmt: skip
def test_policy_outside_its_ranges_is_refused_by_name(setting: dict[str, int]) -> None:
    with pytest.raises(BadInputError, match=next(iter(setting))):
        Policy(**setting)  # type: ignore[arg-type]
