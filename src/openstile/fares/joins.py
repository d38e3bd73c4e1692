"""Join rules: legs that count as one effective leg (GTFS, fare_leg_join_rules.txt)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openstile.fares.rides import Leg
from openstile.fares.values import JoinRule, Stop


@dataclass(slots=True)
class EffectiveLeg:
    """Legs `first` to `last` (indices, both inclusive) as the one leg that leg rules see."""

    first: int
    last: int
    leg: Leg


class JoinRules:
    """The join rules of a feed, looked up by the networks of the two legs."""

    def __init__(self, rules: Sequence[JoinRule], stops: Mapping[str, Stop]) -> None:
        self._stops = stops
        self._places: dict[tuple[str, str], set[tuple[str | None, str | None]]] = {}
        for rule in rules:
            places = self._places.setdefault((rule.from_network_id, rule.to_network_id), set())
            places.add((rule.from_stop_id, rule.to_stop_id))

    def effective(self, legs: Sequence[Leg]) -> tuple[EffectiveLeg, ...]:
        """The legs as leg rules see them: each run of transfers that all match a join rule is one leg, with the first
        one's origin and start and the last one's destination and end."""
        if not self._places:
            return tuple([EffectiveLeg(index, index, leg) for index, leg in enumerate(legs)])
        made: list[EffectiveLeg] = []
        first = 0
        for last in range(len(legs)):
            if last + 1 < len(legs) and self.join(legs[last], legs[last + 1]):
                continue
            made.append(EffectiveLeg(first, last, _joined(legs[first : last + 1])))
            first = last + 1
        return tuple(made)

    def join(self, before: Leg, after: Leg) -> bool:
        """Whether some rule says that these two consecutive legs count as one.

        Where it ended must be known of the first. A rule without stops wants both in one station, or at one stop.
        """
        if before.network_id is None or after.network_id is None or before.to_stop_id is None:
            return False
        places = self._places.get((before.network_id, after.network_id))
        if not places:
            return False
        ends, starts = self._with_parents(before.to_stop_id), self._with_parents(after.from_stop_id)
        if (None, None) in places and ends[-1] == starts[-1]:
            return True
        ends_or_any, starts_or_any = (*ends, None), (*starts, None)
        return any(
            (end, start) in places for end in ends_or_any for start in starts_or_any if (end, start) != (None, None)
        )

    def _with_parents(self, stop_id: str) -> tuple[str, ...]:
        """A stop, then the station that it belongs to (of a boarding area: its platform, then the station)."""
        found = [stop_id]
        while (stop := self._stops.get(found[-1])) is not None and stop.parent_id not in (None, *found):
            assert stop.parent_id is not None
            found.append(stop.parent_id)
        return tuple(found)


def _joined(legs: Sequence[Leg]) -> Leg:
    """One leg for several. The reference wants one network of all; where a feed joins two, none of them is it."""
    first, last = legs[0], legs[-1]
    if len(legs) == 1:
        return first
    network_id = first.network_id if all(leg.network_id == first.network_id for leg in legs) else None
    return Leg(network_id, first.from_stop_id, last.to_stop_id, first.start, last.end)
