"""Pricing by a feed: journeys a second with a thousand and a hundred thousand leg rules, against trying every rule."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from zoneinfo import ZoneInfo

from bench.report import Section, Table, Target
from bench.timing import Stopwatches, milliseconds
from bench.workshop import Workshop
from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.values import (
    DurationType,
    FareProduct,
    Feed,
    LegRule,
    RiderCategory,
    Stop,
    Timeframe,
    TransferRule,
    TransferType,
)
from openstile.terms.money import Money

NAME = "fares"
TITLE = "Fares: journeys priced by a GTFS Fares v2 feed"
RULES, RULES_MANY = 1_000, 100_000
JOURNEYS_PER_S_MIN = 20_000
MANY_RATIO_MIN = 0.5
_SEED = 20260427
_ZONE = "Europe/Warsaw"
_NETWORKS = ("tram", "bus")
_STOPS_PER_AREA = 10
_PRODUCTS = 40
_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
_DAYS = 31
_RIDERS = (Rider(), Rider("adult"), Rider("child"))

Journey = tuple[tuple[Leg, ...], Rider]


@dataclass(frozen=True, slots=True)
class _Town:
    """A feed of `rules` leg rules, and journeys in it that no one has priced before."""

    rules: int
    feed: Feed
    index: FareIndex
    journeys: Sequence[Journey]

    @property
    def ours(self) -> str:
        return f"index, {self.rules:,} leg rules"

    @property
    def scan(self) -> str:
        return f"looking at every rule, {self.rules:,} leg rules"


def measure(workshop: Workshop) -> Section:
    """Batches of new journeys in turn: the small feed, the large one, and a few of each without the index."""
    batches, size = (20, 200) if workshop.quick else (60, 1000)
    watches, builds = Stopwatches(), Stopwatches()
    towns = [_town(rules, batches * size, builds) for rules in (RULES, RULES_MANY)]
    _check(towns)
    with workshop.progress(NAME, batches) as step:
        for batch in range(batches):
            for town in towns:
                _price(watches, town, town.journeys[batch * size : (batch + 1) * size])
                if batch % 4 == 0:
                    _scan(watches, town, town.journeys[batch : batch + max(1, 20_000 // town.rules)])
            step()
    return _section(watches, builds, towns, size)


def _price(watches: Stopwatches, town: _Town, journeys: Sequence[Journey]) -> None:
    _timed(watches, town.ours, journeys, lambda legs, rider: town.index.price(legs, rider))


def _scan(watches: Stopwatches, town: _Town, journeys: Sequence[Journey]) -> None:
    _timed(watches, town.scan, journeys, lambda legs, rider: [_scanned(town.feed, leg, rider) for leg in legs])


def _timed(
    watches: Stopwatches, name: str, journeys: Sequence[Journey], price: Callable[[tuple[Leg, ...], Rider], object]
) -> None:
    """The mean of one batch, as a sample of one journey."""
    whole = Stopwatches()

    def run() -> None:
        for legs, rider in journeys:
            price(legs, rider)

    whole.run(name, run)
    watches.add(name, whole.times(name).median / len(journeys))


def _check(towns: Sequence[_Town]) -> None:
    """A fast price that is wrong is worth nothing: single legs as the scan has them, and every journey has a price."""
    for town in towns:
        index = FareIndex(town.feed)
        for legs, rider in town.journeys[: max(20, 40_000 // town.rules)]:
            for leg in legs:
                (chain,) = index.price((leg,), rider)
                if chain.amount is None or chain.amount.minor != _scanned(town.feed, leg, rider):
                    raise RuntimeError("fares: the index and looking at every rule do not agree")
            if any(chain.amount is None for chain in index.price(legs, rider)):
                raise RuntimeError("fares: a journey has no price")


def _scanned(feed: Feed, leg: Leg, rider: Rider) -> int | None:
    """The fare of one leg as somebody would write it first: every rule is looked at, no transfer rules."""
    assert leg.to_stop_id is not None
    local = leg.start.astimezone(ZoneInfo(feed.stops[leg.from_stop_id].timezone))
    second = local.hour * 3600 + local.minute * 60 + local.second
    groups = {
        row.group_id
        for rows in feed.timeframes.values()
        for row in rows
        if row.start_s <= second < row.end_s and local.date() in feed.services[row.service_id]
    }
    origins, targets = feed.areas_of[leg.from_stop_id], feed.areas_of[leg.to_stop_id]
    products = {
        rule.product_id
        for rule in feed.leg_rules
        if rule.network_id == leg.network_id
        and rule.from_area_id in origins
        and rule.to_area_id in targets
        and rule.from_timeframe_id in groups
    }
    category = rider.category_id or "adult"
    return min(
        (row.amount.minor for row in feed.products if row.product_id in products and row.category_id == category),
        default=None,
    )


def _town(rules: int, journeys: int, builds: Stopwatches) -> _Town:
    random = Random(f"{_SEED} {rules}")
    side = math.isqrt(rules // (2 * len(_NETWORKS)))
    areas = [f"area-{number}" for number in range(side)]
    stops = {
        f"{area}/{number}": Stop(f"{area}/{number}", area, None, _ZONE)
        for area in areas
        for number in range(_STOPS_PER_AREA)
    }
    feed = _feed(rules, areas, stops, random)
    index = builds.run(f"{rules:,} leg rules", lambda: FareIndex(feed))
    names = list(stops)
    return _Town(rules, feed, index, [_journey(names, random) for _ in range(journeys)])


def _feed(rules: int, areas: Sequence[str], stops: dict[str, Stop], random: Random) -> Feed:
    """A rule for each network, pair of areas and peak or not; more of a network that nobody rides, to make `rules`."""
    days = [date(2026, 2, 27) + timedelta(days=day) for day in range(_DAYS + 4)]
    rows: list[LegRule] = []
    for network, origin, to, frame in product(_NETWORKS, areas, areas, ("peak", "off")):
        chosen = f"p{random.randrange(_PRODUCTS)}"
        rows.append(LegRule(network, network, origin, to, frame, None, chosen, None, len(rows) + 2))
    while len(rows) < rules:
        number = len(rows)
        area = areas[number % len(areas)]
        rows.append(LegRule("ferry", f"ferry-{number}", area, area, "off", None, "p0", None, number + 2))
    random.shuffle(rows)
    products = [
        FareProduct(f"p{number}", None, category, None, Money((100 + 10 * number) // share, "PLN"))
        for number in range(_PRODUCTS)
        for category, share in (("adult", 1), ("child", 2))
    ]
    return Feed(
        timezone=_ZONE,
        stops=stops,
        areas=dict.fromkeys(areas),
        areas_of={stop: frozenset({stop.split("/")[0]}) for stop in stops},
        networks=dict.fromkeys((*_NETWORKS, "ferry")),
        network_of_route={},
        products=tuple(products),
        leg_rules=tuple(rows),
        join_rules=(),
        transfer_rules=_transfers(),
        timeframes=_timeframes(),
        services={
            "weekdays": frozenset(day for day in days if day.weekday() < 5),
            "weekends": frozenset(day for day in days if day.weekday() >= 5),
        },
        categories={name: RiderCategory(name, name, is_default=name == "adult") for name in ("adult", "child")},
    )


def _transfers() -> tuple[TransferRule, ...]:
    """Trams for an hour, to a bus by half of it, and buses twice."""
    hour, half = 3600, 1800
    to_departure, to_arrival = DurationType.DEPARTURE_TO_DEPARTURE, DurationType.DEPARTURE_TO_ARRIVAL
    free, add = TransferType.A_AND_TRANSFER, TransferType.A_AND_TRANSFER_AND_B
    return (
        TransferRule("tram", "tram", -1, hour, to_departure, free, None, 2),
        TransferRule("tram", "bus", None, half, to_arrival, free, "p0", 3),
        TransferRule("bus", "tram", None, hour, to_departure, add, None, 4),
        TransferRule("bus", "bus", 1, half, to_departure, free, None, 5),
        TransferRule("bus", "bus", 2, hour, to_arrival, free, "p1", 6),
    )


def _timeframes() -> dict[str, tuple[Timeframe, ...]]:
    hour = 3600
    return {
        "peak": (
            Timeframe("peak", 6 * hour, 9 * hour, "weekdays"),
            Timeframe("peak", 15 * hour, 18 * hour, "weekdays"),
        ),
        "off": (
            Timeframe("off", 0, 6 * hour, "weekdays"),
            Timeframe("off", 9 * hour, 15 * hour, "weekdays"),
            Timeframe("off", 18 * hour, 24 * hour, "weekdays"),
            Timeframe("off", 0, 24 * hour, "weekends"),
        ),
    }


def _journey(stops: Sequence[str], random: Random) -> Journey:
    """One to three legs one after the other."""
    at = _BEGIN + timedelta(seconds=random.randrange(_DAYS * 86_400))
    place, legs = random.choice(stops), []
    for _ in range(random.randint(1, 3)):
        to, end = random.choice(stops), at + timedelta(seconds=random.randint(180, 1500))
        legs.append(Leg(random.choice(_NETWORKS), place, to, at, end))
        place, at = to, end + timedelta(seconds=random.randint(60, 900))
    return tuple(legs), random.choice(_RIDERS)


def _section(watches: Stopwatches, builds: Stopwatches, towns: Sequence[_Town], size: int) -> Section:
    few, many = (watches.times(town.ours) for town in towns)
    rates = {name: 1000 / watches.times(name).median for name in watches.names()}
    rate, ratio = 1000 / few.median, few.median / many.median
    legs = [len(journey[0]) for town in towns for journey in town.journeys]
    chains = [len(towns[0].index.price(*journey)) for journey in towns[0].journeys[:2000]]
    together = sum(len(journey[0]) for journey in towns[0].journeys[:2000]) - sum(chains)
    return Section(
        NAME,
        TITLE,
        tables=(
            Table(
                f"One core, interleaved; one journey, each sample the mean of a batch (ours: {size})",
                ("way", "batches", "median", "p95", "max", "journeys/s", "times the scan"),
                tuple(
                    (*row, f"{rates[row[0]]:,.0f}", f"{rates[row[0]] / rates[_baseline(row[0], towns)]:,.0f}")
                    for row in sorted(watches.rows())
                ),
            ),
            Table(
                "Building the index, once for each feed",
                ("feed", "time"),
                tuple((name, milliseconds(builds.times(name).median)) for name in builds.names()),
            ),
        ),
        targets=(
            Target(
                f"{RULES:,} leg rules: at least {JOURNEYS_PER_S_MIN:,} journeys/s on one core",
                f"{rate:,.0f} journeys/s",
                rate >= JOURNEYS_PER_S_MIN,
            ),
            Target(
                f"{RULES_MANY:,} leg rules: at least {MANY_RATIO_MIN} of the rate with {RULES:,}",
                f"{ratio:.2f} ({1000 / many.median:,.0f} journeys/s)",
                ratio >= MANY_RATIO_MIN,
            ),
        ),
        notes=(
            f"Journeys of one to three legs ({sum(legs) / len(legs):.1f} on average), no batch like another, the first "
            "with nothing remembered; three kinds of riders, peak and off-peak prices, five transfer rules: of 2000 "
            f"journeys {together} transfers tie legs together. The feeds are made with seed {_SEED}.",
            "Looking at every rule prices single legs only, without transfers, and gives the same fares for them: it "
            "does less work than the index.",
        ),
        figures={"journeys_per_s": rates, "ratio": ratio, **watches.figures(), "build": builds.figures()},
    )


def _baseline(name: str, towns: Sequence[_Town]) -> str:
    return next(town.scan for town in towns if name in (town.ours, town.scan))
