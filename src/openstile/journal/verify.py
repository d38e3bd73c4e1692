"""Checking a journal from outside: reads only, trusts nothing but the gate's public key."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from openstile.journal.chain import anchor_message, counts_digest, genesis_hash, head_message
from openstile.journal.connection import connect_reader, explained
from openstile.journal.errors import JournalBrokenError, JournalError
from openstile.journal.keys import is_signed
from openstile.journal.rows import chained_taps, head_at, last_anchor, read_counts, values_as_written
from openstile.journal.schema import APPLICATION_ID, FORMAT_VERSION, SCHEMA
from openstile.journal.taps import Head
from openstile.terms import BadInputError, GateId


@dataclass(frozen=True, slots=True)
class JournalReport:
    """What a whole journal holds: `taps` in full with numbers `first_seq` to `head.seq`, `faded` as counts only.

    `first_seq` is None when no tap is there in full. Give `head` to someone else: `verify_journal(at_least=...)` then
    sees a roll-back of the whole file, which nothing inside the file can show.
    """

    gate: GateId
    epoch: bytes
    taps: int
    faded: int
    first_seq: int | None
    head: Head


def verify_journal(path: Path, *, public_key: bytes, at_least: Head | None = None) -> JournalReport:
    """Checks every row, link, signature, count and guard of the journal at `path`, also while a gate writes it.

    `public_key` is the gate's (32 bytes, Ed25519); `at_least` is a head this journal once had. Raises
    JournalBrokenError for the first thing that is wrong, JournalError when the file cannot be read or is no journal.
    """
    with explained(path):
        if not path.exists():
            raise JournalError(f"journal {path}: does not exist; give the path of a gate's journal")
        connection = connect_reader(path)
        try:
            connection.execute("BEGIN")  # one moment, whatever the gate writes meanwhile
            with values_as_written(str(path)):
                return _Verification(connection, journal=str(path), public_key=public_key).run(at_least)
        finally:
            connection.close()


class _Verification:
    def __init__(self, connection: sqlite3.Connection, *, journal: str, public_key: bytes) -> None:
        self._connection = connection
        self._journal = journal
        self._public_key = public_key

    def run(self, at_least: Head | None) -> JournalReport:
        # 1. The file is a journal, of the gate that owns the key.
        gate, epoch, genesis = self._owner()
        # 2. What has faded: every anchor is signed, the counts are those of the newest one.
        anchor = self._anchor(genesis)
        # 3. Every tap is as it was written, follows the one in front of it, and its head is signed.
        head, known = self._taps(gate, anchor, at_least)
        # 4. A head that was given away is still in the chain.
        if at_least is not None and not known:
            self._fail(
                at_least.seq, "the head known from outside is not in this journal: it was rolled back or replaced"
            )
        # 5. What the office is said to hold is a part of this chain.
        self._receipt(genesis)
        # 6. The guards are in place, and nothing else: queries answer from what was verified.
        self._file()
        taps = head.seq - anchor.seq
        return JournalReport(
            gate=gate, epoch=epoch, taps=taps, faded=anchor.seq, first_seq=anchor.seq + 1 if taps else None, head=head
        )

    def _owner(self) -> tuple[GateId, bytes, Head]:
        (application,) = self._one("PRAGMA application_id")
        (version,) = self._one("PRAGMA user_version")
        if application != APPLICATION_ID:
            raise JournalError(f"journal {self._journal}: it is not a journal; give the right path")
        if version != FORMAT_VERSION:
            raise JournalError(f"journal {self._journal}: has format {version}, this version reads {FORMAT_VERSION}")
        rows = self._connection.execute("SELECT gate, epoch, public_key, genesis FROM gate").fetchall()
        if len(rows) != 1:
            self._fail(None, "it does not name its gate")
        try:
            gate = GateId(rows[0][0])
        except (BadInputError, TypeError):
            self._fail(None, "it does not name its gate")
        _, epoch, public_key, first_hash = rows[0]
        if public_key != self._public_key:
            self._fail(None, "it was signed with another gate's key than the one given")
        genesis = genesis_hash(gate=gate, public_key=self._public_key, epoch=epoch)
        if first_hash != genesis:
            self._fail(None, "its first hash does not fit its gate: the gate's name was changed, or the epoch")
        return gate, epoch, Head(seq=0, hash=genesis)

    def _anchor(self, genesis: Head) -> Head:
        anchor, counts_hash = genesis, counts_digest(())
        for seq, own_hash, counts_hash, signature in self._connection.execute(
            "SELECT seq, hash, counts_hash, signature FROM anchor ORDER BY seq"
        ):
            anchor = Head(seq, own_hash)
            message = anchor_message(anchor, counts_hash=counts_hash)
            if not is_signed(public_key=self._public_key, signature=signature, message=message):
                self._fail(seq, "this gate did not sign the anchor of what faded")
        counts = read_counts(self._connection)
        if counts_digest(counts) != counts_hash or sum(count.taps for count in counts) != anchor.seq:
            self._fail(None, "the counts of faded taps are not those that the gate signed")
        return anchor

    def _taps(self, gate: GateId, anchor: Head, at_least: Head | None) -> tuple[Head, bool]:
        """The end of the chain, and whether `at_least` is in it (or has faded, where that can no longer be told)."""
        head = anchor
        known = at_least is None or at_least == anchor or at_least.seq < anchor.seq
        (last,) = self._one("SELECT coalesce(max(seq), ?) FROM tap", anchor.seq)
        for journaled in chained_taps(self._connection, journal=self._journal, gate=gate, after=anchor, through=last):
            head = Head(journaled.seq, journaled.hash)
            known = known or head == at_least
            (signature,) = self._one("SELECT signature FROM tap WHERE seq = ?", head.seq)
            if not is_signed(public_key=self._public_key, signature=signature, message=head_message(head)):
                self._fail(head.seq, "this gate did not sign its head")
        return head, known

    def _receipt(self, genesis: Head) -> None:
        """A mark behind which taps have faded unsent cannot be compared any more."""
        for seq, own_hash in self._connection.execute("SELECT seq, hash FROM receipted"):
            known = head_at(self._connection, seq, genesis=genesis)
            faded = known is None and seq < last_anchor(self._connection, genesis=genesis).seq
            if not faded and known != Head(seq, own_hash):
                self._fail(None, "its receipt is of another journal's tap")

    def _file(self) -> None:
        present = {" ".join(sql.split()) for (sql,) in self._connection.execute("SELECT sql FROM sqlite_master") if sql}
        for statement in SCHEMA:
            if " ".join(statement.rstrip(";").split()) not in present:
                self._fail(None, f"a guard was removed or changed: {' '.join(statement.split()[:3])}")
        if len(present) != len(SCHEMA):
            self._fail(None, "it holds tables or guards that are not ours")
        (found,) = self._one("PRAGMA integrity_check(1)")
        if found != "ok":
            self._fail(None, f"the database file is damaged ({found})")

    def _one(self, query: str, *values: int) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._connection.execute(query, values).fetchone()
        return row

    def _fail(self, seq: int | None, fault: str) -> NoReturn:
        raise JournalBrokenError(journal=self._journal, seq=seq, fault=fault)
