"""The journal of one gate: taps go in durably, are read back, and fade."""

import os
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from openstile.journal.chain import DayCount, genesis_hash, head_message, tap_hash
from openstile.journal.connection import (
    connect_writer,
    explained,
    limit_growth,
    lock_for_writing,
    transaction,
)
from openstile.journal.errors import JournalBrokenError, JournalError
from openstile.journal.fading import erase, fade_rows
from openstile.journal.keys import GateKey, is_signed
from openstile.journal.rows import last_anchor, last_tap, read_counts, read_taps, typed, values_as_written
from openstile.journal.schema import APPLICATION_ID, FORMAT_VERSION, SCHEMA
from openstile.journal.taps import TAP_SALT_BYTES, Head, JournaledTap, Tap, instant_of, microseconds_of, utc_day
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
    """The journal file of one gate, held by one process at a time. Not for use from several threads at once."""

    def __init__(
        self,
        *,
        path: Path,
        gate: GateId,
        key: GateKey,
        connection: sqlite3.Connection,
        lock: int,
        random: Callable[[int], bytes],
        bytes_max: int,
    ) -> None:
        """Use `Journal.open`."""
        self.path = path
        self.gate = gate
        self._key = key
        self._connection = connection
        self._lock = lock
        self._random = random
        self._bytes_max = bytes_max
        self._rewrite_due = True  # the process before this one may have been killed between fading and erasing
        self._genesis = Head(seq=0, hash=genesis_hash(gate=gate, public_key=key.public_key))

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        key: GateKey,
        gate: GateId,
        bytes_max: int = JOURNAL_BYTES_MAX,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> "Journal":
        """Opens the journal of `gate`, or begins it, and keeps every other writer out until `close`.

        Raises JournalError when the file is another gate's or another key's, not a journal, in use, or cannot be
        written; JournalBrokenError when its last tap is not what this gate signed.
        """
        with explained(path):
            lock = lock_for_writing(path)
            try:
                connection = connect_writer(path, bytes_max=bytes_max)
            except BaseException:
                os.close(lock)
                raise
        journal = cls(
            path=path, gate=gate, key=key, connection=connection, lock=lock, random=random, bytes_max=bytes_max
        )
        try:
            with values_as_written(str(path)):
                journal._begin_or_check()
        except BaseException:
            journal.close()
            raise
        return journal

    def append(self, tap: Tap) -> JournaledTap:
        """Adds a tap and its signed head. Durable when it returns; when it raises, the tap is not in the journal.

        Raises JournalError (disk full, not writable, damaged, a tap of another gate).
        """
        if tap.gate != self.gate:
            raise JournalError(f"journal {self.path}: belongs to gate {self.gate}, got a tap of gate {tap.gate}")
        salt = self._random(TAP_SALT_BYTES)
        with transaction(self._connection, self.path):
            last = self._head()
            seq = last.seq + 1
            head = Head(seq, tap_hash(seq=seq, tap=tap, salt=salt, previous_hash=last.hash))
            self._connection.execute(
                "INSERT INTO tap VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, tap.pass_id.value, microseconds_of(tap.at), tap.product, tap.direction.value,
                 int(tap.status_unsure), salt, last.hash, head.hash),
            )  # fmt: skip
            self._connection.execute(
                "INSERT INTO head VALUES (?, ?, ?)", (seq, head.hash, self._key.sign(head_message(head)))
            )
        return JournaledTap(seq=seq, tap=tap, salt=salt, previous_hash=last.hash, hash=head.hash)

    def last_admitted(self, pass_id: PassId) -> datetime | None:
        """When this gate last admitted the pass (of the taps that have not faded, the newest by number), or None."""
        with explained(self.path):
            row = self._connection.execute(
                "SELECT at_us FROM tap WHERE pass_id = ? ORDER BY seq DESC LIMIT 1", (pass_id.value,)
            ).fetchone()
        try:
            return None if row is None else instant_of(row[0])
        except OverflowError as error:
            raise JournalBrokenError(journal=str(self.path), seq=None, fault="a tap has an impossible time") from error

    def count_refusal(self, reason: str, *, at: datetime) -> None:
        """Counts one refusal of the UTC date of `at`. Which pass was refused is not kept."""
        if not reason.isidentifier() or len(reason) > JOURNAL_REASON_CHARS_MAX:
            raise BadInputError(f"refusal reason {reason[:64]!r}: must be the name of a reason, such as no_face")
        with transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT INTO refusal VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET refusals = refusals + 1",
                (utc_day(at), reason),
            )

    def taps(self, limit: int = JOURNAL_TAPS_SHOWN_MAX) -> tuple[JournaledTap, ...]:
        """The newest taps that have not faded, newest first, at most `limit`."""
        with explained(self.path):
            return read_taps(self._connection, journal=str(self.path), gate=self.gate, limit=limit)

    def faded(self) -> tuple[DayCount, ...]:
        """What is left of faded taps, by UTC date, product and direction."""
        with explained(self.path), values_as_written(str(self.path)):
            return read_counts(self._connection)

    def refusals(self) -> tuple[RefusalCount, ...]:
        """Refusals by UTC date and reason."""
        with explained(self.path), values_as_written(str(self.path)):
            rows = self._connection.execute("SELECT day, reason, refusals FROM refusal ORDER BY day, reason")
            return tuple(RefusalCount(*typed(row, str, str, int)) for row in rows)

    def head(self) -> Head:
        """The end of the journal, for whoever keeps it elsewhere to see a roll-back."""
        with explained(self.path):
            return self._head()

    def fade(self, before: datetime) -> Fading:
        """Reduces the taps made before `before` to counts by UTC date, product and direction, and erases them.

        The newest tap older than `before` goes and, since numbers order taps and clocks may jump, all with lower
        numbers. They are checked first: raises JournalBrokenError and fades nothing if one is not what was written.
        """
        with explained(self.path):
            limit_growth(self._connection, bytes_max=self._bytes_max + JOURNAL_FADE_BYTES)
            try:
                with transaction(self._connection, self.path):
                    taps = fade_rows(
                        self._connection,
                        journal=str(self.path),
                        gate=self.gate,
                        genesis=self._genesis,
                        key=self._key,
                        before=before,
                    )
                    anchor = last_anchor(self._connection, genesis=self._genesis)
                self._rewrite_due = self._rewrite_due or taps > 0
                erased = erase(self._connection, rewrite=self._rewrite_due)
                self._rewrite_due = False
            finally:
                limit_growth(self._connection, bytes_max=self._bytes_max)
        return Fading(taps=taps, through_seq=anchor.seq, erased=erased)

    def close(self) -> None:
        """Closes the file and lets another process open it. Closing twice does nothing."""
        with explained(self.path):
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

    def _begin_or_check(self) -> None:
        with transaction(self._connection, self.path):
            version, application = (
                self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
            )
            empty = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if version == 0 and application == 0 and empty:
                self._begin()
            elif application != APPLICATION_ID:
                raise JournalError(f"journal {self.path}: it is another program's database; give the right path")
            elif version != FORMAT_VERSION:
                raise JournalError(
                    f"journal {self.path}: has format {version}, this version reads {FORMAT_VERSION}; update Openstile"
                )
            self._check_owner()
            self._check_end()

    def _begin(self) -> None:
        for statement in SCHEMA:
            self._connection.execute(statement)
        self._connection.execute(
            "INSERT INTO gate VALUES (1, ?, ?, ?)", (self.gate.value, self._key.public_key, self._genesis.hash)
        )
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")

    def _check_owner(self) -> None:
        row = self._connection.execute("SELECT gate, public_key, genesis FROM gate").fetchone()
        if row is None:
            raise JournalBrokenError(journal=str(self.path), seq=None, fault="it does not name its gate")
        gate, public_key, genesis = row
        if gate != self.gate.value:
            raise JournalError(f"journal {self.path}: belongs to gate {gate}, not {self.gate}; use that gate's own")
        if public_key != self._key.public_key or genesis != self._genesis.hash:
            raise JournalError(
                f"journal {self.path}: was begun with another gate key; restore that key, or begin a new journal"
            )

    def _check_end(self) -> None:
        last = self._head()
        row = self._connection.execute("SELECT signature FROM head WHERE seq = ?", (last.seq,)).fetchone()
        newest_head = self._connection.execute("SELECT coalesce(max(seq), 0) FROM head").fetchone()[0]
        if newest_head > last.seq:
            raise JournalBrokenError(journal=str(self.path), seq=last.seq + 1, fault="its head is there, the tap not")
        faded = last == last_anchor(self._connection, genesis=self._genesis)
        message = head_message(last)
        if not faded and (
            row is None or not is_signed(public_key=self._key.public_key, signature=row[0], message=message)
        ):
            raise JournalBrokenError(journal=str(self.path), seq=last.seq, fault="this gate did not sign its head")

    def _head(self) -> Head:
        return last_tap(self._connection, genesis=self._genesis)
