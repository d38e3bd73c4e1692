"""What the office of the demo says of journeys and money, read from its database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from openstile.fares.tariff import Tariff
from openstile.fares.words import say
from openstile.journal.taps import instant_of
from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify
from openstile.office.pricing import rider_account
from openstile.office.pricing.rows import read_explanation
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.taps import TAP, TAP_DAY
from openstile.terms.money import Money

Names = Mapping[str, str]
"""How the demo calls the rider of an account."""


@dataclass(frozen=True, slots=True)
class ShownJourney:
    """A priced journey: whose, from where to where, what it costs, and the lines that say why."""

    rider: str
    day: date
    state: str
    began: datetime
    ended: datetime
    from_stop: str
    to_stop: str | None
    taps: int
    amount: Money
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """A line of the trial balance: `balance` in minor units, debit positive."""

    name: str
    kind: str
    balance: Money


@dataclass(frozen=True, slots=True)
class ShownBooks:
    """The ledger: every account's balance, what a full verification found, and how often fares were priced anew."""

    accounts: tuple[ShownAccount, ...]
    postings: int
    findings: tuple[str, ...]
    reversed: int

    @property
    def debits(self) -> int:
        """The sum of debit balances, minor units."""
        return sum(account.balance.minor for account in self.accounts if account.balance.minor > 0)

    @property
    def credits(self) -> int:
        """The sum of credit balances, minor units, positive."""
        return -sum(account.balance.minor for account in self.accounts if account.balance.minor < 0)

    @property
    def balances(self) -> bool:
        """Whether debits equal credits, and nothing is wrong with any posting."""
        return self.debits == self.credits and not self.findings


@dataclass(frozen=True, slots=True)
class FadedJourney:
    """All that is left of a journey: whose, the day, the products and the amount."""

    rider: str
    day: date
    products: tuple[str, ...]
    amount: Money


@dataclass(frozen=True, slots=True)
class Left:
    """What the office still knows when trips have faded.

    `counts`: taps by day, product and way. `taps`, `places`: taps, and journeys with a place or a time, of which there
    must be none.
    """

    journeys: tuple[FadedJourney, ...]
    counts: tuple[tuple[date, str, str, int], ...]
    taps: int
    places: int
    gate_taps: int


def read_journeys(connection: Connection, tariff: Tariff, names: Names) -> tuple[ShownJourney, ...]:
    """The journeys as they are priced now, in the order of riders' names and times."""
    rows = connection.execute(select(JOURNEY).where(JOURNEY.c.state.not_in(("superseded", "faded")))).mappings()
    ordered = sorted(rows, key=lambda row: (list(names).index(row["account_id"]), row["started_us"]))
    return tuple(_journey(row, tariff, names) for row in ordered)


def read_books(connection: Connection, names: Names) -> ShownBooks:
    """The ledger, verified."""
    riders = {rider_account(account): f"rider: {name}" for account, name in names.items()}
    found = verify(connection)
    lines = Ledger(connection).trial_balance().lines
    accounts = tuple(
        ShownAccount(riders.get(line.account, line.account), line.kind.value, line.balance) for line in lines
    )
    superseded = select(func.count()).where(JOURNEY.c.state == "superseded", JOURNEY.c.posting_id.is_not(None))
    return ShownBooks(
        accounts=tuple(sorted(accounts, key=lambda account: (account.kind, account.name))),
        postings=found.postings,
        findings=found.findings,
        reversed=connection.scalar(superseded) or 0,
    )


def count_taps(connection: Connection) -> int:
    """How many taps the office holds."""
    return connection.scalar(select(func.count()).select_from(TAP)) or 0


def read_left(connection: Connection, names: Names, *, gate_taps: int) -> Left:
    """What is there when trips have faded; `gate_taps` are those that gates still hold."""
    rows = list(connection.execute(select(JOURNEY).order_by(JOURNEY.c.day, JOURNEY.c.amount_minor.desc())).mappings())
    rows.sort(key=lambda row: list(names).index(row["account_id"]))
    faded = tuple(
        FadedJourney(
            names[row["account_id"]],
            row["day"],
            tuple(json.loads(row["products"])),
            Money(row["amount_minor"], row["currency"]),
        )
        for row in rows
        if row["state"] == "faded"
    )
    counts = connection.execute(
        select(TAP_DAY.c.day, TAP_DAY.c.product, TAP_DAY.c.direction, TAP_DAY.c.taps).order_by(
            TAP_DAY.c.day, TAP_DAY.c.product, TAP_DAY.c.direction
        )
    )
    places = sum(any(row[name] is not None for name in _PLACES) for row in rows)
    return Left(faded, tuple((*row,) for row in counts), count_taps(connection), places, gate_taps)


def _journey(row: RowMapping, tariff: Tariff, names: Names) -> ShownJourney:
    to_stop: Any = row["to_stop"]
    return ShownJourney(
        rider=names[row["account_id"]],
        day=row["day"],
        state=row["state"],
        began=instant_of(row["started_us"]),
        ended=instant_of(row["ended_us"]),
        from_stop=tariff.stop_name(row["from_stop"]),
        to_stop=None if to_stop is None else tariff.stop_name(to_stop),
        taps=len(json.loads(row["taps"])),
        amount=Money(row["amount_minor"], row["currency"]),
        lines=tuple(say(line, "en") for line in read_explanation(row["explanation"], row["currency"])),
    )


_PLACES = ("key", "taps", "started_us", "ended_us", "from_stop", "to_stop", "explanation")
