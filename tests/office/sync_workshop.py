"""Gates for tests of sync: a real journal in a folder, its batches, and an office's database that knows the gate."""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select
from tests.databases import opened_office

from openstile.journal import Direction, GateKey, Journal, Tap
from openstile.journal.batches import encode_batch
from openstile.journal.chain import genesis_hash, head_message, tap_hash, tap_record
from openstile.journal.receipts import Receipt
from openstile.journal.sending import next_batch
from openstile.journal.taps import Head, JournaledTap, microseconds_of
from openstile.office.store.accounts import ACCOUNT, PASS
from openstile.office.store.database import Database
from openstile.office.store.gates import ALARM
from openstile.office.store.taps import TAP
from openstile.office.sync import SyncProblem, ingest_batch
from openstile.office.sync.claims import Claim, ClaimedGate, issue_claim, use_claim
from openstile.office.sync.registry import add_gate
from openstile.terms import GateId, PassId

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
NORTH = GateId("north-1")


def new_id() -> str:
    """32 random hexadecimal digits."""
    return secrets.token_hex(16)


@contextmanager
def office_at(url: str) -> Iterator[Database]:
    """An office's database with its tables, on an empty database."""
    database = opened_office(url)
    yield database
    database.close()


def add_riders(connection: Connection, count: int) -> tuple[PassId, ...]:
    """Passes, each on an account of its own."""
    pass_ids = tuple(PassId(secrets.token_bytes(16)) for _ in range(count))
    accounts = [new_id() for _ in pass_ids]
    connection.execute(
        insert(ACCOUNT),
        [{"account_id": account, "state": "open", "currency": "EUR", "category": None, "contact": None,
          "opened_on": date(2026, 1, 1), "version": 0} for account in accounts],
    )  # fmt: skip
    connection.execute(
        insert(PASS),
        [{"pass_id": pass_id.value, "account_id": account, "product": "single", "category": None, "reference": "face",
          "state": "valid", "not_before_us": 0, "expires_us": 2**50, "replaced_by": None}
         for pass_id, account in zip(pass_ids, accounts, strict=True)],
    )  # fmt: skip
    return pass_ids


def tap_of(pass_id: PassId, at: datetime, gate: GateId = NORTH) -> Tap:
    """A tap into the system."""
    return Tap(pass_id, at, gate, "single", Direction.IN)


@dataclass
class WorkClock:
    """A gate's clocks; `ahead` is by how much its wall clock is wrong. `at` is the true time, the office's."""

    at: datetime = START
    ahead: timedelta = timedelta(0)
    mono_ns: int = 10**12

    def now(self) -> datetime:
        """What the gate's wall clock says."""
        return self.at + self.ahead

    def monotonic_ns(self) -> int:
        """The monotonic clock."""
        return self.mono_ns

    def turn(self, **by: float) -> None:
        """Time passes, for both sides."""
        step = timedelta(**by)
        self.at += step
        self.mono_ns += step // timedelta(microseconds=1) * 1000


@dataclass
class WorkGate:
    """A gate with a real journal in `folder`, as its own process would hold it."""

    folder: Path
    gate_id: GateId = NORTH
    clock: WorkClock = field(default_factory=WorkClock)
    journal_key: GateKey = field(default_factory=GateKey.generate)
    uplink_key: GateKey = field(default_factory=GateKey.generate)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        """Begins a run: opens the journal."""
        self.journal = Journal.open(
            self.folder / "journal.db", key=self.journal_key, gate=self.gate_id, monotonic_ns=self.clock.monotonic_ns
        )

    def restart(self) -> None:
        """Ends the run and begins another; the monotonic clock starts anew."""
        self.journal.close()
        self.clock.mono_ns = 10**9
        self.start()

    def tap(self, *pass_ids: PassId, every_s: float = 1) -> None:
        """Riders pass, one after the other."""
        for pass_id in pass_ids:
            self.journal.append(tap_of(pass_id, self.clock.now(), self.gate_id))
            self.clock.turn(seconds=every_s)

    def batch(self, after: int = 0, taps_max: int = 1000) -> bytes:
        """The batch of the taps behind number `after`."""
        place = self.journal.place(after)
        assert place is not None
        body = next_batch(self.journal, after=place, now=self.clock.now(), taps_max=taps_max)
        assert body is not None
        return body

    def claim(self, token: str, **changed: Any) -> Claim:
        """What the gate brings to make itself known."""
        claim = Claim(self.gate_id, token, self.uplink_key.public_key, self.journal_key.public_key, self.journal.epoch)
        return replace(claim, **changed)

    def admit(self, database: Database) -> None:
        """Makes the gate known to the office, as staff and the gate would."""
        with database.write() as connection:
            add_gate(connection, gate_id=self.gate_id, stop_id="stop-1", network_id=None, direction=Direction.IN,
                     now=self.clock.at)  # fmt: skip
            issued = issue_claim(connection, gate_id=self.gate_id, now=self.clock.at)
            claimed = use_claim(connection, self.claim(issued.token), now=self.clock.at, new_id=new_id)
            assert isinstance(claimed, ClaimedGate)

    def send(self, database: Database, body: bytes) -> Receipt | SyncProblem:
        """The office takes a batch in, now."""
        return ingest(database, body, gate_id=self.gate_id, at=self.clock.at)


def ingest(database: Database, body: bytes, *, gate_id: GateId = NORTH, at: datetime = START) -> Receipt | SyncProblem:
    """One transaction of the office with a batch."""
    with database.write() as connection:
        return ingest_batch(connection, gate_id=gate_id, body=body, received_at=at)


@dataclass
class PaperJournal:
    """A chain of taps without a file: for histories that no gate's journal would let be written, and for speed."""

    key: GateKey
    epoch: bytes
    gate_id: GateId = NORTH
    taps: list[JournaledTap] = field(default_factory=list)

    def append(self, pass_id: PassId, at: datetime, *, run: int = 1, mono_us: int = 0) -> None:
        """Another tap."""
        genesis = genesis_hash(gate=self.gate_id, public_key=self.key.public_key, epoch=self.epoch)
        previous = self.taps[-1].hash if self.taps else genesis
        seq, tap, salt = len(self.taps) + 1, tap_of(pass_id, at, self.gate_id), secrets.token_bytes(16)
        record = tap_record(seq=seq, tap=tap, salt=salt, run=run, mono_us=mono_us)
        own = tap_hash(previous_hash=previous, record=record)
        self.taps.append(JournaledTap(seq, tap, run, mono_us, salt, previous, own))

    def batch(self, first: int, last: int, *, sent_at: datetime, run: int = 1, sent_mono_us: int = 0) -> bytes:
        """The batch of taps `first` to `last`, signed."""
        taps: Sequence[JournaledTap] = self.taps[first - 1 : last]
        signature = self.key.sign(head_message(Head(taps[-1].seq, taps[-1].hash)))
        return encode_batch(
            epoch=self.epoch, run=run, sent_at_us=microseconds_of(sent_at), sent_mono_us=sent_mono_us, taps=taps,
            head_signature=signature,
        )  # fmt: skip


def stored_seqs(database: Database) -> list[int]:
    """The numbers of all taps of the office, in order of their ids."""
    with database.read() as connection:
        return list(connection.execute(select(TAP.c.seq).order_by(TAP.c.tap_id)).scalars())


def alarm_kinds(database: Database) -> dict[str, int]:
    """How many alarms of each kind were raised."""
    with database.read() as connection:
        return Counter(connection.execute(select(ALARM.c.kind)).scalars())
