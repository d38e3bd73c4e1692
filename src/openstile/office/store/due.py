"""Marking accounts for pricing: one row an account, with the earliest time that anybody asked for."""

from collections.abc import Iterable

from sqlalchemy import Connection, case

from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.upsert import insert_into


def make_due(connection: Connection, account_ids: Iterable[str], *, at_us: int) -> None:
    """Has accounts priced from `at_us` (microseconds since 1970, UTC) on; an earlier time that is there stays.

    A pricing that is under way holds the account's row: this waits for its end, and the account is due again then.
    """
    rows = [{"account_id": account_id, "due_us": at_us} for account_id in sorted(set(account_ids))]
    if not rows:
        return
    add = insert_into(connection, PRICING_DUE)
    earlier = case((add.excluded.due_us < PRICING_DUE.c.due_us, add.excluded.due_us), else_=PRICING_DUE.c.due_us)
    connection.execute(add.on_conflict_do_update(index_elements=["account_id"], set_={"due_us": earlier}), rows)
