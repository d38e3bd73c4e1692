"""Two-phase posting: an amount is held, then settled for at most that much, voided, or left to expire.

A hold is no posting: it moves nothing, it reserves. Ended holds keep no time.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from openstile.journal.taps import microseconds_of
from openstile.ledger.errors import HoldError, IdempotencyConflictError, InsufficientFundsError, LedgerError
from openstile.ledger.postings import AccountKind, Entry, Hold, Posting, check_id
from openstile.ledger.store.accounts import LockedAccount, lock_accounts, lock_numbers
from openstile.ledger.store.bulk import change_balances, is_sqlite
from openstile.ledger.store.posting import Random, post_all
from openstile.ledger.store.tables import ACCOUNT, HOLD, POSTING
from openstile.terms import BadInputError
from openstile.terms.limits import LEDGER_BATCH_MAX, LEDGER_HOLD_HOURS_MAX, MONEY_MINOR_MAX
from openstile.terms.money import Money

SETTLEMENT = "settlement"
_PAYEE = ACCOUNT.alias("payee")
_TO_SETTLE = (
    select(HOLD, ACCOUNT.c.name, ACCOUNT.c.kind, _PAYEE.c.name.label("payee"))
    .join(ACCOUNT, ACCOUNT.c.account_no == HOLD.c.account_no)
    .join(_PAYEE, _PAYEE.c.account_no == HOLD.c.payee_no)
    .with_for_update(of=HOLD)
)


def place_hold(connection: Connection, hold: Hold, *, now: datetime, random: Random, seed: int) -> str:
    """See Ledger.hold."""
    if not now < hold.expires <= now + timedelta(hours=LEDGER_HOLD_HOURS_MAX):
        raise BadInputError(f"hold: must expire within {LEDGER_HOLD_HOURS_MAX} hours from now")
    accounts = lock_accounts(connection, (hold.account, hold.payee), seed=seed)
    account, payee = accounts[hold.account], accounts[hold.payee]
    known = _known(connection, hold)
    if known is not None:
        return known
    _check_room(account, payee, hold.amount)
    hold_id = random(16).hex()
    values = {
        "hold_id": hold_id, "account_no": account.number, "payee_no": payee.number, "amount_minor": hold.amount.minor,
        "currency": hold.amount.currency, "state": "pending", "key": hold.key, "request_hash": hold.content_hash(),
        "day": hold.day, "memo": hold.memo, "expires_us": microseconds_of(hold.expires),
    }  # fmt: skip
    add = (sqlite if is_sqlite(connection) else postgresql).insert(HOLD).values(values)
    if connection.scalar(add.on_conflict_do_nothing().returning(HOLD.c.hold_id)) is None:  # used at this very moment
        raise IdempotencyConflictError("hold: its key was used for another one; give a new key")
    change_balances(connection, [(0, hold.amount.minor, account.number, 0)])
    return hold_id


def settle_hold(
    connection: Connection,
    hold_id: str,
    amount: Money,
    *,
    now: datetime,
    day: date,
    key: str,
    memo: str,
    random: Random,
    seed: int,
) -> str:
    """See Ledger.settle."""
    row = _locked_hold(connection, hold_id)
    debit = Money(-AccountKind(row.kind).sign * amount.minor, amount.currency)
    posting = Posting(SETTLEMENT, day, (Entry(row.name, debit), Entry(row.payee, -debit)), key, memo)
    if row.state == "settled":
        return _settled_before(connection, row.posting_id, posting)
    if row.state != "pending" or row.expires_us <= microseconds_of(now):
        raise HoldError("hold: has ended or expired; place another one")
    if amount.currency != row.currency or not 0 < amount.minor <= row.amount_minor:
        raise HoldError(f"hold: {amount} cannot be settled of it; at most what is held, in its currency")
    if connection.scalar(select(POSTING.c.posting_id).where(POSTING.c.key == key)) is not None:
        raise IdempotencyConflictError("settlement: its key was used for another posting; give a new key")
    # The reserved amount is this hold's to take, so the limit was looked at when it was placed.
    posted = post_all(connection, (posting,), random=random, seed=seed, beyond_limit=True)
    _end(connection, [row], "settled", posting_id=posted[0])
    return posted[0]


def void_hold(connection: Connection, hold_id: str) -> None:
    """See Ledger.void."""
    row = _locked_hold(connection, hold_id)
    if row.state == "settled":
        raise HoldError("hold: was settled; reverse its posting instead")
    if row.state == "pending":
        _end(connection, [row], "voided")


def expire_holds(connection: Connection, *, now: datetime) -> int:
    """See Ledger.expire_due."""
    rows = connection.execute(
        select(HOLD.c.hold_id, HOLD.c.account_no, HOLD.c.amount_minor)
        .where(HOLD.c.expires_us <= microseconds_of(now))
        .order_by(HOLD.c.hold_id)
        .limit(LEDGER_BATCH_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    _end(connection, rows, "expired")
    return len(rows)


def _check_room(account: LockedAccount, payee: LockedAccount, amount: Money) -> None:
    if account.shards > 1:
        raise BadInputError("hold: an account with more than one shard cannot be held from; use one with a single one")
    if {account.currency, payee.currency} != {amount.currency}:
        raise LedgerError(f"hold: both accounts must be in {amount.currency}; currencies are never mixed")
    if account.held_minor + amount.minor > MONEY_MINOR_MAX:
        raise LedgerError(f"hold: takes what is held beyond {MONEY_MINOR_MAX} minor units; end other holds first")
    if account.lacks(0, reserve_minor=amount.minor):
        raise InsufficientFundsError((account.name,))


def _known(connection: Connection, hold: Hold) -> str | None:
    row = connection.execute(select(HOLD.c.hold_id, HOLD.c.request_hash).where(HOLD.c.key == hold.key)).one_or_none()
    if row is None:
        return None
    if row.request_hash != hold.content_hash():
        raise IdempotencyConflictError("hold: its key was used for another one; give a new key")
    return str(row.hold_id)


def _locked_hold(connection: Connection, hold_id: str) -> Row[Any]:
    check_id("hold", hold_id)
    row = connection.execute(_TO_SETTLE.where(HOLD.c.hold_id == hold_id)).one_or_none()
    if row is None:
        raise HoldError("hold: there is no such one; give the id that placing it gave")
    return row


def _settled_before(connection: Connection, posting_id: str, posting: Posting) -> str:
    row = connection.execute(
        select(POSTING.c.key, POSTING.c.request_hash).where(POSTING.c.posting_id == posting_id)
    ).one()
    if row.key != posting.key:
        raise HoldError("hold: was settled already, with another key")
    if row.request_hash != posting.content_hash():
        raise IdempotencyConflictError("settlement: its key was used with another content; give the same again")
    return posting_id


def _end(connection: Connection, rows: Iterable[Any], state: str, *, posting_id: str | None = None) -> None:
    released: Counter[int] = Counter()
    ids = []
    for row in rows:
        released[row.account_no] += row.amount_minor
        ids.append(row.hold_id)
    if not ids:
        return
    ended = {"state": state, "expires_us": None, "posting_id": posting_id}
    connection.execute(update(HOLD).where(HOLD.c.hold_id.in_(ids)).values(ended))
    lock_numbers(connection, released)
    change_balances(connection, [(0, -minor, number, 0) for number, minor in released.items()])
