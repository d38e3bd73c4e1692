"""Recomputing the books from their entries: what a trigger was switched off for, or a file was edited under, shows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, func, select

from openstile.ledger.errors import LedgerError
from openstile.ledger.postings import Entry, Posting, Reversal
from openstile.ledger.store.tables import ACCOUNT, BALANCE, ENTRY, HOLD, POSTING
from openstile.terms import BadInputError
from openstile.terms.money import Money

FINDINGS_MAX = 100
_BACK, _FORTH = ENTRY.alias("back"), ENTRY.alias("forth")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and the first FINDINGS_MAX things that are wrong; none when the books are right."""

    accounts: int
    postings: int
    entries: int
    findings: tuple[str, ...]

    def check(self) -> None:
        """Raises LedgerError with the first finding."""
        if self.findings:
            raise LedgerError(f"ledger: {self.findings[0]}; restore a backup, or find out who wrote past the ledger")


def verify(connection: Connection) -> Verification:
    """Looks at every posting, entry, balance and hold, in one consistent look of the caller's. Changes nothing.

    Postings: their hash, number of entries, sums in each currency, and days; reversals undo all of one posting, once.
    Accounts: their balance is the sum of their entries, what is held that of pending holds, all in one currency.
    """
    findings: list[str] = []
    for finding in (*_accounts(connection), *_strays(connection), *_reversals(connection), *_postings(connection)):
        if len(findings) == FINDINGS_MAX:
            break
        findings.append(finding)
    accounts, postings, entries = (
        connection.scalar(select(func.count()).select_from(table)) or 0 for table in (ACCOUNT, POSTING, ENTRY)
    )
    return Verification(accounts, postings, entries, tuple(findings))


def _accounts(connection: Connection) -> Iterator[str]:
    kept = (
        select(BALANCE.c.account_no, func.count().label("rows"), func.sum(BALANCE.c.balance_minor).label("balance"),
               func.sum(BALANCE.c.held_minor).label("held"))
        .group_by(BALANCE.c.account_no).subquery()
    )  # fmt: skip
    booked = (
        select(ENTRY.c.account_no, func.sum(ENTRY.c.amount_minor).label("balance"))
        .group_by(ENTRY.c.account_no)
        .subquery()
    )
    pending = (
        select(HOLD.c.account_no, func.sum(HOLD.c.amount_minor).label("held"))
        .where(HOLD.c.state == "pending")
        .group_by(HOLD.c.account_no)
        .subquery()
    )
    expected, reserved = func.coalesce(booked.c.balance, 0), func.coalesce(pending.c.held, 0)
    rows = connection.execute(
        select(ACCOUNT.c.account_no, kept.c.rows, ACCOUNT.c.shards, kept.c.balance, expected, kept.c.held, reserved)
        .outerjoin(kept, kept.c.account_no == ACCOUNT.c.account_no)
        .outerjoin(booked, booked.c.account_no == ACCOUNT.c.account_no)
        .outerjoin(pending, pending.c.account_no == ACCOUNT.c.account_no)
        .where(
            (func.coalesce(kept.c.rows, 0) != ACCOUNT.c.shards)
            | (kept.c.balance != expected)
            | (kept.c.held != reserved)
        )
        .order_by(ACCOUNT.c.account_no)
        .limit(FINDINGS_MAX)
    )
    for number, shards, wanted_shards, balance, entries, held, holds in rows:
        if (shards or 0) != wanted_shards:
            yield f"account {number}: has {shards or 0} balance rows instead of {wanted_shards}"
        elif balance != entries:
            yield f"account {number}: its balance is {balance}, its entries sum to {entries}"
        else:
            yield f"account {number}: {held} are held, its pending holds sum to {holds}"


def _strays(connection: Connection) -> Iterator[str]:
    rows = connection.execute(
        select(ENTRY.c.posting_id, ENTRY.c.position, POSTING.c.posting_id, ACCOUNT.c.currency, ENTRY.c.currency)
        .outerjoin(POSTING, POSTING.c.posting_id == ENTRY.c.posting_id)
        .outerjoin(ACCOUNT, ACCOUNT.c.account_no == ENTRY.c.account_no)
        .where(POSTING.c.posting_id.is_(None) | ACCOUNT.c.currency.is_(None) | (ACCOUNT.c.currency != ENTRY.c.currency))
        .limit(FINDINGS_MAX)
    )
    for posting_id, position, posting, account_currency, _ in rows:
        lacks = "posting" if posting is None else "account" if account_currency is None else "account of its currency"
        yield f"posting {posting_id}: its entry {position} has no {lacks}"


def _reversals(connection: Connection) -> Iterator[str]:
    undone = POSTING.alias("undone")
    mirrored = (
        select(func.count())
        .select_from(_BACK.join(_FORTH, (_FORTH.c.position == _BACK.c.position)
                                & (_FORTH.c.account_no == _BACK.c.account_no)
                                & (_FORTH.c.amount_minor == -_BACK.c.amount_minor)))
        .where(_BACK.c.posting_id == POSTING.c.posting_id, _FORTH.c.posting_id == POSTING.c.reverses)
        .correlate(POSTING).scalar_subquery()
    )  # fmt: skip
    rows = connection.execute(
        select(POSTING.c.posting_id)
        .outerjoin(undone, undone.c.posting_id == POSTING.c.reverses)
        .where(POSTING.c.reverses.is_not(None))
        .where(
            undone.c.posting_id.is_(None)
            | undone.c.reverses.is_not(None)
            | (undone.c.entries != POSTING.c.entries)
            | (mirrored != POSTING.c.entries)
        )
        .limit(FINDINGS_MAX)
    )
    for (posting_id,) in rows:
        yield f"posting {posting_id}: does not undo the posting that it reverses"


def _postings(connection: Connection) -> Iterator[str]:
    order = (POSTING.c.posting_id, ENTRY.c.position)
    rows = connection.execution_options(yield_per=2000).execute(
        select(POSTING, ENTRY.c.day.label("entry_day"), ACCOUNT.c.name, ENTRY.c.amount_minor, ENTRY.c.currency)
        .outerjoin(ENTRY, ENTRY.c.posting_id == POSTING.c.posting_id)
        .outerjoin(ACCOUNT, ACCOUNT.c.account_no == ENTRY.c.account_no)
        .order_by(*order)
    )
    for posting_id, found in groupby(rows, key=lambda row: row.posting_id):
        wrong = _wrong(list(found))
        if wrong:
            yield f"posting {posting_id}: {wrong}"


def _wrong(rows: Iterable[Row[Any]]) -> str | None:
    rows = list(rows)
    first = rows[0]
    if len(rows) != first.entries or any(row.name is None for row in rows):
        return f"has not the {first.entries} entries that it should"
    if any(row.entry_day != first.day for row in rows):
        return "an entry is of another day"
    request: Posting | Reversal
    try:
        entries = tuple(Entry(row.name, Money(row.amount_minor, row.currency)) for row in rows)
        if first.reverses is not None:
            request = Reversal(first.reverses, first.day, first.key, first.memo)
        else:
            request = Posting(first.kind, first.day, entries, first.key, first.memo)
    except BadInputError as error:
        return str(error).removeprefix("posting: ")
    return None if request.content_hash() == first.request_hash else "is not what was asked for: its hash differs"
