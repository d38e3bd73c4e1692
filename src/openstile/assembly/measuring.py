"""Measuring a gate's light when it is set up: how late the camera sees the display's colours, and how bright they are.

On a white sheet where a rider's face would be. Only the middle of the picture is looked at, and for its mean light: no
face is looked for, for no pass was shown. A camera's newest frame is the older the more the gate has to do, so the gate
does the work of a crossing meanwhile, on a blank picture.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.crossing.lighting import Lighting
from openstile.face import Frame
from openstile.face.attack.demodulate import demodulate
from openstile.face.attack.kit import FlashLight
from openstile.face.attack.safety import linear_light
from openstile.face.attack.stimulus import Colour, RandomBytes
from openstile.terms.errors import OpenstileError
from openstile.terms.instants import Clock

CLIPS = 4
"""The first one only lets the camera's exposure settle."""
LAG_FRAMES_MAX = 10
"""As a display may have."""
MATCH_MIN = 0.8
"""Part of the sheet's change of colour that what was shown must explain: a tenth of a frame off leaves more."""
CELLS = 8
SHEET_PART = 0.25
"""Of the picture's width and height, in its middle."""
_LINEAR = linear_light(np.arange(256, dtype=np.uint8)).astype(np.float32)


class LightNotSeenError(OpenstileError):
    """The camera does not see the display's colours on the sheet, or not alike each time."""


@dataclass(frozen=True, slots=True)
class MeasuredLight:
    """lag_frames, light_ratio: as the settings gate.display_lag_frames and gate.display_light_ratio want them. matched:
    part of the sheet's change of colour that they explain, 0..1. frame_rate: the camera's, frames a second.
    """

    lag_frames: int
    light_ratio: float
    matched: float
    frame_rate: float


def measure_light(
    frames: Iterator[Frame],
    light: FlashLight,
    *,
    random: RandomBytes,
    clock: Clock,
    work: Callable[[Frame], object] = lambda blank: None,
) -> MeasuredLight:
    """Show CLIPS plans of colours and see what comes of them. `work`: what a gate does with each frame, on a blank one
    of its size. Raises LightNotSeenError; CameraLostError as `frames`.
    """
    lighting = Lighting(_Undelayed(light), random, clock)
    started_ns, seen = clock.monotonic_ns(), 0
    found: list[tuple[float, int, float]] = []
    try:
        for _ in range(CLIPS):
            sheet, shown = _clip(frames, lighting, work)
            seen += len(sheet)
            found.append(_best(sheet, shown))
    finally:
        lighting.end()
    rate = seen / max((clock.monotonic_ns() - started_ns) / 1e9, 1e-9)
    settled = found[1:]
    lag = statistics.mode([one[1] for one in settled])
    agreeing = [one for one in settled if one[1] == lag and one[0] >= MATCH_MIN]
    if 2 * len(agreeing) <= len(settled):
        raise LightNotSeenError(
            "light: the camera does not see the display's colours on the sheet; fill the middle of the picture with a "
            "white sheet, keep it still, and give the display more light or the place less"
        )
    gain = statistics.median([one[2] for one in agreeing])
    ratio = gain / max(1 - gain / 2, 0.01)  # demodulate: gain is D / (A + D / 2)
    return MeasuredLight(lag, round(ratio, 3), min(one[0] for one in agreeing), rate)


class _Undelayed:
    """The display, as if the camera saw it at once: how late it does is what is asked here."""

    lag_frames = 0

    def __init__(self, light: FlashLight) -> None:
        self.ready, self.show, self.rest, self.light_ratio = light.ready, light.show, light.rest, light.light_ratio


def _clip(
    frames: Iterator[Frame], lighting: Lighting, work: Callable[[Frame], object]
) -> tuple[list[NDArray[np.float32]], list[Colour]]:
    """The sheet's light and the colour that was on, frame by frame, from a plan's first colour on."""
    sheet: list[NDArray[np.float32]] = []
    shown: list[Colour] = []
    lighting.begin()
    left = LAG_FRAMES_MAX
    while left > 0:
        lighting.step()
        frame = next(frames, None)
        if frame is None or not lighting.works:
            raise LightNotSeenError("light: camera or display ended before it was measured; give a camera that goes on")
        work(Frame(np.zeros_like(frame.pixels), frame.taken_ns))
        colour = lighting.at_exposure()
        if colour is not None:
            sheet.append(_middle_light(frame))
            shown.append(colour)
        left -= lighting.is_shown
    return sheet, shown


def _best(sheet: list[NDArray[np.float32]], shown: list[Colour]) -> tuple[float, int, float]:
    """Match, lag and gain of the delay that explains most."""
    everywhere = np.ones(CELLS * CELLS, np.bool_)
    tried = []
    for lag in range(LAG_FRAMES_MAX + 1):
        response = demodulate(np.stack(sheet[lag:]), shown[: len(shown) - lag], everywhere)
        tried.append((0.0, lag, 0.0) if response is None else (response.matched, lag, response.gain))
    return max(tried)


def _middle_light(frame: Frame) -> NDArray[np.float32]:
    """(CELLS squared, 3) mean linear light, 0..1, blue green red, of squares of the picture's middle."""
    height, width = frame.pixels.shape[:2]
    high, wide = max(int(height * SHEET_PART), CELLS), max(int(width * SHEET_PART), CELLS)
    top, left = (height - high) // 2, (width - wide) // 2
    middle = cv2.LUT(frame.pixels[top : top + high, left : left + wide], _LINEAR)
    means = cv2.resize(middle, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32).reshape(-1, 3)
