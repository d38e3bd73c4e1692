"""What can be wrong with a sign-in or with staff, as the API tells it (docs/office.md)."""

from openstile.terms import OpenstileError


class SignInError(OpenstileError):
    """The sign-in is refused. Why is told to nobody: it would help who tries."""

    problem = "sign-in-failed"

    def __init__(self) -> None:
        super().__init__("sign-in: refused; begin again")


class InvitationError(OpenstileError):
    """The invitation is unknown, used, or over."""

    problem = "invitation-refused"

    def __init__(self) -> None:
        super().__init__("invitation: is not, or no longer, good; ask for a new one")


class UnknownStaffError(OpenstileError):
    """There is no such member of staff."""

    problem = "unknown-staff"
    exit_code = 2

    def __init__(self) -> None:
        super().__init__("staff: there is nobody with this id; look at the list of staff")


class UnknownPrincipalError(OpenstileError):
    """There is no such account to invite its rider."""

    problem = "unknown-account"

    def __init__(self) -> None:
        super().__init__("account: there is none with this id; look at the id")


class StaffConflictError(OpenstileError):
    """Staff cannot be changed so."""

    problem = "conflict"
    exit_code = 2
