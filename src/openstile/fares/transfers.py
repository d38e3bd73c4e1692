"""Transfer rules: what a transfer between two effective legs costs (GTFS, fare_transfer_rules.txt)."""

from collections.abc import Mapping
from dataclasses import dataclass

from openstile.fares.rides import Leg
from openstile.fares.values import DurationType, Feed, TransferRule, TransferType
from openstile.terms.money import Money

GroupPair = tuple[str | None, str | None]
"""The from_leg_group_id and to_leg_group_id of the transfer rules that match a transfer."""
_NO_LIMIT = 2**62
_FROM_ARRIVAL = (DurationType.ARRIVAL_TO_DEPARTURE, DurationType.ARRIVAL_TO_ARRIVAL)
_TO_DEPARTURE = (DurationType.DEPARTURE_TO_DEPARTURE, DurationType.ARRIVAL_TO_DEPARTURE)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer rule for one rider. `price` None: free; `barred`: its product is not for this rider. `order` decides
    between rules that cost the same.

    `duration_s` is measured from the departure of the first leg, or its arrival, to the departure of the last leg, or
    its arrival.
    """

    kind: TransferType
    price: Money | None
    cost: int
    barred: bool
    product_id: str | None
    line: int
    count_max: int
    duration_s: int | None
    from_departure: bool
    to_departure: bool
    order: tuple[str, int, int]

    def in_time(self, first: Leg, last: Leg) -> bool:
        """Whether the time from the `first` leg to the `last` is within the limit, which is so at the limit itself.

        Where an arrival is not known, the departure of the same leg stands for it.
        """
        if self.duration_s is None:
            return True
        since = first.start if self.from_departure else first.end or first.start
        until = last.start if self.to_departure else last.end or last.start
        return (until - since).total_seconds() <= self.duration_s


class TransferRules:
    """The transfer rules of a feed, looked up by leg groups."""

    def __init__(self, feed: Feed) -> None:
        self._rules: dict[GroupPair, list[TransferRule]] = {}
        for rule in feed.transfer_rules:
            self._rules.setdefault((rule.from_leg_group_id, rule.to_leg_group_id), []).append(rule)
        self._listed_from = {pair[0] for pair in self._rules}
        self._listed_to = {pair[1] for pair in self._rules}

    def named(self, group_id: str | None) -> GroupPair:
        """What the rules of a transfer from this leg group have as from_leg_group_id, and those of a transfer to it as
        to_leg_group_id.

        An empty group of a rule stands for those that no rule names in the same column, and for legs without a group.
        So the rules of a transfer all have the same two groups, filled or empty.
        """
        return (
            group_id if group_id in self._listed_from else None,
            group_id if group_id in self._listed_to else None,
        )

    def for_rider(self, prices: Mapping[str, Money]) -> Mapping[GroupPair, tuple[Transfer, ...]]:
        """The rules with what a rider pays, who has a right to the products in `prices`."""
        return {pair: tuple(_transfer(rule, prices) for rule in rules) for pair, rules in self._rules.items()}


def _transfer(rule: TransferRule, prices: Mapping[str, Money]) -> Transfer:
    """A count is for transfers inside one group; -1, and none, are without limit."""
    counted = rule.from_leg_group_id == rule.to_leg_group_id and rule.count is not None and rule.count > 0
    price = None if rule.product_id is None else prices.get(rule.product_id)
    return Transfer(
        kind=rule.transfer_type,
        price=price,
        cost=0 if price is None else price.minor,
        barred=rule.product_id is not None and price is None,
        product_id=rule.product_id,
        line=rule.line,
        count_max=rule.count if counted and rule.count is not None else _NO_LIMIT,
        duration_s=rule.duration_s,
        from_departure=rule.duration_type not in _FROM_ARRIVAL,
        to_departure=rule.duration_type in _TO_DEPARTURE,
        order=(rule.product_id or "", _NO_LIMIT if rule.duration_s is None else rule.duration_s, rule.line),
    )
