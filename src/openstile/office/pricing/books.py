"""The office's accounts in the ledger, by name, and what they are for (docs/ledger.md)."""

from dataclasses import dataclass
from datetime import date

from openstile.ledger import AccountKind
from openstile.ledger.store import Ledger
from openstile.ledger.store.books import TrialBalance
from openstile.terms.money import Money

_SHARDS = 64
"""Every ride is a credit of the same account: so many balance rows let as many workers post at once."""


def rider_account(account_id: str) -> str:
    """What the operator owes a rider: what was paid in and not yet ridden. Below zero the rider owes it."""
    return f"rider:{account_id}"


def revenue_account(currency: str) -> str:
    """What was earned by rides and period products in a currency."""
    return f"revenue:fares:{currency.lower()}"


def funds_account(provider: str, currency: str) -> str:
    """What a payment provider holds for the operator."""
    return f"funds:{provider}:{currency.lower()}"


def unclaimed_account(currency: str) -> str:
    """What accounts held, or owed, when their riders had them erased."""
    return f"unclaimed:{currency.lower()}"


def open_books(ledger: Ledger, currency: str, *, on: date) -> None:
    """Opens the accounts that pricing and erasure post to; where they are open, nothing happens."""
    ledger.open_account(
        revenue_account(currency), AccountKind.INCOME, currency, overdraft_minor=None, shards=_SHARDS, on=on
    )
    ledger.open_account(unclaimed_account(currency), AccountKind.LIABILITY, currency, overdraft_minor=None, on=on)


@dataclass(frozen=True, slots=True)
class BookLine:
    """One account: a debit balance is positive, a credit balance negative. `rider` stands for all riders' together."""

    account: str
    kind: AccountKind
    balance: Money


@dataclass(frozen=True, slots=True)
class BookTotals:
    """A trial balance that names no rider."""

    day: date | None
    balanced: bool
    lines: tuple[BookLine, ...]


def totals(trial: TrialBalance) -> BookTotals:
    """The trial balance with all riders' accounts in one line a currency."""
    sums: dict[tuple[str, AccountKind, str], int] = {}
    for line in trial.lines:
        name = "rider" if line.account.startswith("rider:") else line.account
        key = (name, line.kind, line.balance.currency)
        sums[key] = sums.get(key, 0) + line.balance.minor
    return BookTotals(
        day=trial.day,
        balanced=all(trial.debits(currency) == trial.credits(currency) for currency in trial.currencies),
        lines=tuple(
            BookLine(name, kind, Money(minor, currency)) for (name, kind, currency), minor in sorted(sums.items())
        ),
    )
