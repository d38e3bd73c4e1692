"""Timing: samples in milliseconds, and what is said of them."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds, one sample or more, in the order they were taken. Nothing is left out."""

    samples: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError("times: no samples were taken")

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The nearest rank: 95 of 100 samples are at or below it."""
        return sorted(self.samples)[math.ceil(0.95 * len(self.samples)) - 1]

    @property
    def max(self) -> float:
        return max(self.samples)

    def cells(self) -> tuple[str, str, str, str]:
        """Samples, median, p95 and maximum as cells of a table."""
        return str(len(self.samples)), milliseconds(self.median), milliseconds(self.p95), milliseconds(self.max)

    def figures(self) -> dict[str, float]:
        """The same for machines."""
        return {"n": len(self.samples), "median_ms": self.median, "p95_ms": self.p95, "max_ms": self.max}


TIMES_COLUMNS = ("n", "median", "p95", "max")


class Stopwatches:
    """Collects samples under names, so that interleaved runs stay apart."""

    def __init__(self) -> None:
        self._samples: dict[str, list[float]] = {}

    def run(self, name: str, action: Callable[[], Result]) -> Result:
        """Do `action`, and note how long it took."""
        started_ns = time.perf_counter_ns()
        result = action()
        self.add(name, (time.perf_counter_ns() - started_ns) / 1e6)
        return result

    def add(self, name: str, elapsed_ms: float) -> None:
        """Note a time that was taken elsewhere."""
        self._samples.setdefault(name, []).append(elapsed_ms)

    def times(self, name: str) -> Times:
        """All samples of one name."""
        return Times(tuple(self._samples[name]))

    def names(self) -> tuple[str, ...]:
        """In the order of their first samples."""
        return tuple(self._samples)

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """One row a name: name, samples, median, p95, maximum."""
        return tuple((name, *self.times(name).cells()) for name in self._samples)

    def figures(self) -> dict[str, dict[str, float]]:
        """Everything for machines."""
        return {name: self.times(name).figures() for name in self._samples}


def milliseconds(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:.0f} ms"
    if value >= 10:
        return f"{value:.1f} ms"
    return f"{value:.2f} ms" if value >= 1 else f"{value:.3f} ms"
