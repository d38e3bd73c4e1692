"""Whether a gate's place is one that the feed knows: rides from anywhere else could not be priced."""

from openstile.fares.values import Feed
from openstile.terms.errors import BadInputError

_SHOWN_CHARS = 48


def check_place(feed: Feed, *, stop_id: str, network_id: str | None) -> None:
    """Raises BadInputError where the feed has no such stop, or no such network (None: of no network)."""
    if stop_id not in feed.stops:
        raise BadInputError(f"stop {stop_id[:_SHOWN_CHARS]!r}: the feed has no such stop_id; look in its stops.txt")
    if network_id is not None and network_id not in feed.network_ids:
        raise BadInputError(
            f"network {network_id[:_SHOWN_CHARS]!r}: the feed has no such network_id; "
            "look in its networks.txt, or routes.txt"
        )
