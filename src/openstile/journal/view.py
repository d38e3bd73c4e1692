"""Looking at a journal without being its writer: works while the gate runs. Looks, and verifies nothing."""

import sqlite3
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
    with explained(path):
        if not path.exists():
            raise JournalError(f"journal {path}: does not exist; no crossing has been recorded yet")
        connection = connect_reader(path)
        try:
            connection.execute("BEGIN")  # one moment, whatever the gate writes meanwhile
            with values_as_written(str(path)):
                gate = _gate_of(connection, path)
                rows = connection.execute("SELECT day, reason, refusals FROM refusal ORDER BY day, reason")
                return JournalView(
                    gate=gate,
                    taps=read_taps(connection, journal=str(path), gate=gate, limit=limit),
                    faded=read_counts(connection),
                    refusals=tuple(RefusalCount(*typed(row, str, str, int)) for row in rows),
                )
        finally:
            connection.close()


def _gate_of(connection: sqlite3.Connection, path: Path) -> GateId:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if (application, version) != (APPLICATION_ID, FORMAT_VERSION):
        raise JournalError(f"journal {path}: is no journal of format {FORMAT_VERSION}; give the right path")
    return GateId(connection.execute("SELECT gate FROM gate").fetchone()[0])
