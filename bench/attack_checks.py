"""The attack checks of a rider's clip: milliseconds a frame and a clip, beside raw Lucas-Kanade on the same frames."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import cv2
import numpy as np
from tests.attacks.presets import draw_scene
from tests.attacks.scene import Species
from tests.attacks.simulator import render

from bench.report import Section, Table, Target
from bench.timing import TIMES_COLUMNS, Stopwatches, Times, milliseconds
from bench.workshop import Workshop
from openstile.face import Frame, LocatedFace
from openstile.face.attack.evidence import Detector
from openstile.face.attack.flash import flash_detectors
from openstile.face.attack.parallax import Parallax
from openstile.face.attack.stimulus import CLIP_FRAMES, FRAME_RATE, Colour, Stimulus, make_stimulus
from openstile.face.located import Box, Point

NAME = "attacks"
TITLE = "Attack checks: three detectors on simulated clips at 640x480"
FRAME_MS_MAX = 8.0
CLIP_MS_MAX = 40.0
_RATIO = 0.1
_SPECIES = (Species.LIVE, Species.FLAT_PRINT, Species.LIVE, Species.TABLET)
_CORNERS_MAX, _SPACING, _WINDOW, _LEVELS = 90, 6, (15, 15), 2
"""As the parallax detector has them, so that both follow as many corners."""
_FRAME, _CLIP, _RAW = "all checks: a frame", "all checks: the end of a clip", "OpenCV alone: a frame"

Seen = tuple[Frame, LocatedFace, Colour]


def measure(workshop: Workshop) -> Section:
    """The checks and OpenCV alone take the same clips in turn, on one core; who is first changes from round to round.
    Times are the process's own (CPU): the wall clock would add what others do on the machine.
    """
    rounds = 3 if workshop.quick else 15
    stimulus = make_stimulus(np.random.default_rng(3).bytes)
    watches = Stopwatches()
    with one_thread(), workshop.progress(NAME, (rounds + 1) * len(_SPECIES)) as step:
        clips = [_render(species, seed, stimulus) for seed, species in enumerate(_SPECIES, 3)]
        for number in range(rounds + 1):
            taken = watches if number else Stopwatches()  # the first round warms both up
            for clip in clips:
                if number % 2:
                    _check(clip, stimulus, taken)
                    _follow(clip, taken)
                else:
                    _follow(clip, taken)
                    _check(clip, stimulus, taken)
                step()
    return _section(watches, len(clips))


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV on one thread, and back to what it had."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _render(species: Species, seed: int, stimulus: Stimulus) -> list[Seen]:
    shots = render(draw_scene(species, seed), np.array(stimulus.colours, np.uint8))
    return [(Frame(shot.pixels), _located(shot.box, shot.landmarks.tolist()), shot.colour) for shot in shots]


def _located(box: tuple[float, float, float, float], landmarks: list[list[float]]) -> LocatedFace:
    return LocatedFace(Box(*box), tuple(Point(x, y) for x, y in landmarks), 0.9)


def _check(clip: list[Seen], stimulus: Stimulus, watches: Stopwatches) -> None:
    """What a crossing has its detectors do with a clip; finding the face is not theirs."""
    detectors: list[Detector] = [Parallax(), *flash_detectors()]
    for detector in detectors:
        detector.begin(stimulus, _RATIO)
    for frame, face, colour in clip:
        spent = [_cpu_ms(partial(detector.see, frame, face, colour)) for detector in detectors]
        watches.add(_FRAME, sum(spent))
        for detector, ms in zip(detectors, spent, strict=True):
            watches.add(f"{detector.name}: a frame", ms)
    spent = [_cpu_ms(detector.evidence) for detector in detectors]
    watches.add(_CLIP, sum(spent))
    for detector, ms in zip(detectors, spent, strict=True):
        watches.add(f"{detector.name}: the end of a clip", ms)


def _follow(clip: list[Seen], watches: Stopwatches) -> None:
    """The engine's own work for parallax: grey, corners once, Lucas and Kanade there and back."""
    greys = [cv2.cvtColor(frame.pixels, cv2.COLOR_BGR2GRAY) for frame, _, _ in clip]
    mask = np.zeros_like(greys[0])
    box = clip[0][1].box
    mask[int(box.top) : int(box.top + box.height), int(box.left) : int(box.left + box.width)] = 255
    places = cv2.goodFeaturesToTrack(greys[0], _CORNERS_MAX, 0.01, _SPACING, mask=mask)
    options = {"winSize": _WINDOW, "maxLevel": _LEVELS}
    for index in range(1, len(clip)):
        before, now, pixels = greys[index - 1], greys[index], clip[index][0].pixels
        started_ns = time.process_time_ns()
        cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        there, _, _ = cv2.calcOpticalFlowPyrLK(before, now, places, None, **options)  # type: ignore[call-overload]
        cv2.calcOpticalFlowPyrLK(now, before, there, None, **options)  # type: ignore[call-overload]
        watches.add(_RAW, (time.process_time_ns() - started_ns) / 1e6)
        places = there


def _cpu_ms(action: Callable[[], object]) -> float:
    started_ns = time.process_time_ns()
    action()
    return (time.process_time_ns() - started_ns) / 1e6


def _section(watches: Stopwatches, clips: int) -> Section:
    frame, clip, raw = (watches.times(name) for name in (_FRAME, _CLIP, _RAW))
    video_s = CLIP_FRAMES / FRAME_RATE
    return Section(
        NAME,
        TITLE,
        tables=(Table("One core, CPU time, interleaved", ("what", *TIMES_COLUMNS), watches.rows()),),
        targets=(
            _target(f"at most {FRAME_MS_MAX:.0f} ms a frame", frame, FRAME_MS_MAX),
            _target(f"at most {CLIP_MS_MAX:.0f} ms a clip beside", clip, CLIP_MS_MAX),
            Target("a decision within 0.8 s of video at 25 frames a second", f"{video_s:.2f} s", video_s <= 0.8),
        ),
        notes=(
            f"{clips} simulated clips of {CLIP_FRAMES} frames (living faces, a print, a tablet) with the face's place "
            "known: finding it belongs to the crossing.",
            f"Of a frame, {milliseconds(raw.median)} is OpenCV's own following of {_CORNERS_MAX} corners there and "
            f"back: all checks together take {frame.median / raw.median:.2f} times that.",
        ),
        figures={"over_raw": frame.median / raw.median, **watches.figures()},
    )


def _target(wanted: str, times: Times, limit_ms: float) -> Target:
    """Held by 95 of 100, not by the median alone."""
    measured = f"{milliseconds(times.median)} (median), {milliseconds(times.p95)} (95 %)"
    return Target(wanted, measured, times.p95 <= limit_ms)
