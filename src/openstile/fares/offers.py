"""What one rider may pay for a leg: the products of the leg rules that match it, the cheapest of each leg group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openstile.fares.match import AreaClass, LegRules, Matches
from openstile.fares.rides import Leg
from openstile.fares.timeframes import Timeframes
from openstile.fares.transfers import GroupPair, Transfer, TransferRules
from openstile.fares.values import LegRule, Stop
from openstile.terms.limits import FARE_CACHED_MAX
from openstile.terms.money import Money

_Groups = tuple[frozenset[str], frozenset[str]]
_Cell = tuple[Matches, dict[_Groups, tuple["Offer", ...]]]
"""What matches a network and two places, and what it was found to offer by timeframe groups."""
_NO_GROUPS: frozenset[str] = frozenset()
_TIMES_CACHED_MAX = 256
"""Combinations of timeframe groups that are remembered of one pair of places."""


@dataclass(slots=True)
class Offer:
    """A product that pays for a leg, and the leg rule that says so. Not changed once made.

    `group` is the leg group for sorting, no group first; `leaves` and `enters` are what transfer rules name it
    (TransferRules.named).
    """

    group: str
    leaves: str | None
    enters: str | None
    price: Money
    product_id: str
    line: int

    @property
    def order(self) -> tuple[int, str, int]:
        """The cheapest first, then by the product's id, so that the order of rules in a file does not matter."""
        return self.price.minor, self.product_id, self.line


@dataclass(slots=True)
class RiderFares:
    """The fares of riders of one category with one kind of media."""

    rules: LegRules
    stops: Mapping[str, Stop]
    timeframes: Timeframes
    prices: Mapping[str, Money]
    transfer_rules: TransferRules
    transfers: Mapping[GroupPair, tuple[Transfer, ...]]
    _cells: dict[tuple[str | None, AreaClass, AreaClass], _Cell] = field(default_factory=dict)

    def offers(self, leg: Leg) -> tuple[Offer, ...]:
        """What may be paid for `leg`: one offer of each leg group, by group, all in one currency.

        None when no rule matches, no product is for this rider, or the leg is at a stop or in a network that the feed
        does not have. Where nobody taps out, the destination is in no area and no timeframe.
        """
        from_class = self.rules.from_class.get(leg.from_stop_id)
        to_class = () if leg.to_stop_id is None else self.rules.to_class.get(leg.to_stop_id)
        if from_class is None or to_class is None or leg.network_id not in self.rules.networks:
            return ()
        key = (leg.network_id, from_class, to_class)
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= FARE_CACHED_MAX:
                self._cells.clear()
            cell = self._cells[key] = (self.rules.match(*key), {})
        matches, known = cell
        groups = self._groups(leg, matches)
        found = known.get(groups)
        if found is None:
            if len(known) >= _TIMES_CACHED_MAX:
                known.clear()
            found = known[groups] = self._offers(matches.within(*groups))
        return found

    def _groups(self, leg: Leg, matches: Matches) -> _Groups:
        """The timeframe groups at the start and at the end of a leg, where they matter."""
        start = end = _NO_GROUPS
        if matches.from_timed:
            start = self.timeframes.at(leg.start, self.stops[leg.from_stop_id].timezone)
        if matches.to_timed and leg.end is not None and leg.to_stop_id is not None:
            end = self.timeframes.at(leg.end, self.stops[leg.to_stop_id].timezone)
        return start, end

    def _offers(self, rules: Iterable[LegRule]) -> tuple[Offer, ...]:
        """Amounts of two currencies cannot be compared: the one that comes first in the alphabet counts."""
        offers = [
            Offer(
                rule.leg_group_id or "",
                *self.transfer_rules.named(rule.leg_group_id),
                price,
                rule.product_id,
                rule.line,
            )
            for rule in rules
            if (price := self.prices.get(rule.product_id)) is not None
        ]
        if len(offers) <= 1:
            return tuple(offers)
        currency = min([offer.price.currency for offer in offers])
        best: dict[str, Offer] = {}
        for offer in offers:
            known = best.get(offer.group)
            if offer.price.currency == currency and (known is None or offer.order < known.order):
                best[offer.group] = offer
        return tuple([best[group] for group in sorted(best)])
