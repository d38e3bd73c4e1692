"""One lane: the tap is durable before the barrier opens; what fails in between keeps the barrier closed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.crossing.world import NOON, RecordedFrames, World
from tests.gate.gates import ShownBarrier, journal_in, lane_of

from openstile.crossing import Crossing, Reason
from openstile.gate.lane import Lane
from openstile.journal import Journal
from openstile.passes.hardware_session import HardwareError
from openstile.passes.keys import GateGroupKey


def _present(lane: Lane, presented: str, *frames: int, pin: str | None = None) -> Crossing:
    return lane.present(presented, frames=RecordedFrames(*(frames or (1,))), ask_pin=lambda: pin)


def test_tap_is_in_the_journal_before_the_barrier_opens(world: World, journal: Journal) -> None:
    barrier = ShownBarrier()
    crossing = _present(lane_of(world, journal, barrier), world.face_pass())
    assert crossing.admitted
    assert barrier.taps_when_opened == [1]
    (entry,) = journal.taps()
    assert (entry.tap.pass_id, entry.tap.product, entry.tap.at) == (crossing.pass_id, "season", NOON)
    assert [step.step for step in crossing.steps][-2:] == ["journal", "barrier"]


def test_refusal_writes_no_tap_opens_nothing_and_is_counted_without_the_pass(world: World, journal: Journal) -> None:
    barrier = ShownBarrier()
    lane = lane_of(world, journal, barrier)
    crossing = _present(lane, world.face_pass(owner=1), 2, 2, 2)
    assert crossing.reason is Reason.FACE_DOES_NOT_MATCH
    assert journal.taps() == ()
    assert barrier.taps_when_opened == []
    assert [(c.reason, c.refusals) for c in journal.refusals()] == [("face_does_not_match", 1)]


def test_second_use_is_refused_by_the_journal_even_after_a_restart(world: World, journal: Journal) -> None:
    presented = world.face_pass()
    assert _present(lane_of(world, journal, ShownBarrier()), presented).admitted
    again = lane_of(world, journal, ShownBarrier())
    assert _present(again, presented).reason is Reason.USED_RECENTLY
    world.clock.pass_s(world.policy.passback_s)
    assert _present(again, presented).admitted


def test_five_wrong_pins_lock_the_pass_for_a_while_and_the_right_one_clears(world: World, journal: Journal) -> None:
    lane = lane_of(world, journal, ShownBarrier())
    presented = world.pin_pass("4711")
    for _ in range(world.policy.attempts_max - 1):
        assert _present(lane, presented, pin="0000").reason is Reason.PIN_WRONG
    assert _present(lane, presented, pin="4711").admitted
    world.clock.pass_s(world.policy.passback_s)
    for _ in range(world.policy.attempts_max):
        assert _present(lane, presented, pin="0000").reason is Reason.PIN_WRONG
    assert _present(lane, presented, pin="4711").reason is Reason.TOO_MANY_ATTEMPTS
    world.clock.pass_s(world.policy.attempts_window_s)
    assert _present(lane, presented, pin="4711").admitted


def test_no_face_before_the_gate_is_no_failed_attempt(world: World, journal: Journal) -> None:
    lane, presented = lane_of(world, journal, ShownBarrier()), world.face_pass()
    for _ in range(world.policy.attempts_max + 2):
        assert _present(lane, presented, 9).reason is Reason.NO_FACE
    assert _present(lane, presented, 1).admitted


def test_journal_that_cannot_be_written_keeps_the_barrier_closed(world: World, tmp_path: Path) -> None:
    barrier = ShownBarrier()
    with journal_in(tmp_path) as journal:
        lane = lane_of(world, journal, barrier)
    crossing = _present(lane, world.face_pass())
    assert crossing.reason is Reason.JOURNAL_UNAVAILABLE
    assert crossing.pass_id is None
    assert barrier.taps_when_opened == []


def test_barrier_that_fails_is_no_use_of_the_pass(world: World, journal: Journal) -> None:
    barrier = ShownBarrier(broken=True)
    lane, presented = lane_of(world, journal, barrier), world.face_pass()
    assert _present(lane, presented).reason is Reason.BARRIER_UNAVAILABLE
    barrier.broken = False
    assert _present(lane, presented).admitted
    assert _present(lane, presented).reason is Reason.USED_RECENTLY


def test_clock_that_fell_far_back_admits_nobody_until_it_is_right_again(world: World, journal: Journal) -> None:
    lane = lane_of(world, journal, ShownBarrier())
    world.clock.wall = NOON + timedelta(hours=2)
    assert _present(lane, world.face_pass()).admitted
    world.clock.wall = NOON
    presented = world.face_pass()
    assert _present(lane, presented).reason is Reason.CLOCK_UNSURE
    world.clock.wall = NOON + timedelta(hours=2)
    assert _present(lane, presented).admitted


def test_passback_of_zero_lets_a_pass_through_again_at_once(world: World, journal: Journal) -> None:
    world.policy = replace(world.policy, passback_s=0)
    lane, presented = lane_of(world, journal, ShownBarrier()), world.face_pass()
    assert _present(lane, presented).admitted
    assert _present(lane, presented).admitted


def test_clock_before_what_the_gate_was_told_last_is_not_believed_even_without_a_tap(
    world: World, journal: Journal
) -> None:
    told = NOON + timedelta(seconds=world.policy.clock_back_s_max)
    lane = lane_of(world, journal, ShownBarrier(), told_at=told)
    assert _present(lane, world.face_pass()).admitted
    ahead = lane_of(world, journal, ShownBarrier(), told_at=told + timedelta(seconds=1))
    assert _present(ahead, world.face_pass()).reason is Reason.CLOCK_UNSURE


def test_one_pass_at_two_gates_needs_its_owner_at_both(world: World, journal: Journal, tmp_path: Path) -> None:
    """Gates do not know of each other: what a copy lacks at the second gate is the owner."""
    presented = world.face_pass(owner=1)
    assert _present(lane_of(world, journal, ShownBarrier()), presented, 1).admitted
    with journal_in(tmp_path / "second") as elsewhere:
        second = lane_of(world, elsewhere, ShownBarrier())
        assert _present(second, presented, 2, 2, 2).reason is Reason.FACE_DOES_NOT_MATCH
        assert elsewhere.taps() == ()
        assert _present(second, presented, 1).admitted


class GoneToken:
    """A key whose token was taken away."""

    def __init__(self, point: bytes) -> None:
        self.point = point

    def agree(self, peer: bytes) -> bytes:
        raise HardwareError("token gates: was taken away; connect the token")


def test_gate_whose_token_does_not_answer_is_out_of_service_and_says_why(
    world: World, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    text = world.pin_pass()
    gone = GateGroupKey(world.group.public, GoneToken(world.group.public.point))
    world.keyring = replace(world.keyring, gate_group_keys=(gone,))
    crossing = lane_of(world, journal, ShownBarrier()).present(text, frames=iter(()), ask_pin=lambda: "4711")
    assert crossing.reason is Reason.KEYS_UNAVAILABLE
    assert "connect the token" in caplog.text
