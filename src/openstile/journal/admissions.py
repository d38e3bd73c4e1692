"""When a gate last admitted each pass: kept in memory, so that a commit need not keep an index of it on the disk."""

import sqlite3

from openstile.journal.rows import typed
from openstile.terms import PassId
from openstile.terms.limits import JOURNAL_PASSES_REMEMBERED_MAX

_NEWEST = "SELECT seq, pass_id, at_us FROM tap ORDER BY seq DESC LIMIT ?"
_BEHIND = 0
"""In place of a number: the tap stayed behind in the epoch before this one."""


class Admissions:
    """The last tap of each pass, by number, of the passes admitted last; in the order of their taps."""

    def __init__(self, passes_max: int = JOURNAL_PASSES_REMEMBERED_MAX) -> None:
        self._passes_max = passes_max
        self._last: dict[bytes, tuple[int, int]] = {}
        """Its number and time (microseconds)."""

    def note(self, pass_id: bytes, *, seq: int, at_us: int) -> None:
        """The pass was admitted by tap `seq`, the newest of all."""
        self._last.pop(pass_id, None)
        self._last[pass_id] = (seq, at_us)
        if len(self._last) > self._passes_max:
            del self._last[next(iter(self._last))]

    def last_us(self, pass_id: PassId) -> int | None:
        """When the pass was admitted last, in microseconds; None where nothing is known of that."""
        last = self._last.get(pass_id.value)
        return None if last is None else last[1]

    def read(self, connection: sqlite3.Connection) -> None:
        """Notes the taps of a journal. Raises TypeError, as `typed` does."""
        rows = connection.execute(_NEWEST, (self._passes_max,)).fetchall()
        for row in reversed(rows):
            seq, pass_id, at_us = typed(row, int, bytes, int)
            self.note(pass_id, seq=seq, at_us=at_us)

    def begin_epoch(self, connection: sqlite3.Connection) -> None:
        """From now on numbers are those of another journal, of `connection`; what it did not take over is kept too."""
        self._last = {pass_id: (_BEHIND, at_us) for pass_id, (_, at_us) in self._last.items()}
        self.read(connection)

    def fade(self, *, through_seq: int, before_us: int) -> None:
        """Forgets the taps up to `through_seq`, and of those that stayed behind the ones before `before_us`."""
        self._last = {
            pass_id: (seq, at_us)
            for pass_id, (seq, at_us) in self._last.items()
            if seq > through_seq or (seq == _BEHIND and at_us >= before_us)
        }
