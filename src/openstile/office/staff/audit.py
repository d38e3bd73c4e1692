"""The log of what staff did. Rows are never changed, and removed only when they are old (store.people_triggers)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.staff.roles import StaffMember
from openstile.office.store.people import AUDIT

COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. `target`: the id of what it was done to."""

    number: int
    at: datetime
    staff_id: str | None
    who: str
    action: str
    target: str | None


def record_action(
    connection: Connection, member: StaffMember | None, action: str, target: str | None = None, *, now: datetime
) -> None:
    """Writes that `member` (None: who uses the command line) did `action`; in the transaction that does it."""
    row = {
        "at_us": microseconds_of(now),
        "staff_id": None if member is None else member.staff_id,
        "who": COMMAND_LINE if member is None else member.name,
        "action": action,
        "target": target,
    }
    connection.execute(insert(AUDIT), row)


def read_audit(connection: Connection, *, after: int, limit: int) -> Sequence[AuditEntry]:
    """At most `limit` actions behind number `after`, oldest first."""
    rows = connection.execute(select(AUDIT).where(AUDIT.c.audit_id > after).order_by(AUDIT.c.audit_id).limit(limit))
    return [
        AuditEntry(row.audit_id, instant_of(row.at_us), row.staff_id, row.who, row.action, row.target) for row in rows
    ]


def forget_audit(connection: Connection, *, before: datetime) -> int:
    """Removes what is older than `before`; how much. The database refuses it for what is younger than 30 days."""
    return connection.execute(delete(AUDIT).where(AUDIT.c.at_us < microseconds_of(before))).rowcount
