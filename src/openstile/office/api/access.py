"""Who may see and change one account: its rider, and staff who serve riders."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request
from sqlalchemy import Connection

from openstile.office.api.bodies import HexId
from openstile.office.api.dependencies import ActingStaff, OfficeDep, PrincipalDep, require_staff
from openstile.office.api.problems import ProblemError
from openstile.office.staff.roles import RiderAccount, Role

AccountId = Annotated[HexId, Path(description="The account's id.")]


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """Leave to work on one account. `staff` is None where its own rider does."""

    account_id: str
    staff: ActingStaff | None

    def record(self, connection: Connection, action: str) -> None:
        """Writes what staff did to the audit log; what riders do to their own account is not watched."""
        if self.staff is not None:
            self.staff.record(connection, action, self.account_id)


def the_account(request: Request, office: OfficeDep, principal: PrincipalDep, account_id: AccountId) -> AccountAccess:
    """A dependency: the account in the address, for its own rider and for agents (auditors: to read).

    Another rider's account is `forbidden`, whether it exists or not.
    """
    if not isinstance(principal, RiderAccount):
        return AccountAccess(account_id, require_staff(Role.AGENT)(request, office, principal))
    if principal.account_id != account_id:
        raise ProblemError("forbidden")
    return AccountAccess(account_id, None)


AccountDep = Annotated[AccountAccess, Depends(the_account)]
