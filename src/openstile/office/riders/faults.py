"""What can be wrong with a request for a rider, as the API tells it."""

from openstile.terms import OpenstileError


class RiderError(OpenstileError):
    """A request that cannot be met as things stand. `problem` is its name in the API (docs/office.md)."""

    problem = "conflict"


class UnknownAccountError(RiderError):
    """There is no such account, or it was erased."""

    problem = "unknown-account"

    def __init__(self) -> None:
        super().__init__("account: there is none with this id; look at the id")


class UnknownPassError(RiderError):
    """There is no such pass on the account."""

    problem = "unknown-pass"

    def __init__(self) -> None:
        super().__init__("pass: there is none with this id on the account; look at the id")


class PassStateError(RiderError):
    """The pass cannot go to the state that is asked for."""

    problem = "pass-state"


class FundsError(RiderError):
    """The account does not hold enough."""

    problem = "insufficient-funds"


class PeriodError(RiderError):
    """A period product that cannot be sold or given back as asked."""

    problem = "period-product"


class NotSetUpError(RiderError):
    """The operator has not said what fares there are."""

    problem = "unavailable"

    def __init__(self) -> None:
        super().__init__("office: knows no fares yet; set office.feed")


class IssuerError(RiderError):
    """The issuer cannot sign or note anything now. The message is for staff, and names no pass."""

    problem = "unavailable"
