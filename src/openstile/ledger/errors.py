"""What the ledger refuses, by kind. No message holds an account's name: it may be a rider's."""

from openstile.terms import OpenstileError


class LedgerError(OpenstileError):
    """The ledger refuses what it was asked, or finds itself broken."""


class IdempotencyConflictError(LedgerError):
    """A key came again with another content."""


class InsufficientFundsError(LedgerError):
    """An account would go beyond its overdraft limit. `accounts`: the names, for the caller and for no log."""

    def __init__(self, accounts: tuple[str, ...]) -> None:
        super().__init__(
            f"posting: {len(accounts)} of its accounts would go beyond their limit; top them up or take less"
        )
        self.accounts = accounts


class UnknownAccountError(LedgerError):
    """An account was never opened. `accounts`: the names, for the caller and for no log."""

    def __init__(self, accounts: tuple[str, ...]) -> None:
        super().__init__(f"posting: {len(accounts)} of its accounts were never opened; open them first")
        self.accounts = accounts


class ReversalError(LedgerError):
    """A posting cannot be reversed: it is unknown, reversed already, or a reversal."""


class HoldError(LedgerError):
    """A hold is unknown or has ended, or less is held than was asked for."""
