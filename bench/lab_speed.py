"""What the lab adds to the engine's own work: images a second over all cores, and comparisons a second."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from bench.report import Section, Table, Target
from bench.workshop import LONDON, Workshop
from openstile.face import FaceEngine, Frame
from openstile.face.images import read_image
from openstile.face.packs import DEFAULT_PACK, load_pack
from openstile.lab.accuracy import report_accuracy
from openstile.lab.capture import Apparatus, PackSource, capture_frame
from openstile.lab.dataset import Capture, DataSet
from openstile.lab.dataset_folder import read_data_set
from openstile.lab.pairs import cross_distances, distances
from openstile.lab.trials import LocalBlocks, plan_blocks, run_trials

NAME = "lab"
TITLE = "Lab: images and comparisons a second, over all cores"
RATIO_MIN = 0.8
COMPARISONS = 10_000_000
COMPARISONS_S_MAX = 10.0
_ROUNDS = 3


def measure(workshop: Workshop) -> Section:
    """Raw: each core's process takes decoded frames in its memory through locate, assess and template, over and over.
    The lab: its own run, files, pipes, comparisons and report included. Turn about; medians of the rounds.
    """
    if not LONDON.is_dir():
        return Section(NAME, TITLE, skipped="../shared/data/london is absent; the photographs are not in the project")
    images = 240 if workshop.quick else 960
    raw, lab = [], []
    with all_cores() as cores, workshop.progress(NAME, 2 * _ROUNDS) as step:
        data_set = repeated(read_data_set(LONDON), images)
        for _ in range(_ROUNDS):
            raw.append(_raw(data_set, cores))
            step()
            lab.append(_lab(data_set, cores))
            step()
        rowwise, blockwise = _compare_rows(workshop.engine), _compare_all(workshop.engine)
    ratio = statistics.median(ours / theirs for ours, theirs in zip(lab, raw, strict=True))
    rows = (
        ("engine alone: locate, quality, template", f"{statistics.median(raw):.1f}"),
        ("lab accuracy, from files to the report", f"{statistics.median(lab):.1f}"),
    )
    return Section(
        NAME,
        TITLE,
        tables=(Table(f"{images} images of 720x720, {cores} processes", ("what", "images a second"), rows),),
        targets=(
            Target(
                f"at least {RATIO_MIN} of the raw embedding throughput of all cores",
                f"{ratio:.2f} ({images} images a round; starting the processes is not counted)",
                ratio >= RATIO_MIN,
            ),
            Target(
                f"{COMPARISONS:,} comparisons in under {COMPARISONS_S_MAX:.0f} s",
                f"{rowwise:.2f} s as listed pairs, {blockwise:.2f} s all against all",
                max(rowwise, blockwise) < COMPARISONS_S_MAX,
            ),
        ),
        notes=(
            "The photographs of one data set, used again and again as if they were others'. Comparisons: of the pack's "
            "template, one process.",
        ),
        figures={"raw_images_s": raw, "lab_images_s": lab, "ratio": ratio, "rowwise_s": rowwise, "all_s": blockwise},
    )


@contextmanager
def all_cores() -> Iterator[int]:
    """Other sections run on one core; this one takes all, and gives them back."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield len(os.sched_getaffinity(0))
    finally:
        os.sched_setaffinity(0, before)


def repeated(data_set: DataSet, images: int) -> DataSet:
    """The same photographs under further conditions until there are `images`."""
    captures = tuple(
        Capture(f"{c.capture_id} {turn}", c.subject, c.condition + turn * len(data_set.conditions), c.path)
        for turn in range(-(-images // len(data_set.captures)))
        for c in data_set.captures
    )[:images]
    turns = max(capture.condition for capture in captures) + 1
    return DataSet(data_set.name, data_set.subjects, tuple(f"turn {n}" for n in range(turns)), captures)


def _lab(data_set: DataSet, cores: int) -> float:
    """Images a second between the first and the last capture, and the report."""
    apparatus, seen = Apparatus(PackSource(DEFAULT_PACK)), list[float]()
    run = LocalBlocks(data_set, apparatus, cores, lambda done, total: seen.append(time.perf_counter()))
    report_accuracy(run_trials(data_set, apparatus, blocks=plan_blocks(data_set), run_blocks=run))
    return (len(seen) - 1) / (time.perf_counter() - seen[0])


def _raw(data_set: DataSet, cores: int) -> float:
    """Images a second of all processes together."""
    paths = sorted({capture.path for capture in data_set.captures})[:60]
    images = len(data_set.captures) // cores
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=_begin, initargs=(paths,)) as pool:
        for _ in pool.map(_work, [1] * (4 * cores)):  # every process has begun and is warm
            pass
        started = time.perf_counter()
        done = sum(pool.map(_work, [images // 8] * (8 * cores)))
        return done / (time.perf_counter() - started)


_frames: list[Frame] = []
_engines: list[FaceEngine] = []


def _begin(paths: Sequence[Path]) -> None:
    cv2.setNumThreads(1)
    _frames[:] = [read_image(path) for path in paths]
    _engines[:] = [load_pack()]


def _work(images: int) -> int:
    policy = Apparatus(load_pack).policy
    for number in range(images):
        capture_frame(_engines[0], _frames[number % len(_frames)], policy)
    return images


def _compare_rows(engine: FaceEngine) -> float:
    rows = _rows(engine, 100_000)
    return _seconds(lambda: [distances(engine.parts, rows, rows[::-1]) for _ in range(COMPARISONS // len(rows))])


def _compare_all(engine: FaceEngine) -> float:
    rows = _rows(engine, 1000)
    return _seconds(lambda: [cross_distances(engine.parts, rows, rows) for _ in range(COMPARISONS // len(rows) ** 2)])


def _rows(engine: FaceEngine, count: int) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    return np.random.default_rng(1).integers(-127, 128, (count, engine.dimensions), dtype=np.int8)


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
