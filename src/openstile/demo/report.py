"""What one run of the demo came to."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from openstile.demo.books import Left
from openstile.demo.cast import Cast
from openstile.demo.day import Day
from openstile.demo.folder import DemoFolder
from openstile.demo.inventory import UNKNOWN, StoredFile
from openstile.demo.stage import Played
from openstile.journal import JournalReport
from openstile.lab.canary import CanaryVerdict


@dataclass(frozen=True, slots=True)
class Report:
    """The results, and how long they took. `models` is the folder of model packs, which was searched too.

    `journal` is that of the first gate after the scenes; `day` a day in the city, `left` what is left of it days later.
    """

    folder: DemoFolder
    models: Path
    cast: Cast
    played: tuple[Played, ...]
    journal: JournalReport
    day: Day
    left: Left
    files: tuple[StoredFile, ...]
    canary: CanaryVerdict
    seconds: float

    @property
    def admitted(self) -> int:
        """How many crossings were admitted."""
        return sum(scene.crossing.admitted for scene in self.played)

    @property
    def crossings(self) -> int:
        """How many were admitted in all, the day in the city with it."""
        return self.admitted + sum(ride.crossing.admitted for ride in self.day.rides)

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is not as it has to be; empty when the demo is a success."""
        found = [
            f"scene {number}, {played.scene.title}: {played.problem}"
            for number, played in enumerate(self.played, start=1)
            if played.problem
        ]
        if self.journal.taps != self.admitted:
            found.append(f"journal: {self.journal.taps} taps for {self.admitted} admitted crossings")
        found += self.day.problems(self.crossings)
        if self.left.taps or self.left.places or self.left.gate_taps:
            found.append("forgetting: taps, or places and times of journeys, are still there")
        if len(self.left.journeys) != len(self.day.journeys):
            found.append(f"forgetting: {len(self.left.journeys)} of {len(self.day.journeys)} journeys are left")
        found += [f"canary: {trace.what} in {trace.file} as {trace.encoding}" for trace in self.canary.traces]
        if not self.canary.clean and not self.canary.traces:
            found.append("canary: nothing was searched")
        found += [f"disk: {file.path} is {UNKNOWN}" for file in self.files if file.what == UNKNOWN]
        return tuple(found)

    def step_medians(self, *, with_pin: bool) -> dict[str, float]:
        """Milliseconds per step, the median over the admitted crossings of face passes or of PIN passes."""
        admitted = [p.crossing for p in self.played if p.crossing.admitted and (p.scene.pin is not None) == with_pin]
        times: dict[str, list[float]] = {}
        for crossing in admitted:
            for step in crossing.steps:
                times.setdefault(step.step, []).append(step.elapsed_ms)
            times.setdefault("total", []).append(crossing.total_ms)
        in_order = [step for step in times if step != "total"] + ["total"] * bool(times)
        return {step: median(times[step]) for step in in_order}
