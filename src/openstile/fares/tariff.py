"""A tariff: a feed and the operator's rules, checked against each other and made ready for pricing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from openstile.fares.index import FareIndex
from openstile.fares.rides import HeldPeriod, PricedJourney, Rider
from openstile.fares.rules import Amounts, Cap, FareRules, Period, Scope, System
from openstile.fares.values import FareProduct, Feed
from openstile.terms import BadInputError
from openstile.terms.limits import FARE_CACHED_MAX
from openstile.terms.money import Money

_LAST_YEAR = 9000
"""Days after it are refused: what lasts some years from there on is no date any more."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A period product as it is sold to a rider: its price, its last service day, how many rides (None: any number)."""

    price: Money
    until_day: date
    rides: int | None


@dataclass(frozen=True, slots=True)
class ActiveCap:
    """A cap with the limit that holds for a rider: minor units of the tariff's currency, or journeys."""

    cap: Cap
    limit: int


class Tariff:
    """What pricing goes by. It remembers what it looked up, so one tariff is for one thread.

    Raises BadInputError where the rules name what the feed does not have, or the feed has several currencies and the
    rules do not say which one is meant.
    """

    def __init__(self, feed: Feed, rules: FareRules | None = None) -> None:
        self.rules = FareRules() if rules is None else rules
        self.currency = _currency(feed, self.rules)
        _check(feed, self.rules)
        self.feed = replace(feed, products=tuple(_products(feed.products, self.currency, self.rules.pays_as)))
        self.index = FareIndex(self.feed)
        self.timezone = ZoneInfo(feed.timezone)
        self.media_id = self.rules.media_id
        self._systems = {network: system for system in self.rules.systems for network in system.networks or ()}
        self._default_system = self.rules.default_system
        self._default_category = next((c.category_id for c in feed.categories.values() if c.is_default), None)
        self._names = _names(self.feed.products)
        self.gap_s = _gap_s(feed, self.rules)
        self._money: dict[int, Money] = {}
        self._transfer_s = {rule.line: rule.duration_s for rule in feed.transfer_rules}

    def service_day(self, at: datetime) -> date:
        """The local service day that an aware instant is in: from `service_day.starts` to the same time a day later."""
        local = at.astimezone(self.timezone)
        day = local.date()
        return day if local.time() >= self.rules.day_starts else day - timedelta(days=1)

    def system_of(self, network_id: str | None) -> System:
        """The system that a tap in a network is in."""
        return self._systems.get(network_id, self._default_system) if network_id is not None else self._default_system

    def rider(self, rider: Rider) -> Rider:
        """The rider with the feed's default category and the rules' default fare media, where they have no other."""
        return Rider(rider.category_id or self._default_category, rider.media_id or self.media_id)

    def caps_for(self, category_id: str | None) -> tuple[ActiveCap, ...]:
        """The caps that hold for riders of a category, with their limits."""
        categories = self.rules.categories_of(category_id)
        active: list[ActiveCap] = []
        for cap in self.rules.caps:
            limit = cap.rides if cap.amounts is None else _minor(cap.amounts.of(categories))
            if limit is not None and (cap.categories is None or category_id in cap.categories):
                active.append(ActiveCap(cap, limit))
        return tuple(active)

    def maximum_fare(self, system: System, category_id: str | None) -> Money | None:
        """What a ride costs in `system` that lacks a tap, None where nothing says it."""
        return None if system.maximum is None else system.maximum.of(self.rules.categories_of(category_id))

    def period(self, product_id: str) -> Period:
        """A period product. Raises BadInputError where the rules do not have it (any more)."""
        try:
            return self.rules.periods[product_id]
        except KeyError:
            raise BadInputError(
                f"period product {product_id[:48]!r}: not in the rules; keep its table while riders hold it"
            ) from None

    def offer(self, product_id: str, *, category_id: str | None, from_day: date) -> Offer | None:
        """A period product as sold to riders of a category, None where it is not. Raises BadInputError (`from_day`)."""
        if from_day.year > _LAST_YEAR:
            raise BadInputError(f"from_day: {from_day} is too far ahead")
        period = self.rules.periods.get(product_id)
        category = category_id or self._default_category
        price = None if period is None else period.price.of(self.rules.categories_of(category))
        return None if period is None or price is None else Offer(price, period.last_day(from_day), period.rides)

    def counted_from(self, day: date, periods: Iterable[HeldPeriod] = ()) -> date:
        """The first day whose faded journeys must be given as `counted` to price `day` and what follows rightly."""
        first = day - timedelta(days=max((cap.days_long for cap in self.rules.caps), default=1) - 1)
        held = (period.from_day for period in periods if period.rides is not None and period.until_day >= day)
        return min((first, *held))

    def open_until(self, journey: PricedJourney) -> datetime:
        """When an open journey will not be open any more, if no tap comes; an aware UTC instant."""
        leg = journey.legs[-1]
        longest = timedelta(seconds=self.system_of(leg.network_id).journey_s_max + 1)
        return (leg.start + longest).astimezone(UTC)

    def product_name(self, product_id: str, category_id: str | None) -> str:
        """What the feed calls a product for riders of a category; its id where it has no name."""
        return self._names.get((product_id, category_id)) or self._names.get((product_id, None)) or product_id

    def stop_name(self, stop_id: str) -> str:
        """What the feed calls a stop; its id where it has no name, or the feed no such stop."""
        stop = self.feed.stops.get(stop_id)
        return stop.name if stop is not None and stop.name else stop_id

    def money(self, minor: int) -> Money:
        """An amount in the tariff's currency; the same few come again and again."""
        found = self._money.get(minor)
        if found is None:
            if len(self._money) >= FARE_CACHED_MAX:
                self._money.clear()
            found = self._money[minor] = Money(minor, self.currency)
        return found

    def transfer_s(self, line: int) -> int | None:
        """For how many seconds the transfer rule on a line of the feed allows transfers, None: without limit."""
        return self._transfer_s.get(line)


def _gap_s(feed: Feed, rules: FareRules) -> int:
    """After how many seconds without a ride no rule of the feed can tie two of them together."""
    limits = [rule.duration_s for rule in feed.transfer_rules]
    longest = max((limit for limit in limits if limit is not None), default=0)
    return rules.gap_s_max if feed.join_rules or None in limits else min(longest, rules.gap_s_max)


def _minor(amount: Money | None) -> int | None:
    return None if amount is None else amount.minor


def _currency(feed: Feed, rules: FareRules) -> str:
    if rules.currency is not None:
        return rules.currency
    currencies = sorted({product.amount.currency for product in feed.products})
    if len(currencies) != 1:
        found = f"in {', '.join(currencies[:8])}" if currencies else "nowhere to be seen"
        raise BadInputError(f"feed: its fares are {found}; say in the rules which currency counts: currency = ...")
    return currencies[0]


def _products(products: Sequence[FareProduct], currency: str, pays_as: Mapping[str, str]) -> Iterable[FareProduct]:
    """The products in the currency; for a category that has no price of a product, that of the one it pays as."""
    kept = [product for product in products if product.amount.currency == currency]
    yield from kept
    if not pays_as:
        return
    by_id: dict[str, dict[str | None, list[FareProduct]]] = {}
    for product in kept:
        by_id.setdefault(product.product_id, {}).setdefault(product.category_id, []).append(product)
    rules = FareRules(pays_as=pays_as)
    for by_category in by_id.values():
        for category in pays_as:
            if category not in by_category and None not in by_category:
                priced = (by_category[c] for c in rules.categories_of(category) if c in by_category)
                yield from (replace(product, category_id=category) for product in next(priced, []))


def _names(products: Iterable[FareProduct]) -> dict[tuple[str, str | None], str]:
    names: dict[tuple[str, str | None], str] = {}
    for product in products:
        if product.name:
            names.setdefault((product.product_id, product.category_id), product.name)
            names.setdefault((product.product_id, None), product.name)
    return names


def _check(feed: Feed, rules: FareRules) -> None:
    """Refuses ids that the feed does not have: most are slips of the pen, and would silently never match."""
    known = _Known(feed)
    for system in rules.systems:
        known.networks(f"systems.{system.name}", system.networks)
        known.amounts(f"systems.{system.name}", system.maximum)
    for cap in rules.caps:
        known.scope(f"caps.{cap.cap_id}", cap.scope)
        known.categories(f"caps.{cap.cap_id}", cap.categories)
        known.amounts(f"caps.{cap.cap_id}", cap.amounts)
    for period in rules.periods.values():
        known.scope(f"periods.{period.period_id}", period.scope)
        known.scope(f"periods.{period.period_id}", Scope(frozenset(period.extension)))
        known.amounts(f"periods.{period.period_id}", period.price)
    known.categories("categories", {*rules.pays_as, *rules.pays_as.values()})
    if rules.media_id is not None and rules.media_id not in feed.media:
        raise BadInputError(f"rules, [media]: the feed has no fare media {rules.media_id!r}")


class _Known:
    """The ids of a feed."""

    def __init__(self, feed: Feed) -> None:
        self._networks = feed.network_ids
        self._products = {product.product_id for product in feed.products}
        self._categories = frozenset(feed.categories)

    def scope(self, where: str, scope: Scope) -> None:
        self.networks(where, scope.networks)
        self._all(where, "fare product", scope.products, self._products)

    def networks(self, where: str, named: Iterable[str] | None) -> None:
        self._all(where, "network", named, self._networks)

    def categories(self, where: str, named: Iterable[str] | None) -> None:
        self._all(where, "rider category", named, self._categories)

    def amounts(self, where: str, amounts: Amounts | None) -> None:
        self.categories(where, None if amounts is None else amounts.by_category)

    def _all(self, where: str, what: str, named: Iterable[str] | None, known: frozenset[str] | set[str]) -> None:
        for one in sorted(named or ()):
            if one not in known:
                raise BadInputError(f"rules, [{where}]: the feed has no {what} {one[:48]!r}; correct the name")
