"""Whose pricing is due, and the loop that sees to it: any number of workers, no account by two of them at once."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from openstile.fares.tariff import Tariff
from openstile.journal.taps import microseconds_of
from openstile.office.pricing.price import price_accounts
from openstile.office.store.database import Database
from openstile.office.store.due import make_due
from openstile.office.store.journeys import PRICING_DUE

_AT_A_TIME = 50
"""Accounts priced in one transaction: one flush of the disk for all of them."""


def price_due(
    database: Database,
    *,
    tariff: Tariff,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    at_a_time: int = _AT_A_TIME,
) -> int:
    """Price the accounts that are due, some; returns how many, 0 when none was. Durable when it returns.

    Whatever arrives for an account while it is priced makes it due again: an ingest waits for the row that is locked
    here, and writes it anew.
    """
    with database.write() as connection:
        accounts = _take(connection, now(), at_a_time)
        if accounts:
            done = price_accounts(connection, tariff=tariff, account_ids=accounts, now=now(), new_id=new_id)
            for account_id, again_at in done.again_at.items():
                make_due(connection, [account_id], at_us=microseconds_of(again_at))
    return len(accounts)


def _take(connection: Connection, now: datetime, limit: int) -> list[str]:
    """Accounts that are due, taken out of the list; others that a worker holds are passed over."""
    found = connection.execute(
        select(PRICING_DUE.c.account_id)
        .where(PRICING_DUE.c.due_us <= microseconds_of(now))
        .order_by(PRICING_DUE.c.due_us, PRICING_DUE.c.account_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    accounts = sorted(found.scalars())
    if accounts:
        connection.execute(delete(PRICING_DUE).where(PRICING_DUE.c.account_id.in_(accounts)))
    return accounts
