"""The loop gives the display's light to the crossing; the journal counts what the detectors said, and not of whom."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from tests.crossing.world import World, frame_of
from tests.gate.gates import Reports, ShownBarrier, camera_of, frame_showing, lane_of

from openstile.face import Frame
from openstile.face.attack.kit import FlashLight
from openstile.face.feedback import Feedback
from openstile.gate.display import ConsoleDisplay
from openstile.gate.display_light import LightDisplay
from openstile.gate.loop import GateLoop, LoopTimes
from openstile.gate.messages import GateState, LightNotice
from openstile.journal import Journal, JournalError, Tap
from openstile.journal.taps import JournaledTap
from openstile.terms import BadInputError


def camera(world: World) -> Iterator[Frame]:
    """A pass, then its owner, 25 frames a second."""
    yield frame_showing(world.face_pass())
    owner = frame_of(1)
    for _ in range(40):
        world.clock.pass_s(0.04)
        yield owner


def serve(world: World, journal: Journal, display: ConsoleDisplay) -> Reports:
    reports = Reports()
    GateLoop(
        lane=lane_of(world, journal, ShownBarrier()),
        journal=journal,
        open_camera=camera_of(camera(world)),
        ask_pin=lambda: None,
        display=display,
        clock=world.clock,
        sleep=world.clock.pass_s,
        times=LoopTimes(),
        report=reports,
    ).run()
    return reports


def test_rider_is_lit_in_five_colours_and_the_texts_come_back(world: World, journal: Journal) -> None:
    world.policy = replace(world.policy, attack_mode="monitor")
    stream = io.StringIO()
    assert serve(world, journal, LightDisplay(stream)).reasons == [None]
    shown = stream.getvalue()
    colours = {part.split("m")[0] for part in shown.split("\x1b[48;2;")[1:]}
    assert len(colours) == 5
    assert shown.index("\x1b[48;2;") < shown.rindex("\x1b[0m\x1b[2J") < shown.index("Welcome")


def test_monitor_counts_outcomes_by_day_and_nothing_says_whose(world: World, journal: Journal) -> None:
    world.policy = replace(world.policy, attack_mode="monitor")
    serve(world, journal, LightDisplay(io.StringIO()))
    counted = {count.reason: count.refusals for count in journal.refusals()}
    assert {name.rsplit("_", 1)[0] for name in counted} == {"pad_parallax", "pad_flash_response", "pad_flash_shape"}
    assert set(counted.values()) == {1}


def test_display_without_colours_leaves_parallax_alone(world: World, journal: Journal) -> None:
    world.policy = replace(world.policy, attack_mode="monitor")
    serve(world, journal, ConsoleDisplay(io.StringIO()))
    assert [count.reason.rsplit("_", 1)[0] for count in journal.refusals()] == ["pad_parallax"]
    assert not isinstance(ConsoleDisplay(io.StringIO()), FlashLight)


def test_display_whose_stream_is_gone_does_not_flash_again() -> None:
    stream = io.StringIO()
    display = LightDisplay(stream)
    stream.close()
    assert display.ready()
    display.show((1, 2, 3))
    assert not display.ready()


class Button:
    """A rider's button, pressed or not; remembers how often it was let go of."""

    def __init__(self, *, pressed: bool) -> None:
        self.pressed, self.forgotten = pressed, 0

    def declined(self) -> bool:
        return self.pressed

    def forget(self) -> None:
        self.pressed = False
        self.forgotten += 1

    def close(self) -> None:
        self.pressed = False


def test_rider_who_declines_sees_no_colour_is_told_so_and_is_the_only_one(world: World, journal: Journal) -> None:
    world.policy = replace(world.policy, attack_mode="monitor", passback_s=0)
    stream, button = io.StringIO(), Button(pressed=True)
    display = LightDisplay(stream, switch=button, notice=LightNotice.COLOURS_OR_BUTTON)
    assert serve(world, journal, display).reasons == [None]
    first = stream.getvalue()
    assert "press the button for none" in first
    assert "No colours this time" in first
    assert "\x1b[48;2;" not in first
    assert [count.reason.rsplit("_", 1)[0] for count in journal.refusals()] == ["pad_parallax"]
    assert button.forgotten == 1
    assert serve(world, journal, display).reasons == [None]
    second = stream.getvalue()[len(first) :]
    assert "No colours this time" not in second
    assert "\x1b[48;2;" in second


@pytest.mark.parametrize("wanted", [True, False])
def test_display_speaks_of_colours_only_where_the_policy_wants_them(wanted: bool) -> None:
    stream = io.StringIO()
    LightDisplay(stream, wanted=lambda: wanted).show_state(GateState.IDLE)
    assert ("change colours" in stream.getvalue()) == wanted


def test_text_that_a_colour_wiped_away_is_shown_again() -> None:
    stream = io.StringIO()
    display = LightDisplay(stream)
    display.show_feedback(Feedback.HOLD_STILL)
    display.show((1, 2, 3))
    display.show_feedback(Feedback.HOLD_STILL)
    assert stream.getvalue().count("Hold still") == 2


@pytest.mark.parametrize("wrong", [{"lag_frames": 11}, {"lag_frames": -1}, {"light_ratio": 0.0}])
def test_display_with_impossible_measures_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInputError, match="display"):
        LightDisplay(io.StringIO(), **wrong)  # type: ignore[arg-type]


class Watched:
    """A journal that notes each write."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self.writes = journal, []  # type: ignore[var-annotated]

    def append(self, tap: Tap) -> JournaledTap:
        self.writes.append("tap")
        return self._journal.append(tap)

    def count_refusal(self, *reasons: str, at: datetime) -> None:
        self.writes.append(reasons)
        self._journal.count_refusal(*reasons, at=at)

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)


def test_no_rider_waits_for_counts_and_each_crossing_writes_them_once(world: World, journal: Journal) -> None:
    world.policy = replace(world.policy, attack_mode="monitor")
    watched, barrier = Watched(journal), ShownBarrier()
    lane = lane_of(world, watched, barrier)  # type: ignore[arg-type]
    barrier.count_taps = lambda: len(watched.writes)
    frames = camera(world)
    next(frames)
    lane.present(world.face_pass(), frames=frames, ask_pin=lambda: None, light=LightDisplay(io.StringIO()))
    assert barrier.taps_when_opened == [1], "only the tap was written when the barrier opened"
    assert [len(write) for write in watched.writes[1:]] == [3]


def test_journal_that_fails_to_count_keeps_nobody_out(world: World, journal: Journal) -> None:
    world.policy = replace(world.policy, attack_mode="monitor")

    class Full(Watched):
        def count_refusal(self, *reasons: str, at: datetime) -> None:
            raise JournalError("journal: the disk is full")

    barrier = ShownBarrier()
    frames = camera(world)
    next(frames)
    lane = lane_of(world, Full(journal), barrier)  # type: ignore[arg-type]
    assert lane.present(world.face_pass(), frames=frames, ask_pin=lambda: None).admitted
    assert len(barrier.taps_when_opened) == 1
