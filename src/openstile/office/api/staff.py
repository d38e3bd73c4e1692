"""Staff: taken on, invited, let go; and the log of what they did."""

from typing import Annotated

from fastapi import Depends, Path
from pydantic import Field

from openstile.office.api.bodies import Body, HexId, Instant, ShortText, Told
from openstile.office.api.dependencies import AgentDep, AuditorDep, OfficeDep, OperatorDep
from openstile.office.api.office import Office
from openstile.office.api.pages import PageAsked, cursor, page_asked
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.staff.audit import AuditEntry, read_audit
from openstile.office.staff.invitations import find_rider, invite
from openstile.office.staff.members import OidcSubject, add_staff, find_staff, list_staff, remove_staff
from openstile.office.staff.roles import Role
from openstile.terms.limits import OIDC_SUBJECT_CHARS_MAX

router = new_router("staff")

PageDep = Annotated[PageAsked, Depends(page_asked)]
_StaffId = Annotated[HexId, Path()]


class NewStaff(Body):
    """Somebody to take on. With `oidc_subject` the sign-in is with the operator's OpenID provider."""

    name: ShortText
    role: Annotated[Role, Field(strict=False)]
    oidc_subject: Annotated[str, Field(min_length=1, max_length=OIDC_SUBJECT_CHARS_MAX, pattern="^[!-~]+$")] | None = (
        None
    )


class InvitationTold(Told):
    """Leave to register one passkey. The token is told this once."""

    invitation: str
    expires: Instant


class StaffTold(Told):
    """A member of staff."""

    staff_id: str
    name: str
    role: Role


class StaffAdded(Told):
    """A new member of staff, and, without an OpenID subject, the invitation to hand over."""

    staff: StaffTold
    invitation: InvitationTold | None = None


class StaffPage(Told):
    """Some members of staff; `next` is the cursor of the next page."""

    items: list[StaffTold]
    next: str | None = None


class ActionTold(Told):
    """What somebody of the staff did. Without `staff_id` it was done with the command line on the office's machine."""

    number: int
    at: Instant
    staff_id: str | None
    who: str
    action: str
    target: str | None


class AuditPage(Told):
    """Some actions, oldest first; `next` is the cursor of the next page."""

    items: list[ActionTold]
    next: str | None = None


@router.post("/v1/staff", status_code=201, responses=declare("conflict"))
def add_member(body: NewStaff, office: OfficeDep, staff: OperatorDep) -> StaffAdded:
    """Takes somebody on."""
    subject = None if body.oidc_subject is None else OidcSubject(_issuer(office), body.oidc_subject)
    with office.database.write() as connection:
        member = add_staff(connection, name=body.name, role=body.role, oidc=subject, random=office.random)
        invitation = None
        if subject is None:
            made = invite(connection, member, now=office.clock.now(), random=office.random)
            invitation = InvitationTold(invitation=made.token, expires=made.expires)
        staff.record(connection, f"staff.add.{body.role}", member.staff_id)
    told = StaffTold(staff_id=member.staff_id, name=member.name, role=member.role)
    return StaffAdded(staff=told, invitation=invitation)


@router.get("/v1/staff", responses=declare("bad-cursor"))
def show_staff(office: OfficeDep, _staff: OperatorDep, page: PageDep) -> StaffPage:
    """Who is of the staff."""
    position = page.position(str)
    with office.database.read() as connection:
        found = list_staff(connection, after=str(position[0]) if position else "", limit=page.limit)
    items = [StaffTold(staff_id=one.staff_id, name=one.name, role=one.role) for one in found]
    return StaffPage(items=items, next=cursor(items[-1].staff_id) if len(items) == page.limit else None)


@router.post("/v1/staff/{staff_id}/invitation", status_code=201, responses=declare("unknown-staff"))
def invite_member(staff_id: _StaffId, office: OfficeDep, staff: OperatorDep) -> InvitationTold:
    """Leave for a member of staff to register a passkey, in place of an earlier one."""
    with office.database.write() as connection:
        member = find_staff(connection, staff_id)
        made = invite(connection, member, now=office.clock.now(), random=office.random)
        staff.record(connection, "staff.invite", staff_id)
    return InvitationTold(invitation=made.token, expires=made.expires)


@router.delete("/v1/staff/{staff_id}", status_code=204, responses=declare("unknown-staff", "conflict"))
def remove_member(staff_id: _StaffId, office: OfficeDep, staff: OperatorDep) -> None:
    """Lets a member go: sessions end at once, passkeys and the name are removed. Nobody removes themselves."""
    if staff_id == staff.member.staff_id:
        raise ProblemError("conflict", "another operator must remove you")
    with office.database.write() as connection:
        remove_staff(connection, staff_id)
        staff.record(connection, "staff.remove", staff_id)


@router.post("/v1/accounts/{account_id}/invitation", status_code=201, responses=declare("unknown-account"))
def invite_rider(account_id: Annotated[HexId, Path()], office: OfficeDep, staff: AgentDep) -> InvitationTold:
    """Leave for the rider of an account to register a passkey, handed over at the desk."""
    with office.database.write() as connection:
        rider = find_rider(connection, account_id)
        made = invite(connection, rider, now=office.clock.now(), random=office.random)
        staff.record(connection, "account.invite", account_id)
    return InvitationTold(invitation=made.token, expires=made.expires)


@router.get("/v1/audit", responses=declare("bad-cursor"))
def show_audit(office: OfficeDep, _staff: AuditorDep, page: PageDep) -> AuditPage:
    """What staff did, oldest first. For auditors."""
    position = page.position(int)
    with office.database.read() as connection:
        entries = read_audit(connection, after=int(position[0]) if position else 0, limit=page.limit)
    items = [_told(entry) for entry in entries]
    return AuditPage(items=items, next=cursor(items[-1].number) if len(items) == page.limit else None)


def _told(entry: AuditEntry) -> ActionTold:
    return ActionTold(
        number=entry.number,
        at=entry.at,
        staff_id=entry.staff_id,
        who=entry.who,
        action=entry.action,
        target=entry.target,
    )


def _issuer(office: Office) -> str:
    if office.oidc is None:
        raise ProblemError("conflict", "no OpenID provider is set: office.oidc_issuer")
    return office.oidc.issuer
