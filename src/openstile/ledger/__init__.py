"""Double entry: postings that sum to zero in each currency, append-only, corrected by reversal alone."""

from openstile.ledger.errors import IdempotencyConflictError, InsufficientFundsError, LedgerError
from openstile.ledger.postings import AccountKind, Entry, Hold, Posting, Reversal

__all__ = [
    "AccountKind",
    "Entry",
    "Hold",
    "IdempotencyConflictError",
    "InsufficientFundsError",
    "LedgerError",
    "Posting",
    "Reversal",
]
