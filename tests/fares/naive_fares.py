"""Fares v2 once more, as short as can be: every rule is looked at, every choice of rules is tried. Shares nothing with
the engine but the values."""

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from zoneinfo import ZoneInfo

from openstile.fares.rides import Leg, Rider
from openstile.fares.values import Feed, LegRule, TransferRule

Choice = tuple[LegRule, int]
Priced = tuple[int, int, int | None, tuple[tuple[str | None, int], ...]]
"""First leg, last leg, amount, and (product, amount) of each step."""


def price_naively(feed: Feed, legs: Sequence[Leg], rider: Rider) -> list[Priced]:
    """The chains of `legs`; for feeds of one currency."""
    spans = _spans(feed, legs)
    options = [_options(feed, _whole(legs, span), rider) for span in spans]
    made: list[Priced] = []
    begin = 0
    for index in range(len(spans) + 1):
        if index < len(spans) and options[index]:
            continue
        if begin < index:
            made += _best(feed, legs, spans[begin:index], options[begin:index], rider)
        if index < len(spans):
            made.append((*spans[index], None, ()))
        begin = index + 1
    return made


def _price(feed: Feed, product_id: str, rider: Rider) -> int | None:
    found = []
    for row in feed.products:
        if row.product_id != product_id:
            continue
        if row.category_id is not None:
            if rider.category_id is None and not feed.categories[row.category_id].is_default:
                continue
            if rider.category_id is not None and row.category_id != rider.category_id:
                continue
        if rider.media_id is None or row.media_id is None or row.media_id == rider.media_id:
            found.append(row.amount.minor)
    return min(found, default=None)


def _field(value: str | None, of_leg: set[str | None], column: set[str | None], *, ranked: bool) -> bool:
    if value is not None:
        return value in of_leg
    return ranked or not of_leg & column


def _in_frame(feed: Feed, group: str | None, at: datetime | None, stop_id: str | None) -> bool:
    if group is None:
        return True
    if at is None or stop_id is None:
        return False
    local = at.astimezone(ZoneInfo(feed.stops[stop_id].timezone))
    second = local.hour * 3600 + local.minute * 60 + local.second
    return any(
        row.start_s <= second < row.end_s and local.date() in feed.services.get(row.service_id, ())
        for row in feed.timeframes.get(group, ())
    )


def _options(feed: Feed, leg: Leg, rider: Rider) -> list[Choice]:
    ranked = any(rule.priority is not None for rule in feed.leg_rules)
    networks: set[str | None] = {leg.network_id} - {None}
    origins: set[str | None] = set(feed.areas_of.get(leg.from_stop_id, ()))
    targets: set[str | None] = set(feed.areas_of.get(leg.to_stop_id, ())) if leg.to_stop_id else set()
    matching = [
        rule
        for rule in feed.leg_rules
        if _field(rule.network_id, networks, {other.network_id for other in feed.leg_rules}, ranked=ranked)
        and _field(rule.from_area_id, origins, {other.from_area_id for other in feed.leg_rules}, ranked=ranked)
        and _field(rule.to_area_id, targets, {other.to_area_id for other in feed.leg_rules}, ranked=ranked)
        and _in_frame(feed, rule.from_timeframe_id, leg.start, leg.from_stop_id)
        and _in_frame(feed, rule.to_timeframe_id, leg.end, leg.to_stop_id)
    ]
    highest = max((rule.priority or 0 for rule in matching), default=0)
    priced = [(rule, _price(feed, rule.product_id, rider)) for rule in matching if (rule.priority or 0) == highest]
    return [(rule, price) for rule, price in priced if price is not None]


def _station(feed: Feed, stop_id: str) -> str:
    return feed.stops[stop_id].parent_id or stop_id


def _join(feed: Feed, before: Leg, after: Leg) -> bool:
    if before.to_stop_id is None:
        return False
    for rule in feed.join_rules:
        if (rule.from_network_id, rule.to_network_id) != (before.network_id, after.network_id):
            continue
        if rule.from_stop_id is None and rule.to_stop_id is None:
            if _station(feed, before.to_stop_id) == _station(feed, after.from_stop_id):
                return True
        elif rule.from_stop_id in (None, before.to_stop_id, _station(feed, before.to_stop_id)) and rule.to_stop_id in (
            None,
            after.from_stop_id,
            _station(feed, after.from_stop_id),
        ):
            return True
    return False


def _spans(feed: Feed, legs: Sequence[Leg]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for index in range(len(legs)):
        if index and _join(feed, legs[index - 1], legs[index]):
            spans[-1] = (spans[-1][0], index)
        else:
            spans.append((index, index))
    return spans


def _whole(legs: Sequence[Leg], span: tuple[int, int]) -> Leg:
    first, last = legs[span[0]], legs[span[1]]
    return Leg(first.network_id, first.from_stop_id, last.to_stop_id, first.start, last.end)


def _best(
    feed: Feed, legs: Sequence[Leg], spans: list[tuple[int, int]], options: list[list[Choice]], rider: Rider
) -> list[Priced]:
    """Every choice of one rule for each leg; the cheapest; then by leg groups, then by the rules' own order."""
    whole = [_whole(legs, span) for span in spans]
    found = []
    for choice in product(*options):
        chains = _processed(feed, whole, choice, rider)
        total = sum(cost for _, _, cost, _ in chains)
        groups = [rule.leg_group_id or "" for rule, _ in choice]
        found.append((total, groups, [(cost, rule.product_id, rule.line) for rule, cost in choice], chains))
    _, _, _, chains = min(found)
    return [(spans[first][0], spans[last][1], cost, tuple(steps)) for first, last, cost, steps in chains]


def _processed(
    feed: Feed, whole: list[Leg], choice: Sequence[Choice], rider: Rider
) -> list[tuple[int, int, int, list[tuple[str | None, int]]]]:
    """From left to right, as the table under fare_transfer_type says."""
    chains: list[tuple[int, int, int, list[tuple[str | None, int]]]] = []
    run: tuple[tuple[str | None, str | None], int] | None = None  # the groups of equal, consecutive rules, and the leg
    for index, (leg_rule, cost) in enumerate(choice):
        fare = (leg_rule.product_id, cost)
        if index == 0:
            chains.append((0, 0, cost, [fare]))
            continue
        groups = _transfer_groups(feed, choice[index - 1][0].leg_group_id, leg_rule.leg_group_id)
        begun = run[1] if run is not None and run[0] == groups else index - 1
        rule = _transfer(feed, groups, index - begun, whole[begun], whole[index], rider, chains[-1], choice[index])
        if rule is None:
            chains.append((index, index, cost, [fare]))
            run = None
            continue
        first, last, so_far, steps = chains[-1]
        between = (rule.product_id, 0 if rule.product_id is None else _price(feed, rule.product_id, rider) or 0)
        if rule.transfer_type == 2 and first == last:
            so_far, steps = 0, []
        steps = [*steps, between]
        so_far += between[1]
        if rule.transfer_type == 1:
            steps, so_far = [*steps, fare], so_far + cost
        chains[-1] = (first, index, so_far, steps)
        run = (groups, begun) if groups[0] == groups[1] else None
    return chains


def _transfer_groups(feed: Feed, before: str | None, after: str | None) -> tuple[str | None, str | None]:
    named_from = {rule.from_leg_group_id for rule in feed.transfer_rules}
    named_to = {rule.to_leg_group_id for rule in feed.transfer_rules}
    return (before if before in named_from else None), (after if after in named_to else None)


def _transfer(
    feed: Feed,
    groups: tuple[str | None, str | None],
    count: int,
    first: Leg,
    last: Leg,
    rider: Rider,
    chain: tuple[int, int, int, list[tuple[str | None, int]]],
    choice: Choice,
) -> TransferRule | None:
    matching: list[tuple[float, TransferRule]] = []
    for rule in feed.transfer_rules:
        if (rule.from_leg_group_id, rule.to_leg_group_id) != groups:
            continue
        unlimited = groups[0] != groups[1] or rule.count in (None, -1)
        if not unlimited and rule.count is not None and rule.count < count:
            continue
        if rule.duration_s is not None:
            since = first.start if rule.duration_type in (0, 1) else (first.end or first.start)
            until = last.start if rule.duration_type in (1, 2) else (last.end or last.start)
            if (until - since).total_seconds() > rule.duration_s:
                continue
        matching.append((float("inf") if unlimited or rule.count is None else rule.count, rule))
    least = min((limit for limit, _ in matching), default=0.0)
    costs = []
    for limit, rule in matching:
        price = 0 if rule.product_id is None else _price(feed, rule.product_id, rider)
        if limit != least or price is None:
            continue
        if rule.transfer_type == 1:
            price += choice[1]
        if rule.transfer_type == 2 and chain[0] == chain[1]:
            price -= chain[2]
        costs.append((price, rule.product_id or "", rule.duration_s or float("inf"), rule.line, rule))
    return min(costs, key=lambda cost: cost[:4])[4] if costs else None
