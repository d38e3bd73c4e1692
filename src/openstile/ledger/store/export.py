"""The books as text: CSV for spreadsheets, and Beancount (beancount.github.io, "Beancount Language Syntax")
for whoever wants to check them with a program that is not ours.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any, TextIO

from sqlalchemy import Connection, func, select

from openstile.ledger.postings import AccountKind
from openstile.ledger.store.books import trial_balance
from openstile.ledger.store.tables import ACCOUNT, ENTRY, POSTING
from openstile.terms import BadInputError
from openstile.terms.money import Money

CSV_COLUMNS = ("day", "posting", "kind", "memo", "reverses", "account", "account_kind", "amount", "currency")
_ROOTS = {
    AccountKind.ASSET: "Assets",
    AccountKind.LIABILITY: "Liabilities",
    AccountKind.EQUITY: "Equity",
    AccountKind.INCOME: "Income",
    AccountKind.EXPENSE: "Expenses",
}


def write_csv(connection: Connection, out: TextIO, *, through: date | None = None) -> int:
    """One line an entry, debits positive, in major units; all days up to and with `through`. How many entries."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for row in _rows(connection, through):
        amount = Money(row.amount_minor, row.currency).decimal
        writer.writerow((row.day.isoformat(), row.posting_id, row.kind, row.memo, row.reverses or "", row.name,
                         row.account_kind, amount, row.currency))  # fmt: skip
        count += 1
    return count


def write_beancount(connection: Connection, out: TextIO, *, through: date) -> int:
    """Accounts, postings up to and with `through`, and what each balance is at the end of that day. How many postings.

    Raises BadInputError for a day after which there is none.
    """
    if through == date.max:
        raise BadInputError("export: give a day before the last one of the calendar")
    out.write('option "title" "Openstile ledger"\n\n')
    accounts = {account.name: account for account in _accounts(connection, through)}
    out.writelines(f"{one.opened.isoformat()} open {one.beancount} {one.currency}\n" for one in accounts.values())
    count = 0
    for _, entries in groupby(_rows(connection, through), key=lambda row: row.posting_id):
        rows = list(entries)
        out.write(f'\n{rows[0].day.isoformat()} * "{rows[0].kind}" "{_quoted(rows[0].memo)}"\n')
        out.write(f'  posting: "{rows[0].posting_id}"\n')
        if rows[0].reverses:
            out.write(f'  reverses: "{rows[0].reverses}"\n')
        out.writelines(f"  {accounts[row.name].beancount}  {Money(row.amount_minor, row.currency)}\n" for row in rows)
        count += 1
    out.write("\n")
    next_day = (through + timedelta(days=1)).isoformat()
    lines = trial_balance(connection, through).lines
    out.writelines(f"{next_day} balance {accounts[line.account].beancount}  {line.balance}\n" for line in lines)
    return count


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    beancount: str
    currency: str
    opened: date


def _accounts(connection: Connection, through: date) -> Iterator[_Account]:
    first = func.min(ENTRY.c.day)
    rows = connection.execute(
        select(ACCOUNT.c.name, ACCOUNT.c.kind, ACCOUNT.c.currency, ACCOUNT.c.opened_on, first)
        .outerjoin(ENTRY, ENTRY.c.account_no == ACCOUNT.c.account_no)
        .group_by(ACCOUNT.c.account_no, ACCOUNT.c.name, ACCOUNT.c.kind, ACCOUNT.c.currency, ACCOUNT.c.opened_on)
        .order_by(ACCOUNT.c.name)
    )
    for name, kind, currency, opened_on, entered in rows:
        opened = min(opened_on, entered or opened_on)  # a late ride may be booked on a day before the account
        if opened <= through:
            yield _Account(name, beancount_name(name, AccountKind(kind)), currency, opened)


def beancount_name(name: str, kind: AccountKind) -> str:
    """An account's name there: its kind first, each part with a capital; different for different names."""
    return ":".join((_ROOTS[kind], *(part[0].upper() + part[1:] for part in name.split(":"))))


def _rows(connection: Connection, through: date | None) -> Iterator[Any]:
    wanted = (
        select(POSTING.c.day, POSTING.c.posting_id, POSTING.c.kind, POSTING.c.memo, POSTING.c.reverses, ACCOUNT.c.name,
               ACCOUNT.c.kind.label("account_kind"), ENTRY.c.amount_minor, ENTRY.c.currency)
        .join(ENTRY, ENTRY.c.posting_id == POSTING.c.posting_id)
        .join(ACCOUNT, ACCOUNT.c.account_no == ENTRY.c.account_no)
        .order_by(POSTING.c.day, POSTING.c.posting_id, ENTRY.c.position)
    )  # fmt: skip
    if through is not None:
        wanted = wanted.where(POSTING.c.day <= through)
    yield from connection.execute(wanted, execution_options={"yield_per": 2000})


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
