"""Looking at a journal without being its writer: works while the gate runs. Looks, and verifies nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from openstile.journal.chain import DayCount
from openstile.journal.connection import connect_reader, explained
from openstile.journal.errors import JournalError
from openstile.journal.rows import read_counts, read_taps, typed, values_as_written
from openstile.journal.schema import APPLICATION_ID, FORMAT_VERSION
from openstile.journal.store import RefusalCount
from openstile.journal.taps import JournaledTap
from openstile.terms import GateId


@dataclass(frozen=True, slots=True)
class JournalView:
    """What a journal holds at one moment: `taps` newest first, `faded` and `refusals` as counts by UTC date."""

    gate: GateId
    taps: tuple[JournaledTap, ...]
    faded: tuple[DayCount, ...]
    refusals: tuple[RefusalCount, ...]


def read_journal(path: Path, *, limit: int) -> JournalView:
    """The newest `limit` taps of the journal at `path`, and its counts.

    Raises JournalError when the file is absent or no journal of this version, JournalBrokenError for rows that no gate
    wrote; whether the rows are those the gate signed is for `verify_journal` to say.
    """
    with _reading(path) as connection:
        gate = _gate_of(connection, path)
        rows = connection.execute("SELECT day, reason, refusals FROM refusal ORDER BY day, reason")
        return JournalView(
            gate=gate,
            taps=read_taps(connection, journal=str(path), gate=gate, limit=limit),
            faded=read_counts(connection),
            refusals=tuple(RefusalCount(*typed(row, str, str, int)) for row in rows),
        )


@dataclass(frozen=True, slots=True)
class SendingView:
    """How far a journal has come to the office at one moment: `waiting` taps are here in full and not receipted."""

    epoch: bytes
    head_seq: int
    receipted_seq: int
    waiting: int


def read_sending(path: Path) -> SendingView:
    """How far the journal at `path` has come to the office. Raises as `read_journal`."""
    with _reading(path) as connection:
        _gate_of(connection, path)
        (epoch,) = typed(connection.execute("SELECT epoch FROM gate").fetchone(), bytes)
        numbers = connection.execute(
            "SELECT coalesce((SELECT max(seq) FROM tap), 0), coalesce((SELECT max(seq) FROM anchor), 0), "
            "coalesce((SELECT seq FROM receipted), 0)"
        ).fetchone()
        tapped, faded, receipted = typed(numbers, int, int, int)
        head = max(tapped, faded)
        return SendingView(epoch, head, receipted, max(0, head - max(faded, receipted)))


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with explained(path):
        if not path.exists():
            raise JournalError(f"journal {path}: does not exist; no crossing has been recorded yet")
        connection = connect_reader(path)
        try:
            connection.execute("BEGIN")  # one moment, whatever the gate writes meanwhile
            with values_as_written(str(path)):
                yield connection
        finally:
            connection.close()


def _gate_of(connection: sqlite3.Connection, path: Path) -> GateId:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) != (APPLICATION_ID, FORMAT_VERSION):
        raise JournalError(f"journal {path}: is no journal of format {FORMAT_VERSION}; give the right path")
    return GateId(connection.execute("SELECT gate FROM gate").fetchone()[0])
