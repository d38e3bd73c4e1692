"""Which taps are an account's. The tap table has no index by pass (see there): fresh taps, those that wait for review
and those of journeys are each found in a place that stays small.
"""

import json
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, delete, insert, select, union_all

from openstile.office.store.accounts import PASS
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.taps import HELD_FOR_REVIEW, TAP, TAP_FRESH

IDS_AT_A_TIME = 1000
"""Ids in one statement: engines bound the number of parameters."""


def take_fresh(connection: Connection, account_id: str) -> set[int]:
    """Takes the account's taps that no pricing has seen out of their table, for pricing within this transaction.

    What arrives meanwhile is not among them and stays for the next pricing.
    """
    return set(
        connection.execute(
            delete(TAP_FRESH).where(TAP_FRESH.c.account_id == account_id).returning(TAP_FRESH.c.tap_id)
        ).scalars()
    )


def put_fresh(connection: Connection, account_id: str, tap_ids: Iterable[int]) -> None:
    """Leaves taps, which are not there, for the next pricing: what a pricing took and put into no journey, say."""
    rows = [{"account_id": account_id, "tap_id": tap_id} for tap_id in sorted(tap_ids)]
    if rows:
        connection.execute(insert(TAP_FRESH), rows)


def journey_tap_ids(connection: Connection, account_id: str) -> set[int]:
    """The taps of the account's journeys that have not faded."""
    rows = connection.execute(
        select(JOURNEY.c.taps).where(JOURNEY.c.account_id == account_id, JOURNEY.c.taps.is_not(None))
    ).scalars()
    return {int(tap_id) for taps in rows for tap_id in json.loads(taps)}


def tap_ids_of(connection: Connection, account_id: str) -> set[int]:
    """All taps of the account that have not faded, also those held for review. Changes nothing."""
    found = connection.execute(
        union_all(
            select(TAP_FRESH.c.tap_id).where(TAP_FRESH.c.account_id == account_id),
            select(TAP.c.tap_id)
            .join(PASS, PASS.c.pass_id == TAP.c.pass_id)
            .where(PASS.c.account_id == account_id, HELD_FOR_REVIEW),
        )
    ).scalars()
    return journey_tap_ids(connection, account_id).union(found)


def portions(tap_ids: Iterable[int]) -> Iterator[list[int]]:
    """The ids, sorted, in lists that one statement takes."""
    ordered = sorted(tap_ids)
    for first in range(0, len(ordered), IDS_AT_A_TIME):
        yield ordered[first : first + IDS_AT_A_TIME]
