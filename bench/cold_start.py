"""Cold start: one `openstile cross` as a fresh process, from exec to exit, and where its time goes."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2

from bench.report import Section, Table, Target
from bench.timing import TIMES_COLUMNS, Stopwatches, milliseconds
from bench.workshop import Workshop
from openstile.passes.qr import render_qr_png

NAME = "cold-start"
TITLE = "Cold start: `openstile cross` as a fresh process"
SECONDS_MAX = 1.5
_CROSS, _BARE = "openstile cross, face pass", "python that does nothing"
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| +(\S+)")
_PACKAGES_SHOWN = 12


def measure(workshop: Workshop) -> Section:
    """Each process gets a new pass; the file is in the page cache after the first, which is counted too."""
    count = 5 if workshop.quick else 20
    command = _Command(workshop, count + 1)
    watches, steps = Stopwatches(), Stopwatches()
    with workshop.progress(NAME, count) as step:
        for _ in range(count):
            watches.run(_BARE, lambda: subprocess.run([sys.executable, "-I", "-c", "pass"], check=True))
            answer = watches.run(_CROSS, command.run)
            for name, elapsed_ms in answer["timings_ms"].items():
                steps.add(name, elapsed_ms)
            step()
    packages, total_ms = command.import_times()
    cold = watches.times(_CROSS)
    return Section(
        NAME,
        TITLE,
        tables=(
            Table("Wall time, one core", ("process", *TIMES_COLUMNS), watches.rows()),
            Table("Within: the crossing's own steps", ("step", *TIMES_COLUMNS), steps.rows()),
            Table(
                "Within: imports (python -X importtime, which slows them), own time summed by package",
                ("package", "time"),
                tuple((name, milliseconds(elapsed_ms)) for name, elapsed_ms in packages),
            ),
        ),
        targets=(
            Target(
                f"`openstile cross` cold start: at most {SECONDS_MAX} s",
                f"median {cold.median / 1000:.2f} s, maximum {cold.max / 1000:.2f} s of {count}",
                cold.median <= SECONDS_MAX * 1000,
            ),
        ),
        notes=(f"Imports take {milliseconds(total_ms)} under -X importtime. Files were in the page cache.",),
        figures={"imports_ms": dict(packages), "imports_total_ms": total_ms, **watches.figures()},
    )


class _Command:
    """A home, passes not yet used, and the command line that presents them one after the other."""

    def __init__(self, workshop: Workshop, count: int) -> None:
        self._installation = workshop.install("cold-home")
        self._passes = workshop.work / "cold-passes"
        self._passes.mkdir()
        self._frame = workshop.work / "cold-frame.png"
        self._used = 0
        rider = workshop.riders.riders[0]
        self._frame.write_bytes(cv2.imencode(".png", rider.frame.pixels)[1].tobytes())
        turns = len(workshop.riders.riders)
        for index, (_, issued) in enumerate(workshop.issue(self._installation, 1 + turns * (count - 1))):
            if index % turns == 0:  # those of the rider in the frame
                (self._passes / f"{index // turns}.png").write_bytes(render_qr_png(issued.text))

    def run(self) -> dict[str, dict[str, float]]:
        """One crossing; returns its JSON."""
        done = subprocess.run(self._next(), check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openstile cross ended with {done.returncode}: {done.stderr.strip() or done.stdout}")
        answer: dict[str, dict[str, float]] = json.loads(done.stdout)
        return answer

    def import_times(self) -> tuple[list[tuple[str, float]], float]:
        """The packages whose own modules took longest, in milliseconds, and the sum over all."""
        command = [sys.executable, "-X", "importtime", *self._next()]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stderr.splitlines()
        found = [match for match in map(_IMPORT.match, lines) if match]
        times: Counter[str] = Counter()
        for match in found:
            times[match[3].split(".")[0]] += int(match[1])
        shown = [(name, microseconds / 1000) for name, microseconds in times.most_common(_PACKAGES_SHOWN)]
        return shown, times.total() / 1000

    def _next(self) -> list[str]:
        path = self._passes / f"{self._used}.png"
        self._used += 1
        script = str(Path(sys.executable).with_name("openstile"))
        home = os.fspath(self._installation.home.folder)
        return [script, "cross", "--pass", str(path), "--frames", str(self._frame), "--home", home, "--json"]
