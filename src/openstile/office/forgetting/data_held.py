"""The open books: what each table holds about people, why, and for how long, from the schema's declarations.

`python -m openstile.office.forgetting.data_held docs/data-held.md` writes the tables of that page anew.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, inspect

from openstile.office.store.schema import all_tables
from openstile.terms.held import Holds, Until

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"

WHY = {
    "account": "A rider's account: what is paid in and ridden is put on it.",
    "alarm": "What staff must look at: a gate's journal that was copied, a clock that is off.",
    "audit": "What staff did, so that nobody of them acts unseen.",
    "challenge": "A sign-in that has begun.",
    "credential": "Passkeys, with which riders and staff sign in.",
    "dispute": "A payment that was called back through the rider's bank.",
    "fading": "How far trips have faded.",
    "gate": "The gates, and where they stand.",
    "gate_claim": "Tokens with which a gate makes itself known, once.",
    "gate_epoch": "Gates' journals, and up to which tap they have arrived.",
    "gate_key": "Gates' public keys.",
    "gate_nonce": "Requests of gates that were taken, so that none is taken twice.",
    "gate_run": "How a gate's clock ran, to tell when its taps were.",
    "idempotency": "Answers to requests that move money, so that a repeated request moves none.",
    "invitation": "Leave to register a passkey, once.",
    "journey": "What a ride cost, and why; after it faded: on which day, which product and how much.",
    "ledger_account": "Accounts of the books: one for each rider's balance, and the operator's own.",
    "ledger_balance": "What an account's entries sum to.",
    "ledger_entry": "Amounts that moved, and on which day. The law on bookkeeping wants them kept.",
    "ledger_hold": "Amounts that are reserved until a payment is settled.",
    "ledger_posting": "What amounts moved for, and on which day.",
    "pass": "That a pass is on an account.",
    "payment": "What was paid in. Card data is the payment provider's and never comes here.",
    "period": "Season tickets and tickets for n rides.",
    "pricing_due": "Accounts whose newest taps are still to be priced.",
    "provider_event": "What the payment provider told, so that nothing is taken twice.",
    "refund": "What was given back.",
    "session": "Who is signed in.",
    "staff": "Who works here, and what they may do.",
    "tap": "A pass was shown at a gate: kept until the ride is priced and the time is over.",
    "tap_day": "How many taps there were on a day, by product. Neither who nor where.",
    "tap_fresh": "Taps that are still to be priced.",
    "tap_hash": "Hashes of faded taps, by which a gate that was restored from a copy finds out what has arrived.",
}
"""Why there is each table."""


@dataclass(frozen=True, slots=True)
class HeldColumn:
    """A column and its declaration; both None for one that a database has and nobody declared."""

    name: str
    holds: Holds | None
    until: Until | None

    @property
    def says_nothing(self) -> bool:
        """Whether it is about nobody and may stay."""
        return self.holds is Holds.NOTHING and self.until is Until.STAYS


@dataclass(frozen=True, slots=True)
class HeldTable:
    """A table. `why` is empty for one that nobody declared."""

    name: str
    why: str
    columns: tuple[HeldColumn, ...]


def declared_tables() -> tuple[HeldTable, ...]:
    """What this version declares, by name."""
    return tuple(sorted((_declared(table) for table in all_tables()), key=lambda table: table.name))


def live_tables(connection: Connection) -> tuple[HeldTable, ...]:
    """What a database has, with the declarations: also tables and columns that this version knows nothing of."""
    declared = {table.name: table for table in declared_tables()}
    look = inspect(connection)
    found = []
    for name in sorted(set(look.get_table_names()) - {"alembic_version"}):
        known = {column.name: column for column in declared[name].columns} if name in declared else {}
        columns = tuple(
            known.get(column["name"], HeldColumn(column["name"], None, None)) for column in look.get_columns(name)
        )
        found.append(HeldTable(name, WHY.get(name, ""), columns))
    return tuple(found)


def as_markdown(tables: tuple[HeldTable, ...]) -> str:
    """The tables as the page shows them."""
    return "\n\n".join(_section(table) for table in tables)


def with_tables(page: str) -> str:
    """The page with the tables of this version between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{as_markdown(declared_tables())}\n\n{END}{tail}"


def _declared(table: Table) -> HeldTable:
    held = ((column.name, column.info["held"]) for column in table.columns)
    columns = tuple(HeldColumn(name, declared.holds, declared.until) for name, declared in held)
    return HeldTable(table.name, WHY[table.name], columns)


def _section(table: HeldTable) -> str:
    lines = [f"### {table.name}", "", table.why]
    telling: dict[tuple[str, str], list[str]] = {}
    for column in table.columns:
        if not column.says_nothing:
            telling.setdefault((_words(column.holds), _words(column.until)), []).append(f"`{column.name}`")
    others = [f"`{column.name}`" for column in table.columns if column.says_nothing]
    if telling:
        lines += ["", "| columns | say | kept until |", "|---|---|---|"]
        lines += [f"| {', '.join(names)} | {says} | {until} |" for (says, until), names in telling.items()]
    if others:
        lines += ["", f"{'Also' if telling else 'Columns'}, about no rider: {', '.join(others)}."]
    return "\n".join(lines)


def _words(declared: Holds | Until | None) -> str:
    return "not declared" if declared is None else declared.value


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text()))
