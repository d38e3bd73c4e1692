"""The cheapest way to pay for consecutive legs: which rule of each, and which transfers tie them into chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openstile.fares.chains import Chain, Step, StepKind
from openstile.fares.joins import EffectiveLeg
from openstile.fares.offers import Offer
from openstile.fares.rides import Leg
from openstile.fares.transfers import GroupPair, Transfer, TransferRules
from openstile.fares.values import TransferType
from openstile.terms.money import Money

_NO_LIMIT_S = 2**62


@dataclass(frozen=True, slots=True)
class Ride:
    """An effective leg and what may be paid for it, at least one offer."""

    span: EffectiveLeg
    offers: tuple[Offer, ...]


@dataclass(slots=True)
class _Path:
    """The cheapest way to pay for all legs until one, given how it ends.

    `groups` are the leg groups on the way, which decide between ways that cost the same. `run_from` is the leg with
    which the consecutive transfers of the rules `run` began (the leg itself when there was none). `transfer` led to the
    leg; None where a chain begins.
    """

    total: int
    groups: tuple[str, ...]
    offer: Offer
    run: GroupPair | None
    run_from: int
    transfer: Transfer | None
    before: "_Path | None"


def cheapest(
    rides: Sequence[Ride], *, rules: TransferRules, transfers: Mapping[GroupPair, tuple[Transfer, ...]]
) -> list[Chain]:
    """The chains of consecutive legs that cost least in all. All offers are in one currency.

    A leg's rule is chosen; whether a transfer rule applies between two chosen ones is not. Of ways that cost the same
    the one counts whose leg groups come first in the alphabet, leg by leg. Dynamic programming: for each offer of a
    leg, and each leg with which a run of transfers may have begun, the cheapest way there is kept.
    """
    paths = [_Path(offer.price.minor, (offer.group_order,), offer, None, 0, None, None) for offer in rides[0].offers]
    for index in range(1, len(rides)):
        best: dict[tuple[str, GroupPair | None, int, bool], _Path] = {}
        for offer in rides[index].offers:
            for path in paths:
                made = _extend(path, offer, rides, index, rules, transfers)
                key = (offer.group_order, made.run, made.run_from, made.transfer is None)
                known = best.get(key)
                if known is None or (made.total, made.groups) < (known.total, known.groups):
                    best[key] = made
        paths = list(best.values())
    return _chains(rides, min(paths, key=lambda path: (path.total, path.groups)))


def _extend(
    path: _Path,
    offer: Offer,
    rides: Sequence[Ride],
    index: int,
    rules: TransferRules,
    transfers: Mapping[GroupPair, tuple[Transfer, ...]],
) -> _Path:
    """`path` and the leg `index` paid with `offer`: by a transfer where a rule matches, else as a chain of its own."""
    groups = (*path.groups, offer.group_order)
    pair = rules.pair(path.offer.leg_group_id, offer.leg_group_id)
    known = transfers.get(pair)
    if known is not None:
        same = pair[0] == pair[1]
        first = path.run_from if same and path.run == pair else index - 1
        chosen = _choose(known, index - first, rides[first].span.leg, rides[index].span.leg, path, offer)
        if chosen is not None:
            cost, transfer = chosen
            run, run_from = (pair, first) if same else (None, index)
            return _Path(path.total + cost, groups, offer, run, run_from, transfer, path)
    return _Path(path.total + offer.price.minor, groups, offer, None, index, None, path)


def _choose(
    transfers: Sequence[Transfer], count: int, first: Leg, last: Leg, path: _Path, offer: Offer
) -> tuple[int, Transfer] | None:
    """What the rule that applies adds to the cost so far, and the rule; None when none does.

    Of the rules whose limits hold, those with the smallest count; of these the cheapest that is for this rider.
    """
    matching = [transfer for transfer in transfers if transfer.count_max >= count and transfer.in_time(first, last)]
    if not matching:
        return None
    count_max = min(transfer.count_max for transfer in matching)
    best: tuple[int, str, int, int] | None = None
    chosen: Transfer | None = None
    for transfer in matching:
        if transfer.count_max != count_max or transfer.barred:
            continue
        if transfer.price is not None and transfer.price.currency != offer.price.currency:
            continue
        limit_s = _NO_LIMIT_S if transfer.duration_s is None else transfer.duration_s
        order = (_cost(transfer, path, offer), transfer.product_id or "", limit_s, transfer.line)
        if best is None or order < best:
            best, chosen = order, transfer
    return None if best is None or chosen is None else (best[0], chosen)


def _cost(transfer: Transfer, path: _Path, offer: Offer) -> int:
    """By fare_transfer_type: AB after A, AB + B after A, or AB instead of A. Once there was a transfer, what was
    processed stays (S + BC), so the last is as the first."""
    cost = 0 if transfer.price is None else transfer.price.minor
    if transfer.kind is TransferType.A_AND_TRANSFER_AND_B:
        return cost + offer.price.minor
    if transfer.kind is TransferType.TRANSFER_ONLY and path.transfer is None:
        return cost - path.offer.price.minor
    return cost


def _chains(rides: Sequence[Ride], end: _Path) -> list[Chain]:
    """The chains of a way, from its end."""
    way: list[_Path] = []
    path: _Path | None = end
    while path is not None:
        way.append(path)
        path = path.before
    way.reverse()
    chains: list[Chain] = []
    begin = 0
    for index in range(1, len(way) + 1):
        if index == len(way) or way[index].transfer is None:
            chains.append(_chain(rides[begin:index], way[begin:index]))
            begin = index
    return chains


def _chain(rides: Sequence[Ride], way: Sequence[_Path]) -> Chain:
    steps: list[Step] = []
    for index, path in enumerate(way):
        transfer = path.transfer
        if transfer is not None:
            price = Money(0, path.offer.price.currency) if transfer.price is None else transfer.price
            between = (rides[index - 1].span.last, rides[index].span.first)
            steps.append(Step(StepKind.TRANSFER, between, transfer.product_id, price, transfer.line))
            paid = transfer.kind is TransferType.A_AND_TRANSFER_AND_B
        else:
            after = way[1].transfer if len(way) > 1 else None
            paid = after is None or after.kind is not TransferType.TRANSFER_ONLY
        if paid:
            steps.append(_fare(rides[index].span, path.offer))
    total = sum(step.amount.minor for step in steps)
    return Chain(rides[0].span.first, rides[-1].span.last, tuple(steps), Money(total, way[0].offer.price.currency))


def _fare(span: EffectiveLeg, offer: Offer) -> Step:
    kind = StepKind.FARE if span.first == span.last else StepKind.JOINED
    return Step(kind, tuple(range(span.first, span.last + 1)), offer.product_id, offer.price, offer.line)
