"""The colours that a gate's display shows while it looks: random, so that no recording knows them, and gentle."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openstile.face.attack.safety import (
    FLASHES_PER_SECOND_MAX,
    flashes_per_second_max,
    is_low_contrast,
    is_saturated_red,
)
from openstile.terms import BadInputError
from openstile.terms.limits import ATTACK_CLIP_FRAMES_MAX

Colour = tuple[int, int, int]
"""sRGB, 0..255 each: red, green, blue."""
RandomBytes = Callable[[int], bytes]
"""So many random bytes, from the operating system's source at a gate, from a seed in tests."""

FRAME_RATE = 25.0
"""Of the camera, frames a second: what the frames of a plan mean in time."""
CLIP_FRAMES = 20
"""0.8 s."""
STEPS = 5
"""Colours of a plan, each shown for CLIP_FRAMES / STEPS frames: four changes, so two pairs, 2.5 a second in 0.8 s."""
LUMINANCE = 0.45
"""Relative luminance of every colour: red and blue go from nothing to full, green makes up for them."""


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What a display shows in a clip, a colour a frame. Cannot be built where it would break WCAG 2.3.1: more than
    three changes to and fro in a second, steps of luminance, or saturated red.
    """

    colours: tuple[Colour, ...]
    frame_rate: float = FRAME_RATE

    def __post_init__(self) -> None:
        if not 1 <= len(self.colours) <= ATTACK_CLIP_FRAMES_MAX:
            raise BadInputError(f"stimulus: has {len(self.colours)} frames, must have 1 to {ATTACK_CLIP_FRAMES_MAX}")
        if not all(0 <= part <= 255 for colour in self.colours for part in colour):
            raise BadInputError("stimulus: the parts of a colour must be 0 to 255")
        if not 1 <= self.frame_rate <= 240:
            raise BadInputError(f"stimulus: {self.frame_rate} frames a second is outside 1..240")
        if flashes_per_second_max(self.colours, self.frame_rate) > FLASHES_PER_SECOND_MAX:
            raise BadInputError(f"stimulus: flashes more than {FLASHES_PER_SECOND_MAX} times a second (WCAG 2.3.1)")
        if not is_low_contrast(self.colours):
            raise BadInputError("stimulus: its steps of luminance are those of a general flash (WCAG 2.3.1)")
        if any(is_saturated_red(colour) for colour in self.colours):
            raise BadInputError("stimulus: has a saturated red (WCAG 2.3.1)")


def make_stimulus(random: RandomBytes) -> Stimulus:
    """A new plan: five hues a fifth of the circle apart, turned by a random angle each a little and together at
    will, in random order. All have the same luminance and are as far from grey as that allows.
    """
    order = list(range(STEPS))
    for at in range(STEPS - 1, 0, -1):  # Fisher and Yates
        other = _below(random, at + 1)
        order[at], order[other] = order[other], order[at]
    turn = _below(random, 1024) / 1024
    angles = [2 * math.pi * (place / STEPS + turn + (_below(random, 256) / 256 - 0.5) / 12) for place in order]
    return Stimulus(tuple(_hue(angle) for angle in angles for _ in range(CLIP_FRAMES // STEPS)))


def _below(random: RandomBytes, limit: int) -> int:
    """A number of 0..limit-1, of four random bytes: the bias is below 2^-20."""
    return int.from_bytes(random(4), "big") % limit


def _hue(angle: float) -> Colour:
    """Red and blue of linear light on the square around grey, in the direction `angle`; green for the luminance."""
    red, blue = math.cos(angle), math.sin(angle)
    reach = max(abs(red), abs(blue))
    red, blue = 0.5 + 0.5 * red / reach, 0.5 + 0.5 * blue / reach
    green = (LUMINANCE - 0.2126 * red - 0.0722 * blue) / 0.7152
    return (_encoded(red), _encoded(green), _encoded(blue))


def _encoded(light: float) -> int:
    """Linear light 0..1 as sRGB 0..255 (IEC 61966-2-1)."""
    value = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return int(np.clip(round(value * 255), 0, 255))
