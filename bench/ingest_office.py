"""Offices and gates for the bench of ingest: the same gates and riders in each, one of them filled with old taps."""

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import Connection, insert, select, text
from tests.office.sync_workshop import NORTH, START, PaperJournal, ingest

from openstile.journal import Direction, GateKey
from openstile.journal.chain import genesis_hash
from openstile.journal.receipts import Receipt
from openstile.journal.taps import microseconds_of
from openstile.office.store.accounts import ACCOUNT, PASS
from openstile.office.store.database import Database
from openstile.office.store.gates import GATE, GATE_EPOCH
from openstile.office.store.schema import COLLECTIONS
from openstile.office.store.taps import tap_number
from openstile.office.sync.registry import add_gate
from openstile.terms import GateId, PassId

FILL_DAYS = 2
_FILL_EPOCHS = 100
_FILL_SQLITE = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :taps)
INSERT INTO tap SELECT :first + (i / :each) * :apart + i % :each, :epoch + i / :each, 1 + i % :each, randomblob(32),
  randomblob(16), :begin + (i % :each) * :step + abs(random()) % 1000000, 'single', 'in', 0, :begin, 0, 'clear', NULL
FROM n
"""
_FILL_POSTGRESQL = """
INSERT INTO tap SELECT :first + (i / :each) * :apart + i % :each, :epoch + i / :each, 1 + i % :each,
  decode(md5(i::text) || md5(random()::text), 'hex'), decode(md5(random()::text), 'hex'),
  :begin + (i % :each) * :step + floor(random() * 1000000)::bigint, 'single', 'in', false, :begin, 0, 'clear', NULL
FROM generate_series(0::bigint, CAST(:taps AS bigint) - 1) AS i
"""


@dataclass
class BenchGate:
    """A gate that makes one batch after the other; `stored` is how many taps it made."""

    name: str
    journal: PaperJournal
    stored: int = 0

    @classmethod
    def new(cls, name: str) -> "BenchGate":
        """A gate with a key and an epoch."""
        return cls(name, PaperJournal(GateKey.generate(), secrets.token_bytes(16), GateId(name)))

    def next_batch(self, riders: list[bytes], taps: int, at: datetime) -> bytes:
        """The next taps, of riders in no order, in the half minute before `at`."""
        order = Random(self.stored)
        for index in range(taps):
            made = at - timedelta(milliseconds=(taps - index) * 30)
            self.journal.append(PassId(order.choice(riders)), made, mono_us=index * 30_000)
        first, self.stored = self.stored + 1, self.stored + taps
        return self.journal.batch(first, self.stored, sent_at=at, sent_mono_us=taps * 30_000)


@dataclass
class BenchOffice:
    """An office's database with gates and riders."""

    database: Database
    epoch_ids: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, url: str, *, gates: list[BenchGate], riders: list[bytes]) -> "BenchOffice":
        """The office at an empty database."""
        office = cls(Database.open(url))
        for collection in COLLECTIONS:
            collection.create_all(office.database.engine)
        with office.database.write() as connection:
            for gate in gates:
                add_gate(connection, gate_id=GateId(gate.name), stop_id="s", network_id=None, direction=Direction.IN,
                         now=START)  # fmt: skip
                office.epoch_ids[gate.name] = _begin(connection, gate.journal)
            connection.execute(GATE.update().values(state="admitted"))
            _add_riders(connection, riders)
        office.tidy()
        return office

    def fill(self, taps: int) -> None:
        """Puts in so many taps of earlier days, of other journals, and lets the engine tidy up behind it."""
        with self.database.write() as connection:
            add_gate(connection, gate_id=NORTH, stop_id="s", network_id=None, direction=Direction.IN, now=START)
            epochs = [_begin(connection, PaperJournal(GateKey.generate(), secrets.token_bytes(16)))
                      for _ in range(_FILL_EPOCHS)]  # fmt: skip
            assert epochs == list(range(epochs[0], epochs[0] + _FILL_EPOCHS))
            each = taps // _FILL_EPOCHS
            values = {
                "taps": each * _FILL_EPOCHS, "each": each, "epoch": epochs[0], "first": tap_number(epochs[0], 1),
                "apart": tap_number(2, 0) - tap_number(1, 0), "begin": microseconds_of(START),
                "step": FILL_DAYS * 86_400 * 10**6 // each,
            }  # fmt: skip
            if not self.database.is_sqlite:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no look at each epoch
            connection.execute(text(_FILL_SQLITE if self.database.is_sqlite else _FILL_POSTGRESQL), values)
        self.tidy()

    def tidy(self) -> None:
        """What engines do by themselves sooner or later, now."""
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in _tidy(is_sqlite=self.database.is_sqlite):
                connection.exec_driver_sql(statement)

    def take(self, gate: BenchGate, body: bytes, at: datetime) -> None:
        """The batch, from bytes to commit."""
        receipt = ingest(self.database, body, gate_id=GateId(gate.name), at=at)
        assert isinstance(receipt, Receipt), receipt

    def close(self) -> None:
        """Ends connections."""
        self.database.close()


def _tidy(*, is_sqlite: bool) -> tuple[str, ...]:
    return ("PRAGMA wal_checkpoint(TRUNCATE)",) if is_sqlite else ("VACUUM ANALYZE", "CHECKPOINT")


def _begin(connection: Connection, journal: PaperJournal) -> int:
    key = journal.key.public_key
    connection.execute(
        insert(GATE_EPOCH).values(
            gate_id=journal.gate_id.value, epoch=journal.epoch, journal_key=key, begun_us=0, reason="claimed", seq=0,
            hash=genesis_hash(gate=journal.gate_id, public_key=key, epoch=journal.epoch), forked=False,
        )
    )  # fmt: skip
    found = connection.execute(select(GATE_EPOCH.c.epoch_id).where(GATE_EPOCH.c.epoch == journal.epoch))
    return int(found.scalar_one())


def _add_riders(connection: Connection, riders: list[bytes]) -> None:
    accounts = [secrets.token_hex(16) for _ in riders]
    connection.execute(
        insert(ACCOUNT),
        [{"account_id": account, "state": "open", "currency": "EUR", "opened_on": date(2026, 1, 1), "version": 0}
         for account in accounts],
    )  # fmt: skip
    connection.execute(
        insert(PASS),
        [{"pass_id": rider, "account_id": account, "product": "single", "reference": "face", "state": "valid",
          "not_before_us": 0, "expires_us": 2**50} for rider, account in zip(riders, accounts, strict=True)],
    )  # fmt: skip
