"""Accounts: opened once, found and locked by name, read by whoever asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from openstile.ledger.errors import LedgerError, UnknownAccountError
from openstile.ledger.postings import AccountKind, check_name
from openstile.ledger.store.bulk import among, is_sqlite, lock_rows
from openstile.ledger.store.tables import ACCOUNT, BALANCE
from openstile.terms import BadInputError
from openstile.terms.limits import LEDGER_SHARDS_MAX, MONEY_MINOR_MAX
from openstile.terms.money import Money

_SIGN = {kind.value: kind.sign for kind in AccountKind}


@dataclass(slots=True)
class LockedAccount:
    """An account with one of its balance rows, which nobody else changes before this transaction ends."""

    number: int
    name: str
    sign: int
    currency: str
    shards: int
    overdraft_minor: int | None
    shard: int
    balance_minor: int
    held_minor: int

    @property
    def minor_max(self) -> int:
        """The bound of this row, so that the sum of all shards stays in that of money."""
        return MONEY_MINOR_MAX // self.shards

    def lacks(self, debit_minor: int, *, reserve_minor: int = 0) -> bool:
        """Whether a debit (negative: a credit) and a further reservation would take it beyond its limit."""
        if self.overdraft_minor is None or (self.sign * debit_minor >= 0 and not reserve_minor):
            return False
        left = self.sign * (self.balance_minor + debit_minor) - self.held_minor - reserve_minor
        return left < -self.overdraft_minor


def lock_accounts(connection: Connection, names: Iterable[str], *, seed: int) -> dict[str, LockedAccount]:
    """The accounts by name, each with the balance row of shard `seed` modulo its shards, locked in one order.

    Raises UnknownAccountError.
    """
    wanted = sorted(set(names))
    found = {
        name: LockedAccount(number, name, _SIGN[kind], currency, shards, overdraft, shard, balance, held)
        for number, name, kind, currency, shards, overdraft, shard, balance, held in lock_rows(
            connection, wanted, seed=seed
        )
    }
    if len(found) < len(wanted):
        raise UnknownAccountError(tuple(name for name in wanted if name not in found))
    return found


def lock_numbers(connection: Connection, numbers: Iterable[int]) -> None:
    """Lock the first balance rows of accounts, in the order of `lock_accounts`."""
    connection.execute(
        select(BALANCE.c.account_no)
        .where(among(connection, BALANCE.c.account_no, set(numbers)), BALANCE.c.shard == 0)
        .order_by(BALANCE.c.account_no)
        .with_for_update(key_share=True)
    ).all()


def open_account(
    connection: Connection,
    name: str,
    kind: AccountKind,
    currency: str,
    *,
    overdraft_minor: int | None = 0,
    shards: int = 1,
    on: date,
) -> None:
    """See Ledger.open_account."""
    check_name(name)
    Money(overdraft_minor or 0, currency)
    if not 1 <= shards <= LEDGER_SHARDS_MAX or (shards > 1 and overdraft_minor is not None):
        raise BadInputError(
            f"account: it may have 1 to {LEDGER_SHARDS_MAX} shards, and a limit only with one; "
            "give overdraft_minor=None with more"
        )
    if overdraft_minor is not None and overdraft_minor < 0:
        raise BadInputError("account: its overdraft is negative; give zero or more, or None for no limit")
    values = {"name": name, "kind": kind.value, "currency": currency, "overdraft_minor": overdraft_minor,
              "shards": shards, "opened_on": on}  # fmt: skip
    known = _find(connection, name)
    if known is None:
        number = _insert(connection, values)
        if number is not None:
            rows = [
                {"account_no": number, "shard": shard, "balance_minor": 0, "held_minor": 0} for shard in range(shards)
            ]
            connection.execute(insert(BALANCE), rows)
            return
        known = _find(connection, name)  # somebody opened it at the same moment
    if known is None or (known.kind, known.currency, known.shards) != (kind.value, currency, shards):
        raise LedgerError("account: is open already, of another kind, currency or number of shards; use another name")


def set_overdraft(connection: Connection, name: str, overdraft_minor: int | None) -> None:
    """See Ledger.set_overdraft."""
    account = lock_accounts(connection, [name], seed=0)[name]
    if overdraft_minor is not None and (account.shards > 1 or not 0 <= overdraft_minor <= MONEY_MINOR_MAX):
        raise BadInputError("account: its overdraft must be zero or more, and it must have one shard")
    connection.execute(
        update(ACCOUNT).where(ACCOUNT.c.account_no == account.number).values(overdraft_minor=overdraft_minor)
    )


@dataclass(frozen=True, slots=True)
class AccountState:
    """What an account holds on its normal side, and how much of it is reserved by holds."""

    name: str
    kind: AccountKind
    balance: Money
    held: Money
    overdraft: Money | None

    @property
    def available(self) -> Money:
        """What it holds beyond what is reserved; the overdraft not counted."""
        return self.balance - self.held


def account_state(connection: Connection, name: str) -> AccountState:
    """See Ledger.account."""
    row = _find(connection, name)
    if row is None:
        raise UnknownAccountError((name,))
    sums = connection.execute(
        select(func.sum(BALANCE.c.balance_minor), func.sum(BALANCE.c.held_minor)).where(
            BALANCE.c.account_no == row.account_no
        )
    ).one()
    kind, overdraft = AccountKind(row.kind), row.overdraft_minor
    return AccountState(
        name,
        kind,
        Money(kind.sign * int(sums[0]), row.currency),
        Money(int(sums[1]), row.currency),
        None if overdraft is None else Money(overdraft, row.currency),
    )


def _find(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(ACCOUNT).where(ACCOUNT.c.name == name)).one_or_none()


def _insert(connection: Connection, values: dict[str, Any]) -> int | None:
    """The number of the new account, or None where the name is taken."""
    add = (sqlite if is_sqlite(connection) else postgresql).insert(ACCOUNT)
    number: int | None = connection.scalar(add.values(values).on_conflict_do_nothing().returning(ACCOUNT.c.account_no))
    return number
