"""Taking taps out of a journal to send them, while the gate goes on writing it."""

from datetime import datetime

from openstile.journal.batches import encode_batch
from openstile.journal.connection import connect_reader, explained
from openstile.journal.rows import chained_taps, last_tap, typed, values_as_written
from openstile.journal.store import Journal
from openstile.journal.taps import Head, microseconds_of
from openstile.terms.limits import BATCH_TAPS_MAX


def next_batch(journal: Journal, *, after: Head, now: datetime, taps_max: int = BATCH_TAPS_MAX) -> bytes | None:
    """The batch of the taps behind `after`, a place in this journal's chain, at most `taps_max`; None where none is.

    `now` is the gate's wall clock, an aware UTC instant. Reads through a connection of its own, so that a rider waits
    for no batch. Raises JournalBrokenError for a tap that is not as it was written, JournalError.
    """
    path = journal.path
    with journal.reading(), explained(path), values_as_written(str(path)):
        connection = connect_reader(path)
        try:
            connection.execute("BEGIN")
            through = min(last_tap(connection, genesis=after).seq, after.seq + min(taps_max, BATCH_TAPS_MAX))
            if through <= after.seq:
                return None
            taps = tuple(
                chained_taps(
                    connection, journal=str(path), gate=journal.gate, after=after, through=through, beginning=after.seq
                )
            )
            row = connection.execute("SELECT signature FROM tap WHERE seq = ?", (through,)).fetchone()
        finally:
            connection.close()
    return encode_batch(
        epoch=journal.epoch,
        run=journal.run,
        sent_at_us=microseconds_of(now),
        sent_mono_us=journal.mono_us(),
        taps=taps,
        head_signature=typed(row, bytes)[0],
    )
