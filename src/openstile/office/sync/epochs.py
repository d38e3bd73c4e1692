"""Journals of gates (epochs): which there are, and up to where their taps are held here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, literal, select

from openstile.journal.chain import genesis_hash
from openstile.journal.receipts import Receipt
from openstile.journal.taps import Head, microseconds_of
from openstile.office.store.gates import GATE_EPOCH, GATE_RUN
from openstile.office.store.tap_hashes import stored_hash
from openstile.office.store.taps import tap_number
from openstile.office.sync.alarms import AlarmKind, NewId, raise_alarm
from openstile.office.sync.faults import UNKNOWN_EPOCH, SyncProblem
from openstile.office.sync.registry import read_gate
from openstile.terms import GateId
from openstile.terms.limits import EPOCH_ID_MAX, EPOCHS_PER_GATE_MAX


@dataclass(frozen=True, slots=True)
class EpochPoint:
    """A tap of one of a gate's journals."""

    epoch: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class BegunEpoch:
    """A journal that is known here; `is_new` when it was not before."""

    epoch_id: int
    is_new: bool


def admit_epoch(
    connection: Connection,
    *,
    gate_id: GateId,
    epoch: bytes,
    journal_key: bytes,
    after: EpochPoint | None,
    reason: str,
    now: datetime,
    new_id: NewId,
) -> BegunEpoch | SyncProblem:
    """Makes another journal of an admitted gate known, and tells staff by an alarm. The same again changes nothing.

    `after` is the tap of an earlier journal that it goes on from, as the gate says: nothing rests on that but the
    alarm's words. `reason`: "restored" from an earlier state, or "new" when the earlier one could not go on.
    """
    read_gate(connection, gate_id, lock=True)
    if reason not in ("restored", "new") or (reason == "restored" and after is None):
        return SyncProblem("invalid-request", "A restored journal names the tap it goes on from")
    earlier = None if after is None else epoch_row(connection, gate_id, after.epoch)
    begun = begin_epoch(
        connection, gate_id=gate_id, epoch=epoch, journal_key=journal_key, reason=reason, after=after, now=now
    )
    if isinstance(begun, SyncProblem) or not begun.is_new:
        return begun
    if reason == "new" and earlier is not None:
        _take_over_runs(connection, from_id=earlier.epoch_id, to_id=begun.epoch_id)
    kind = AlarmKind.RESTORED if reason == "restored" else AlarmKind.NEW_JOURNAL
    detail = _told(epoch, after, None if earlier is None else earlier.seq)
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
    now: datetime,
) -> BegunEpoch | SyncProblem:
    """Makes a journal of a gate known; the caller has locked the gate's row. No tap of it is held yet."""
    known = epoch_row(connection, gate_id, epoch)
    if known is not None:
        if known.journal_key != journal_key:
            return SyncProblem("conflict", "The gate has such a journal with another key; begin a new journal")
        return BegunEpoch(known.epoch_id, is_new=False)
    count, newest = connection.execute(
        select(func.count().filter(GATE_EPOCH.c.gate_id == gate_id.value), func.max(GATE_EPOCH.c.epoch_id))
    ).one()
    if count >= EPOCHS_PER_GATE_MAX or (newest or 0) >= EPOCH_ID_MAX:
        return SyncProblem("conflict", f"The gate has {count} journals; look at why it begins new ones")
    epoch_id = connection.execute(
        insert(GATE_EPOCH)
        .values(
            gate_id=gate_id.value, epoch=epoch, journal_key=journal_key, begun_us=microseconds_of(now), reason=reason,
            after_epoch=None if after is None else after.epoch, after_seq=None if after is None else after.seq,
            seq=0, hash=genesis_hash(gate=gate_id, public_key=journal_key, epoch=epoch), forked=False, gap_us=None,
        )
        .returning(GATE_EPOCH.c.epoch_id)
    ).scalar_one()  # fmt: skip
    return BegunEpoch(epoch_id, is_new=True)


def _told(epoch: bytes, after: EpochPoint | None, held: int | None) -> str:
    """For staff: from where the journal goes on, and how that stands to what is held here."""
    if after is None:
        return f"Journal {epoch.hex()} goes on from no other: was the gate's journal lost?"
    begin = f"Journal {epoch.hex()} goes on from tap {after.seq} of {after.epoch.hex()}"
    if held is None:
        return f"{begin}, a journal that is not known here."
    if after.seq > held:
        return f"{begin}; taps {held + 1} to {after.seq} of it did not come, and faded at the gate."
    return f"{begin}; {held - after.seq} taps behind that are here and not at the gate."


def _take_over_runs(connection: Connection, *, from_id: int, to_id: int) -> None:
    """Taps go over into the next file with their runs, whose clocks are known already. Not after a restore: the lost
    history has other runs by the same numbers.
    """
    runs = select(literal(to_id), GATE_RUN.c.run, GATE_RUN.c.began_us, GATE_RUN.c.received_us)
    names = ["epoch_id", "run", "began_us", "received_us"]
    connection.execute(insert(GATE_RUN).from_select(names, runs.where(GATE_RUN.c.epoch_id == from_id)))


def position(connection: Connection, *, gate_id: GateId, epoch: bytes) -> Receipt | SyncProblem:
    """Up to where the journal's taps are held here, durably."""
    row = epoch_row(connection, gate_id, epoch)
    return UNKNOWN_EPOCH if row is None else Receipt(gate_id, epoch, row.seq, row.hash)


def stored_head(connection: Connection, *, gate_id: GateId, epoch: bytes, through: int) -> Head | SyncProblem | None:
    """Tap `through` by its hash, or the last one where that is lower; None when its hash is forgotten too
    (TAP_HASHES_DAYS). For finding out from where on two journals differ.
    """
    row = epoch_row(connection, gate_id, epoch)
    if row is None:
        return UNKNOWN_EPOCH
    if through >= row.seq:
        return Head(row.seq, row.hash)
    if through <= 0:
        return Head(0, genesis_hash(gate=gate_id, public_key=row.journal_key, epoch=epoch))
    found = stored_hash(connection, tap_number(row.epoch_id, through))
    return None if found is None else Head(through, found)


def epoch_row(connection: Connection, gate_id: GateId, epoch: bytes) -> Row[Any] | None:
    """The journal's row, None when it is not known."""
    return connection.execute(
        select(GATE_EPOCH).where(GATE_EPOCH.c.gate_id == gate_id.value, GATE_EPOCH.c.epoch == epoch)
    ).one_or_none()
