"""The loop gives the display's light to the crossing; the journal counts what the detectors said, and not of whom."""

import io
from dataclasses import replace

from tests.crossing.world import World, frame_of
from tests.gate.gates import Reports, ShownBarrier, camera_of, frame_showing, lane_of

from openstile.face.attack.kit import FlashLight
from openstile.gate.display import ConsoleDisplay
from openstile.gate.display_light import LightDisplay
from openstile.gate.loop import GateLoop, LoopTimes
from openstile.journal import Journal


def serve(world: World, journal: Journal, display: ConsoleDisplay) -> Reports:
    reports = Reports()
    frames = [frame_showing(world.face_pass()), *[frame_of(1)] * 40]
    GateLoop(
        lane=lane_of(world, journal, ShownBarrier()),
        journal=journal,
        open_camera=camera_of(iter(frames)),
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
