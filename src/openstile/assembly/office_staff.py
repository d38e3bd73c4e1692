"""Staff of the office, from its own machine: the first operator comes this way, and whoever lost every passkey."""

import secrets
from dataclasses import dataclass, field

from openstile.assembly.office_database import open_office_database
from openstile.assembly.wire import Installation
from openstile.office.staff.audit import record_action
from openstile.office.staff.invitations import invite
from openstile.office.staff.members import OidcSubject, add_staff, list_staff, remove_staff
from openstile.office.staff.roles import Role, StaffMember
from openstile.terms.errors import BadInputError
from openstile.terms.limits import PAGE_ITEMS_MAX


@dataclass(frozen=True, slots=True)
class TakenOn:
    """A new member of staff; the invitation is told this once, and there is none for an OpenID subject."""

    member: StaffMember
    invitation: str | None = field(repr=False)
    expires: str | None


def take_on(installation: Installation, *, name: str, role: str, subject: str | None) -> TakenOn:
    """Adds somebody. Raises BadInputError, StaffConflictError."""
    if role not in [known.value for known in Role]:
        raise BadInputError(f"--role {role}: give {', '.join(known.value for known in Role)}")
    oidc, issuer = None, installation.settings.office.oidc_issuer
    if subject is not None:
        if not issuer:
            raise BadInputError("--oidc-subject: set office.oidc_issuer first")
        oidc = OidcSubject(issuer, subject)
    now = installation.clock.now()
    with open_office_database(installation) as database, database.write() as connection:
        member = add_staff(connection, name=name, role=Role(role), oidc=oidc, random=secrets.token_bytes)
        record_action(connection, None, f"staff.add.{role}", member.staff_id, now=now)
        if oidc is not None:
            return TakenOn(member, None, None)
        made = invite(connection, member, now=now, random=secrets.token_bytes)
    return TakenOn(member, made.token, made.expires.strftime("%Y-%m-%dT%H:%M:%SZ"))


def everybody(installation: Installation) -> tuple[StaffMember, ...]:
    """All members of staff."""
    found: list[StaffMember] = []
    with open_office_database(installation, new=False) as database, database.read() as connection:
        while True:
            page = list_staff(connection, after=found[-1].staff_id if found else "", limit=PAGE_ITEMS_MAX)
            found.extend(page)
            if len(page) < PAGE_ITEMS_MAX:
                return tuple(found)


def let_go(installation: Installation, staff_id: str) -> None:
    """Removes somebody. Raises UnknownStaffError."""
    with open_office_database(installation, new=False) as database, database.write() as connection:
        remove_staff(connection, staff_id)
        record_action(connection, None, "staff.remove", staff_id, now=installation.clock.now())
