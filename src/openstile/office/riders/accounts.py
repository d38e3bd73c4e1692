"""Accounts: a random id, a currency, and what the rider chose to leave."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from openstile.ledger import AccountKind, Entry, Posting
from openstile.ledger.store import Ledger
from openstile.office.pricing.books import open_books, rider_account, unclaimed_account
from openstile.office.riders.faults import UnknownAccountError
from openstile.office.store.accounts import ACCOUNT, PASS
from openstile.office.store.due import make_due
from openstile.office.store.payments import PAYMENT, REFUND
from openstile.terms import BadInputError
from openstile.terms.limits import CONTACT_CHARS_MAX
from openstile.terms.money import Money


@dataclass(frozen=True, slots=True)
class Account:
    """An account as staff and its rider see it. A negative balance is owed by the rider."""

    account_id: str
    state: str
    currency: str
    category: str | None
    contact: str | None
    opened_on: date
    balance: Money


def open_account(
    connection: Connection,
    *,
    currency: str,
    category: str | None,
    contact: str | None,
    on: date,
    new_id: Callable[[], str],
) -> Account:
    """A new account and its place in the ledger. It may go below zero: a ride that was ridden is posted."""
    _check_contact(contact)
    account_id = new_id()
    connection.execute(
        ACCOUNT.insert().values(
            account_id=account_id, state="open", currency=Money(0, currency).currency, category=category,
            contact=contact, opened_on=on, version=0,
        )
    )  # fmt: skip
    Ledger(connection).open_account(
        rider_account(account_id), AccountKind.LIABILITY, currency, overdraft_minor=None, on=on
    )
    return read_account(connection, account_id)


def read_account(connection: Connection, account_id: str) -> Account:
    """The account. Raises UnknownAccountError, also for one that was erased."""
    row = connection.execute(
        select(ACCOUNT).where(ACCOUNT.c.account_id == account_id, ACCOUNT.c.state != "erased")
    ).one_or_none()
    if row is None:
        raise UnknownAccountError
    balance = Ledger(connection).balance(rider_account(account_id))
    return Account(row.account_id, row.state, row.currency, row.category, row.contact, row.opened_on, balance)


def change_account(
    connection: Connection, account_id: str, *, category: str | None, contact: str | None, now_us: int
) -> Account:
    """Sets how to reach the rider and the rider category; a new category prices anew what has not faded."""
    _check_contact(contact)
    lock_account(connection, account_id, due_us=now_us)
    connection.execute(
        ACCOUNT.update().where(ACCOUNT.c.account_id == account_id).values(category=category, contact=contact)
    )
    return read_account(connection, account_id)


def lock_account(connection: Connection, account_id: str, *, due_us: int | None = None) -> None:
    """Keeps every other change of the account out until the transaction ends. Raises UnknownAccountError.

    With `due_us` the account is to be priced from then on. A pricing locks what is due before the account, so that is
    the order here too: else each could wait for the other.
    """
    if due_us is not None:
        _check_known(connection, account_id)  # the row that is due refers to it
        make_due(connection, [account_id], at_us=due_us)
    row = connection.execute(
        select(ACCOUNT.c.account_id)
        .where(ACCOUNT.c.account_id == account_id, ACCOUNT.c.state != "erased")
        .with_for_update(key_share=True)  # what only refers to the account need not wait
    ).one_or_none()
    if row is None:
        raise UnknownAccountError


def _check_known(connection: Connection, account_id: str) -> None:
    known = select(ACCOUNT.c.account_id).where(ACCOUNT.c.account_id == account_id, ACCOUNT.c.state != "erased")
    if connection.execute(known).one_or_none() is None:
        raise UnknownAccountError


def lock_any_account(connection: Connection, account_id: str) -> None:
    """As `lock_account`, also where the account was erased: money may still move on it."""
    connection.execute(
        select(ACCOUNT.c.account_id).where(ACCOUNT.c.account_id == account_id).with_for_update(key_share=True)
    ).one()


def being_given_back(connection: Connection, account_id: str) -> int:
    """Minor units of the balance that a provider was asked to give back: they are spent, and not booked yet."""
    asked = (
        select(func.coalesce(func.sum(REFUND.c.amount_minor), 0))
        .join(PAYMENT, PAYMENT.c.payment_id == REFUND.c.payment_id)
        .where(PAYMENT.c.account_id == account_id, REFUND.c.state == "asked")
    )
    return int(connection.execute(asked).scalar_one())


def settle(connection: Connection, account_id: str, *, key: str, today: date) -> Money:
    """Books what the account holds, or owes, as unclaimed; returns what that was. `key` names the occasion."""
    ledger = Ledger(connection)
    balance = ledger.balance(rider_account(account_id))
    if balance.minor:
        open_books(ledger, balance.currency, on=today)
        entries = (Entry(rider_account(account_id), balance), Entry(unclaimed_account(balance.currency), -balance))
        ledger.post(Posting("unclaimed", today, entries, key), beyond_limit=True)
    return balance


def settle_erased(connection: Connection, account_id: str, *, key: str, today: date) -> None:
    """As `settle`, where the account was erased: what a provider tells of it later is nobody's either."""
    state = select(ACCOUNT.c.state).where(ACCOUNT.c.account_id == account_id)
    if connection.execute(state).scalar_one() == "erased":
        settle(connection, account_id, key=key, today=today)


def account_of_pass(connection: Connection, pass_id: bytes) -> str | None:
    """The account that a pass is on, or None."""
    return connection.execute(select(PASS.c.account_id).where(PASS.c.pass_id == pass_id)).scalar_one_or_none()


def _check_contact(contact: str | None) -> None:
    if contact is not None and (not 3 <= len(contact) <= CONTACT_CHARS_MAX or not contact.isprintable()):
        raise BadInputError(f"contact: must be 3 to {CONTACT_CHARS_MAX} printable characters, or left out")
