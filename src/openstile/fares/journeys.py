"""From taps to rides: which taps belong together, and which of them lack their other half."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from openstile.fares.rides import FareTap, JourneyState, Leg, Way
from openstile.fares.rules import MissingExit, Mode, System
from openstile.terms import BadInputError

SystemOf = Callable[[str | None], System]
"""The system of a network id."""


class PricedBy(Enum):
    """What says what a ride costs."""

    FEED = "feed"
    MAXIMUM = "maximum"
    NOTHING = "nothing"
    """An exit tap where only entries are priced: there is nothing to pay."""


@dataclass(slots=True)
class Ride:
    """One ride, and the ids of all its taps in the order of time. `doubles`: taps of it that repeat another one."""

    leg: Leg
    tap_ids: tuple[str, ...]
    state: JourneyState
    priced_by: PricedBy
    system: System
    doubles: int


@dataclass(slots=True)
class _Growing:
    """A ride while its taps come in."""

    system: System
    entry: FareTap | None
    exit: FareTap | None
    tap_ids: list[str] = field(default_factory=list)
    doubles: int = 0

    def is_repeated_by(self, tap: FareTap, system: System) -> bool:
        """Whether `tap` is the newest tap of this ride once more, at the same stop within the system's time."""
        newest = self.exit or self.entry
        if newest is None or newest.way is not tap.way or newest.stop_id != tap.stop_id or self.system is not system:
            return False
        return (tap.at - newest.at).total_seconds() <= system.double_tap_s

    def takes(self, exit_tap: FareTap, system: System) -> bool:
        """Whether an exit tap belongs to this ride: it has an entry and no exit, in one system, and in time."""
        return (
            self.entry is not None
            and self.exit is None
            and self.system is system
            and (exit_tap.at - self.entry.at).total_seconds() <= system.journey_s_max
        )


def rides_of(taps: Iterable[FareTap], *, system_of: SystemOf, now: datetime) -> tuple[Ride, ...]:
    """The rides that the taps of one rider are, in the order of time. Each tap is in exactly one of them.

    The order of `taps` does not matter, and the same tap given twice is one tap. Raises BadInputError where one id
    stands for two taps.
    """
    growing: list[_Growing] = []
    for tap in in_order(taps):
        system = system_of(tap.network_id)
        last = growing[-1] if growing else None
        if last is not None and last.is_repeated_by(tap, system):
            last.doubles += 1
        elif tap.way is Way.IN:
            last = _Growing(system, tap, None)
            growing.append(last)
        elif last is None or not last.takes(tap, system):
            last = _Growing(system, None, tap)
            growing.append(last)
        elif system.mode is Mode.ENTRY_EXIT:
            last.exit = tap
        last.tap_ids.append(tap.tap_id)
    return tuple(_ride(one, is_last=one is growing[-1], now=now) for one in growing)


def in_order(taps: Iterable[FareTap]) -> Sequence[FareTap]:
    """The taps as they happened; of two in one second the exit comes first. Raises BadInputError."""
    by_id: dict[str, FareTap] = {}
    for tap in taps:
        known = by_id.setdefault(tap.tap_id, tap)
        if known is not tap and known != tap:
            raise BadInputError(f"tap {tap.tap_id[:40]!r}: is there twice with different content; give each tap its id")
    return sorted(by_id.values(), key=_order)


def _order(tap: FareTap) -> tuple[datetime, bool, str, str]:
    return tap.at, tap.way is Way.IN, tap.stop_id, tap.tap_id


def _ride(one: _Growing, *, is_last: bool, now: datetime) -> Ride:
    system, tap_ids = one.system, tuple(one.tap_ids)
    first, last = one.entry or one.exit, one.exit
    assert first is not None
    if one.entry is None:  # where it began is not known: the leg is the exit alone
        leg = Leg(first.network_id, first.stop_id, first.stop_id, first.at, first.at)
        if system.mode is Mode.ENTRY:
            return Ride(leg, tap_ids, JourneyState.COMPLETE, PricedBy.NOTHING, system, one.doubles)
        return Ride(leg, tap_ids, JourneyState.MISSING_ENTRY, PricedBy.MAXIMUM, system, one.doubles)
    if system.mode is Mode.ENTRY or last is not None:
        to, end = (None, None) if last is None else (last.stop_id, last.at)
        leg = Leg(first.network_id, first.stop_id, to, first.at, end)
        return Ride(leg, tap_ids, JourneyState.COMPLETE, PricedBy.FEED, system, one.doubles)
    waits = is_last and (now - first.at).total_seconds() <= system.journey_s_max
    state = JourneyState.OPEN if waits else JourneyState.MISSING_EXIT
    if system.missing_exit is MissingExit.ENTRY_ZONE:
        leg = Leg(first.network_id, first.stop_id, first.stop_id, first.at, first.at)
        return Ride(leg, tap_ids, state, PricedBy.FEED, system, one.doubles)
    leg = Leg(first.network_id, first.stop_id, None, first.at, None)
    return Ride(leg, tap_ids, state, PricedBy.MAXIMUM, system, one.doubles)
