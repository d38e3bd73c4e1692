"""Leg rules: which of them match a leg, looked up and not searched for (GTFS, fare_leg_rules.txt)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product

from openstile.fares.values import Feed, LegRule

AreaClass = tuple[str, ...]
"""The areas of a stop that some rule names in a column, sorted: all that matching goes by."""
_ANY = (None,)
_Key = tuple[str | None, str | None, str | None]


@dataclass(slots=True)
class Matches:
    """The rules that match a network and two places; whether timeframes at the start or the end of a leg matter, and
    whether priorities do. Not changed once made."""

    rules: Sequence[LegRule]
    ranked: bool
    from_timed: bool = field(init=False)
    to_timed: bool = field(init=False)

    def __post_init__(self) -> None:
        self.from_timed = any(rule.from_timeframe_id is not None for rule in self.rules)
        self.to_timed = any(rule.to_timeframe_id is not None for rule in self.rules)

    def within(self, from_groups: frozenset[str], to_groups: frozenset[str]) -> list[LegRule]:
        """The rules that match also by time, given the timeframe groups that hold at the start and at the end of the
        leg; of these the ones with the highest priority."""
        found = [
            rule
            for rule in self.rules
            if (rule.from_timeframe_id is None or rule.from_timeframe_id in from_groups)
            and (rule.to_timeframe_id is None or rule.to_timeframe_id in to_groups)
        ]
        if not self.ranked:
            return found
        highest = max([rule.priority or 0 for rule in found], default=0)
        return [rule for rule in found if (rule.priority or 0) == highest]


_NO_MATCHES = Matches((), ranked=False)


class LegRules:
    """The leg rules of a feed in dictionaries.

    Without any rule_priority value in the feed, an empty network or area of a rule stands for those that no rule names
    in the same column: for a leg without a network or a stop without an area, too. A stop with some area that a rule
    names there is not one of the rest. With a value, an empty field is ignored.
    """

    def __init__(self, feed: Feed) -> None:
        self._ranked = feed.has_priority
        rules: dict[_Key, list[LegRule]] = {}
        for rule in feed.leg_rules:
            rules.setdefault((rule.network_id, rule.from_area_id, rule.to_area_id), []).append(rule)
        self._rules = {key: Matches(found, self._ranked) for key, found in rules.items()}
        self._listed_networks = {key[0] for key in self._rules}
        self.networks = frozenset({None, *feed.network_ids, *self._listed_networks})
        from_areas, to_areas = {key[1] for key in self._rules}, {key[2] for key in self._rules}
        self.from_class = {stop: _class(feed.areas_of.get(stop, ()), from_areas) for stop in feed.stops}
        self.to_class = {stop: _class(feed.areas_of.get(stop, ()), to_areas) for stop in feed.stops}

    def match(self, network_id: str | None, from_class: AreaClass, to_class: AreaClass) -> Matches:
        """The rules for a leg in a network between two places, whatever its times."""
        network = network_id if network_id in self._listed_networks else None
        if not self._ranked and len(from_class) <= 1 and len(to_class) <= 1:
            key = (network, from_class[0] if from_class else None, to_class[0] if to_class else None)
            return self._rules.get(key, _NO_MATCHES)
        if self._ranked:
            keys = product({network, None}, (*from_class, None), (*to_class, None))
        else:
            keys = product({network}, from_class or _ANY, to_class or _ANY)
        return Matches([rule for key in keys for rule in self._rules.get(key, _NO_MATCHES).rules], self._ranked)


def _class(areas: Iterable[str], listed: set[str | None]) -> AreaClass:
    return tuple(sorted(area for area in areas if area in listed))
