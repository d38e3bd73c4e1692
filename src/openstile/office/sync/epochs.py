"""Journals of gates (epochs): which there are, and up to where their taps are held here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from openstile.journal.chain import genesis_hash
from openstile.journal.receipts import Receipt
from openstile.journal.taps import HASH_BYTES, Head, microseconds_of
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.taps import TAP, tap_number
from openstile.office.sync.alarms import AlarmKind, NewId, raise_alarm
from openstile.office.sync.faults import UNKNOWN_EPOCH, SyncProblem
from openstile.office.sync.registry import read_gate
from openstile.terms import GateId
from openstile.terms.limits import EPOCH_ID_MAX, EPOCHS_PER_GATE_MAX, TAP_SEQ_MAX

_START_SEQ_MAX = TAP_SEQ_MAX // 2


@dataclass(frozen=True, slots=True)
class EpochPoint:
    """A tap of one of a gate's journals."""

    epoch: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class BegunEpoch:
    """A journal that is known here; `is_new` when it was not before."""

    epoch: bytes
    is_new: bool


def admit_epoch(
    connection: Connection,
    *,
    gate_id: GateId,
    epoch: bytes,
    journal_key: bytes,
    after: EpochPoint | None,
    reason: str,
    start: Head | None = None,
    now: datetime,
    new_id: NewId,
) -> BegunEpoch | SyncProblem:
    """Makes another journal of an admitted gate known, and tells staff by an alarm. The same again changes nothing.

    `reason`: "restored" when it goes on from tap `after` of an earlier one, else "new". `start` as in `begin_epoch`.
    """
    read_gate(connection, gate_id, lock=True)
    if (reason == "restored") != (after is not None) or reason not in ("restored", "new"):
        return SyncProblem("invalid-request", "A restored journal names the tap it goes on from, a new one none")
    detail = f"Journal {epoch.hex()} goes on from no other: was the gate's journal lost?"
    if after is not None:
        before = epoch_row(connection, gate_id, after.epoch)
        if before is None:
            return UNKNOWN_EPOCH
        if not 0 <= after.seq <= before.seq:
            return SyncProblem("conflict", "The tap that the journal goes on from is not held here; send it first")
        behind = before.seq - after.seq
        detail = f"Journal {epoch.hex()} goes on from tap {after.seq} of {after.epoch.hex()}; {behind} more are here."
    begun = begin_epoch(
        connection, gate_id=gate_id, epoch=epoch, journal_key=journal_key, reason=reason, after=after, start=start,
        now=now, new_id=new_id,
    )  # fmt: skip
    if isinstance(begun, BegunEpoch) and begun.is_new:
        kind = AlarmKind.NEW_JOURNAL if after is None else AlarmKind.RESTORED
        detail = f"Journal {epoch.hex()} goes on from no other: was the gate's journal lost?"
        if after is not None:
            behind = before.seq - after.seq
            detail = (
                f"Journal {epoch.hex()} goes on from tap {after.seq} of {after.epoch.hex()}; {behind} more are here."
            )
        raise_alarm(connection, gate_id=gate_id, kind=kind, detail=detail, now=now, new_id=new_id)
    return begun


def begin_epoch(
    connection: Connection,
    *,
    gate_id: GateId,
    epoch: bytes,
    journal_key: bytes,
    reason: str,
    after: EpochPoint | None,
    start: Head | None,
    now: datetime,
    new_id: NewId,
) -> BegunEpoch | SyncProblem:
    """Makes a journal of a gate known; the caller has locked the gate's row. No tap of it is held yet.

    `start` is the gate's word that taps up to this one had faded before it knew an office: an alarm tells staff so.
    """
    known = epoch_row(connection, gate_id, epoch)
    if known is not None:
        if known.journal_key != journal_key:
            return SyncProblem("conflict", "The gate has such a journal with another key; begin a new journal")
        return BegunEpoch(epoch, is_new=False)
    genesis = Head(0, genesis_hash(gate=gate_id, public_key=journal_key, epoch=epoch))
    start = start if start is not None and start.seq != 0 else genesis
    if not (0 <= start.seq <= _START_SEQ_MAX and len(start.hash) == HASH_BYTES) or (
        start.seq == 0 and start.hash != genesis.hash
    ):
        return SyncProblem("invalid-request", "The journal's start is no tap that a gate has")
    count, newest = connection.execute(
        select(func.count().filter(GATE_EPOCH.c.gate_id == gate_id.value), func.max(GATE_EPOCH.c.epoch_id))
    ).one()
    if count >= EPOCHS_PER_GATE_MAX or (newest or 0) >= EPOCH_ID_MAX:
        return SyncProblem("conflict", f"The gate has {count} journals; look at why it begins new ones")
    connection.execute(
        insert(GATE_EPOCH).values(
            gate_id=gate_id.value, epoch=epoch, journal_key=journal_key, begun_us=microseconds_of(now), reason=reason,
            after_epoch=None if after is None else after.epoch, after_seq=None if after is None else after.seq,
            seq=start.seq, hash=start.hash, forked=False, gap_us=None,
        )
    )  # fmt: skip
    if start.seq > 0:
        raise_alarm(
            connection, gate_id=gate_id, kind=AlarmKind.NEW_JOURNAL, now=now, new_id=new_id,
            detail=f"Journal {epoch.hex()} begins here behind tap {start.seq}: what was before had faded at the gate.",
        )  # fmt: skip
    return BegunEpoch(epoch, is_new=True)


def position(connection: Connection, *, gate_id: GateId, epoch: bytes) -> Receipt | SyncProblem:
    """Up to where the journal's taps are held here, durably."""
    row = epoch_row(connection, gate_id, epoch)
    return UNKNOWN_EPOCH if row is None else Receipt(gate_id, epoch, row.seq, row.hash)


def stored_head(connection: Connection, *, gate_id: GateId, epoch: bytes, through: int) -> Head | SyncProblem | None:
    """The last tap up to number `through` that is held here; None when it has faded. For finding out from where on two
    journals differ.
    """
    row = epoch_row(connection, gate_id, epoch)
    if row is None:
        return UNKNOWN_EPOCH
    if through >= row.seq:
        return Head(row.seq, row.hash)
    if through <= 0:
        return Head(0, genesis_hash(gate=gate_id, public_key=row.journal_key, epoch=epoch))
    found = connection.execute(
        select(TAP.c.seq, TAP.c.hash)
        .where(TAP.c.tap_id > tap_number(row.epoch_id, 0), TAP.c.tap_id <= tap_number(row.epoch_id, through))
        .order_by(TAP.c.tap_id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else Head(found.seq, found.hash)


def epoch_row(connection: Connection, gate_id: GateId, epoch: bytes) -> Row[Any] | None:
    """The journal's row, None when it is not known."""
    return connection.execute(
        select(GATE_EPOCH).where(GATE_EPOCH.c.gate_id == gate_id.value, GATE_EPOCH.c.epoch == epoch)
    ).one_or_none()
