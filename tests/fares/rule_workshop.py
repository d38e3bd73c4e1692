"""Feeds as values, for tests of pricing: rules with short names, a small town, and legs in it."""

from datetime import UTC, date, datetime, timedelta

from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.values import (
    DurationType,
    FareMedia,
    FareProduct,
    Feed,
    JoinRule,
    LegRule,
    RiderCategory,
    Stop,
    Timeframe,
    TransferRule,
    TransferType,
)
from openstile.terms.money import Money

ZONE = "Europe/Berlin"
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
STOPS = {
    "a": Stop("a", "A", None, ZONE),
    "b": Stop("b", "B", None, ZONE),
    "c": Stop("c", "C", None, ZONE),
    "hub": Stop("hub", "Hub", None, ZONE),
    "hub-1": Stop("hub-1", "Hub 1", "hub", ZONE),
    "hub-2": Stop("hub-2", "Hub 2", "hub", ZONE),
    "nowhere": Stop("nowhere", "In no area", None, ZONE),
}
AREAS_OF = {
    "a": frozenset({"A"}),
    "b": frozenset({"B"}),
    "c": frozenset({"C"}),
    "hub": frozenset({"A"}),
    "hub-1": frozenset({"A"}),
    "hub-2": frozenset({"A", "B"}),
}
CATEGORIES = {
    "adult": RiderCategory("adult", "Adult", is_default=True),
    "child": RiderCategory("child", "Child", is_default=False),
}
MEDIA = {"card": FareMedia("card", "Card", 2), "app": FareMedia("app", "App", 4)}


def cents(minor: int, currency: str = "EUR") -> Money:
    """An amount."""
    return Money(minor, currency)


def product(
    product_id: str, minor: int, *, category: str | None = None, media: str | None = None, currency: str = "EUR"
) -> FareProduct:
    """A row of fare_products.txt."""
    return FareProduct(product_id, None, category, media, Money(minor, currency))


def rule(
    product_id: str,
    *,
    net: str | None = None,
    origin: str | None = None,
    to: str | None = None,
    at: str | None = None,
    until: str | None = None,
    group: str | None = None,
    priority: int | None = None,
    line: int = 2,
) -> LegRule:
    """A row of fare_leg_rules.txt."""
    return LegRule(group, net, origin, to, at, until, product_id, priority, line)


def transfer(
    before: str | None,
    after: str | None,
    kind: int,
    product_id: str | None = None,
    *,
    count: int | None = None,
    limit_s: int | None = None,
    limit_type: int | None = None,
    line: int = 2,
) -> TransferRule:
    """A row of fare_transfer_rules.txt."""
    duration_type = None if limit_type is None else DurationType(limit_type)
    return TransferRule(before, after, count, limit_s, duration_type, TransferType(kind), product_id, line)


def join(net: str, *, end: str | None = None, start: str | None = None, to_net: str | None = None) -> JoinRule:
    """A row of fare_leg_join_rules.txt."""
    return JoinRule(net, to_net or net, end, start, 2)


def frame(group: str, start_h: float = 0, end_h: float = 24, service: str = "daily") -> Timeframe:
    """A row of timeframes.txt, in hours."""
    return Timeframe(group, int(start_h * 3600), int(end_h * 3600), service)


def feed_of(
    products: list[FareProduct],
    rules: list[LegRule],
    transfers: list[TransferRule] | None = None,
    joins: list[JoinRule] | None = None,
    frames: list[Timeframe] | None = None,
    services: dict[str, frozenset[date]] | None = None,
    stops: dict[str, Stop] | None = None,
) -> Feed:
    """The town with these rules; `daily` runs on every day of January 2026."""
    groups: dict[str, tuple[Timeframe, ...]] = {}
    for row in frames or []:
        groups[row.group_id] = (*groups.get(row.group_id, ()), row)
    return Feed(
        timezone=ZONE,
        stops=stops or STOPS,
        areas={"A": None, "B": None, "C": None},
        areas_of=AREAS_OF,
        networks={"tram": None, "bus": None},
        network_of_route={"1": "tram", "2": "bus"},
        products=tuple(products),
        leg_rules=tuple(rules),
        join_rules=tuple(joins or []),
        transfer_rules=tuple(transfers or []),
        timeframes=groups,
        services=services or {"daily": frozenset(date(2026, 1, day) for day in range(1, 32))},
        categories=CATEGORIES,
        media=MEDIA,
    )


def leg(
    origin: str = "a",
    to: str | None = "b",
    *,
    net: str | None = "tram",
    start_min: float = 600,
    ride_min: float | None = 10,
) -> Leg:
    """A ride on Monday, so many minutes after midnight UTC (an hour later in Berlin); `ride_min` None: nobody knows
    when it ended."""
    start = MONDAY + timedelta(minutes=start_min)
    return Leg(net, origin, to, start, None if ride_min is None else start + timedelta(minutes=ride_min))


def amounts(feed: Feed, *legs: Leg, rider: Rider | None = None) -> list[int | None]:
    """What each chain costs, in minor units."""
    chains = FareIndex(feed).price(legs, rider or Rider())
    return [None if chain.amount is None else chain.amount.minor for chain in chains]
