"""What is posted, valid once built: entries that sum to zero in each currency. Debits are positive."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from openstile.terms import BadInputError
from openstile.terms.limits import LEDGER_ENTRIES_MAX, LEDGER_MEMO_CHARS_MAX
from openstile.terms.money import Money

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(?::[a-z0-9][a-z0-9-]*)*")
_NAME_CHARS_MAX = 80
_KIND = re.compile(r"[a-z][a-z_]{0,23}")
_KEY = re.compile(r"[!-~]{1,100}")
_ID = re.compile(r"[0-9a-f]{32}")
_FORMULA = ("=", "+", "-", "@")
"""A spreadsheet would take an exported cell that begins so for a formula."""
REVERSAL = "reversal"


class AccountKind(StrEnum):
    """The five kinds of accounts; the first and the last grow by debits, the others by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"

    @property
    def sign(self) -> int:
        """1 where a debit adds to what the account holds, -1 where a credit does: its normal side."""
        return 1 if self in (AccountKind.ASSET, AccountKind.EXPENSE) else -1


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a posting: a debit (positive) or a credit (negative) of an account. Raises BadInputError."""

    account: str
    amount: Money

    def __post_init__(self) -> None:
        check_name(self.account)
        if not self.amount.minor:
            raise BadInputError("entry: its amount is zero; leave it out")


@dataclass(frozen=True, slots=True)
class Posting:
    """Two entries or more that sum to zero in each currency, on a local day.

    `kind`: what it is for, of a-z and _, at most 24. `key`: the idempotency key, 1 to 100 visible ASCII characters; it
    and `memo` are kept as long as the books are: they must tell neither place nor time nor person.
    Raises BadInputError.
    """

    kind: str
    day: date
    entries: tuple[Entry, ...]
    key: str
    memo: str = ""

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind) or self.kind == REVERSAL:
            raise BadInputError(f"posting: {self.kind[:32]!r} is no kind; write 1 to 24 of a-z and _, not {REVERSAL}")
        check_labels(self.day, self.key, self.memo)
        if not 2 <= len(self.entries) <= LEDGER_ENTRIES_MAX:
            raise BadInputError(f"posting: has {len(self.entries)} entries; give 2 to {LEDGER_ENTRIES_MAX}")
        sums: dict[str, int] = {}
        for entry in self.entries:
            amount = entry.amount
            sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
        if any(sums.values()):
            raise BadInputError("posting: its debits and credits differ; they must be equal in each currency")

    def content_hash(self) -> bytes:
        """SHA-256 of all but the key: equal for the same request alone. No part may hold a line feed."""
        entries = "\n".join([f"{one.account} {one.amount.minor} {one.amount.currency}" for one in self.entries])
        text = f"openstile posting v1\n{self.kind}\n{self.day.isoformat()}\n{self.memo}\n{entries}"
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Reversal:
    """Undoes every entry of one posting, once. A reversal is not reversed: post anew. Raises BadInputError."""

    posting_id: str
    day: date
    key: str
    memo: str = ""

    def __post_init__(self) -> None:
        check_id("posting", self.posting_id)
        check_labels(self.day, self.key, self.memo)

    def content_hash(self) -> bytes:
        """SHA-256 of all but the key."""
        text = f"openstile reversal v1\n{self.posting_id}\n{self.day.isoformat()}\n{self.memo}"
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Hold:
    """Reserves `amount` (positive) of what `account` holds for `payee`, until `expires` (an aware UTC instant).

    Raises BadInputError.
    """

    account: str
    payee: str
    amount: Money
    expires: datetime
    day: date
    key: str
    memo: str = ""

    def __post_init__(self) -> None:
        check_name(self.account)
        check_name(self.payee)
        check_labels(self.day, self.key, self.memo)
        if self.account == self.payee:
            raise BadInputError("hold: its two accounts are one; name another payee")
        if self.amount.minor <= 0:
            raise BadInputError(f"hold: {self.amount} must be more than zero")
        if self.expires.utcoffset() != timedelta(0):
            raise BadInputError("hold: its expiry must be in UTC and say so")

    def content_hash(self) -> bytes:
        """SHA-256 of all but the key and the expiry: a repeated request may well ask for a later one."""
        text = (
            f"openstile hold v1\n{self.account}\n{self.payee}\n{self.amount.minor} {self.amount.currency}\n"
            f"{self.day.isoformat()}\n{self.memo}"
        )
        return hashlib.sha256(text.encode()).digest()


def check_name(name: str) -> None:
    """An account's name: parts of a-z, 0-9 and -, joined by colons, at most 80 characters. Raises BadInputError."""
    if len(name) > _NAME_CHARS_MAX or not _NAME.fullmatch(name):
        raise BadInputError(
            "account: its name must be parts of a-z, 0-9 and -, joined by colons, at most 80 characters"
        )


def check_id(what: str, text: str) -> None:
    """An id as the ledger gave it. Raises BadInputError."""
    if not _ID.fullmatch(text):
        raise BadInputError(f"{what}: its id must be 32 hexadecimal digits, as the ledger gave it")


def check_labels(day: date, key: str, memo: str) -> None:
    """Day, idempotency key and memo of a request. Raises BadInputError."""
    if isinstance(day, datetime):
        raise BadInputError("posting: its day must be a date without a time: the books keep none")
    if not _KEY.fullmatch(key):
        raise BadInputError("posting: its key must be 1 to 100 visible ASCII characters")
    if len(memo) > LEDGER_MEMO_CHARS_MAX or not memo.isprintable() or memo.startswith(_FORMULA):
        raise BadInputError(
            f"posting: its memo must be at most {LEDGER_MEMO_CHARS_MAX} printable characters, "
            f"the first none of {' '.join(_FORMULA)}"
        )
