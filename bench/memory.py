"""Resident memory of a gate's process over ten thousand crossings."""

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2

from bench.report import Section, Table, Target
from bench.timing import milliseconds
from bench.workshop import REPOSITORY, Workshop

NAME = "memory"
TITLE = "Memory: a gate's process over its crossings"
MIB_MAX = 350.0
GROWTH_MAX = 0.02
"""Flat: the mean of the last tenth is at most this much above the mean of the first."""
_EVERY = 100
_BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class _Sample:
    crossings: int
    admitted: int
    mib: float
    crossing_ms: float


@dataclass(frozen=True, slots=True)
class _Curve:
    """The samples, and what they say: means of tenths, and the slope of the least-squares line."""

    samples: tuple[_Sample, ...]

    def tenth(self, number: int) -> tuple[_Sample, ...]:
        count = len(self.samples)
        return self.samples[number * count // 10 : (number + 1) * count // 10]

    def mib(self, number: int) -> float:
        return statistics.fmean(sample.mib for sample in self.tenth(number))

    def crossing_ms(self, number: int) -> float:
        return statistics.fmean(sample.crossing_ms for sample in self.tenth(number))

    @property
    def growth(self) -> float:
        return self.mib(9) / self.mib(0) - 1

    @property
    def kib_per_thousand(self) -> float:
        line = statistics.linear_regression([s.crossings for s in self.samples], [s.mib for s in self.samples])
        return line.slope * 1000 * 1024


def measure(workshop: Workshop) -> Section:
    """Start a gate in a process of its own, and let it serve riders with new passes."""
    count = 1000 if workshop.quick else 10_000
    installation = workshop.install("memory-home")
    frames, passes = workshop.work / "memory-frames", workshop.work / "memory-passes.txt"
    frames.mkdir()
    for index, rider in enumerate(workshop.riders.riders):
        data = cv2.imencode(".jpg", rider.frame.pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        (frames / f"{index:04}.jpg").write_bytes(data)
    with passes.open("w") as file:
        file.writelines(f"{issued.text}\n" for _, issued in workshop.issue(installation, count))
    curve = _serve(workshop, [str(installation.home.folder), str(passes), str(frames), str(_EVERY)], count)
    journal = installation.home.journal.stat().st_size
    verified = installation.verify_journal().taps
    _plot(curve, workshop.out / "memory.png")
    return _section(workshop, curve, count, journal, verified)


def _serve(workshop: Workshop, arguments: list[str], count: int) -> _Curve:
    command = [sys.executable, "-m", "bench.gate_worker", *arguments]
    samples = []
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as gate,
        workshop.progress(f"{NAME} (hundreds)", count // _EVERY) as step,
    ):
        assert gate.stdout is not None
        for line in gate.stdout:
            value = json.loads(line)
            mib = value["resident_kib"] / 1024
            samples.append(_Sample(value["crossings"], value["admitted"], mib, value["crossing_ms"]))
            step()
    if gate.returncode != 0 or len(samples) < 10:
        raise RuntimeError(f"the gate's process ended with {gate.returncode} after {len(samples)} samples")
    return _Curve(tuple(samples))


def _section(workshop: Workshop, curve: _Curve, count: int, journal_bytes: int, verified: int) -> Section:
    peak = max(sample.mib for sample in curve.samples)
    last = curve.samples[-1]
    flat = curve.growth <= GROWTH_MAX
    return Section(
        NAME,
        TITLE,
        tables=(
            Table(
                "Means of each tenth of the run",
                ("crossings", "resident memory", "a crossing"),
                tuple(
                    (
                        f"{curve.tenth(number)[0].crossings - _EVERY + 1} to {curve.tenth(number)[-1].crossings}",
                        f"{curve.mib(number):.1f} MiB",
                        milliseconds(curve.crossing_ms(number)),
                    )
                    for number in range(10)
                ),
            ),
        ),
        targets=(
            Target(f"resident memory at most {MIB_MAX:.0f} MiB", f"at most {peak:.0f} MiB", peak <= MIB_MAX),
            Target(
                f"flat over {count} crossings (last tenth at most {GROWTH_MAX:.0%} above the first)",
                f"{curve.mib(0):.1f} to {curve.mib(9):.1f} MiB ({curve.growth:+.1%}), "
                f"slope {curve.kib_per_thousand:+.0f} KiB per 1000 crossings",
                flat and last.admitted == count,
            ),
        ),
        notes=(
            f"{last.admitted} of {last.crossings} crossings admitted, {verified} taps verified in the journal "
            f"({journal_bytes / 2**20:.1f} MiB); riders: {workshop.riders.described}.",
            "The real loop: passes read from frames of 640x480, faces from frames decoded anew, the journal on disk. "
            f"Resident memory, shared libraries included, every {_EVERY} crossings; the frames' files in memory too.",
        ),
        chart=_spark(curve),
        figures={
            "curve": [[sample.crossings, round(sample.mib, 2)] for sample in curve.samples],
            "peak_mib": peak,
            "growth": curve.growth,
            "kib_per_1000": curve.kib_per_thousand,
        },
    )


def _spark(curve: _Curve) -> tuple[str, ...]:
    """The curve as a line of blocks, from zero to the target."""
    step = max(1, len(curve.samples) // 50)
    values = [sample.mib for sample in curve.samples[::step]]
    top = max(MIB_MAX, *values)
    return (
        f"{top:.0f} MiB at full height, from 0 to {curve.samples[-1].crossings} crossings",
        "".join(_BLOCKS[round(value / top * (len(_BLOCKS) - 1))] for value in values),
    )


def _plot(curve: _Curve, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    axes.plot([s.crossings for s in curve.samples], [s.mib for s in curve.samples])
    axes.axhline(MIB_MAX, color="tab:red", linestyle="--", label=f"target: {MIB_MAX:.0f} MiB")
    axes.set(xlabel="crossings", ylabel="resident memory (MiB)", ylim=(0, MIB_MAX * 1.1), title=TITLE)
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close(figure)
