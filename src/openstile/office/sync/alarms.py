"""Alarms: what somebody of the staff must look at. They stay until somebody clears them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.store.gates import ALARM
from openstile.office.sync.faults import SyncError
from openstile.terms import GateId
from openstile.terms.limits import PAGE_ITEMS_MAX

NewId = Callable[[], str]
"""Gives 32 random hexadecimal digits at each call."""


class AlarmKind(StrEnum):
    """Why somebody must look."""

    FORK = "fork"
    """Two journals of one gate and epoch: it was copied, rolled back, or somebody has its key."""
    GAP = "gap"
    """Taps are missing in front of what the gate sends, for longer than a resend takes."""
    CLOCK = "clock"
    """The gate's wall clock is further off than riders' taps may be."""
    RESTORED = "restored"
    """The gate goes on in a new journal from an earlier state of its old one."""
    NEW_JOURNAL = "new_journal"
    """The gate began a new journal that does not go on from an old one; or one whose first taps had faded."""
    RECLAIMED = "reclaimed"
    """A gate that was admitted was claimed anew: its hardware was replaced, or a token came into wrong hands."""
    UNPRICED = "unpriced"
    """Taps are older than trips are kept and still wait to be priced, or for a review."""
    FADED_UNPRICED = "faded_unpriced"
    """Taps have faded without ever having been priced: nobody looked at them in time."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm about a gate. Times are aware UTC; `cleared` is None while nobody has seen to it."""

    alarm_id: str
    gate_id: GateId
    kind: AlarmKind
    detail: str
    raised: datetime
    cleared: datetime | None


def raise_alarm(
    connection: Connection, *, gate_id: GateId, kind: AlarmKind, detail: str, now: datetime, new_id: NewId
) -> None:
    """An alarm, in the transaction of what it is about."""
    connection.execute(
        insert(ALARM).values(
            alarm_id=new_id(), gate_id=gate_id.value, kind=kind.value, detail=detail, raised_us=microseconds_of(now),
            cleared_us=None,
        )
    )  # fmt: skip


def raise_once(
    connection: Connection, *, gate_id: GateId, kind: AlarmKind, detail: str, now: datetime, new_id: NewId
) -> None:
    """The same, unless one of this kind about this gate waits to be cleared: what lasts is told once."""
    waiting = select(ALARM.c.alarm_id).where(
        ALARM.c.gate_id == gate_id.value, ALARM.c.kind == kind.value, ALARM.c.cleared_us.is_(None)
    )
    if connection.execute(waiting.limit(1)).first() is None:
        raise_alarm(connection, gate_id=gate_id, kind=kind, detail=detail, now=now, new_id=new_id)


def list_alarms(
    connection: Connection, *, cleared: bool = False, after: str = "", limit: int = PAGE_ITEMS_MAX
) -> tuple[Alarm, ...]:
    """At most `limit` alarms with ids behind `after`, in the order of their (random) ids; those not cleared only,
    unless `cleared`.
    """
    chosen = select(ALARM).where(ALARM.c.alarm_id > after).order_by(ALARM.c.alarm_id).limit(limit)
    return tuple(
        _alarm_of(row) for row in connection.execute(chosen if cleared else chosen.where(ALARM.c.cleared_us.is_(None)))
    )


def clear_alarm(connection: Connection, alarm_id: str, *, now: datetime) -> Alarm:
    """Somebody has seen to it. Clearing twice changes nothing. Raises SyncError for an alarm that there is not."""
    connection.execute(
        update(ALARM)
        .where(ALARM.c.alarm_id == alarm_id, ALARM.c.cleared_us.is_(None))
        .values(cleared_us=microseconds_of(now))
    )
    row = connection.execute(select(ALARM).where(ALARM.c.alarm_id == alarm_id)).one_or_none()
    if row is None:
        raise SyncError("not-found", "alarm: there is none with this id; look at the id")
    return _alarm_of(row)


def _alarm_of(row: Row[Any]) -> Alarm:
    return Alarm(
        alarm_id=row.alarm_id,
        gate_id=GateId(row.gate_id),
        kind=AlarmKind(row.kind),
        detail=row.detail,
        raised=instant_of(row.raised_us),
        cleared=None if row.cleared_us is None else instant_of(row.cleared_us),
    )
