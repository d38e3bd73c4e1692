"""The journal of one gate: taps go in durably, are read back, and fade."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from openstile.journal.admissions import Admissions
from openstile.journal.chain import DayCount
from openstile.journal.connection import (
    connect_writer,
    explained,
    limit_growth,
    lock_for_writing,
    reserve_log,
    transaction,
)
from openstile.journal.epochs import (
    Origin,
    Reason,
    build_next,
    empty_log,
    fade_retired,
    promote_next,
    read_origin,
    sweep,
)
from openstile.journal.errors import JournalBrokenError, JournalError
from openstile.journal.fading import erase, fade_rows
from openstile.journal.keys import GateKey
from openstile.journal.opening import Chapter, Owner, begin_or_check, begin_run, insert_tap
from openstile.journal.rows import head_at, last_anchor, last_tap, read_counts, read_taps, typed, values_as_written
from openstile.journal.taps import Head, JournaledTap, Tap, instant_of, microseconds_of, utc_day
from openstile.terms import BadInputError, GateId, PassId
from openstile.terms.limits import (
    JOURNAL_BYTES_MAX,
    JOURNAL_FADE_BYTES,
    JOURNAL_REASON_CHARS_MAX,
    JOURNAL_TAPS_SHOWN_MAX,
)


class RefusalCount(NamedTuple):
    """How often a gate refused for one reason on one UTC date (YYYY-MM-DD). Says nothing of whom."""

    day: str
    reason: str
    refusals: int


@dataclass(frozen=True, slots=True)
class Fading:
    """What one fading did: `taps` went, all up to number `through_seq` (0: none ever).

    `erased` is False when a reader kept the old bytes alive in the files; the next fading erases them.
    """

    taps: int
    through_seq: int
    erased: bool


class Journal:
    """The journal of one gate, held by one process at a time. Its methods may be called from several threads."""

    def __init__(
        self,
        *,
        path: Path,
        owner: Owner,
        connection: sqlite3.Connection,
        lock: int,
        monotonic_ns: Callable[[], int],
        bytes_max: int,
    ) -> None:
        """Use `Journal.open`."""
        self.path = path
        self._owner = owner
        self._connection = connection
        self._cursor = connection.cursor()  # of taps: one for all of them
        self._lock = lock
        self._monotonic_ns = monotonic_ns
        self._began_ns = monotonic_ns()
        self._bytes_max = bytes_max
        self._rewrite_due = True  # the process before this one may have been killed between fading and erasing
        self._use = threading.RLock()
        """Held for each use of the connection."""
        self._still = threading.RLock()
        """Held while files are rewritten or replaced, and while taps are read to be sent; taken after `_use`."""
        self._end: Head | None = None
        """The end of the chain where it is known without looking. A tap put in behind our back makes the next commit
        fail once: the triggers compare."""
        self._admissions = Admissions()
        """Of taps that have not faded; this process also knows those that stayed behind in the epoch before this."""
        with explained(path), values_as_written(str(path)), transaction(connection, path):
            self._chapter: Chapter = begin_or_check(connection, path, owner)
            self.run: int = begin_run(connection, owner)
            self._admissions.read(connection)
            reserve_log(path)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        key: GateKey,
        gate: GateId,
        bytes_max: int = JOURNAL_BYTES_MAX,
        random: Callable[[int], bytes] = os.urandom,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> "Journal":
        """Opens the journal of `gate`, or begins it, and keeps every other writer out until `close`.

        Raises JournalError when the file is another gate's or another key's, not a journal, in use, or cannot be
        written; JournalBrokenError when its last tap is not what this gate signed.
        """
        with explained(path):
            lock = lock_for_writing(path)
            connection = None
            try:
                sweep(path)
                connection = connect_writer(path, bytes_max=bytes_max + JOURNAL_FADE_BYTES)
                owner = Owner(gate, key, random)
                journal = cls(path=path, owner=owner, connection=connection, lock=lock, monotonic_ns=monotonic_ns,
                              bytes_max=bytes_max)  # fmt: skip
                limit_growth(connection, bytes_max=bytes_max)
            except BaseException:
                if connection is not None:
                    connection.close()
                os.close(lock)
                raise
        return journal

    @property
    def gate(self) -> GateId:
        """Whose journal it is."""
        return self._owner.gate

    @property
    def public_key(self) -> bytes:
        """The 32 bytes (Ed25519) that verify what this journal's owner signs."""
        return self._owner.key.public_key

    @property
    def epoch(self) -> bytes:
        """The 16 random bytes that name the present file: another file has another epoch."""
        return self._chapter.epoch

    def mono_us(self) -> int:
        """Microseconds of the monotonic clock since this run began."""
        return (self._monotonic_ns() - self._began_ns) // 1000

    def append(self, tap: Tap) -> JournaledTap:
        """Adds a tap and its signed head. Durable when it returns; when it raises, the tap is not in the journal.

        Raises JournalError (disk full, not writable, damaged, a tap of another gate).
        """
        if tap.gate != self.gate:
            raise JournalError(f"journal {self.path}: belongs to gate {self.gate}, got a tap of gate {tap.gate}")
        with self._use, explained(self.path):
            last, self._end = self._end, None  # known again only after the commit
            placed = insert_tap(
                self._cursor, self._owner, tap, after=last or self._head(), run=self.run, mono_us=self.mono_us()
            )
            self._end = Head(placed.seq, placed.hash)
            self._admissions.note(tap.pass_id.value, seq=placed.seq, at_us=microseconds_of(tap.at))
            return placed

    def last_admitted(self, pass_id: PassId) -> datetime | None:
        """When this gate last admitted the pass (of the taps that have not faded, the newest by number), or None.

        Known of the JOURNAL_PASSES_REMEMBERED_MAX passes that were admitted last.
        """
        with self._use:
            at_us = self._admissions.last_us(pass_id)
        try:
            return None if at_us is None else instant_of(at_us)
        except OverflowError as error:
            raise JournalBrokenError(journal=str(self.path), seq=None, fault="a tap has an impossible time") from error

    def count_refusal(self, *reasons: str, at: datetime) -> None:
        """Counts one refusal of the UTC date of `at` by each reason, all or none. Which pass it was is not kept."""
        for reason in reasons:
            if not reason.isidentifier() or len(reason) > JOURNAL_REASON_CHARS_MAX:
                raise BadInputError(f"refusal reason {reason[:64]!r}: must be the name of a reason, such as no_face")
        with self._use, transaction(self._connection, self.path):
            self._connection.executemany(
                "INSERT INTO refusal VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET refusals = refusals + 1",
                [(utc_day(at), reason) for reason in reasons],
            )

    def taps(self, limit: int = JOURNAL_TAPS_SHOWN_MAX) -> tuple[JournaledTap, ...]:
        """The newest taps that have not faded, newest first, at most `limit`."""
        with self._use, explained(self.path):
            return read_taps(self._connection, journal=str(self.path), gate=self.gate, limit=limit)

    def faded(self) -> tuple[DayCount, ...]:
        """What is left of faded taps, by UTC date, product and direction."""
        with self._use, explained(self.path), values_as_written(str(self.path)):
            return read_counts(self._connection)

    def refusals(self) -> tuple[RefusalCount, ...]:
        """Refusals by UTC date and reason."""
        with self._use, explained(self.path), values_as_written(str(self.path)):
            rows = self._connection.execute("SELECT day, reason, refusals FROM refusal ORDER BY day, reason")
            return tuple(RefusalCount(*typed(row, str, str, int)) for row in rows)

    def head(self) -> Head:
        """The end of the journal, for whoever keeps it elsewhere to see a roll-back."""
        with self._use, explained(self.path):
            return self._head()

    def place(self, seq: int) -> Head | None:
        """Where tap `seq` stands in the chain (0: the genesis), or None where that has faded or is still to come."""
        with self._use, explained(self.path), values_as_written(str(self.path)):
            return head_at(self._connection, seq, genesis=self._chapter.genesis)

    def faded_through(self) -> Head:
        """The last tap that has faded; the genesis (0) when none has."""
        with self._use, explained(self.path):
            return last_anchor(self._connection, genesis=self._chapter.genesis)

    def origin(self) -> Origin | None:
        """What this epoch goes on from, None for a gate's first."""
        with self._use, explained(self.path), values_as_written(str(self.path)):
            return read_origin(self._connection)

    def made_at(self, seq: int) -> datetime | None:
        """When tap `seq` was made, by the gate's wall clock; None where it has faded or is still to come."""
        with self._use, explained(self.path), values_as_written(str(self.path)):
            row = self._connection.execute("SELECT at_us FROM tap WHERE seq = ?", (seq,)).fetchone()
            return None if row is None else instant_of(*typed(row, int))

    def receipted(self) -> Head:
        """Up to where the office has said that it holds this epoch durably; the genesis (0) when it has not yet."""
        with self._use, explained(self.path), values_as_written(str(self.path)):
            row = self._connection.execute("SELECT seq, hash FROM receipted").fetchone()
            return self._chapter.genesis if row is None else Head(*typed(row, int, bytes))

    def mark_receipted(self, head: Head) -> None:
        """Keeps durably that the office holds all taps up to `head`: they may fade when their time is over.

        The mark goes back too, when the office has lost some. Raises JournalError where `head` is not in this chain:
        what the office holds is then not what this gate wrote.
        """
        if head == self.receipted():
            return
        if self.place(head.seq) != head:
            raise JournalError(f"journal {self.path}: the receipt for tap {head.seq} is of another journal's tap")
        with self._use, transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT INTO receipted VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, "
                "hash = excluded.hash",
                (head.seq, head.hash),
            )

    def fade(self, before: datetime, *, unsent_before: datetime | None = None) -> Fading:
        """Reduces the taps made before `before` to counts by UTC date, product and direction, and erases them.

        With `unsent_before`, for a gate whose taps an office gathers, a tap that no receipt covers stays until it is
        older than that too. The newest tap that may go goes and, since numbers order taps and clocks may jump, all with
        lower numbers. They are checked first: raises JournalBrokenError and fades nothing if one is not what was
        written.
        """
        limit = before if unsent_before is None else min(before, unsent_before)
        with self._use, self._still, explained(self.path):
            limit_growth(self._connection, bytes_max=self._bytes_max + JOURNAL_FADE_BYTES)
            try:
                with transaction(self._connection, self.path):
                    taps = fade_rows(
                        self._connection,
                        journal=str(self.path),
                        owner=self._owner,
                        genesis=self._chapter.genesis,
                        before=before,
                        unsent_before=limit,
                    )
                    anchor = last_anchor(self._connection, genesis=self._chapter.genesis)
                self._rewrite_due = self._rewrite_due or taps > 0
                erased = erase(self._connection, rewrite=self._rewrite_due)
                self._rewrite_due = False
            finally:
                limit_growth(self._connection, bytes_max=self._bytes_max)
            with transaction(self._connection, self.path):
                reserve_log(self.path)
            self._admissions.fade(through_seq=anchor.seq, before_us=microseconds_of(before))
            fade_retired(self.path, self._owner, before=before)
        return Fading(taps=taps, through_seq=anchor.seq, erased=erased)

    def reading(self) -> threading.RLock:
        """Held by whoever reads the file through another connection, so that erasing waits for its end."""
        return self._still

    def begin_epoch(self, *, after: Head, reason: Reason) -> bytes:
        """Begins a new journal file behind `after`, a place in this one: returns the new epoch.

        Taps behind `after` that have not faded are taken over, each with its run and times; the file that was goes
        aside (docs/journal-format.md, "Epochs") until its taps have faded. All or nothing, also when the process is
        killed in between. Raises JournalError, JournalBrokenError when a tap is not what was written.
        """
        with self._use, self._still, explained(self.path):
            self._end = None
            build_next(self._connection, self.path, self._owner,
                       chapter=self._chapter, after=after, reason=reason, run=self.run)  # fmt: skip
            empty_log(self._connection, self.path)
            self._connection.close()
            try:
                promote_next(self.path, epoch=self._chapter.epoch)
            finally:  # where that failed, the journal is still the one that was
                self._connection = connect_writer(self.path, bytes_max=self._bytes_max)
                self._cursor = self._connection.cursor()
                with values_as_written(str(self.path)), transaction(self._connection, self.path):
                    self._chapter = begin_or_check(self._connection, self.path, self._owner)
                    reserve_log(self.path)
            self._admissions.begin_epoch(self._connection)
            self._rewrite_due = True
            return self._chapter.epoch

    def close(self) -> None:
        """Closes the file and lets another process open it. Closing twice does nothing."""
        with self._use, self._still, explained(self.path):
            self._connection.close()
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _head(self) -> Head:
        return last_tap(self._connection, genesis=self._chapter.genesis)
