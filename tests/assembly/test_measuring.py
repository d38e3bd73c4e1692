"""Measuring a gate's light on a sheet whose light is known: lag and ratio are found, or that they are not is said."""

from collections.abc import Iterator

import numpy as np
import pytest
from tests.crossing.world import TurnedClock

from openstile.assembly.measuring import LightNotSeenError, MeasuredLight, measure_light
from openstile.face import Frame
from openstile.face.attack.safety import linear_light
from openstile.face.attack.stimulus import Colour


class Screen:
    """A display before a white sheet: `ratio` of the ambient light, seen `lag` frames late."""

    lag_frames = 7  # what the settings say does not matter here

    def __init__(self, clock: TurnedClock, *, lag: int, ratio: float, rate: float = 25, noise: float = 0.004) -> None:
        self._clock, self._lag, self._ratio, self._rate, self._noise = clock, lag, ratio, rate, noise
        self._rng = np.random.default_rng(3)
        self._on: Colour = (0, 0, 0)
        self.rests = 0

    def ready(self) -> bool:
        return True

    def show(self, colour: Colour) -> None:
        self._on = colour

    def rest(self) -> None:
        self.rests += 1

    def light_ratio(self) -> float | None:
        return None

    def frames(self, count: int = 400) -> Iterator[Frame]:
        on = [self._on] * 11
        for _ in range(count):
            self._clock.pass_s(1 / self._rate)
            on = [*on[1:], self._on]
            light = 0.4 * (1 + self._ratio * linear_light(on[-1 - self._lag])[::-1]) / (1 + self._ratio)
            noisy = light * (1 + self._rng.normal(0, self._noise, (120, 160, 3)))
            encoded = 255 * (1.055 * np.clip(noisy, 0.01, 1) ** (1 / 2.4) - 0.055)
            yield Frame(np.rint(encoded).astype(np.uint8), self._clock.ticks_ns)


def measured(screen: Screen, clock: TurnedClock, count: int = 400) -> MeasuredLight:
    return measure_light(screen.frames(count), screen, random=np.random.default_rng(1).bytes, clock=clock)


@pytest.mark.parametrize(("lag", "ratio", "rate"), [(0, 0.3, 25), (2, 0.05, 30), (5, 0.5, 60), (10, 0.1, 15)])
def test_lag_and_ratio_of_a_sheet_are_found(lag: int, ratio: float, rate: float) -> None:
    clock = TurnedClock(step_ns=0)
    screen = Screen(clock, lag=lag, ratio=ratio, rate=rate)
    found = measured(screen, clock)
    assert found.lag_frames == lag
    assert found.light_ratio == pytest.approx(ratio, rel=0.15)
    assert found.frame_rate == pytest.approx(rate, rel=0.05)
    assert found.matched > 0.9
    assert screen.rests == 1


def test_light_that_is_not_seen_is_said_and_nothing_is_made_up() -> None:
    clock = TurnedClock(step_ns=0)
    screen = Screen(clock, lag=0, ratio=0.0005, noise=0.05)
    with pytest.raises(LightNotSeenError, match="white sheet"):
        measured(screen, clock)
    assert screen.rests == 1


def test_camera_that_ends_leaves_the_texts_on_the_display() -> None:
    clock = TurnedClock(step_ns=0)
    screen = Screen(clock, lag=0, ratio=0.3)
    with pytest.raises(LightNotSeenError, match="ended before"):
        measured(screen, clock, count=30)
    assert screen.rests == 1


def test_gate_works_as_in_a_crossing_and_looks_at_no_picture_of_the_camera() -> None:
    clock = TurnedClock(step_ns=0)
    screen = Screen(clock, lag=1, ratio=0.3)
    given: list[Frame] = []
    measure_light(screen.frames(), screen, random=np.random.default_rng(1).bytes, clock=clock, work=given.append)
    assert len(given) >= 4 * 20
    assert not any(frame.pixels.any() for frame in given)
    assert {frame.pixels.shape for frame in given} == {(120, 160, 3)}
