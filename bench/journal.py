"""The journal: one durable tap, against writing and syncing as many bytes without any database."""

import os
from datetime import UTC, datetime

from bench.machine import file_system_of
from bench.report import Section, Table
from bench.timing import TIMES_COLUMNS, Stopwatches
from bench.workshop import Workshop
from openstile.journal import Direction, Tap
from openstile.terms.ids import PassId

NAME = "journal"
TITLE = "Journal: one durable tap against raw fdatasync"
_COMMIT = "append a tap, durable"
_RAW = "write as many bytes in place, fdatasync"
_PLACES = 300
"""The raw file is written round and round, as the write-ahead log is: neither grows."""
_PROBED = 100
"""Commits that fit into the write-ahead log before SQLite first empties it; their growth tells bytes a commit."""


def measure(workshop: Workshop) -> Section:
    """Taps and raw writes in turn, into two files of the same folder."""
    count = 300 if workshop.quick else 2000
    installation = workshop.install("journal-home")
    settings, log = installation.settings, installation.home.journal.with_name("journal.db-wal")
    watches = Stopwatches()
    with installation.open_journal() as journal, workshop.progress(NAME, count) as step:

        def append() -> None:
            journal.append(
                Tap(PassId(os.urandom(16)), datetime.now(UTC), settings.gate_id(), "season-ticket", Direction.IN)
            )

        append()
        before = log.stat().st_size
        for _ in range(_PROBED):
            append()
        size = (log.stat().st_size - before) // _PROBED
        raw = os.open(workshop.work / "raw.bin", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(raw, bytes(size * _PLACES), 0)
            os.fsync(raw)
            for index in range(count):
                watches.run(_COMMIT, append)
                data = os.urandom(size)
                watches.run(_RAW, lambda: _write(raw, data, index % _PLACES * size))  # noqa: B023
                step()
        finally:
            os.close(raw)
    ratio = watches.times(_COMMIT).median / watches.times(_RAW).median
    return Section(
        NAME,
        TITLE,
        tables=(Table("One core, interleaved", ("step", *TIMES_COLUMNS), watches.rows()),),
        notes=(
            f"A commit writes {size} bytes to the log (whole pages); hashing, signing, the transaction and the sync "
            f"together take {ratio:.1f} times as long as writing and syncing so many bytes over old ones.",
            f"File system: {file_system_of(workshop.work)}. What a sync means is up to the disk below it.",
        ),
        figures={"bytes_per_commit": size, "ratio": ratio, **watches.figures()},
    )


def _write(descriptor: int, data: bytes, offset: int) -> None:
    os.pwrite(descriptor, data, offset)
    os.fdatasync(descriptor)
