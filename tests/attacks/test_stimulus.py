"""What the display shows: never known before, never harmful (WCAG 2.2, success criterion 2.3.1)."""

import secrets

import numpy as np
import pytest

from openstile.face.attack.safety import (
    LUMINANCE_STEP_MAX,
    flashes_per_second_max,
    is_low_contrast,
    is_saturated_red,
    relative_luminance,
)
from openstile.face.attack.stimulus import CLIP_FRAMES, FRAME_RATE, STEPS, Colour, Stimulus, make_stimulus
from openstile.terms import BadInputError

GREY: Colour = (128, 128, 128)


def test_every_plan_keeps_wcag() -> None:
    for seed in range(300):
        _check(make_stimulus(np.random.default_rng(seed).bytes))


def _check(plan: Stimulus) -> None:
    luminances = [relative_luminance(colour) for colour in plan.colours]
    assert flashes_per_second_max(plan.colours, FRAME_RATE) <= 3
    assert max(luminances) - min(luminances) < 0.2 * LUMINANCE_STEP_MAX
    assert not any(is_saturated_red(colour) for colour in plan.colours)


@pytest.mark.parametrize("stuck", [0, 255])
def test_broken_random_source_gives_a_safe_plan_too(stuck: int) -> None:
    assert len(make_stimulus(lambda count: bytes([stuck] * count)).colours) == CLIP_FRAMES


def test_plan_is_five_colours_of_four_frames_each() -> None:
    plan = make_stimulus(np.random.default_rng(1).bytes).colours
    blocks = [plan[at : at + CLIP_FRAMES // STEPS] for at in range(0, CLIP_FRAMES, CLIP_FRAMES // STEPS)]
    assert [len(set(block)) for block in blocks] == [1] * STEPS
    assert len(set(plan)) == STEPS


def test_plans_do_not_repeat() -> None:
    assert len({make_stimulus(secrets.token_bytes).colours for _ in range(300)}) == 300


@pytest.mark.parametrize(
    ("colours", "says"),
    [
        ((GREY, (130, 128, 128)) * 10, "more than 3 times a second"),
        (((0, 0, 0),) * 10 + ((255, 255, 255),) * 10, "luminance"),
        (((255, 20, 20),) * 20, "saturated red"),
        ((), "0 frames"),
        ((GREY,) * 251, "251 frames"),
        (((256, 0, 0),), "0 to 255"),
    ],
)
def test_plan_that_could_harm_cannot_be_built(colours: tuple[Colour, ...], says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        Stimulus(colours)


def test_three_flashes_in_a_second_are_the_most_and_one_more_change_is_refused() -> None:
    held_four = tuple(GREY if at // 4 % 2 else (130, 128, 128) for at in range(29))
    assert flashes_per_second_max(held_four[:28], FRAME_RATE) == 3
    Stimulus(held_four[:28])
    with pytest.raises(BadInputError, match="times a second"):
        Stimulus(held_four)


def test_formulas_are_those_of_wcag() -> None:
    """Relative luminance of white, black and the primaries; saturated red at a share of 0.8 (WCAG 2.2 glossary)."""
    assert relative_luminance((255, 255, 255)) == pytest.approx(1)
    assert relative_luminance((0, 0, 0)) == 0
    assert [relative_luminance(c) for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))] == pytest.approx(
        [0.2126, 0.7152, 0.0722]
    )
    assert is_saturated_red((255, 0, 0))
    assert is_saturated_red((255, 99, 99))
    assert not is_saturated_red((255, 100, 100))
    assert is_low_contrast([(255, 255, 255), (250, 250, 250)])
    assert not is_low_contrast([(128, 128, 128), (170, 170, 170)])
