"""What a rider is told while the gate looks: what they can do, when it is sure, and not in a flicker."""

import pytest
from tests.crossing.world import RecordedFrames, World

from openstile.crossing.advice import FEEDBACK_FRAMES
from openstile.face.feedback import Feedback
from openstile.face.located import Box

FAR = (Box(left=310, top=230, width=16, height=20),)
CUT = (Box(left=60, top=-90, width=160, height=200),)


@pytest.fixture
def world() -> World:
    world = World()
    world.show(1, 1)
    world.show(2, boxes=FAR)
    world.show(3, boxes=CUT)
    return world


def told(world: World, *frames: int) -> list[Feedback]:
    heard: list[Feedback] = []
    world.cross(world.face_pass(), RecordedFrames(*frames), tell=heard.append)
    return heard


def test_rider_is_told_what_to_do_while_the_gate_looks(world: World) -> None:
    assert told(world, *[2] * FEEDBACK_FRAMES, 1) == [Feedback.COME_CLOSER]


def test_advice_is_given_when_enough_frames_in_a_row_ask_for_it_and_not_one_before(world: World) -> None:
    assert told(world, *[2] * (FEEDBACK_FRAMES - 1), 1) == []
    assert told(world, *[2, 3] * 9) == []


def test_advice_is_not_repeated_until_something_else_was_asked(world: World) -> None:
    assert told(world, *[2] * 20) == [Feedback.COME_CLOSER]
    assert told(world, *[2] * 5, *[3] * 5, *[2] * 5) == [
        Feedback.COME_CLOSER, Feedback.MOVE_TO_MIDDLE, Feedback.COME_CLOSER,
    ]  # fmt: skip


def test_nobody_is_told_anything_before_a_valid_pass_was_opened(world: World) -> None:
    heard: list[Feedback] = []
    world.cross("hello", RecordedFrames(*[2] * 20), tell=heard.append)
    assert heard == []
