"""The gate's loop: one showing, one crossing; never stuck by what a camera or a disk does."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.crossing.world import NOON, World, frame_of
from tests.gate.gates import Reports, ShownBarrier, ShownDisplay, camera_of, frame_showing, journal_in, lane_of

from openstile.crossing import Reason
from openstile.face import Frame
from openstile.face.sources import CameraLostError
from openstile.gate.loop import GateLoop, LoopTimes
from openstile.gate.messages import GateState
from openstile.journal import Journal
from openstile.passes.holder import generate_holder_key
from openstile.passes.live import show_live


class Street:
    """A gate at a street: its loop, and everything that it showed, slept and reported."""

    def __init__(self, world: World, journal: Journal, *sessions: Iterator[Frame]) -> None:
        self.world = world
        self.barrier, self.display, self.reports = ShownBarrier(), ShownDisplay(), Reports()
        self.slept: list[float] = []
        self.loop = GateLoop(
            lane=lane_of(world, journal, self.barrier),
            journal=journal,
            open_camera=camera_of(*sessions),
            ask_pin=lambda: None,
            display=self.display,
            clock=world.clock,
            sleep=self._sleep,
            times=LoopTimes(),
            report=self.reports,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.world.clock.pass_s(seconds)


def _lost(*frames: Frame) -> Iterator[Frame]:
    yield from frames
    raise CameraLostError("camera:0: unplugged")


def test_rider_is_served_and_the_gate_is_ready_again(world: World, journal: Journal) -> None:
    street = Street(world, journal, iter([frame_of(9), frame_showing(world.face_pass()), frame_of(1), frame_of(9)]))
    street.loop.run()
    assert street.reports.reasons == [None]
    assert street.barrier.taps_when_opened == [1]
    assert street.display.shown == [
        GateState.IDLE,
        GateState.LOOK,
        GateState.ADMITTED,
        GateState.IDLE,
        GateState.OUT_OF_SERVICE,
    ]


def test_pass_held_up_for_long_is_one_crossing(world: World, journal: Journal) -> None:
    held = frame_showing(world.face_pass())
    street = Street(world, journal, iter([held, frame_of(1), *[held] * 50]))
    street.loop.run()
    assert street.reports.reasons == [None]


def test_pass_taken_away_and_shown_again_is_a_second_crossing(world: World, journal: Journal) -> None:
    held = frame_showing(world.face_pass())

    def frames() -> Iterator[Frame]:
        yield held
        yield frame_of(1)
        world.clock.pass_s(5)
        yield held

    street = Street(world, journal, frames())
    street.loop.run()
    assert street.reports.reasons == [None, Reason.USED_RECENTLY]


def test_phone_that_stays_in_view_is_served_once_though_its_code_changes(world: World, journal: Journal) -> None:
    holder = generate_holder_key()
    wallet = world.issue(holder=holder.public).wallet

    def phone_in_view() -> Iterator[Frame]:
        for _ in range(40):
            code = show_live(wallet=wallet, holder=holder, now=world.clock.now(), random=secrets.token_bytes)
            yield frame_showing(code)
            world.clock.pass_s(1)
        world.clock.pass_s(2)
        yield frame_of(9)
        code = show_live(wallet=wallet, holder=holder, now=world.clock.now(), random=secrets.token_bytes)
        yield frame_showing(code)
        yield frame_of(1)

    frames = phone_in_view()
    world.show(1, 1)
    street = Street(world, journal, frames)
    street.loop.run()
    assert len(street.reports.reasons) == 2, "once while in view, and once when shown again"


def test_two_passes_held_up_together_are_each_served_once(world: World, journal: Journal) -> None:
    first, second = frame_showing(world.face_pass(1)), frame_showing(world.face_pass(2))
    height = max(first.pixels.shape[0], second.pixels.shape[0])
    sheets = [np.pad(f.pixels, ((0, height - f.pixels.shape[0]), (0, 0), (0, 0)), constant_values=255)
              for f in (first, second)]  # fmt: skip
    both = Frame(np.ascontiguousarray(np.concatenate(sheets, axis=1)), 0)
    street = Street(world, journal, iter([both, frame_of(1), both, frame_of(2), *[both] * 20]))
    street.loop.run()
    assert len(street.reports.crossings) == 2
    assert len({crossing.pass_id for crossing in street.reports.crossings}) == 2


def test_next_rider_follows_at_once(world: World, journal: Journal) -> None:
    first, second = frame_showing(world.face_pass(1)), frame_showing(world.face_pass(2))
    street = Street(world, journal, iter([first, frame_of(1), second, frame_of(2)]))
    street.loop.run()
    assert street.reports.reasons == [None, None]


def test_idle_gate_never_looks_for_a_face(world: World, journal: Journal) -> None:
    street = Street(world, journal, iter([frame_of(1)] * 5))
    street.loop.run()
    assert world.engine.looked_at == 0
    assert street.reports.crossings == []


def test_lost_camera_is_shown_and_opened_again_with_growing_pauses(world: World, journal: Journal) -> None:
    sessions: list[Iterator[Frame]] = [_lost() for _ in range(7)]
    sessions.append(iter([frame_showing(world.face_pass()), frame_of(1)]))
    street = Street(world, journal, *sessions)
    street.loop.run()
    assert street.slept[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert street.display.shown.count(Reason.CAMERA_LOST) == 7
    assert street.reports.reasons == [None]


def test_camera_lost_while_looking_refuses_and_the_next_rider_is_served(world: World, journal: Journal) -> None:
    lost = _lost(frame_showing(world.face_pass()))
    street = Street(world, journal, lost, iter([frame_showing(world.face_pass()), frame_of(1)]))
    street.loop.run()
    assert street.reports.reasons == [Reason.CAMERA_LOST, None]


def test_frame_of_noise_or_of_one_colour_is_survived(world: World, journal: Journal) -> None:
    rng = np.random.default_rng(3)
    odd = [Frame(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), 0), Frame(np.zeros((16, 16, 3), np.uint8), 0)]
    street = Street(world, journal, iter([*odd, frame_showing(world.face_pass()), frame_of(1)]))
    street.loop.run()
    assert street.reports.reasons == [None]


def test_journal_failure_is_shown_and_the_loop_goes_on(world: World, tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        street = Street(world, journal, iter([frame_showing(world.face_pass()), frame_of(1), frame_of(9)]))
    street.loop.run()
    assert street.reports.reasons == [Reason.JOURNAL_UNAVAILABLE]
    assert street.display.shown[-2:] == [GateState.IDLE, GateState.OUT_OF_SERVICE]


def test_trips_fade_while_the_gate_is_idle(world: World, journal: Journal) -> None:
    def frames() -> Iterator[Frame]:
        yield frame_showing(world.face_pass())
        yield frame_of(1)
        world.clock.pass_s(49 * 3600)
        yield frame_of(9)

    street = Street(world, journal, frames())
    street.loop.run()
    assert journal.taps() == ()
    assert [(c.day, c.product, c.taps) for c in journal.faded()] == [(f"{NOON:%Y-%m-%d}", "season", 1)]


def test_trips_fade_while_the_camera_is_lost(world: World, journal: Journal) -> None:
    served = iter([frame_showing(world.face_pass()), frame_of(1)])

    def lost_for_days() -> Iterator[Frame]:
        world.clock.pass_s(49 * 3600)
        yield from _lost()

    def served_then_lost() -> Iterator[Frame]:
        yield from served
        yield from lost_for_days()

    seen: list[int] = []

    def back() -> Iterator[Frame]:
        seen.append(len(journal.taps()))
        yield from ()

    Street(world, journal, served_then_lost(), back()).loop.run()
    assert seen == [0]


def test_trip_inside_its_time_does_not_fade(world: World, journal: Journal) -> None:
    def frames() -> Iterator[Frame]:
        yield frame_showing(world.face_pass())
        yield frame_of(1)
        world.clock.wall += timedelta(hours=47)
        world.clock.pass_s(3600 - 10)
        yield frame_of(9)

    Street(world, journal, frames()).loop.run()
    assert len(journal.taps()) == 1


@pytest.mark.parametrize("after", [1, 3])
def test_loop_stops_when_told(world: World, journal: Journal, after: int) -> None:
    seen = 0

    def endless() -> Iterator[Frame]:
        nonlocal seen
        while True:
            seen += 1
            yield frame_of(9)

    def told() -> Callable[[], bool]:
        return lambda: seen >= after

    Street(world, journal, endless()).loop.run(told())
    assert seen == after
