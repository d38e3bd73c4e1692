"""What is sold and to whom: fare media, rider categories and products of a feed."""

from collections.abc import Mapping

from openstile.fares.feed_rows import Row, Source
from openstile.fares.values import FareMedia, FareProduct, RiderCategory
from openstile.terms import BadInputError
from openstile.terms.money import Money, parse_money

_MEDIA = range(5)
"""fare_media.fare_media_type: none, paper ticket, transit card, contactless bank card, mobile app."""


def read_media(source: Source) -> dict[str, FareMedia]:
    """fare_media.txt by id. Raises FeedError."""
    seen: dict[str, int] = {}
    media = {}
    for row in source.rows("fare_media.txt", needed=("fare_media_id", "fare_media_type")):
        media_id = row.need("fare_media_id")
        row.once(seen, media_id, "fare_media_id")
        row.need("fare_media_type")
        media[media_id] = FareMedia(media_id, row.text("fare_media_name"), row.choice("fare_media_type", _MEDIA) or 0)
    return media


def read_categories(source: Source) -> dict[str, RiderCategory]:
    """rider_categories.txt by id. Raises FeedError."""
    seen: dict[str, int] = {}
    categories = {}
    for row in source.rows("rider_categories.txt", needed=("rider_category_id", "rider_category_name")):
        category_id = row.need("rider_category_id")
        row.once(seen, category_id, "rider_category_id")
        is_default = row.choice("is_default_fare_category", range(2)) == 1
        categories[category_id] = RiderCategory(category_id, row.need("rider_category_name"), is_default)
    return categories


def read_products(
    source: Source, categories: Mapping[str, RiderCategory], media: Mapping[str, FareMedia]
) -> tuple[FareProduct, ...]:
    """fare_products.txt in its order. Raises FeedError."""
    seen: dict[tuple[str, str | None, str | None], int] = {}
    eligible: dict[str, dict[str, int]] = {}
    products = []
    for row in source.rows("fare_products.txt", needed=("fare_product_id", "amount", "currency")):
        product_id = row.need("fare_product_id")
        category_id = row.known("rider_category_id", categories, "rider_categories.txt")
        media_id = row.known("fare_media_id", media, "fare_media.txt")
        row.once(seen, (product_id, category_id, media_id), "product, rider category and media")
        if category_id is not None:
            eligible.setdefault(product_id, {}).setdefault(category_id, row.line)
        products.append(FareProduct(product_id, row.text("fare_product_name"), category_id, media_id, _amount(row)))
    _check_defaults(source, eligible, categories)
    currencies = sorted({product.amount.currency for product in products})
    if len(currencies) > 1:
        text = f"amounts are in {', '.join(currencies)}; a journey with two of them has no fare"
        source.notes.warn(text, file="fare_products.txt")
    return tuple(products)


def _amount(row: Row) -> Money:
    amount, currency = row.need("amount"), row.need("currency")
    try:
        return parse_money(amount, currency)
    except BadInputError as error:
        raise row.fault(str(error)) from None


def _check_defaults(
    source: Source, eligible: Mapping[str, Mapping[str, int]], categories: Mapping[str, RiderCategory]
) -> None:
    """Of several categories that have a right to one product, exactly one is the default.

    None is odd and seen in feeds of operators (of products for concessions only); two leave open what a rider pays.
    """
    file = "fare_products.txt"
    for product_id, lines in eligible.items():
        defaults = [line for category_id, line in lines.items() if categories[category_id].is_default]
        if len(defaults) > 1:
            what = f"product {product_id[:40]!r} has a second default rider category; at most one may be"
            raise source.fault(what, file=file, line=defaults[1])
        if not defaults and len(lines) > 1:
            text = f"product {product_id[:40]!r} is for several rider categories, and none is the default"
            source.notes.warn(text, file=file, line=min(lines.values()))
