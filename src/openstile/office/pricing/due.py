"""Whose pricing is due, and the loop that sees to it: any number of workers, no account by two of them at once."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import DataError, IntegrityError

from openstile.fares.tariff import Tariff
from openstile.journal.taps import microseconds_of
from openstile.office.observe.logs import where_of
from openstile.office.pricing.price import price_accounts
from openstile.office.store.database import Database, OfficeDatabaseError
from openstile.office.store.due import make_due
from openstile.office.store.journeys import PRICING_DUE

_AT_A_TIME = 50
"""Accounts priced in one transaction: one flush of the disk for all of them."""
_AGAIN = timedelta(hours=1)
"""After which one that could not be priced is tried again."""
_log = structlog.get_logger("openstile.office")


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
    here, and writes it anew. An account that cannot be priced (the rules lack a period product that it holds, say) is
    logged, waits an hour and keeps no other one back. Raises OfficeDatabaseError.
    """
    taken: list[str] = []

    def price(only: str | None = None) -> None:
        with database.write() as connection:
            taken[:] = _take(connection, now(), at_a_time, only)
            if taken:
                done = price_accounts(connection, tariff=tariff, account_ids=taken, now=now(), new_id=new_id)
                for account_id, again_at in done.again_at.items():
                    make_due(connection, [account_id], at_us=microseconds_of(again_at))

    try:
        price()
    except Exception as error:
        if _will_pass(error):
            raise
    else:
        return len(taken)
    together = list(taken)
    for account_id in together:
        try:
            price(account_id)
        except Exception as error:
            if _will_pass(error):
                raise
            _log.error("account cannot be priced", error=type(error).__name__, where=where_of(error))
            with database.write() as connection:
                again_us = microseconds_of(now() + _AGAIN)
                of_account = PRICING_DUE.c.account_id == account_id
                connection.execute(PRICING_DUE.update().where(of_account).values(due_us=again_us))
    return len(together)


def _will_pass(error: Exception) -> bool:
    """Whether it is the database's and no account's: a lock, a connection, a server that restarts."""
    return isinstance(error, OfficeDatabaseError) and not isinstance(error.__cause__, DataError | IntegrityError)


def _take(connection: Connection, now: datetime, limit: int, account_id: str | None = None) -> list[str]:
    """Accounts that are due (or this one, if it is), taken out of the list; those a worker holds are passed over."""
    this_one = [] if account_id is None else [PRICING_DUE.c.account_id == account_id]
    found = connection.execute(
        select(PRICING_DUE.c.account_id)
        .where(PRICING_DUE.c.due_us <= microseconds_of(now), *this_one)
        .order_by(PRICING_DUE.c.due_us, PRICING_DUE.c.account_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    accounts = sorted(found.scalars())
    if accounts:
        connection.execute(delete(PRICING_DUE).where(PRICING_DUE.c.account_id.in_(accounts)))
    return accounts
