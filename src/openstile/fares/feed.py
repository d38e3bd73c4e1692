"""Reading a GTFS feed's fares: strictly, with the file and the line of whatever is wrong (docs/fares.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from openstile.fares.feed_files import FeedFiles
from openstile.fares.feed_places import (
    read_areas,
    read_networks,
    read_places,
    read_stop_areas,
    read_timezone,
    stops_of,
)
from openstile.fares.feed_products import read_categories, read_media, read_products
from openstile.fares.feed_rows import Oddity, Source
from openstile.fares.feed_rules import Named, read_join_rules, read_leg_rules, read_transfer_rules
from openstile.fares.feed_times import read_times
from openstile.fares.values import Feed


@dataclass(frozen=True, slots=True)
class CheckedFeed:
    """A feed with what was odd about it.

    `records`: how many each file had. `oddities`: the first FEED_WARNINGS_MAX of `oddities_count`.
    """

    feed: Feed
    records: Mapping[str, int]
    oddities: tuple[Oddity, ...]
    oddities_count: int


def read_feed(path: Path) -> Feed:
    """The fares of the feed at `path`, a zip archive or a folder. Raises FeedError.

    Only what fares go by is read and checked; other files and columns are not looked at.
    """
    return check_feed(path).feed


def check_feed(path: Path) -> CheckedFeed:
    """As `read_feed`, with what the reference allows and is odd all the same."""
    with FeedFiles(path) as files:
        source = Source(files)
        feed = _read(source)
    _note_unused(source, feed)
    return CheckedFeed(feed, source.counts, tuple(source.notes.kept), source.notes.count)


def _read(source: Source) -> Feed:
    timezone = read_timezone(source)
    places = read_places(source)
    areas = read_areas(source)
    areas_of = read_stop_areas(source, areas, places)
    networks, network_of_route = read_networks(source)
    timeframes, services = read_times(source)
    media, categories = read_media(source), read_categories(source)
    products = read_products(source, categories, media)
    by_id = {product.product_id: product for product in products}
    named = Named(by_id, networks, areas, timeframes, places)
    leg_rules = read_leg_rules(source, named)
    groups = {rule.leg_group_id for rule in leg_rules if rule.leg_group_id is not None}
    return Feed(
        timezone=timezone,
        stops=stops_of(places, timezone),
        areas=areas,
        areas_of=areas_of,
        networks=networks,
        network_of_route=network_of_route,
        products=products,
        leg_rules=leg_rules,
        join_rules=read_join_rules(source, named),
        transfer_rules=read_transfer_rules(source, groups, by_id),
        timeframes=timeframes,
        services=services,
        categories=categories,
        media=media,
    )


def _note_unused(source: Source, feed: Feed) -> None:
    """What no rule names, and a feed without rules."""
    notes = source.notes
    if not feed.leg_rules:
        notes.warn("there are no leg rules, so every fare is unknown", file="fare_leg_rules.txt")
        if source.files.has("fare_rules.txt") or source.files.has("fare_attributes.txt"):
            notes.warn("fares of the older form (GTFS Fares v1) are not read", file="fare_attributes.txt")
    used = {rule.product_id for rule in feed.leg_rules} | {rule.product_id for rule in feed.transfer_rules}
    for product_id in dict.fromkeys(product.product_id for product in feed.products):
        if product_id not in used:
            notes.warn(f"no rule names product {product_id[:40]!r}", file="fare_products.txt")
    if len([category for category in feed.categories.values() if category.is_default]) != 1 and feed.categories:
        notes.warn("not exactly one rider category is the default", file="rider_categories.txt")
