"""Erasing a rider: at once, in one transaction. What stays is amounts by day under an id that names nobody any more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, select, update

from openstile.fares.tariff import Tariff
from openstile.issuer import PassState
from openstile.journal.taps import microseconds_of
from openstile.office.forgetting.journeys import FADING_COLUMNS
from openstile.office.forgetting.tally import Tally, drop_taps
from openstile.office.forgetting.taps import day_of
from openstile.office.pricing import price_accounts
from openstile.office.riders.accounts import lock_account, settle
from openstile.office.riders.passes import passes_of
from openstile.office.riders.signing import PassSigner
from openstile.office.store.accounts import ACCOUNT, PASS, PERIOD
from openstile.office.store.journeys import JOURNEY, PRICING_DUE
from openstile.office.store.people import CREDENTIAL, INVITATION, SESSION
from openstile.office.store.rider_taps import portions, tap_ids_of
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.terms import BadInputError
from openstile.terms.money import Money

_GO: Final[tuple[Table, ...]] = (TAP_FRESH, PRICING_DUE, PERIOD, CREDENTIAL, INVITATION, SESSION, PASS)
"""Tables whose rows of the account go, in this order."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did. `passes_left`: passes that name no status list, which gates take until they end."""

    passes_revoked: int
    passes_left: int
    settled: Money


def erase(
    connection: Connection,
    *,
    tariff: Tariff,
    signer: PassSigner,
    account_id: str,
    now: datetime,
    new_id: Callable[[], str],
) -> Erased:
    """Prices what was ridden, revokes the passes, lets all trips fade, and removes everything but the books.

    Rides that are still open are not charged. What the account holds, or owes, is booked as unclaimed. Raises
    UnknownAccountError.
    """
    lock_account(connection, account_id, due_us=microseconds_of(now))
    price_accounts(connection, tariff=tariff, account_ids=[account_id], now=now, new_id=new_id)
    revoked, left = _revoke(connection, signer, account_id, now)
    settled = settle(connection, account_id, key=f"erasure:{account_id}", today=tariff.service_day(now))
    _fade_trips(connection, account_id, tariff)
    for table in _GO:
        connection.execute(delete(table).where(table.c.account_id == account_id))
    connection.execute(
        update(ACCOUNT)
        .where(ACCOUNT.c.account_id == account_id)
        .values(state="erased", category=None, contact=None, opened_on=None)
    )
    return Erased(revoked, left, settled)


def _revoke(connection: Connection, signer: PassSigner, account_id: str, now: datetime) -> tuple[int, int]:
    revoked = left = 0
    for one in passes_of(connection, account_id):
        known = signer.known(one.pass_id)
        if one.expires <= now or (known is not None and known.state is PassState.REVOKED):
            continue
        try:
            signer.set_state(one.pass_id, PassState.REVOKED, now=now)
            revoked += 1
        except BadInputError:  # it names no status list, or the register does not have it
            left += 1
    return revoked, left


def _fade_trips(connection: Connection, account_id: str, tariff: Tariff) -> None:
    days = {}
    for some in portions(tap_ids_of(connection, account_id)):
        chosen = select(TAP.c.tap_id, TAP.c.at_us, TAP.c.received_us).where(TAP.c.tap_id.in_(some))
        for tap in connection.execute(chosen):
            days[tap.tap_id] = day_of(tap.at_us, tap.received_us, tariff.service_day)
    drop_taps(connection, days, [], Tally())
    mine = JOURNEY.c.account_id == account_id
    connection.execute(delete(JOURNEY).where(mine, JOURNEY.c.state.in_(("superseded", "open", "unknown"))))
    emptied: dict[str, Any] = {"state": "faded", "counted": None, **dict.fromkeys(FADING_COLUMNS)}
    connection.execute(update(JOURNEY).where(mine).values(emptied))
