"""A small city for tests of pricing: gates with real journals at two stops, riders with accounts, and a tariff."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select
from tests.fares.tariff_workshop import tariff
from tests.office.sync_workshop import START, WorkClock, new_id

from openstile.fares.tariff import Tariff
from openstile.journal import Direction, GateKey, Journal, Tap
from openstile.journal.receipts import Receipt
from openstile.journal.sending import next_batch
from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify
from openstile.office.pricing import open_books, price_due, rider_account
from openstile.office.riders.accounts import open_account
from openstile.office.store.accounts import PASS
from openstile.office.store.database import Database
from openstile.office.store.journeys import JOURNEY
from openstile.office.sync import ingest_batch
from openstile.office.sync.claims import Claim, ClaimedGate, issue_claim, use_claim
from openstile.office.sync.registry import add_gate
from openstile.terms import GateId, PassId
from openstile.terms.money import Money


@dataclass
class CityGate:
    """One gate with its journal; `sent` is the number of the last tap that has a receipt."""

    gate_id: GateId
    direction: Direction
    journal: Journal
    sent: int = 0


@dataclass
class City:
    """An office's database, gates, riders; `clock` is everybody's."""

    database: Database
    folder: Path
    clock: WorkClock = field(default_factory=WorkClock)
    tariff: Tariff = field(default_factory=tariff)
    gates: dict[str, CityGate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.database.write() as connection:
            open_books(Ledger(connection), self.tariff.currency, on=START.date())

    def gate(self, name: str, stop: str, direction: Direction, network: str | None = "tube") -> CityGate:
        """A gate that the office has admitted."""
        key, uplink = GateKey.generate(), GateKey.generate()
        gate_id = GateId(name)
        journal = Journal.open(self.folder / f"{name}.db", key=key, gate=gate_id, monotonic_ns=self.clock.monotonic_ns)
        with self.database.write() as connection:
            add_gate(
                connection, gate_id=gate_id, stop_id=stop, network_id=network, direction=direction, now=self.clock.at
            )
            token = issue_claim(connection, gate_id=gate_id, now=self.clock.at).token
            claim = Claim(
                gate_id=gate_id, token=token, uplink_key=uplink.public_key, journal_key=key.public_key,
                epoch=journal.epoch,
            )  # fmt: skip
            assert isinstance(use_claim(connection, claim, now=self.clock.at, new_id=new_id), ClaimedGate)
        self.gates[name] = CityGate(gate_id, direction, journal)
        return self.gates[name]

    def rider(self, category: str | None = None) -> tuple[str, PassId]:
        """An account with a pass."""
        pass_id = PassId(secrets.token_bytes(16))
        with self.database.write() as connection:
            account = open_account(
                connection, currency=self.tariff.currency, category=category, contact=None, on=START.date(),
                new_id=new_id,
            )  # fmt: skip
            connection.execute(
                PASS.insert().values(
                    pass_id=pass_id.value, account_id=account.account_id, product="single", category=category,
                    reference="face", state="valid", not_before_us=0, expires_us=2**52, replaced_by=None,
                )
            )  # fmt: skip
        return account.account_id, pass_id

    def tap(self, gate: CityGate, pass_id: PassId) -> None:
        """The rider passes the gate, now."""
        gate.journal.append(Tap(pass_id, self.clock.now(), gate.gate_id, "single", gate.direction))

    def sync(self, *gates: CityGate) -> None:
        """The gates send what they have not sent; all of them, where none is named."""
        for gate in gates or self.gates.values():
            place = gate.journal.place(gate.sent)
            assert place is not None
            body = next_batch(gate.journal, after=place, now=self.clock.now(), taps_max=1000)
            if body is None:
                continue
            with self.database.write() as connection:
                receipt = ingest_batch(connection, gate_id=gate.gate_id, body=body, received_at=self.clock.at)
            assert isinstance(receipt, Receipt)
            gate.sent = receipt.seq

    def price(self) -> int:
        """Everything that is due is priced; how many accounts that were."""
        total = 0
        while done := price_due(self.database, tariff=self.tariff, now=self.clock.now, new_id=new_id):
            total += done
        return total

    def balance(self, account_id: str) -> Money:
        """What the account holds."""
        with self.database.read() as connection:
            return Ledger(connection).balance(rider_account(account_id))

    def journeys(self, account_id: str, *, current: bool = True) -> list[Row[Any]]:
        """The account's journeys, the oldest first."""
        chosen = select(JOURNEY).where(JOURNEY.c.account_id == account_id).order_by(JOURNEY.c.started_us)
        with self.database.read() as connection:
            rows = connection.execute(chosen).all()
        return [row for row in rows if row.state != "superseded" or not current]

    def check_books(self) -> None:
        """The ledger is sound and sums to zero."""
        with self.database.read() as connection:
            assert verify(connection).findings == ()
            trial = Ledger(connection).trial_balance()
        assert trial.debits(self.tariff.currency) == trial.credits(self.tariff.currency)

    def at(self, instant: datetime) -> None:
        """Time passes until then."""
        self.clock.turn(seconds=(instant - self.clock.at).total_seconds())
