"""The cheapest way to pay for consecutive legs: which rule of each, and which transfers tie them into chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openstile.fares.chains import Chain, Step, StepKind
from openstile.fares.joins import EffectiveLeg
from openstile.fares.offers import Offer
from openstile.fares.rides import Leg
from openstile.fares.transfers import GroupPair, Transfer
from openstile.fares.values import TransferType
from openstile.terms.money import Money

_Transfers = Mapping[GroupPair, tuple[Transfer, ...]]


@dataclass(slots=True)
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


def cheapest(rides: Sequence[Ride], transfers: _Transfers) -> list[Chain]:
    """The chains of consecutive legs that cost least in all. All offers are in one currency.

    A leg's rule is chosen; whether a transfer rule applies between two chosen ones is not. Of ways that cost the same
    the one counts whose leg groups come first in the alphabet, leg by leg. Dynamic programming: for each offer of a
    leg, and each leg with which a run of transfers may have begun, the cheapest way there is kept.
    """
    paths = [_Path(offer.price.minor, (offer.group,), offer, None, 0, None, None) for offer in rides[0].offers]
    for index in range(1, len(rides)):
        made = [_extend(path, offer, rides, index, transfers) for offer in rides[index].offers for path in paths]
        paths = made if len(made) == 1 else _kept(made)
    return _chains(rides, paths[0] if len(paths) == 1 else min(paths, key=_order))


def _order(path: _Path) -> tuple[int, tuple[str, ...]]:
    return path.total, path.groups


def _kept(paths: Sequence[_Path]) -> list[_Path]:
    """The cheapest of the ways that end alike: what may follow costs the same after each of them."""
    best: dict[tuple[str, GroupPair | None, int, bool], _Path] = {}
    for path in paths:
        key = (path.offer.group, path.run, path.run_from, path.transfer is None)
        known = best.get(key)
        if known is None or _order(path) < _order(known):
            best[key] = path
    return list(best.values())


def _extend(path: _Path, offer: Offer, rides: Sequence[Ride], index: int, transfers: _Transfers) -> _Path:
    """`path` and the leg `index` paid with `offer`: by a transfer where a rule matches, else as a chain of its own."""
    groups = (*path.groups, offer.group)
    pair = (path.offer.leaves, offer.enters)
    known = transfers.get(pair)
    if known is not None:
        same = pair[0] == pair[1]
        first = path.run_from if same and path.run == pair else index - 1
        transfer = _choose(known, index - first, rides[first].span.leg, rides[index].span.leg, path, offer)
        if transfer is not None:
            total = path.total + _cost(transfer, path, offer)
            return _Path(total, groups, offer, pair if same else None, first if same else index, transfer, path)
    return _Path(path.total + offer.price.minor, groups, offer, None, index, None, path)


def _choose(
    transfers: Sequence[Transfer], count: int, first: Leg, last: Leg, path: _Path, offer: Offer
) -> Transfer | None:
    """The rule that applies; None when none does.

    Of the rules whose limits hold, those with the smallest count; of these the cheapest that is for this rider.
    """
    best: Transfer | None = None
    count_max: int | None = None
    for transfer in transfers:
        limit = transfer.count_max
        if limit < count or (count_max is not None and limit > count_max) or not transfer.in_time(first, last):
            continue
        if count_max is None or limit < count_max:
            count_max, best = limit, None
        if transfer.barred or (transfer.price is not None and transfer.price.currency != offer.price.currency):
            continue
        if best is None or (_cost(transfer, path, offer), transfer.order) < (_cost(best, path, offer), best.order):
            best = transfer
    return best


def _cost(transfer: Transfer, path: _Path, offer: Offer) -> int:
    """What a transfer adds, by fare_transfer_type: AB after A, AB + B after A, or AB instead of A. Once there was a
    transfer, what was processed stays (S + BC), so the last is as the first."""
    if transfer.kind is TransferType.A_AND_TRANSFER_AND_B:
        return transfer.cost + offer.price.minor
    if transfer.kind is TransferType.TRANSFER_ONLY and path.transfer is None:
        return transfer.cost - path.offer.price.minor
    return transfer.cost


def _chains(rides: Sequence[Ride], end: _Path) -> list[Chain]:
    """The chains of a way, from its end."""
    way = [end]
    while (before := way[-1].before) is not None:
        way.append(before)
    way.reverse()
    chains: list[Chain] = []
    begin = 0
    for index in range(1, len(way) + 1):
        if index == len(way) or way[index].transfer is None:
            chains.append(_chain(rides, way, begin, index))
            begin = index
    return chains


def _chain(rides: Sequence[Ride], way: Sequence[_Path], begin: int, end: int) -> Chain:
    """The chain of `rides` from `begin` until before `end`, paid as `way` says."""
    first, last = rides[begin].span, rides[end - 1].span
    offer = way[begin].offer
    if end - begin == 1:
        return Chain(first.first, last.last, (_fare(first, offer),), offer.price)
    steps: list[Step] = []
    transfer = way[begin + 1].transfer
    if transfer is not None and transfer.kind is not TransferType.TRANSFER_ONLY:
        steps.append(_fare(first, offer))
    currency = offer.price.currency
    for index in range(begin + 1, end):
        path, span = way[index], rides[index].span
        transfer = path.transfer
        assert transfer is not None
        price = Money(0, currency) if transfer.price is None else transfer.price
        between = (rides[index - 1].span.last, span.first)
        steps.append(Step(StepKind.TRANSFER, between, transfer.product_id, price, transfer.line))
        if transfer.kind is TransferType.A_AND_TRANSFER_AND_B:
            steps.append(_fare(span, path.offer))
    total = sum([step.amount.minor for step in steps])
    return Chain(first.first, last.last, tuple(steps), Money(total, currency))


def _fare(span: EffectiveLeg, offer: Offer) -> Step:
    if span.first == span.last:
        return Step(StepKind.FARE, (span.first,), offer.product_id, offer.price, offer.line)
    return Step(StepKind.JOINED, tuple(range(span.first, span.last + 1)), offer.product_id, offer.price, offer.line)
