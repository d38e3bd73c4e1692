"""Fare products: what one rider pays for each (GTFS, fare_products.txt, rider_categories.txt, fare_media.txt)."""

from collections.abc import Mapping

from openstile.fares.rides import Rider
from openstile.fares.values import Feed
from openstile.terms.money import Money


def prices_for(feed: Feed, rider: Rider) -> Mapping[str, Money]:
    """The products that `rider` has a right to, each with the least that they pay for it.

    A row without a category is for everybody, one without fare media for every media. A rider without a category is
    one of a default category; one without media may use any. Amounts of two currencies cannot be compared: of a product
    that has several, the currency that comes first in the alphabet counts.
    """
    categories = _categories(feed, rider)
    found: dict[str, Money] = {}
    for product in feed.products:
        if product.category_id is not None and product.category_id not in categories:
            continue
        if rider.media_id is not None and product.media_id not in (None, rider.media_id):
            continue
        best = found.get(product.product_id)
        if best is None or _order(product.amount) < _order(best):
            found[product.product_id] = product.amount
    return found


def known_rider(feed: Feed, rider: Rider) -> Rider:
    """`rider`, with ids that the feed does not have all made one: such a rider is the same as any other such one."""
    category_id, media_id = rider.category_id, rider.media_id
    return Rider(
        category_id if category_id is None or category_id in feed.categories else "",
        media_id if media_id is None or media_id in feed.media else "",
    )


def _categories(feed: Feed, rider: Rider) -> frozenset[str]:
    if rider.category_id is not None:
        return frozenset((rider.category_id,))
    return frozenset(category.category_id for category in feed.categories.values() if category.is_default)


def _order(amount: Money) -> tuple[str, int]:
    return amount.currency, amount.minor
