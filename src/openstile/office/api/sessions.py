"""Sessions: who one is signed in as, and signing out."""

from typing import Literal

from openstile.office.api.bodies import Instant, Told
from openstile.office.api.dependencies import OfficeDep, PrincipalDep, TokenDep
from openstile.office.api.routing import new_router
from openstile.office.staff.roles import Principal, Role, StaffMember
from openstile.office.staff.sessions import Session, end_session, end_sessions

router = new_router("sessions")


class SignedIn(Told):
    """Who a session belongs to."""

    kind: Literal["rider", "staff"]
    id: str
    name: str | None = None
    role: Role | None = None


class NewSession(Told):
    """A session that has begun. The token is told this once."""

    token: str
    expires: Instant
    signed_in: SignedIn


def signed_in(principal: Principal) -> SignedIn:
    """Who `principal` is, as the API tells."""
    if isinstance(principal, StaffMember):
        return SignedIn(kind="staff", id=principal.staff_id, name=principal.name, role=principal.role)
    return SignedIn(kind="rider", id=principal.account_id)


def new_session(session: Session) -> NewSession:
    """The answer to a sign-in."""
    return NewSession(token=session.token, expires=session.expires, signed_in=signed_in(session.principal))


@router.get("/v1/session")
def show_session(principal: PrincipalDep) -> SignedIn:
    """Who this session belongs to."""
    return signed_in(principal)


@router.delete("/v1/session", status_code=204)
def sign_out(office: OfficeDep, token: TokenDep, _principal: PrincipalDep) -> None:
    """Ends this session."""
    with office.database.write() as connection:
        end_session(connection, token)


@router.delete("/v1/sessions", status_code=204)
def sign_out_everywhere(office: OfficeDep, principal: PrincipalDep) -> None:
    """Ends every session of who is signed in, this one too."""
    with office.database.write() as connection:
        end_sessions(connection, principal)
