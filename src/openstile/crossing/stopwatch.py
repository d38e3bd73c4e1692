"""Times the steps of a crossing with the clock it is given."""

from collections.abc import Iterator
from contextlib import contextmanager

from openstile.crossing.decision import StepTime
from openstile.terms.instants import Clock


class Stopwatch:
    """Sums the time of each named step in the order in which the steps first ran."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._elapsed_ns: dict[str, int] = {}
        self._runs: dict[str, int] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one run of the step `name`, whether it ends or raises."""
        started_ns = self._clock.monotonic_ns()
        try:
            yield
        finally:
            self._elapsed_ns[name] = self._elapsed_ns.get(name, 0) + self._clock.monotonic_ns() - started_ns
            self._runs[name] = self._runs.get(name, 0) + 1

    def count(self, name: str) -> int:
        """How often the step `name` ran."""
        return self._runs.get(name, 0)

    def steps(self) -> tuple[StepTime, ...]:
        """All steps so far."""
        return tuple(StepTime(name, elapsed_ns / 1e6) for name, elapsed_ns in self._elapsed_ns.items())
