"""Members of staff: taken on, listed, let go."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from openstile.office.staff.faults import StaffConflictError, UnknownStaffError
from openstile.office.staff.roles import Role, StaffMember
from openstile.office.staff.tokens import RandomBytes, new_id
from openstile.office.store.people import CREDENTIAL, INVITATION, SESSION, STAFF
from openstile.terms import BadInputError
from openstile.terms.limits import OIDC_SUBJECT_CHARS_MAX, STAFF_NAME_CHARS_MAX


@dataclass(frozen=True, slots=True)
class OidcSubject:
    """Who somebody is at an OpenID provider: `subject` of `issuer` (OpenID Connect Core, section 2)."""

    issuer: str
    subject: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.subject) <= OIDC_SUBJECT_CHARS_MAX or not self.subject.isprintable():
            raise BadInputError(f"OIDC subject: give 1 to {OIDC_SUBJECT_CHARS_MAX} printable characters")


def add_staff(
    connection: Connection, *, name: str, role: Role, oidc: OidcSubject | None, random: RandomBytes
) -> StaffMember:
    """A new member. Raises BadInputError, and StaffConflictError where the subject is somebody's already."""
    if not 1 <= len(name) <= STAFF_NAME_CHARS_MAX or not name.isprintable() or name != name.strip():
        raise BadInputError(f"name: give 1 to {STAFF_NAME_CHARS_MAX} printable characters")
    member = StaffMember(new_id(random), name, role)
    row = {
        "staff_id": member.staff_id,
        "name": name,
        "role": role.value,
        "state": "active",
        "oidc_issuer": None if oidc is None else oidc.issuer,
        "oidc_subject": None if oidc is None else oidc.subject,
    }
    try:
        connection.execute(insert(STAFF), row)
    except IntegrityError:
        raise StaffConflictError("OIDC subject: belongs to another member of staff; remove that one first") from None
    return member


def list_staff(connection: Connection, *, after: str, limit: int) -> Sequence[StaffMember]:
    """At most `limit` members whose ids are behind `after`."""
    rows = connection.execute(
        select(STAFF.c.staff_id, STAFF.c.name, STAFF.c.role)
        .where(STAFF.c.state == "active", STAFF.c.staff_id > after)
        .order_by(STAFF.c.staff_id)
        .limit(limit)
    )
    return [StaffMember(row.staff_id, row.name, Role(row.role)) for row in rows]


def find_staff(connection: Connection, staff_id: str) -> StaffMember:
    """The member with this id. Raises UnknownStaffError."""
    row = connection.execute(
        select(STAFF.c.staff_id, STAFF.c.name, STAFF.c.role).where(
            STAFF.c.staff_id == staff_id, STAFF.c.state == "active"
        )
    ).one_or_none()
    if row is None:
        raise UnknownStaffError
    return StaffMember(row.staff_id, row.name, Role(row.role))


def find_by_subject(connection: Connection, oidc: OidcSubject) -> StaffMember | None:
    """The member who is this at an OpenID provider; None where there is none."""
    row = connection.execute(
        select(STAFF.c.staff_id, STAFF.c.name, STAFF.c.role).where(
            STAFF.c.oidc_issuer == oidc.issuer, STAFF.c.oidc_subject == oidc.subject, STAFF.c.state == "active"
        )
    ).one_or_none()
    return None if row is None else StaffMember(row.staff_id, row.name, Role(row.role))


def remove_staff(connection: Connection, staff_id: str) -> None:
    """Lets a member go: sessions, passkeys, invitations, name and subject with them. Raises UnknownStaffError."""
    changed = connection.execute(
        update(STAFF)
        .where(STAFF.c.staff_id == staff_id, STAFF.c.state == "active")
        .values(state="removed", name="", oidc_issuer=None, oidc_subject=None)
    )
    if changed.rowcount != 1:
        raise UnknownStaffError
    for table in (SESSION, CREDENTIAL, INVITATION):
        connection.execute(delete(table).where(table.c.staff_id == staff_id))
