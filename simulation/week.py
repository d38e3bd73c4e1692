"""One week: who rides where and when, what goes wrong meanwhile, and what must be true at its end."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from openstile.fares.price import price_taps
from openstile.fares.rides import FareTap, Rider, Way
from openstile.gate.uplink import OfficeRefusedError
from openstile.journal import Direction
from openstile.office.store.database import OfficeDatabaseError
from openstile.terms import GateId, OpenstileError, PassId
from simulation.clocks import START, TrueClock
from simulation.gates import SimulatedGate
from simulation.office import SimulatedOffice
from simulation.truth import Truth
from simulation.wire import Weather, Wire

_RAIL_STOPS = ("bank", "oxford", "stratford", "wimbledon")
_BUS_STOPS = ("aldgate", "hackney")
_MEMORY = Path("/dev/shm")
"""A disk that is never flushed: what is tested is the order of things, not the disk."""
_LATE = timedelta(hours=12)
"""Taps that come later may be priced apart from journeys that fade meanwhile."""
_MISHAPS = ("restart", "offline", "wrong clock", "copied, and put back later", "disk full", "new key", "sync")
_CALM = Weather()
_ROUGH = Weather(request_lost=0.1, answer_lost=0.1, doubled=0.05, held_back=0.05)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a week is."""

    gates: int = 50
    riders: int = 40
    days: int = 7


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a week ended. `faults` is empty when all is as it must be."""

    seed: int
    faults: tuple[str, ...]
    taps: int
    stored: int
    requests: int
    lost: int
    mishaps: tuple[str, ...]
    exact: int
    seconds: float


@dataclass
class Week:
    """A week that is under way."""

    seed: int
    size: Size
    folder: Path
    url: str | None = None
    mishaps: list[str] = field(default_factory=list)
    taps: int = 0
    clock: TrueClock = field(default_factory=TrueClock)
    truth: Truth = field(default_factory=Truth)
    rides: dict[PassId, list[FareTap]] = field(default_factory=dict)
    places: dict[tuple[str, str, Direction], list[SimulatedGate]] = field(default_factory=dict)
    stop_of: dict[GateId, tuple[str, str]] = field(default_factory=dict)
    troubled: set[PassId] = field(default_factory=set)
    """Riders whose taps came late or at a wrong time: what they pay is checked against the books alone."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.office = SimulatedOffice(self.folder / "office", self.clock, self.chance, self.url)
        self.wire = Wire(self.office.app, self.clock, self.chance)
        self._events: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = count()
        self.gates = [self._gate(number) for number in range(self.size.gates)]
        self.riders = [self.office.add_rider() for _ in range(self.size.riders)]
        self.end = START + timedelta(days=self.size.days)
        self._plan()

    def run(self) -> list[str]:
        """The week, and a day behind it in which everything works; returns what is wrong."""
        while self._events:
            at, _, happens = heappop(self._events)
            self.clock.at = max(self.clock.at, at)
            happens()
        self._settle()
        faults = [*self.truth.faults(), *self.office.faults(stored=len(self.office.seen)), *self._wrong_amounts()]
        self.clock.at += timedelta(days=15)
        self.office.price()
        self.office.fade()
        return faults + self.office.left()

    def close(self) -> None:
        """Everything ends."""
        for gate in self.gates:
            gate.journal.close()
        self.wire.close()
        self.office.database.close()

    # What was planned.

    def _gate(self, number: int) -> SimulatedGate:
        gate_id = GateId(f"gate-{number}")
        kind = number % 5
        network, stops = ("bus", _BUS_STOPS) if kind == 4 else ("tube", _RAIL_STOPS)
        direction = Direction.OUT if kind in (1, 3) else Direction.IN
        stop = stops[number // 5 % len(stops)]
        token = self.office.add_gate(gate_id, stop, network, direction)
        gate = SimulatedGate(
            self.folder / gate_id.value, gate_id, direction, true=self.clock, wire=self.wire, truth=self.truth,
            chance=self.chance,
        )  # fmt: skip
        gate.join(token)
        self.places.setdefault((network, stop, direction), []).append(gate)
        self.stop_of[gate_id] = (stop, network)
        return gate

    def _plan(self) -> None:
        chance, days = self.chance, self.size.days
        for day in range(days):
            for rider in self.riders:
                for hour in (5.5 + chance.random() * 3, 13 + chance.random() * 6):
                    self._at(day, hour, partial(self._ride, rider))
            for hour in range(24):
                self._at(day, hour + 0.1, self._hour)
        for _ in range(self.size.gates * days // 2):
            gate = chance.choice(self.gates)
            self._at(chance.randrange(days), chance.random() * 24, partial(self._mishap, gate))
        for gate in self.gates:
            for day in range(days):
                for part in range(6):
                    self._at(day, part * 4 + chance.random() * 4, partial(self._sync, gate))
            self._at(days - 1, 12 + chance.random(), partial(self._tried, gate.change_key))
        self._at(0, 0, lambda: setattr(self.wire, "weather", _ROUGH))
        for day in range(days):
            out = chance.random() * 20
            self._at(day, out, lambda: self._close_office(closed=True))
            self._at(day, out + chance.random() * 3, lambda: self._close_office(closed=False))

    def _at(self, day: float, hour: float, happens: Callable[[], object]) -> None:
        at = START + timedelta(days=day, hours=hour)
        heappush(self._events, (at, next(self._numbers), happens))

    def _later(self, hours: float, happens: Callable[[], object]) -> None:
        heappush(self._events, (self.clock.at + timedelta(hours=hours), next(self._numbers), happens))

    # What happens.

    def _ride(self, rider: PassId) -> None:
        chance = self.chance
        if chance.random() < 0.3:
            self._tap("bus", chance.choice(_BUS_STOPS), Direction.IN, rider)
            if chance.random() < 0.5:
                self._later(0.3, lambda: self._tap("bus", chance.choice(_BUS_STOPS), Direction.IN, rider))
            return
        origin, destination = chance.sample(_RAIL_STOPS, 2)
        if chance.random() > 0.03:
            self._tap("tube", origin, Direction.IN, rider)
        if chance.random() > 0.05:
            self._later(0.4 + chance.random(), lambda: self._tap("tube", destination, Direction.OUT, rider))

    def _tap(self, network: str, stop: str, direction: Direction, rider: PassId) -> None:
        gate = self.chance.choice(self.places.get((network, stop, direction)) or self.gates)
        self.clock.at += timedelta(microseconds=self.chance.randrange(1, 10**6))
        if not gate.tap(rider):
            return
        self.taps += 1
        stop, network = self.stop_of[gate.gate_id]
        tap = FareTap(str(self.taps), self.clock.at, stop, network, Way(gate.direction.value))
        self.rides.setdefault(rider, []).append(tap)
        if gate.clock.ahead:
            self.troubled.add(rider)

    def _sync(self, gate: SimulatedGate) -> None:
        self._tried(gate.sync)

    def _hour(self) -> None:
        self.office.database.failing = 0.1
        self._tried(self.office.price)
        self.office.database.failing = 0.0
        self._look()
        hour = (self.clock.at - START) // timedelta(hours=1)
        if hour % 8 == 7:
            self.office.review()
        if hour % 6 == 5:
            self.office.price()
            self.office.fade()
            for gate in self.gates:
                gate.fade()
        self.office.database.failing = 0.02

    def _look(self) -> None:
        """What the office has stored since the last look."""
        new = self.office.new_taps()
        self.truth.seen(tap for tap, _ in new)
        self.troubled.update(tap.pass_id for tap, took_us in new if timedelta(microseconds=took_us) > _LATE)

    def _mishap(self, gate: SimulatedGate) -> None:
        chance, kind = self.chance, self.chance.randrange(7)
        self.mishaps.append(f"{self.clock.at:%a %H:%M} {gate.gate_id}: {_MISHAPS[kind]}")
        if kind == 0:
            gate.restart()
        elif kind == 1:
            gate.offline = True
            self._later(chance.choice((2, 12, 60)), lambda: setattr(gate, "offline", False))
        elif kind == 2:
            gate.clock.ahead = timedelta(seconds=chance.choice((-90, 30, 600, -7200, 86_400)))
            self._later(chance.random() * 12, lambda: setattr(gate.clock, "ahead", timedelta(0)))
        elif kind == 3:
            gate.make_copy()
            self._later(chance.random() * 48, lambda: self._put_back(gate))
        elif kind == 4:
            gate.fill_disk(full=True)
            self._later(chance.random() * 6, lambda: gate.fill_disk(full=False))
        elif kind == 5:
            self._tried(gate.change_key)
        else:
            self._tried(gate.sync)

    def _put_back(self, gate: SimulatedGate) -> None:
        if gate.put_copy_back():
            self.mishaps.append(f"{self.clock.at:%a %H:%M} {gate.gate_id}: copy put back")
            self.troubled.update(tap.pass_id for tap in self.truth.lost if tap.gate == gate.gate_id)

    def _close_office(self, *, closed: bool) -> None:
        self.wire.closed = closed

    def _tried(self, action: Callable[[], object]) -> None:
        """What the network, the disk or a closed office prevent is tried again later, by who does it."""
        try:
            action()
        except OfficeDatabaseError:
            self.office.database.failing = 0.0
        except OpenstileError:
            pass

    # How it ends.

    def _settle(self) -> None:
        """A day behind the week in which all gates work: everything is sent, looked at and priced."""
        self.wire.weather, self.wire.closed, self.office.database.failing = _CALM, False, 0.0
        for gate in self.gates:
            gate.offline, gate.clock.ahead = False, timedelta(0)
            gate.fill_disk(full=False)
        for _ in range(3):
            self.clock.at += timedelta(hours=4)
            for gate in self.gates:
                self._sync_for_good(gate)
            self._look()
            self.office.price()
            self.office.review()
        self.office.price()

    def _sync_for_good(self, gate: SimulatedGate) -> None:
        """A gate that was restored to a key which the office has retired is claimed again, by staff."""
        try:
            gate.sync()
        except OfficeRefusedError as error:
            if error.problem != "bad-signature":
                raise
            gate.renew_key()
            gate.join(self.office.new_claim(gate.gate_id))
            gate.sync()

    def _wrong_amounts(self) -> list[str]:
        """Riders without trouble paid what all their taps cost, priced at once by somebody who forgot nothing."""
        charged, wrong, now = self.office.charged(), [], self.clock.now()
        for account, rider in self.office.accounts.items():
            if rider in self.troubled:
                continue
            journeys = price_taps(self.office.tariff, rider=Rider(), taps=self.rides.get(rider, []), now=now)
            if sum(journey.amount.minor for journey in journeys) != charged[account].minor:
                wrong.append(account)
        return [f"{len(wrong)} riders paid something else than their rides cost"] if wrong else []


def run_week(seed: int, size: Size | None = None, *, url: str | None = None) -> Outcome:
    """The week of `seed`. Its disks are in memory where the machine has such a folder."""
    began = time.perf_counter()
    with _scratch() as folder:
        week = Week(seed, size or Size(), folder, url)
        try:
            faults = week.run()
        finally:
            week.close()
    exact = len(set(week.riders) - week.troubled)
    return Outcome(
        seed, tuple(faults), week.taps, len(week.office.seen), week.wire.asked, week.wire.lost, tuple(week.mishaps),
        exact, time.perf_counter() - began,
    )  # fmt: skip


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="openstile-week-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
