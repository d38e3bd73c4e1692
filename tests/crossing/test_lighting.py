"""The display's colours in time: no camera and no rider makes them flash more than three times a second."""

from collections.abc import Iterator

import numpy as np
import pytest
from tests.crossing.world import TurnedClock

from openstile.crossing.lighting import Lighting
from openstile.face.attack.stimulus import Colour


class Screen:
    """Remembers when which colour was set."""

    lag_frames = 0

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self.set_ns: list[int] = []
        self.rests = 0

    def ready(self) -> bool:
        return True

    def show(self, colour: Colour) -> None:
        self.set_ns.append(self._clock.ticks_ns)

    def rest(self) -> None:
        self.rests += 1

    def light_ratio(self) -> float | None:
        return None


def lit(rate: float, *, seconds: float, begin_every: int) -> tuple[Screen, Lighting]:
    """A camera of `rate` frames a second, give or take a third; a new plan after every `begin_every` frames."""
    clock, rng = TurnedClock(step_ns=0), np.random.default_rng(5)
    screen = Screen(clock)
    lighting = Lighting(screen, np.random.default_rng(1).bytes, clock)
    for at in range(int(seconds * rate)):
        if at % begin_every == 0:
            lighting.begin()
        lighting.step()
        clock.pass_s(rng.uniform(0.67, 1.33) / rate)
    return screen, lighting


def changes_in_a_second(at_ns: list[int]) -> Iterator[int]:
    return (sum(start <= at < start + 1_000_000_000 for at in at_ns) for start in at_ns)


@pytest.mark.parametrize("rate", [5, 15, 25, 30, 60, 240])
@pytest.mark.parametrize("begin_every", [1, 2, 7, 20, 25, 10_000])
def test_no_second_has_more_than_three_changes_to_and_fro(rate: float, begin_every: int) -> None:
    screen, _ = lit(rate, seconds=3, begin_every=begin_every)
    assert 1 <= max(changes_in_a_second(screen.set_ns)) <= 6


@pytest.mark.parametrize(("rate", "plan_s"), [(10, 2.0), (25, 0.8), (30, 0.8), (60, 0.8), (240, 0.8)])
def test_plan_takes_its_time_at_a_fast_camera_and_the_cameras_at_a_slow_one(rate: float, plan_s: float) -> None:
    screen, lighting = lit(rate, seconds=1.3 * plan_s, begin_every=10_000)
    assert lighting.is_shown
    assert len(screen.set_ns) == 5
    assert screen.set_ns[4] / 1e9 == pytest.approx(0.8 * plan_s, rel=0.1)
    _, lighting = lit(rate, seconds=0.85 * plan_s, begin_every=10_000)
    assert not lighting.is_shown


def test_texts_come_back_once_and_only_where_a_colour_was_on() -> None:
    screen, lighting = lit(25, seconds=0.4, begin_every=100)
    lighting.end()
    lighting.end()
    assert screen.rests == 1
    unlit = Lighting(screen, np.random.default_rng(1).bytes, TurnedClock())
    unlit.end()
    assert screen.rests == 1
