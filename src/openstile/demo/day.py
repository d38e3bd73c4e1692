"""A day in the city: real crossings at three gates, taps to the office, journeys, money, and forgetting."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from openstile.demo.books import Left, ShownBooks, ShownJourney
from openstile.demo.cast import PIN, Cast
from openstile.demo.city import CURRENCY, HARBOUR_IN, HILL_OUT, HILL_TRAM, CityGate
from openstile.demo.clock import TurnableClock
from openstile.demo.gates import OpenGate
from openstile.demo.office import DemoOffice
from openstile.demo.scenes import Scene, Screen
from openstile.demo.stage import Played, play
from openstile.face import Frame
from openstile.terms.money import Money

NOON, EVENING = "13:00", "22:00"
Shown = Path | Callable[[], str]


@dataclass(frozen=True, slots=True)
class Ride:
    """One crossing of the day: when, at which gate, and what happens there."""

    at: datetime
    gate: CityGate
    scene: Scene


@dataclass(frozen=True, slots=True)
class Day:
    """What came of the day. `at_noon`: amounts charged before the taps of one gate had come; `sent`: taps by gate."""

    rides: tuple[Played, ...]
    sent: Mapping[str, int]
    held: int
    at_noon: tuple[ShownJourney, ...]
    journeys: tuple[ShownJourney, ...]
    books: ShownBooks

    def problems(self, admitted: int) -> list[str]:
        """Everything that is not as it has to be; so many crossings were admitted at all gates."""
        found = [f"city, {played.scene.title}: {played.problem}" for played in self.rides if played.problem]
        if self.held != admitted:
            found.append(f"office: holds {self.held} taps of {admitted} admitted crossings")
        if sum(journey.taps for journey in self.journeys) != admitted:
            found.append("office: not every tap is in one journey")
        if not self.books.balances:
            found.append("ledger: does not balance")
        charged = Counter((journey.rider, journey.amount.minor) for journey in self.journeys)
        if charged != _CHARGED:
            found.append("office: journeys do not cost what the fares say")
        return found


_CHARGED = Counter(
    {
        ("the president", 600): 1,
        ("the president", 260): 2,
        ("the president", 190): 1,
        ("the president", 40): 1,
        ("a rider with a PIN", 160): 1,
        ("a member of staff", 320): 1,
    }
)
"""What each journey of the day has to cost, in cents (demo.city has the fares)."""


def open_accounts(cast: Cast, office: DemoOffice) -> None:
    """Accounts for those who ride, with money on them. Their passes were issued at the desk and are put on them."""
    office.open_account(cast.president, category=None, top_up=Money(2000, CURRENCY))
    office.open_account(cast.pin_rider, category="reduced", top_up=Money(1000, CURRENCY))
    office.open_account(cast.on_phone, category=None, top_up=Money(1000, CURRENCY))


def plan_day(cast: Cast, scenes: tuple[Scene, ...], clock: TurnableClock) -> tuple[Ride, ...]:
    """The day's crossings in their order. Four entries were made in the scenes; some of these are their exits."""
    seen = scenes[0].camera  # the president, second photograph
    screen = Screen(cast.phone, clock)

    def at(hour_minute: str, gate: CityGate, who: str, shown: Shown, camera: tuple[Frame, ...] = ()) -> Ride:
        scene = Scene(
            f"{hour_minute} {gate.name}", who, shown, camera, bool(camera), None, timedelta(0), None if camera else PIN
        )
        return Ride(_at(clock.now(), hour_minute), gate, scene)

    president, pin_rider = cast.president.png, cast.pin_rider.png
    return (
        at("08:02", HILL_OUT, "PIN rider", pin_rider),
        at("08:05", HILL_OUT, "staff", screen.live),
        at("08:15", HILL_TRAM, "PIN rider", pin_rider),
        at("08:40", HILL_OUT, "president", president, seen),
        at("08:50", HILL_TRAM, "president", president, seen),
        at("12:10", HARBOUR_IN, "president", president, seen),
        at("12:35", HILL_OUT, "president", president, seen),
        at("14:30", HILL_TRAM, "president", president, seen),
        at("17:10", HARBOUR_IN, "president", president, seen),
        at("17:35", HILL_OUT, "president", president, seen),
    )


def ride(planned: tuple[Ride, ...], *, gates: Mapping[str, OpenGate], office: DemoOffice, clock: TurnableClock) -> Day:
    """The crossings, each at its time. Until the evening the gate HILL_OUT cannot reach the office."""
    noon, played, at_noon = _at(clock.now(), NOON), list[Played](), tuple[ShownJourney, ...]()
    for each in planned:
        if not at_noon and each.at > noon:
            clock.turn_to(noon)
            _sync(gates, but=HILL_OUT)
            office.price()
            at_noon = office.journeys()
        clock.turn_to(each.at)
        gate = gates[each.gate.name]
        played += play((each.scene,), lane=gate.lane, barrier=gate.barrier, clock=clock)
    clock.turn_to(_at(clock.now(), EVENING))
    _sync(gates)
    office.price()
    sent = {name: gate.journal.receipted().seq for name, gate in gates.items()}
    return Day(tuple(played), sent, office.taps(), at_noon, office.journeys(), office.books())


def forget(*, gates: Mapping[str, OpenGate], office: DemoOffice) -> Left:
    """Everybody lets fade what is old enough by now."""
    for gate in gates.values():
        gate.fade()
    office.forget()
    return office.left(gate_taps=sum(len(gate.journal.taps()) for gate in gates.values()))


def _at(today: datetime, hour_minute: str) -> datetime:
    hour, minute = map(int, hour_minute.split(":"))
    return today.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _sync(gates: Mapping[str, OpenGate], but: CityGate | None = None) -> None:
    for name, gate in gates.items():
        if but is None or name != but.name:
            gate.uplink.sync()
