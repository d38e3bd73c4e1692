"""Everything the office holds about one rider, in one value: what an export hands out."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from openstile.fares.words import Language, say
from openstile.journal.taps import instant_of
from openstile.ledger.store import Ledger
from openstile.ledger.store.books import BookedEntry
from openstile.office.pricing.books import rider_account
from openstile.office.pricing.rows import read_explanation
from openstile.office.riders.accounts import read_account
from openstile.office.store.gates import GATE, GATE_EPOCH
from openstile.office.store.metadata import METADATA
from openstile.office.store.payments import DISPUTE, PAYMENT, REFUND
from openstile.office.store.people import AUDIT
from openstile.office.store.rider_taps import portions, tap_ids_of
from openstile.office.store.taps import TAP
from openstile.terms.held import Holds

_ENTRIES_AT_A_TIME = 1000


def held_about(connection: Connection, account_id: str, *, language: Language = "en") -> dict[str, Any]:
    """All rows of all tables that are about the account, and its ledger entries, ready for JSON.

    Keys and hashes of secrets are left out: they say nothing to the rider. So are the names of staff: their actions on
    the account are told by time. Explanations are in `language` (en, de). Raises UnknownAccountError.
    """
    balance = read_account(connection, account_id).balance
    tables = {
        table.name: list(_rows(connection, table, table.c.account_id == account_id, language))
        for table in _tables_of_accounts()
    }
    paid = select(PAYMENT.c.payment_id).where(PAYMENT.c.account_id == account_id)
    for table in (REFUND, DISPUTE):
        tables[table.name] = list(_rows(connection, table, table.c.payment_id.in_(paid), language))
    return {
        "account_id": account_id,
        "balance": str(balance),
        **tables,
        "tap": list(_taps(connection, account_id)),
        "audit": list(_actions(connection, {account_id, *(row["payment_id"] for row in tables["payment"])})),
        "ledger": [
            {"day": entry.day.isoformat(), "kind": entry.kind, "amount": str(-entry.amount), "memo": entry.memo}
            for entry in _entries(Ledger(connection), rider_account(account_id))
        ],
    }


def _entries(ledger: Ledger, name: str) -> Iterator[BookedEntry]:
    after = None
    while found := ledger.entries(name, after=after, limit=_ENTRIES_AT_A_TIME):
        yield from found
        after = found[-1].cursor


def _tables_of_accounts() -> list[Table]:
    return [table for table in METADATA.sorted_tables if "account_id" in table.c]


def _rows(
    connection: Connection, table: Table, mine: ColumnElement[bool], language: Language
) -> Iterator[dict[str, Any]]:
    shown = [column for column in table.c if column.info["held"].holds is not Holds.SECRET]
    for row in connection.execute(select(*shown).where(mine)).mappings():
        values = {name: _plain(name, value) for name, value in row.items()}
        if values.get("explanation") is not None:
            lines = read_explanation(values["explanation"], values["currency"])
            values["explanation"] = [
                {"text": say(line, language), "amount": None if line.amount is None else str(line.amount)}
                for line in lines
            ]
        yield values


def _taps(connection: Connection, account_id: str) -> Iterator[dict[str, Any]]:
    chosen = (
        select(TAP, GATE.c.gate_id, GATE.c.stop_id)
        .join(GATE_EPOCH, GATE_EPOCH.c.epoch_id == TAP.c.epoch_id)
        .join(GATE, GATE.c.gate_id == GATE_EPOCH.c.gate_id)
    )
    found = (
        row
        for some in portions(tap_ids_of(connection, account_id))
        for row in connection.execute(chosen.where(TAP.c.tap_id.in_(some))).mappings()
    )
    for row in sorted(found, key=lambda row: int(row["at_us"])):
        yield {name: _plain(name, value) for name, value in row.items()}


def _actions(connection: Connection, targets: set[str]) -> Iterator[dict[str, Any]]:
    """What staff did to the account and its payments."""
    chosen = select(AUDIT.c.at_us, AUDIT.c.action).where(AUDIT.c.target.in_(sorted(targets))).order_by(AUDIT.c.audit_id)
    for row in connection.execute(chosen).mappings():
        yield {name: _plain(name, value) for name, value in row.items()}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    if name.endswith("_us") and isinstance(value, int) and name != "offset_us":
        return instant_of(value).isoformat()
    if name in ("products", "taps", "counted") and isinstance(value, str):
        return json.loads(value)
    return value
