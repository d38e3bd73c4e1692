"""The gate's append-only, hash-chained, signed record of taps. It knows pass ids and times, never a face."""

from openstile.journal.errors import JournalBrokenError, JournalError
from openstile.journal.keys import GateKey
from openstile.journal.store import Journal
from openstile.journal.taps import Direction, Tap
from openstile.journal.verify import JournalReport, verify_journal

__all__ = [
    "Direction",
    "GateKey",
    "Journal",
    "JournalBrokenError",
    "JournalError",
    "JournalReport",
    "Tap",
    "verify_journal",
]
