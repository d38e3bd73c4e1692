"""Whole crossings through a lane: picture of a pass and a good first frame to a durable tap and an open barrier."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report import Section, Table, Target
from bench.timing import TIMES_COLUMNS, Stopwatches, milliseconds
from bench.workshop import Rider, Workshop
from openstile.assembly.devices import SilentBarrier, read_presented
from openstile.crossing import Crossing
from openstile.face import Frame
from openstile.face.packs.onnx_engine import OnnxEngine
from openstile.gate.lane import Lane
from openstile.passes.qr import render_qr_png

NAME = "crossing"
TITLE = "Crossing: pass image and frame to durable tap"
P95_MS_MAX = 60.0
_WHOLE, _RAW = "whole crossing", "raw engine: the networks alone"


def measure(workshop: Workshop) -> Section:
    """A new pass each time, so that anti-passback is in force and never in the way. No crossing is left out."""
    count = 60 if workshop.quick else 600
    installation = workshop.install("crossing-home")
    path = workshop.work / "crossing-pass.png"
    watches, admitted = Stopwatches(), 0
    picture, chips = _picture(), _chips(workshop.engine)
    installation.load_engine()
    with installation.open_lane(barrier=SilentBarrier()) as lane, workshop.progress(NAME, count) as step:
        for rider, issued in workshop.issue(installation, count):
            path.write_bytes(render_qr_png(issued.text))
            admitted += _cross(lane, path, rider, watches)
            _run_raw(workshop.engine, picture, chips, watches)
            step()
    return _section(workshop, watches, admitted, count)


def _cross(lane: Lane, path: Path, rider: Rider, watches: Stopwatches) -> bool:
    def read_pass() -> str | bytes:
        return own.run("read the pass (PNG, QR)", lambda: read_presented(path))

    def whole() -> Crossing:
        pixels = rider.frame.pixels.copy()  # a camera gives a new array each time
        return lane.present(read_pass(), frames=iter([Frame(pixels)]), ask_pin=lambda: None)

    own = Stopwatches()
    crossing = watches.run(_WHOLE, whole)
    watches.add("read the pass (PNG, QR)", own.times("read the pass (PNG, QR)").samples[0])
    for step in crossing.steps:
        watches.add(step.step, step.elapsed_ms)
    return crossing.admitted


def _picture() -> NDArray[np.float32]:
    """What a frame of 640x480 becomes for the detector of the default pack."""
    return np.random.default_rng(20260401).uniform(0, 255, (1, 3, 256, 320)).astype(np.float32)


def _chips(engine: OnnxEngine) -> list[NDArray[np.uint8]]:
    """What a face becomes for each embedder."""
    random = np.random.default_rng(20260401)
    return [random.integers(0, 256, (part.chip.side, part.chip.side, 3), np.uint8) for part in engine.parts]


def _run_raw(
    engine: OnnxEngine, picture: NDArray[np.float32], chips: list[NDArray[np.uint8]], watches: Stopwatches
) -> None:
    def all_networks() -> None:
        engine.detector_session.run(picture)
        for part, chip in enumerate(chips):
            engine.embed(part, chip)

    watches.run(_RAW, all_networks)


def _section(workshop: Workshop, watches: Stopwatches, admitted: int, count: int) -> Section:
    whole, raw = watches.times(_WHOLE), watches.times(_RAW)
    return Section(
        NAME,
        TITLE,
        tables=(Table("One core; raw engine interleaved", ("step", *TIMES_COLUMNS), watches.rows()),),
        targets=(
            Target(
                f"whole crossing, journal commit included: p95 at most {P95_MS_MAX:.0f} ms",
                f"p95 {milliseconds(whole.p95)}, median {milliseconds(whole.median)}, {count} crossings",
                whole.p95 <= P95_MS_MAX,
            ),
        ),
        notes=(
            f"{admitted} of {count} crossings admitted, each with a new pass; riders: {workshop.riders.described}. "
            "None is left out, the first one neither. The frame is in memory, as from a camera.",
            f"The networks are {raw.median / whole.median:.0%} of a crossing: it takes "
            f"{whole.median / raw.median:.2f} times as long as they do alone.",
        ),
        figures={"admitted": admitted, "crossings": count, **watches.figures()},
    )
