"""A batch of taps from a gate: checked, stored once, and made due for pricing, all in one transaction.

What the office answers is true when its transaction has been committed: the caller sends it only then.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from openstile.journal.batches import Batch, BatchError, read_batch, verify_head
from openstile.journal.receipts import Receipt
from openstile.journal.taps import microseconds_of
from openstile.office.store.gates import GATE, GATE_EPOCH
from openstile.office.store.tap_hashes import stored_hash
from openstile.office.store.taps import tap_number
from openstile.office.sync.alarms import AlarmKind, NewId, raise_alarm, raise_once
from openstile.office.sync.clocks import ClockRules
from openstile.office.sync.faults import GATE_LOCKED, UNKNOWN_EPOCH, SyncProblem
from openstile.office.sync.registry import GateState
from openstile.office.sync.tap_rows import store_taps
from openstile.terms import GateId
from openstile.terms.limits import GAP_ALARM_S


def _new_id() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class IngestRules:
    """How far clocks may be off, when a gap is worth an alarm, and where ids of alarms come from."""

    clocks: ClockRules = field(default_factory=ClockRules)
    gap_alarm: timedelta = timedelta(seconds=GAP_ALARM_S)
    new_id: NewId = _new_id


def ingest_batch(
    connection: Connection,
    *,
    gate_id: GateId,
    body: bytes,
    received_at: datetime,
    rules: IngestRules | None = None,
) -> Receipt | SyncProblem:
    """`open_batch` and `store_batch`. The gate is the one that signed the request."""
    batch = open_batch(body, gate_id=gate_id)
    if isinstance(batch, SyncProblem):
        return batch
    return store_batch(connection, gate_id=gate_id, batch=batch, received_at=received_at, rules=rules)


def open_batch(body: bytes, *, gate_id: GateId) -> Batch | SyncProblem:
    """What a gate sent, read strictly and its chain computed anew. Needs no database: do it before a transaction."""
    try:
        return read_batch(body, gate=gate_id)
    except BatchError as error:
        return SyncProblem("bad-batch", str(error))


def store_batch(
    connection: Connection,
    *,
    gate_id: GateId,
    batch: Batch,
    received_at: datetime,
    rules: IngestRules | None = None,
) -> Receipt | SyncProblem:
    """Stores those taps of the batch that are new, and says up to where all are stored. Commit, then answer.

    Also a refusal is to be committed: a fork leaves an alarm and its mark, a gap the time since when it has been.
    """
    rules = rules or IngestRules()
    # 1. The gate is admitted, and the journal is known. No other batch of it is worked on until this one is done.
    epoch = _locked_epoch(connection, gate_id, batch.epoch)
    if epoch is None:
        return UNKNOWN_EPOCH
    if epoch.state != GateState.ADMITTED.value:
        return GATE_LOCKED
    # 2. The journal's key signed the end of the batch, and so all of it.
    try:
        verify_head(batch=batch, public_key=epoch.journal_key)
    except BatchError as error:
        return SyncProblem("bad-batch", str(error))
    # 3. It continues, repeats or overlaps what is stored, hash by hash. Else nothing is stored.
    if epoch.forked:
        return _fork_of(epoch)
    if batch.first_seq > epoch.seq + 1:
        return _gap(connection, gate_id, epoch, now=received_at, rules=rules)
    shared_seq = min(batch.last_seq, epoch.seq)
    stored = _stored_hash(connection, epoch, shared_seq)
    if stored is not None and stored != _hash_at(batch, shared_seq):
        return _fork(connection, gate_id, epoch, now=received_at, rules=rules)
    if batch.last_seq <= epoch.seq:
        return Receipt(gate_id, batch.epoch, epoch.seq, epoch.hash)
    # 4. The taps that are new, and whose accounts are to be priced.
    store_taps(connection, gate_id=gate_id, epoch=epoch, batch=batch, received_at=received_at, rules=rules.clocks,
               new_id=rules.new_id)  # fmt: skip
    # 5. Up to there everything is stored, when this is committed.
    connection.execute(
        update(GATE_EPOCH)
        .where(GATE_EPOCH.c.epoch_id == epoch.epoch_id)
        .values(seq=batch.last_seq, hash=batch.head_hash, gap_us=None)
    )
    return Receipt(gate_id, batch.epoch, batch.last_seq, batch.head_hash)


def _locked_epoch(connection: Connection, gate_id: GateId, epoch: bytes) -> Row[Any] | None:
    return connection.execute(
        select(GATE_EPOCH, GATE.c.state)
        .join(GATE, GATE.c.gate_id == GATE_EPOCH.c.gate_id)
        .where(GATE_EPOCH.c.gate_id == gate_id.value, GATE_EPOCH.c.epoch == epoch)
        .with_for_update(of=GATE_EPOCH)
    ).one_or_none()


def _hash_at(batch: Batch, seq: int) -> bytes:
    """The hash of tap `seq` as the batch has it; for the tap in front of its first, the one that it follows."""
    return batch.previous_hash if seq < batch.first_seq else batch.taps[seq - batch.first_seq].hash


def _stored_hash(connection: Connection, epoch: Row[Any], seq: int) -> bytes | None:
    """The hash of the last tap that both have, or that in front of the batch; None when it is forgotten.

    A batch as old as that cannot be compared: the receipt's own hash tells the gate then.
    """
    if seq == epoch.seq:
        stored: bytes = epoch.hash
        return stored
    return stored_hash(connection, tap_number(epoch.epoch_id, seq))


def _fork_of(epoch: Row[Any]) -> SyncProblem:
    more = {"seq": epoch.seq, "hash": epoch.hash.hex()}
    return SyncProblem("fork", "The journal is not the one whose taps are stored here; begin a new one", more)


def _fork(
    connection: Connection, gate_id: GateId, epoch: Row[Any], *, now: datetime, rules: IngestRules
) -> SyncProblem:
    """Told once: from now on the mark answers."""
    connection.execute(update(GATE_EPOCH).where(GATE_EPOCH.c.epoch_id == epoch.epoch_id).values(forked=True))
    raise_alarm(
        connection, gate_id=gate_id, kind=AlarmKind.FORK, now=now, new_id=rules.new_id,
        detail=f"Journal {epoch.epoch.hex()} came in two versions; taps up to {epoch.seq} stay as they came first.",
    )  # fmt: skip
    return _fork_of(epoch)


def _gap(connection: Connection, gate_id: GateId, epoch: Row[Any], *, now: datetime, rules: IngestRules) -> SyncProblem:
    expected_seq = epoch.seq + 1
    since_us = microseconds_of(now) if epoch.gap_us is None else epoch.gap_us
    if epoch.gap_us is None:
        connection.execute(update(GATE_EPOCH).where(GATE_EPOCH.c.epoch_id == epoch.epoch_id).values(gap_us=since_us))
    elif microseconds_of(now) - since_us >= rules.gap_alarm // timedelta(microseconds=1):
        raise_once(
            connection, gate_id=gate_id, kind=AlarmKind.GAP, now=now, new_id=rules.new_id,
            detail=f"Journal {epoch.epoch.hex()}: tap {expected_seq} does not come, later ones do.",
        )  # fmt: skip
    detail = f"Taps from number {expected_seq} on are missing; send them first"
    return SyncProblem("gap", detail, {"expected_seq": expected_seq})
