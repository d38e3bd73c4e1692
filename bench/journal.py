"""The journal: one durable tap, against writing and syncing its bytes without any database."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bench.machine import file_system_of
from bench.report import Section, Table, Target
from bench.timing import TIMES_COLUMNS, Stopwatches
from bench.workshop import Workshop
from openstile.journal import Direction, Tap
from openstile.journal.chain import tap_record
from openstile.journal.connection import PAGE_BYTES
from openstile.journal.keys import SIGNATURE_BYTES
from openstile.terms.ids import PassId

NAME = "journal"
TITLE = "Journal: one durable tap against raw fdatasync"
RATIO_MIN = 0.5
_COMMIT = "append a tap: chained, signed, durable"
_APPENDED = "raw: its bytes at the end of a file (O_APPEND), fdatasync"
_IN_PLACE = "raw: its bytes in place in a file that does not grow, fdatasync"
_PLACES = 300


def measure(workshop: Workshop) -> Section:
    """Taps and raw writes in turn, into files of the same folder; each step goes first in a third of the rounds."""
    rounds = 400 if workshop.quick else 3000
    installation = workshop.install("journal-home")
    gate = installation.settings.gate_id()
    watches = Stopwatches()
    with (
        installation.open_journal() as journal,
        _appending(workshop.work / "raw-appended.bin") as append,
        _in_place(workshop.work / "raw-in-place.bin") as write,
        workshop.progress(NAME, rounds) as step,
    ):
        for index in range(rounds):
            tap = Tap(PassId(os.urandom(16)), datetime.now(UTC), gate, "season-ticket", Direction.IN)
            data = os.urandom(_size_of(tap))
            steps: list[tuple[str, Callable[[], object]]] = [
                (_COMMIT, lambda: journal.append(tap)),  # noqa: B023
                (_APPENDED, lambda: append(data)),  # noqa: B023
                (_IN_PLACE, lambda: write(data)),  # noqa: B023
            ]
            first = index % len(steps)
            for name, action in (*steps[first:], *steps[:first]):
                watches.run(name, action)
            step()
    return _section(workshop, watches, size=_size_of(tap))


def _section(workshop: Workshop, watches: Stopwatches, *, size: int) -> Section:
    commit, appended, in_place = (watches.times(name).median for name in (_COMMIT, _APPENDED, _IN_PLACE))
    ratio = appended / commit
    return Section(
        NAME,
        TITLE,
        tables=(Table("One core, interleaved", ("step", *TIMES_COLUMNS), watches.rows()),),
        targets=(
            Target(
                f"commits of a tap a second at least {RATIO_MIN} of raw appends with fdatasync",
                f"{ratio:.2f} (medians {commit:.3f} ms and {appended:.3f} ms)",
                ratio >= RATIO_MIN,
            ),
        ),
        notes=(
            f"A tap's record and signature are {size} bytes: so many the raw steps write, from Python, and each is on "
            f"the disk before the next. A commit also signs, and writes a page of {PAGE_BYTES} bytes to SQLite's log, "
            "two or three when one is full; every 256 pages it empties the log.",
            f"Against writing over bytes that are on the disk already, which spares the file system its own log (the "
            f"journal's log has its room beforehand too): {in_place / commit:.2f}.",
            f"File system: {file_system_of(workshop.work)}. What a sync means is up to the disk below it.",
        ),
        figures={"bytes": size, "ratio": ratio, "ratio_in_place": in_place / commit, **watches.figures()},
    )


def _size_of(tap: Tap) -> int:
    return len(tap_record(seq=1, tap=tap, salt=bytes(16), run=1, mono_us=0)) + SIGNATURE_BYTES


@contextmanager
def _appending(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Writes bytes durably at the end of a file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(data: bytes) -> None:
        os.write(descriptor, data)
        os.fdatasync(descriptor)

    try:
        yield write
    finally:
        os.close(descriptor)


@contextmanager
def _in_place(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Writes bytes durably, round and round over others that were written and synced before."""
    descriptor, numbers = os.open(path, os.O_RDWR | os.O_CREAT, 0o600), count()

    def write(data: bytes) -> None:
        os.pwrite(descriptor, data, next(numbers) % _PLACES * len(data))
        os.fdatasync(descriptor)

    try:
        os.pwrite(descriptor, bytes(_PLACES * 1024), 0)
        os.fsync(descriptor)
        yield write
    finally:
        os.close(descriptor)
