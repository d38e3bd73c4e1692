"""The office of the simulation: its real API, pricing and fading on a real database, and staff who look after it."""

import random
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select
from tests.fares.tariff_workshop import tariff

from openstile.fares.tariff import Tariff
from openstile.journal import Direction
from openstile.journal.taps import instant_of, microseconds_of
from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify
from openstile.office.api.app import create_app
from openstile.office.api.office import Office, OfficeValues
from openstile.office.backup import make_backup, restore
from openstile.office.forgetting import Retention, fade
from openstile.office.pricing import open_books, price_due, rider_account
from openstile.office.riders.accounts import open_account
from openstile.office.store.accounts import PASS
from openstile.office.store.database import Database, OfficeDatabaseError
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.journeys import JOURNEY, PRICING_DUE
from openstile.office.store.migrations.running import migrate
from openstile.office.store.taps import TAP, TAP_DAY, TAP_FRESH
from openstile.office.sync import SyncError
from openstile.office.sync.claims import issue_claim
from openstile.office.sync.clocks import ReviewReason
from openstile.office.sync.registry import add_gate
from openstile.office.sync.reviews import ReviewTime, WaitingTap, accept_tap, list_reviews, reject_tap
from openstile.terms import GateId, PassId
from openstile.terms.money import Money
from simulation.clocks import TrueClock
from simulation.gates import OFFICE, TRIPS_KEPT
from simulation.truth import TapKey

RETENTION = Retention(trips_hours=int(TRIPS_KEPT / timedelta(hours=1)))
_CURRENT = ("complete", "missing_exit", "missing_entry", "unknown", "open", "faded")


class DiskFault(Enum):
    """When the disk fails."""

    BEFORE = "before the transaction"
    WITHIN = "at its commit, which comes to nothing"
    BEHIND = "behind its commit"


class FailingDatabase(Database):
    """A database whose disk fails now and then, by chance or where it is `planned` for the next transaction."""

    chance: random.Random
    failing: float = 0.0
    planned: DiskFault | None = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As Database.write, with failures."""
        fault, self.planned = self.planned, None
        if fault is None and self.chance.random() < self.failing:
            fault = self.chance.choice(list(DiskFault))
        if fault is DiskFault.BEFORE:
            raise OfficeDatabaseError("database: the disk fails; try again")
        with super().write() as connection:
            yield connection
            if fault is DiskFault.WITHIN:
                raise OfficeDatabaseError("database: the disk is full; try again")
        if fault is DiskFault.BEHIND:
            raise OfficeDatabaseError("database: the connection broke behind the commit; try again")


@dataclass(frozen=True, slots=True)
class StoredTap:
    """A tap that the office has stored. `priced_at`: its time as pricing takes it, None while it waits for review.

    `known_at`: when the office stored it, or staff accepted it. `repeats`: it counts for nothing, as another row is it.
    """

    key: TapKey
    priced_at: datetime | None
    known_at: datetime
    repeats: bool = False
    timeless: bool = False
    """Rejected by staff, as no time that could be is known of it."""


@dataclass
class SimulatedOffice:
    """One office, and what can be asked of it to judge it."""

    folder: Path
    clock: TrueClock
    chance: random.Random
    url: str | None = None
    accounts: dict[str, PassId] = field(default_factory=dict)
    taps: dict[int, StoredTap] = field(default_factory=dict)
    """All that were ever stored, by their ids, also those that have faded since."""
    looked_us: int = 0
    _backup: tuple[Path, dict[int, StoredTap]] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True)
        self.tariff: Tariff = tariff()
        self.database = FailingDatabase(_migrated(self.url or f"sqlite:///{self.folder / 'office.db'}").engine)
        self.database.chance = self.chance
        values = OfficeValues(name="City", public_url=OFFICE, currency=self.tariff.currency)
        self.app = create_app(
            Office(
                database=self.database, clock=self.clock, random=secrets.token_bytes, values=values,
                is_current=lambda _: True,
            )
        )  # fmt: skip
        with self.database.write() as connection:
            open_books(Ledger(connection), self.tariff.currency, on=self.clock.now().date())

    def new_id(self) -> str:
        """An id of this week's chance."""
        return self.chance.randbytes(16).hex()

    def add_gate(self, gate_id: GateId, stop: str, network: str, direction: Direction) -> str:
        """A gate's place; returns a claim token."""
        now = self.clock.now()
        with self.database.write() as connection:
            add_gate(connection, gate_id=gate_id, stop_id=stop, network_id=network, direction=direction, now=now)
            return issue_claim(connection, gate_id=gate_id, now=now).token

    def new_claim(self, gate_id: GateId) -> str:
        """Another claim token for a gate that is known."""
        with self.database.write() as connection:
            return issue_claim(connection, gate_id=gate_id, now=self.clock.now()).token

    def add_rider(self) -> PassId:
        """An account with a pass."""
        pass_id = PassId(self.chance.randbytes(16))
        with self.database.write() as connection:
            account = open_account(
                connection, currency=self.tariff.currency, category=None, contact=None, on=date(2026, 6, 1),
                new_id=self.new_id,
            )  # fmt: skip
            connection.execute(
                PASS.insert().values(
                    pass_id=pass_id.value, account_id=account.account_id, product="single", category=None,
                    reference="face", state="valid", not_before_us=0, expires_us=2**52, replaced_by=None,
                )
            )  # fmt: skip
        self.accounts[account.account_id] = pass_id
        return pass_id

    def price(self) -> None:
        """Prices what is due; a failing disk leaves it for the next time."""
        while price_due(self.database, tariff=self.tariff, now=self.clock.now, new_id=self.new_id):
            pass

    def review(self) -> None:
        """Staff accept what waits, at the corrected time where that can be, else at the gate's.

        They reject what may be a repeat, as it is better not to be paid than to be paid twice, and what neither time
        can be of.
        """
        now, decided = self.clock.now(), {}
        with self.database.write() as connection:
            for tap in list_reviews(connection):
                before = self.taps[tap.tap_id]
                repeats = tap.reason is ReviewReason.REPEATED
                at = None if repeats else _accepted(connection, tap, now=now)
                if at is None:
                    reject_tap(connection, tap.tap_id)
                    decided[tap.tap_id] = replace(before, repeats=repeats, timeless=not repeats)
                else:
                    decided[tap.tap_id] = replace(before, priced_at=at, known_at=now)
        self.taps = self.taps | decided

    def fade(self) -> None:
        """Trips fade."""
        with self.database.write() as connection:
            self._fade(connection)

    def make_backup(self) -> None:
        """A backup is made, in place of the one before. To be called behind a look."""
        path = self.folder / f"{self.new_id()}.tar"
        make_backup(self.database, path, now=self.clock.now())
        self._backup = path, dict(self.taps)

    def put_backup_back(self) -> bool:
        """The database is lost and the backup takes its place; False where there is none."""
        if self._backup is None:
            return False
        path, self.taps = self._backup[0], dict(self._backup[1])
        if not self.database.is_sqlite:
            self.database.close()  # nobody may use it meanwhile
        restore(path, self.database, fading=self._fade, replace=True)
        self.looked_us = 0
        return True

    def new_taps(self) -> list[TapKey]:
        """Taps that the office stored since this was last asked. To be asked before reviews and fading."""
        now_us = microseconds_of(self.clock.now())
        rows = self._rows(
            select(TAP.c.tap_id, TAP.c.pass_id, TAP.c.at_us, TAP.c.received_us, TAP.c.review, GATE_EPOCH.c.gate_id)
            .join(GATE_EPOCH, GATE_EPOCH.c.epoch_id == TAP.c.epoch_id)
            .where(TAP.c.received_us >= self.looked_us)
        )
        new = {row.tap_id: _stored(row) for row in rows if row.tap_id not in self.taps}
        self.taps |= new
        self.looked_us = now_us
        return [tap.key for tap in new.values() if not tap.repeats]

    def faults(self) -> list[str]:
        """What is wrong with the books and the journeys. To be asked behind a look."""
        with self.database.read() as connection:
            faults = list(verify(connection).findings)
            trial, currency = Ledger(connection).trial_balance(), self.tariff.currency
        if trial.debits(currency) != trial.credits(currency):
            faults.append("the ledger does not balance")
        return [*self.faults_now(), *faults]

    def faults_now(self) -> list[str]:
        """Those that are quickly found."""
        return [*self._journey_faults(), *self._count_faults(), *self._balance_faults()]

    def charged(self) -> dict[str, Money]:
        """What each account was charged."""
        with self.database.read() as connection:
            ledger = Ledger(connection)
            return {account: -ledger.balance(rider_account(account)) for account in self.accounts}

    def _journey_faults(self) -> list[str]:
        faults = []
        used = Counter(
            int(tap)
            for row in self._rows(select(JOURNEY.c.taps).where(JOURNEY.c.state.in_(_CURRENT)))
            for tap in (row.taps or "[]").strip("[]").split(",")
            if tap.strip()
        )
        waiting = {row.tap_id for row in self._rows(select(TAP_FRESH.c.tap_id))}
        kept = {row.tap_id for row in self._rows(select(TAP.c.tap_id).where(TAP.c.review.in_(("clear", "accepted"))))}
        twice = [tap for tap, count in used.items() if count > 1]
        faults += [f"{len(twice)} taps are in two journeys"] if twice else []
        lost = kept - set(used) - waiting
        return faults + ([f"{len(lost)} taps are in no journey"] if lost else [])

    def _count_faults(self) -> list[str]:
        kept, stored = self._rows(select(func.count()).select_from(TAP))[0][0], len(self.taps)
        counts = select(func.sum(TAP_DAY.c.taps).label("taps"), func.sum(TAP_DAY.c.unpriced).label("unpriced"))
        (sums,) = self._rows(counts)
        faded, unpriced = int(sums.taps or 0), int(sums.unpriced or 0)
        faults = [] if kept + faded == stored else [f"{stored} taps were stored, {kept} are kept and {faded} faded"]
        return faults + ([f"{unpriced} taps faded without a price"] if unpriced else [])

    def _balance_faults(self) -> list[str]:
        sums = {
            row.account_id: int(row.minor)
            for row in self._rows(
                select(JOURNEY.c.account_id, func.sum(JOURNEY.c.amount_minor).label("minor"))
                .where(JOURNEY.c.state.in_(_CURRENT), JOURNEY.c.state != "open")
                .group_by(JOURNEY.c.account_id)
            )
        }
        charged = self.charged()
        wrong = [account for account in self.accounts if charged[account].minor != sums.get(account, 0)]
        return [f"{len(wrong)} accounts were charged something else than their journeys"] if wrong else []

    def left(self) -> list[str]:
        """What is left of trips when all of them should have faded."""
        tables = (TAP, TAP_FRESH, PRICING_DUE)
        faults = [f"{table.name} still has rows" for table in tables if self._rows(select(table).limit(1))]
        return faults + (
            ["journeys have not faded"] if self._rows(select(JOURNEY).where(JOURNEY.c.key.is_not(None))) else []
        )

    def _fade(self, connection: Connection) -> None:
        fade(
            connection, now=self.clock.now(), retention=RETENTION, service_day=self.tariff.service_day,
            new_id=self.new_id,
        )  # fmt: skip

    def _rows(self, query: Any) -> list[Row[Any]]:
        with self.database.read() as connection:
            return list(connection.execute(query).all())


def _accepted(connection: Connection, tap: WaitingTap, *, now: datetime) -> datetime | None:
    """Accepts a tap at the corrected time, or at the gate's where that cannot be; returns it, None for neither."""
    for time, at in ((ReviewTime.CORRECTED, tap.corrected), (ReviewTime.GATE, tap.at)):
        with suppress(SyncError):
            accept_tap(connection, tap.tap_id, time=time, now=now)
            return at
    return None


def _stored(row: Row[Any]) -> StoredTap:
    at, received = instant_of(row.at_us), instant_of(row.received_us)
    key = TapKey(GateId(row.gate_id), PassId(row.pass_id), at)
    return StoredTap(key, at if row.review == "clear" else None, received, row.review == "rejected")


def _migrated(url: str) -> Database:
    """A new database with its tables; of SQLite a copy of one that was made before, which is quicker."""
    database = Database.open(url)
    if database.is_sqlite:
        Path(str(database.engine.url.database)).write_bytes(_empty())
    else:
        migrate(database)
    return database


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "office.db"
        database = Database.open(f"sqlite:///{path}")
        migrate(database)
        database.close()
        return path.read_bytes()
