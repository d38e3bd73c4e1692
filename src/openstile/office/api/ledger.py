"""The books: the trial balance of a day, and exports that accountants' tools read."""

from datetime import date

from openstile.office.api.bodies import Told
from openstile.office.api.money import Amount
from openstile.office.api.routing import new_router

router = new_router("ledger")


class TrialLine(Told):
    """One account: a debit balance is positive, a credit balance negative."""

    account: str
    kind: str
    balance: Amount


class TrialBalanceTold(Told):
    """All accounts that ever moved; in each currency they sum to zero. Riders are summed into one line."""

    day: date | None
    lines: list[TrialLine]
    balanced: bool
