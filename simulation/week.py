"""One week: who rides where and when, and what goes wrong meanwhile."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from openstile.gate.uplink import OfficeRefusedError
from openstile.journal import Direction
from openstile.terms import PassId
from simulation.city import City, Place
from simulation.clocks import START
from simulation.gates import SimulatedGate
from simulation.wire import Weather

_RAIL_STOPS = ("bank", "oxford", "stratford", "wimbledon")
_BUS_STOPS = ("aldgate", "hackney")
_MEMORY = Path("/dev/shm")
"""A disk that is never flushed: what is tested is the order of things, not the disk."""
_MISHAPS = ("restart", "offline", "wrong clock", "copied, and put back later", "disk full", "new key", "sync")
_ROUGH = Weather(request_lost=0.1, answer_lost=0.1, doubled=0.05, held_back=0.05)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a week is."""

    gates: int = 50
    riders: int = 60
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
    """Riders whose amounts were reckoned apart: all but those whose taps came when others had faded."""
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
    places: dict[tuple[str, str, Direction], list[SimulatedGate]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.city = City(self.folder, self.chance, self.url)
        self._events: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = count()
        self.gates = [self._gate(number) for number in range(self.size.gates)]
        self.riders = [self.city.office.add_rider() for _ in range(self.size.riders)]
        self._plan()

    def run(self) -> list[str]:
        """The week, and half a day behind it in which everything works; returns what is wrong."""
        clock, end = self.city.clock, START + timedelta(days=self.size.days)
        while self._events and self._events[0][0] < end:
            at, _, happens = heappop(self._events)
            clock.at = max(clock.at, at)
            happens()
        self.city.settle()
        return self.city.faults() + self.city.left()

    # What was planned.

    def _gate(self, number: int) -> SimulatedGate:
        kind = number % 5
        network, stops = ("bus", _BUS_STOPS) if kind == 4 else ("tube", _RAIL_STOPS)
        direction = Direction.OUT if kind in (1, 3) else Direction.IN
        stop = stops[number // 5 % len(stops)]
        gate = self.city.add_gate(f"gate-{number}", Place(stop, network), direction)
        self.places.setdefault((network, stop, direction), []).append(gate)
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
                for part in range(3):
                    self._at(day, part * 8 + chance.random() * 8, partial(self._sync, gate))
                self._at(day, chance.random() * 24, gate.fade)
            self._at(days - 1, 12 + chance.random(), partial(self._asks, gate, gate.change_key))
        self._at(0, 0, lambda: setattr(self.city.wire, "weather", _ROUGH))
        for day in range(days):
            out = chance.random() * 20
            self._at(day, out, lambda: self._close_office(closed=True))
            self._at(day, out + chance.random() * 3, lambda: self._close_office(closed=False))

    def _at(self, day: float, hour: float, happens: Callable[[], object]) -> None:
        at = START + timedelta(days=day, hours=hour)
        heappush(self._events, (at, next(self._numbers), happens))

    def _later(self, hours: float, happens: Callable[[], object]) -> None:
        heappush(self._events, (self.city.clock.at + timedelta(hours=hours), next(self._numbers), happens))

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
        self.city.clock.at += timedelta(microseconds=self.chance.randrange(1, 10**6))
        self.taps += gate.tap(rider)

    def _sync(self, gate: SimulatedGate) -> None:
        self._asks(gate, gate.sync)

    def _asks(self, gate: SimulatedGate, action: Callable[[], object]) -> None:
        """A gate that the office refuses is claimed anew, when somebody has time for it."""
        try:
            self._tried(action)
        except OfficeRefusedError:
            self._later(self.chance.random() * 12, partial(self._claim_anew, gate))

    def _claim_anew(self, gate: SimulatedGate) -> None:
        with suppress(OfficeRefusedError):
            self._tried(lambda: self.city.claim_anew(gate))

    def _hour(self) -> None:
        city, disk = self.city, self.city.office.database
        hour = (city.clock.at - START) // timedelta(hours=1)
        if hour % 2:
            disk.failing = 0.1
            self._tried(city.office.price)
        disk.failing = 0.0
        city.look()
        if hour % 8 == 7:
            city.review()
        if hour % 6 == 5:
            city.office.price()
            city.fade()
        disk.failing = 0.02

    def _mishap(self, gate: SimulatedGate) -> None:
        chance, kind = self.chance, self.chance.randrange(7)
        self.mishaps.append(f"{self.city.clock.at:%a %H:%M} {gate.gate_id}: {_MISHAPS[kind]}")
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
            self._asks(gate, gate.change_key)
        else:
            self._sync(gate)

    def _put_back(self, gate: SimulatedGate) -> None:
        if gate.put_copy_back():
            self.mishaps.append(f"{self.city.clock.at:%a %H:%M} {gate.gate_id}: copy put back")

    def _close_office(self, *, closed: bool) -> None:
        self.city.wire.closed = closed

    def _tried(self, action: Callable[[], object]) -> None:
        self.city.tried(action)


def run_week(seed: int, size: Size | None = None, *, url: str | None = None) -> Outcome:
    """The week of `seed`. Its disks are in memory where the machine has such a folder."""
    began = time.perf_counter()
    with scratch() as folder:
        week = Week(seed, size or Size(), folder, url)
        try:
            faults, city = week.run(), week.city
            return Outcome(
                seed, tuple(faults), week.taps, len(city.office.taps), city.wire.asked, city.wire.lost,
                tuple(week.mishaps), len(city.reckoned()), time.perf_counter() - began,
            )  # fmt: skip
        finally:
            week.city.close()


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder, in memory where the machine has such a one."""
    folder = Path(tempfile.mkdtemp(prefix="openstile-week-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
