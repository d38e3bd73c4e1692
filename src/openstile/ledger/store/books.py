"""Reading the books: an account's entries, and the trial balance of a day."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select, tuple_

from openstile.ledger.errors import UnknownAccountError
from openstile.ledger.postings import AccountKind
from openstile.ledger.store.tables import ACCOUNT, ENTRY, POSTING
from openstile.terms import BadInputError
from openstile.terms.money import Money

_CURSOR = re.compile(r"(\d{4}-\d{2}-\d{2})\.([0-9a-f]{32})\.(\d{1,2})", re.ASCII)
PAGE_MAX = 1000


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """One entry of an account with its posting. `amount`: debit positive."""

    posting_id: str
    position: int
    day: date
    kind: str
    memo: str
    reverses: str | None
    amount: Money

    @property
    def cursor(self) -> str:
        """What to give as `after` for the entries behind this one."""
        return f"{self.day.isoformat()}.{self.posting_id}.{self.position}"


@dataclass(frozen=True, slots=True)
class TrialLine:
    """An account's balance at the end of a day, debit positive."""

    account: str
    kind: AccountKind
    balance: Money


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts with entries up to a day (None: all). Debits and credits are equal in each currency."""

    day: date | None
    lines: tuple[TrialLine, ...]

    def debits(self, currency: str) -> int:
        """The sum of all debit balances in minor units."""
        return sum(line.balance.minor for line in self._of(currency) if line.balance.minor > 0)

    def credits(self, currency: str) -> int:
        """The sum of all credit balances in minor units, positive."""
        return -sum(line.balance.minor for line in self._of(currency) if line.balance.minor < 0)

    @property
    def currencies(self) -> tuple[str, ...]:
        """The currencies of the lines, in order."""
        return tuple(sorted({line.balance.currency for line in self.lines}))

    def _of(self, currency: str) -> Iterable[TrialLine]:
        return (line for line in self.lines if line.balance.currency == currency)


def account_entries(connection: Connection, name: str, *, after: str | None, limit: int) -> tuple[BookedEntry, ...]:
    """See Ledger.entries."""
    if not 1 <= limit <= PAGE_MAX:
        raise BadInputError(f"entries: a page has 1 to {PAGE_MAX} of them, not {limit}")
    number = connection.scalar(select(ACCOUNT.c.account_no).where(ACCOUNT.c.name == name))
    if number is None:
        raise UnknownAccountError((name,))
    order = (ENTRY.c.day, ENTRY.c.posting_id, ENTRY.c.position)
    wanted = (
        select(*order, POSTING.c.kind, POSTING.c.memo, POSTING.c.reverses, ENTRY.c.amount_minor, ENTRY.c.currency)
        .join(POSTING, POSTING.c.posting_id == ENTRY.c.posting_id)
        .where(ENTRY.c.account_no == number)
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        wanted = wanted.where(tuple_(*order) > tuple_(*_read_cursor(after)))
    return tuple(
        BookedEntry(row.posting_id, row.position, row.day, row.kind, row.memo, row.reverses,
                    Money(row.amount_minor, row.currency))
        for row in connection.execute(wanted)
    )  # fmt: skip


def trial_balance(connection: Connection, day: date | None) -> TrialBalance:
    """See Ledger.trial_balance."""
    wanted = (
        select(ACCOUNT.c.name, ACCOUNT.c.kind, ACCOUNT.c.currency, func.sum(ENTRY.c.amount_minor))
        .join(ENTRY, ENTRY.c.account_no == ACCOUNT.c.account_no)
        .group_by(ACCOUNT.c.account_no, ACCOUNT.c.name, ACCOUNT.c.kind, ACCOUNT.c.currency)
        .order_by(ACCOUNT.c.name)
    )
    if day is not None:
        wanted = wanted.where(ENTRY.c.day <= day)
    lines = (
        TrialLine(name, AccountKind(kind), Money(int(minor), currency))
        for name, kind, currency, minor in connection.execute(wanted)
    )
    return TrialBalance(day, tuple(lines))


def _read_cursor(text: str) -> tuple[date, str, int]:
    found = _CURSOR.fullmatch(text)
    try:
        if found:
            return date.fromisoformat(found[1]), found[2], int(found[3])
    except ValueError:
        pass
    raise BadInputError("entries: `after` is no cursor; give that of the last entry of the page before")
