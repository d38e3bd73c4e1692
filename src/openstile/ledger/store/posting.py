"""Posting by sets: every request of one call is posted, or none."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from openstile.ledger.errors import IdempotencyConflictError, InsufficientFundsError, LedgerError, ReversalError
from openstile.ledger.postings import REVERSAL, Entry, Posting, Reversal
from openstile.ledger.store.accounts import LockedAccount, lock_accounts
from openstile.ledger.store.bulk import (
    Change,
    EntryRow,
    PostingRow,
    add_postings,
    among,
    change_balances,
    day_for,
    find_keys,
)
from openstile.ledger.store.tables import ACCOUNT, ENTRY, POSTING
from openstile.terms import BadInputError
from openstile.terms.limits import LEDGER_BATCH_MAX
from openstile.terms.money import Money

Random = Callable[[int], bytes]
"""Gives as many random bytes as it is asked for."""
Request = Posting | Reversal
_ID_BYTES = 16
_ENTRIES = (
    select(POSTING.c.posting_id, POSTING.c.reverses, ACCOUNT.c.name, ENTRY.c.amount_minor, ENTRY.c.currency)
    .join(ENTRY, ENTRY.c.posting_id == POSTING.c.posting_id)
    .join(ACCOUNT, ACCOUNT.c.account_no == ENTRY.c.account_no)
    .order_by(POSTING.c.posting_id, ENTRY.c.position)
)


@dataclass(slots=True)
class _Draft:
    posting_id: str
    kind: str
    day: date
    key: str
    content_hash: bytes
    memo: str
    reverses: str | None
    entries: tuple[Entry, ...]


def post_all(
    connection: Connection, requests: Sequence[Request], *, random: Random, seed: int, beyond_limit: bool
) -> tuple[str, ...]:
    """See Ledger.post_many."""
    if len(requests) > LEDGER_BATCH_MAX:
        raise BadInputError(f"postings: {len(requests)} at once; give at most {LEDGER_BATCH_MAX}")
    if not requests:
        return ()
    drafts = _drafts(connection, requests, random)
    accounts = lock_accounts(connection, (e.account for draft in drafts for e in draft.entries), seed=seed)
    known = _known(connection, drafts)
    fresh = [draft for draft in drafts if known[draft.key] == draft.posting_id]
    if not fresh:
        return tuple(known[draft.key] for draft in drafts)
    _check_reversals(connection, fresh)
    deltas = _deltas(accounts, fresh)
    _check_bounds(accounts, deltas, beyond_limit=beyond_limit)
    missed = add_postings(connection, *_rows(connection, accounts, fresh), _changes(accounts, deltas))
    if missed:
        known |= _give_way(connection, accounts, [draft for draft in fresh if draft.posting_id in missed])
    return tuple(known[draft.key] for draft in drafts)


def _drafts(connection: Connection, requests: Sequence[Request], random: Random) -> list[_Draft]:
    drawn = random(_ID_BYTES * len(requests)).hex()
    undone = _undone(connection, [one.posting_id for one in requests if isinstance(one, Reversal)])
    drafts: list[_Draft] = []
    for index, one in enumerate(requests):
        posting_id = drawn[2 * _ID_BYTES * index : 2 * _ID_BYTES * (index + 1)]
        if isinstance(one, Posting):
            kind, reverses, entries = one.kind, None, one.entries
        else:
            kind, reverses, entries = REVERSAL, one.posting_id, undone[one.posting_id]
        drafts.append(_Draft(posting_id, kind, one.day, one.key, one.content_hash(), one.memo, reverses, entries))
    return drafts


def _undone(connection: Connection, posting_ids: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
    """The entries that undo postings, in their order. Raises ReversalError."""
    if not posting_ids:
        return {}
    found: dict[str, list[Entry]] = {}
    rows = connection.execute(_ENTRIES.where(among(connection, POSTING.c.posting_id, posting_ids)))
    for posting_id, reverses, name, minor, currency in rows:
        if reverses is not None:
            raise ReversalError("reversal: that posting is a reversal itself; post anew what it undid")
        found.setdefault(posting_id, []).append(Entry(name, Money(-minor, currency)))
    if len(found) < len(set(posting_ids)):
        raise ReversalError("reversal: there is no such posting; give the id that posting gave")
    return {posting_id: tuple(entries) for posting_id, entries in found.items()}


def _known(connection: Connection, drafts: Sequence[_Draft]) -> dict[str, str]:
    """The posting of each key: one that is there, else the first draft with it. Raises IdempotencyConflictError."""
    found = {row[0]: (row[1], row[2]) for row in find_keys(connection, [draft.key for draft in drafts])}
    for draft in drafts:
        if found.setdefault(draft.key, (draft.posting_id, draft.content_hash))[1] != draft.content_hash:
            raise IdempotencyConflictError(
                "posting: its key was used for another one; give a new key, or the same content again"
            )
    return {key: posting_id for key, (posting_id, _) in found.items()}


def _give_way(connection: Connection, accounts: dict[str, LockedAccount], missed: Sequence[_Draft]) -> dict[str, str]:
    """The postings of another transaction that came between, by key; what was added for ours is taken back.

    Accounts with a limit are locked before keys are looked up, so this happens between accounts without one, or where
    the contents differ. Raises IdempotencyConflictError, ReversalError.
    """
    known = _known(connection, missed)
    lost = [draft for draft in missed if known[draft.key] == draft.posting_id]
    _check_reversals(connection, lost)
    if lost:
        raise LedgerError("posting: its id was drawn before; the source of randomness repeats itself")
    undone = {name: -minor for name, minor in _deltas(accounts, missed).items()}
    change_balances(connection, _changes(accounts, undone))
    return known


def _changes(accounts: dict[str, LockedAccount], deltas: dict[str, int]) -> list[Change]:
    return [(minor, 0, accounts[name].number, accounts[name].shard) for name, minor in deltas.items() if minor]


def _check_reversals(connection: Connection, drafts: Sequence[_Draft]) -> None:
    undone = [draft.reverses for draft in drafts if draft.reverses is not None]
    if not undone:
        return
    row = connection.execute(
        select(POSTING.c.posting_id).where(among(connection, POSTING.c.reverses, undone)).limit(1)
    ).first()
    if row is not None or len(set(undone)) < len(undone):
        raise ReversalError("reversal: that posting is reversed already; nothing is reversed twice")


def _deltas(accounts: dict[str, LockedAccount], drafts: Iterable[_Draft]) -> dict[str, int]:
    """By how much each account changes, debit positive. Raises LedgerError for an amount of another currency."""
    deltas: dict[str, int] = {}
    for draft in drafts:
        for entry in draft.entries:
            name, amount = entry.account, entry.amount
            if amount.currency != accounts[name].currency:
                raise LedgerError(
                    f"posting: an amount in {amount.currency} for an account in {accounts[name].currency}; "
                    "currencies are never mixed"
                )
            deltas[name] = deltas.get(name, 0) + amount.minor
    return deltas


def _check_bounds(accounts: dict[str, LockedAccount], deltas: dict[str, int], *, beyond_limit: bool) -> None:
    lacking = []
    for name, minor in deltas.items():
        account = accounts[name]
        if abs(account.balance_minor + minor) > account.minor_max:
            raise LedgerError(
                f"posting: takes an account beyond {account.minor_max} minor units; split the account, or its shards"
            )
        if not beyond_limit and account.lacks(minor):
            lacking.append(name)
    if lacking:
        raise InsufficientFundsError(tuple(lacking))


def _rows(
    connection: Connection, accounts: dict[str, LockedAccount], drafts: Iterable[_Draft]
) -> tuple[list[PostingRow], list[EntryRow]]:
    postings: list[PostingRow] = []
    entries: list[EntryRow] = []
    for one in drafts:
        day, at = day_for(connection, one.day), 0
        for at, entry in enumerate(one.entries):
            amount = entry.amount
            entries.append((one.posting_id, at, accounts[entry.account].number, day, amount.minor, amount.currency))
        postings.append((one.posting_id, one.kind, day, one.key, one.content_hash, one.memo, one.reverses, at + 1))
    return postings, entries
