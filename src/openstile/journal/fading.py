"""Trips fade: old taps become counts, and their bytes leave the files."""

import sqlite3
from collections import Counter
from datetime import datetime

from openstile.journal.chain import anchor_message, counts_digest
from openstile.journal.opening import Owner
from openstile.journal.rows import chained_taps, last_anchor, read_counts
from openstile.journal.taps import Head, microseconds_of, utc_day

_NEWEST_TO_GO = """
SELECT max(seq) FROM tap
WHERE at_us < ? AND (at_us < ? OR seq <= coalesce((SELECT seq FROM receipted), 0))
"""


def fade_rows(
    connection: sqlite3.Connection,
    *,
    journal: str,
    owner: Owner,
    genesis: Head,
    before: datetime,
    unsent_before: datetime,
) -> int:
    """Within one transaction of the caller: checks, counts, anchors and deletes. Returns the number of taps faded.

    Those go that were made before `before` and are receipted, or before `unsent_before`, and all with lower numbers.

    Raises JournalBrokenError when one of them is not what the gate wrote: a fading must not hide that.
    """
    through = connection.execute(_NEWEST_TO_GO, (microseconds_of(before), microseconds_of(unsent_before))).fetchone()[0]
    if through is None:
        return 0
    counts: Counter[tuple[str, str, str]] = Counter()
    anchor = last_anchor(connection, genesis=genesis)
    for journaled in chained_taps(connection, journal=journal, gate=owner.gate, after=anchor, through=through):
        counts[utc_day(journaled.tap.at), journaled.tap.product, journaled.tap.direction.value] += 1
        anchor = Head(journaled.seq, journaled.hash)
    connection.executemany(
        "INSERT INTO faded VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET taps = taps + excluded.taps",
        [(*what, taps) for what, taps in counts.items()],
    )
    counts_hash = counts_digest(read_counts(connection))
    signature = owner.key.sign(anchor_message(anchor, counts_hash=counts_hash))
    connection.execute("INSERT INTO anchor VALUES (?, ?, ?, ?)", (anchor.seq, anchor.hash, counts_hash, signature))
    connection.execute("DELETE FROM tap WHERE seq <= ?", (anchor.seq,))
    return counts.total()


def erase(connection: sqlite3.Connection, *, rewrite: bool) -> bool:
    """Empties the write-ahead log into the database and cuts it to nothing. Returns False while a reader prevents it.

    `secure_delete` has overwritten deleted rows with zeros; `rewrite` (VACUUM) also drops the copies that SQLite leaves
    in the free space of pages when it moves rows between them.
    """
    if rewrite:
        connection.execute("VACUUM")
    busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return busy == 0
