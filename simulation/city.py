"""A small city: gates, a network, an office, riders; what happens in it is up to a week's plan, or to a test."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from openstile.fares.price import price_taps
from openstile.fares.rides import FareTap, Rider, Way
from openstile.gate.uplink import OfficeRefusedError
from openstile.journal import Direction
from openstile.office.store.database import OfficeDatabaseError
from openstile.terms import GateId, OpenstileError, PassId
from simulation.clocks import TrueClock
from simulation.gates import SimulatedGate
from simulation.office import RETENTION, SimulatedOffice
from simulation.truth import Truth
from simulation.wire import Weather, Wire

_LATE = timedelta(hours=RETENTION.trips_hours - 4)
"""Taps that the office knows only so long after they were made may be priced apart from journeys that have faded."""
_CALM = Weather()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gate stands."""

    stop: str
    network: str


@dataclass
class City:
    """All of it, on a disk at `folder`; `url` is of an empty database where the office's shall not be SQLite."""

    folder: Path
    chance: random.Random
    url: str | None = None
    clock: TrueClock = field(default_factory=TrueClock)
    truth: Truth = field(default_factory=Truth)
    gates: dict[GateId, SimulatedGate] = field(default_factory=dict)
    places: dict[GateId, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.office = SimulatedOffice(self.folder / "office", self.clock, self.chance, self.url)
        self.wire = Wire(self.office.app, self.clock, self.chance)

    def add_gate(self, name: str, place: Place, direction: Direction) -> SimulatedGate:
        """A gate that the office has admitted."""
        gate_id = GateId(name)
        token = self.office.add_gate(gate_id, place.stop, place.network, direction)
        gate = SimulatedGate(
            self.folder / name, gate_id, direction, true=self.clock, wire=self.wire, truth=self.truth,
            chance=self.chance,
        )  # fmt: skip
        gate.join(token)
        self.gates[gate_id], self.places[gate_id] = gate, place
        return gate

    def tried(self, action: Callable[[], object]) -> None:
        """What the network, the disk or a closed office prevent is tried again later, by who does it.

        Raises OfficeRefusedError for a gate whose key the office does not know any more.
        """
        try:
            action()
        except OfficeDatabaseError:
            self.office.database.failing = 0.0
        except OpenstileError as error:
            if isinstance(error, OfficeRefusedError) and error.problem == "bad-signature":
                raise

    def claim_anew(self, gate: SimulatedGate) -> None:
        """A gate that was restored to a key which the office has retired gets another one, by staff."""
        gate.renew_key()
        gate.join(self.office.new_claim(gate.gate_id))

    def look(self) -> None:
        """Keeps in mind what the office has stored since the last look."""
        self.truth.seen(self.office.new_taps())

    def review(self) -> None:
        """Staff look at what waits."""
        self.look()
        before = self.office.taps
        self.office.review()
        self.truth.rejected(
            tap.key for tap_id, tap in self.office.taps.items() if tap.repeats and not before[tap_id].repeats
        )

    def fade(self) -> None:
        """Trips fade at the office."""
        self.look()
        self.office.fade()

    def make_backup(self) -> None:
        """Of the office."""
        self.look()
        self.office.make_backup()

    def put_backup_back(self) -> None:
        """The office's database is lost, and its last backup takes its place."""
        if not self.office.put_backup_back():
            return
        stored = Truth()
        stored.seen(tap.key for tap in self.office.taps.values() if not tap.repeats)
        self.truth.office_restored(stored.stored, {tap for gate in self.gates.values() for tap in gate.taps()})
        for gate in self.gates.values():
            gate.believes_wrongly = True

    def settle(self) -> None:
        """Half a day in which everything works: all is sent, looked at and priced."""
        self.wire.weather, self.wire.closed, self.office.database.failing = _CALM, False, 0.0
        self.wire.planned.clear()
        self.office.database.planned = None
        for gate in self.gates.values():
            gate.offline, gate.clock.ahead = False, timedelta(0)
            gate.fill_disk(full=False)
        for _ in range(3):
            self.clock.at += timedelta(hours=4)
            for gate in self.gates.values():
                self._sync_for_good(gate)
            while self.wire.late:
                self.wire.bring(0)
            self.office.price()
            self.review()
        self.office.price()

    def faults(self) -> list[str]:
        """What is wrong when all has settled."""
        priced_at = {tap.key: tap.priced_at for tap in self.office.taps.values() if tap.priced_at is not None}
        timeless = {tap.key for tap in self.office.taps.values() if tap.timeless}
        return [
            *self.truth.faults(),
            *self.truth.misdated(priced_at),
            *self.truth.timeless(timeless),
            *self.office.faults(),
            *self._wrong_amounts(),
        ]

    def faults_now(self) -> list[str]:
        """What is wrong whatever is under way."""
        self.look()
        return [*self.truth.faults_now(), *self.office.faults_now()]

    def left(self) -> list[str]:
        """What is left of trips half a month later."""
        self.clock.at += timedelta(days=15)
        self.office.price()
        self.office.fade()
        return self.office.left()

    def reckoned(self) -> list[str]:
        """Accounts whose taps all came before others of their days faded: what they pay can be reckoned apart."""
        late = {
            tap.key.pass_id
            for tap in self.office.taps.values()
            if not (tap.repeats or tap.timeless) and (tap.priced_at is None or tap.known_at - tap.priced_at > _LATE)
        }
        return [account for account, rider in self.office.accounts.items() if rider not in late]

    def close(self) -> None:
        """Everything ends."""
        for gate in self.gates.values():
            gate.journal.close()
        self.wire.close()
        self.office.database.close()

    def _sync_for_good(self, gate: SimulatedGate) -> None:
        try:
            gate.sync()
        except OfficeRefusedError as error:
            if error.problem != "bad-signature":
                raise
            self.claim_anew(gate)
            gate.sync()

    def _wrong_amounts(self) -> list[str]:
        """Riders pay what all their taps cost, priced at once by somebody who forgot nothing."""
        charged, now, wrong = self.office.charged(), self.clock.now(), []
        taps = self._fare_taps()
        for account in self.reckoned():
            mine = taps.get(self.office.accounts[account], [])
            journeys = price_taps(self.office.tariff, rider=Rider(), taps=mine, now=now)
            if sum(journey.amount.minor for journey in journeys) != charged[account].minor:
                wrong.append(account)
        return [f"{len(wrong)} riders paid something else than their rides cost"] if wrong else []

    def _fare_taps(self) -> dict[PassId, list[FareTap]]:
        taps: dict[PassId, list[FareTap]] = {}
        for tap_id, tap in self.office.taps.items():
            if tap.priced_at is None:
                continue
            place, way = self.places[tap.key.gate], Way(self.gates[tap.key.gate].direction.value)
            taps.setdefault(tap.key.pass_id, []).append(
                FareTap(str(tap_id), tap.priced_at, place.stop, place.network, way)
            )
        return taps
