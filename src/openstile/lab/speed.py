"""How long the gate's code takes with one photograph, step by step, and how many comparisons a second the lab makes.

Steps run on one core, one after the other, as at a gate. The frame is decoded before the first step is timed: a camera
gives pixels. What several cores together reach is measured by a lab run itself (`bench`).
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from openstile.crossing import Policy
from openstile.face import FaceEngine, Frame, compare, extract_template
from openstile.face.engine import TemplatePart
from openstile.face.faults import FaceFault
from openstile.face.images import read_image
from openstile.face.quality import assess
from openstile.face.zone import locate_rider
from openstile.lab.capture import Apparatus
from openstile.lab.dataset import DataSet
from openstile.lab.pairs import cross_distances
from openstile.terms.errors import BadInputError
from openstile.terms.instants import Clock

PHOTOGRAPHS = 100
COMPARISONS = 1_000_000
STEPS = ("read", "locate", "quality", "template", "compare")
_SPEED_PHOTOGRAPHS_MAX = 100_000
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Milliseconds of one step: how often, the median, the 95th percentile (nearest rank) and the longest."""

    step: str
    samples: int
    median_ms: float
    p95_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """frame_ms: from decoded pixels to the decision, median of the photographs that were compared. comparisons_per_s:
    by the lab's matrix product, on the cores that numpy takes.
    """

    pack_id: str
    photographs: int
    compared: int
    steps: tuple[StepTimes, ...]
    frame_ms: float | None
    comparisons: int
    comparisons_per_s: float

    def to_json(self) -> dict[str, object]:
        """For machines: JSON values alone."""
        return {
            "pack_id": self.pack_id,
            "photographs": self.photographs,
            "compared": self.compared,
            "steps": {
                each.step: {
                    "samples": each.samples,
                    "median_ms": each.median_ms,
                    "p95_ms": each.p95_ms,
                    "max_ms": each.max_ms,
                }
                for each in self.steps
            },
            "frame_ms": self.frame_ms,
            "comparisons": self.comparisons,
            "comparisons_per_s": self.comparisons_per_s,
        }


def measure_speed(
    data_set: DataSet,
    apparatus: Apparatus,
    *,
    clock: Clock,
    photographs: int = PHOTOGRAPHS,
    comparisons: int = COMPARISONS,
    progress: Callable[[int, int], None] | None = None,
) -> SpeedReport:
    """Time `photographs` of the data set, evenly spread over it, after one that warms up. Raises BadInputError."""
    if not 1 <= photographs <= _SPEED_PHOTOGRAPHS_MAX:
        raise BadInputError(f"speed: {photographs} photographs are outside 1 to {_SPEED_PHOTOGRAPHS_MAX}")
    engine, captures = apparatus.open_engine(), data_set.captures
    chosen = np.unique(np.linspace(0, len(captures) - 1, min(photographs, len(captures))).astype(int)).tolist()
    taken: dict[str, list[float]] = {step: [] for step in STEPS}
    whole: list[float] = []
    for done, number in enumerate([chosen[0], *chosen]):
        watch = _Watch(clock)
        frame = watch.run("read", partial(read_image, captures[number].path))
        compared = _run_steps(engine, frame, apparatus.policy, watch)
        if done == 0:
            continue
        for step, elapsed_ms in watch.taken.items():
            taken[step].append(elapsed_ms)
        if compared:
            whole.append(sum(watch.taken[step] for step in STEPS[1:]))
        if progress is not None:
            progress(done, len(chosen))
    return SpeedReport(
        pack_id=engine.pack_id,
        photographs=len(chosen),
        compared=len(whole),
        steps=tuple(_times(step, samples) for step, samples in taken.items() if samples),
        frame_ms=statistics.median(whole) if whole else None,
        comparisons=comparisons,
        comparisons_per_s=_comparisons_per_s(engine.parts, comparisons, clock),
    )


class _Watch:
    """Milliseconds of each step of one photograph."""

    def __init__(self, clock: Clock) -> None:
        self.taken: dict[str, float] = {}
        self._clock = clock

    def run(self, step: str, action: Callable[[], _Result]) -> _Result:
        started_ns = self._clock.monotonic_ns()
        result = action()
        self.taken[step] = (self._clock.monotonic_ns() - started_ns) / 1e6
        return result


def _run_steps(engine: FaceEngine, frame: Frame, policy: Policy, watch: _Watch) -> bool:
    """The gate's order; a template is compared with itself, which takes as long as with any other."""
    rider = watch.run("locate", lambda: locate_rider(engine, frame, policy.zone))
    if isinstance(rider, FaceFault):
        return False
    if watch.run("quality", lambda: assess(frame, rider, limits=policy.quality)).fault is not None:
        return False
    probe = watch.run("template", lambda: extract_template(engine, frame, rider))
    watch.run(
        "compare",
        lambda: compare(engine=engine, probe=probe, reference=probe, distance_max=policy.distance_max),
    )
    return True


def _comparisons_per_s(parts: Sequence[TemplatePart], comparisons: int, clock: Clock) -> float:
    """Random bytes for templates: a comparison takes as long whatever they say."""
    if comparisons < 1:
        raise BadInputError(f"speed: {comparisons} comparisons measure nothing; ask for 1 or more")
    side = min(1000, comparisons)
    random = np.random.default_rng(0)
    rows = random.integers(-127, 128, (side, sum(part.dimensions for part in parts)), dtype=np.int8)
    cross_distances(parts, rows, rows)
    started_ns, done = clock.monotonic_ns(), 0
    while done < comparisons:
        done += cross_distances(parts, rows, rows).size
    return done / max((clock.monotonic_ns() - started_ns) / 1e9, 1e-9)


def _times(step: str, samples: Sequence[float]) -> StepTimes:
    ordered = sorted(samples)
    p95 = ordered[-(-95 * len(ordered) // 100) - 1]
    return StepTimes(step, len(ordered), statistics.median(ordered), p95, ordered[-1])
