"""What operations ask for: the office, who asks, and that this one may."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from openstile.office.api.office import Office
from openstile.office.api.problems import ProblemError
from openstile.office.staff.audit import record_action
from openstile.office.staff.roles import Principal, RiderAccount, Role, StaffMember, may
from openstile.office.staff.sessions import find_principal
from openstile.office.store.database import Database
from openstile.terms.instants import Clock

_READS = ("GET", "HEAD")
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="session",
    description="The token of a session, from a sign-in of a rider or of staff.",
)


def the_office(request: Request) -> Office:
    """The office that this app serves."""
    office: Office = request.app.state.office
    return office


OfficeDep = Annotated[Office, Depends(the_office)]


def the_database(office: OfficeDep) -> Database:
    """The office's database."""
    return office.database


def the_clock(office: OfficeDep) -> Clock:
    """The office's clock."""
    return office.clock


DatabaseDep = Annotated[Database, Depends(the_database)]
ClockDep = Annotated[Clock, Depends(the_clock)]


def bearer_token(credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> str:
    """The token that came with the request. Raises ProblemError (unauthenticated)."""
    if credentials is None:
        raise ProblemError("unauthenticated", headers={"WWW-Authenticate": "Bearer"})
    return credentials.credentials


TokenDep = Annotated[str, Depends(bearer_token)]


def the_principal(office: OfficeDep, token: TokenDep) -> Principal:
    """Who asks. Raises ProblemError (unauthenticated)."""
    with office.database.read() as connection:
        principal = find_principal(connection, token, now=office.clock.now())
    if principal is None:
        raise ProblemError("unauthenticated", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return principal


PrincipalDep = Annotated[Principal, Depends(the_principal)]


@dataclass(frozen=True, slots=True)
class ActingStaff:
    """A member of staff in the middle of an operation. An operation that changes something must record what."""

    member: StaffMember
    clock: Clock
    _noted: Callable[[], None] = field(repr=False)

    def record(self, connection: Connection, action: str, target: str | None = None) -> None:
        """Writes to the audit log, in the transaction that does it. `target`: the id of what it is done to."""
        record_action(connection, self.member, action, target, now=self.clock.now())
        self._noted()


def require_staff(role: Role) -> Callable[[Request, Office, Principal], ActingStaff]:
    """A dependency: a member of staff whose role suffices (staff.roles.may). Others get `forbidden`.

    An operation that is no GET and ends well without `record` is a bug, and its answer is then `internal`.
    """

    def staff(request: Request, office: OfficeDep, principal: PrincipalDep) -> ActingStaff:
        reading = request.method in _READS
        if not isinstance(principal, StaffMember) or not may(principal.role, role, reading=reading):
            raise ProblemError("forbidden")
        request.state.audit_due = not reading

        def noted() -> None:
            request.state.audit_due = False

        return ActingStaff(principal, office.clock, noted)

    return staff


def require_rider(principal: PrincipalDep) -> RiderAccount:
    """A dependency: a rider's own account. Staff get `forbidden`."""
    if not isinstance(principal, RiderAccount):
        raise ProblemError("forbidden")
    return principal


RiderDep = Annotated[RiderAccount, Depends(require_rider)]
AgentDep = Annotated[ActingStaff, Depends(require_staff(Role.AGENT))]
OperatorDep = Annotated[ActingStaff, Depends(require_staff(Role.OPERATOR))]
AuditorDep = Annotated[ActingStaff, Depends(require_staff(Role.AUDITOR))]
