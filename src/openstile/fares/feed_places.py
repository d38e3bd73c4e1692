"""Where things are: agencies and their time zone, stops, areas, routes and networks of a feed."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from openstile.fares.feed_rows import Row, Source
from openstile.fares.values import Stop

_STOP, _STATION, _BOARDING_AREA = 0, 1, 4
_PLACES = range(5)
"""stops.location_type: stop or platform, station, entrance, generic node, boarding area."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row of stops.txt as it stands there."""

    row: Row
    name: str
    kind: int
    parent_id: str | None
    timezone: str | None


def read_timezone(source: Source) -> str:
    """The one time zone of the agencies. Raises FeedError."""
    if not source.files.has("agency.txt"):
        raise source.fault("there is none; every feed has one", file="agency.txt")
    ids: dict[str, int] = {}
    first: tuple[str, int] | None = None
    for row in source.rows("agency.txt", needed=("agency_timezone",)):
        agency_id, timezone = row.text("agency_id"), _timezone(row, row.need("agency_timezone"), "agency_timezone")
        if first is not None and (agency_id is None or "" in ids):
            raise row.fault("agency_id is empty here or above; with several agencies each needs one")
        row.once(ids, agency_id or "", "agency_id")
        first = first or (timezone, row.line)
        if timezone != first[0]:
            raise row.fault(f"agency_timezone is not that of line {first[1]}; all agencies of a feed share one")
    if first is None:
        raise source.fault("names no agency; add one with its time zone", file="agency.txt")
    return first[0]


def read_places(source: Source) -> dict[str, Place]:
    """stops.txt by stop id, its tree of parents checked. Raises FeedError."""
    if not source.files.has("stops.txt"):
        raise source.fault("there is none; fares need the stops", file="stops.txt")
    seen: dict[str, int] = {}
    places: dict[str, Place] = {}
    for row in source.rows("stops.txt", needed=("stop_id",)):
        stop_id = row.need("stop_id")
        row.once(seen, stop_id, "stop_id")
        kind = row.choice("location_type", _PLACES) or _STOP
        name, parent_id = row.text("stop_name"), row.text("parent_station")
        if name is None and kind < 3:
            row.warn("stop_name is empty; its id is shown instead")
        if parent_id is None and kind > _STATION:
            raise row.fault(f"parent_station is empty; a location of type {kind} needs one")
        if parent_id is not None and kind == _STATION:
            raise row.fault("parent_station is not empty; a station has none")
        timezone = row.text("stop_timezone")
        places[stop_id] = Place(
            row, name or stop_id, kind, parent_id, timezone and _timezone(row, timezone, "stop_timezone")
        )
    for place in places.values():
        if place.parent_id is not None:
            _check_parent(place, places)
    return places


def stops_of(places: Mapping[str, Place], timezone: str) -> dict[str, Stop]:
    """The stops, each with its own zone: that of its station, where it has one; else its own, else the agency's."""
    stops = {}
    for stop_id, place in places.items():
        root = place
        while root.parent_id is not None:
            root = places[root.parent_id]
        if place.timezone is not None and place.timezone != (root.timezone or timezone):
            place.row.warn("stop_timezone is not that of its station, which is the one that holds")
        stops[stop_id] = Stop(stop_id, place.name, place.parent_id, root.timezone or timezone)
    return stops


def read_areas(source: Source) -> dict[str, str | None]:
    """areas.txt: name by id. Raises FeedError."""
    return _names(source, "areas.txt", "area_id", "area_name")


def read_stop_areas(
    source: Source, areas: Mapping[str, str | None], places: Mapping[str, Place]
) -> dict[str, frozenset[str]]:
    """Areas by stop id. A platform has its station's areas unless it is assigned to some itself. Raises FeedError.

    The reference says so of platforms; entrances and boarding areas, where gates stand too, are treated alike.
    """
    seen: dict[tuple[str, str], int] = {}
    own: dict[str, list[str]] = {}
    for row in source.rows("stop_areas.txt", needed=("area_id", "stop_id")):
        area_id = row.need_known("area_id", areas, "areas.txt")
        stop_id = row.need_known("stop_id", places, "stops.txt")
        row.once(seen, (area_id, stop_id), "this record")
        own.setdefault(stop_id, []).append(area_id)
    filled = {area_id for area_id, _ in seen}
    for area_id in areas:
        if area_id not in filled:
            source.notes.warn(f"no stop is in area {area_id!r}", file="areas.txt")
    shared: dict[tuple[str, ...], frozenset[str]] = {}
    sets = {stop_id: shared.setdefault(tuple(those), frozenset(those)) for stop_id, those in own.items()}
    found = {}
    for stop_id, place in places.items():
        at: str | None = stop_id
        while at is not None and at not in own:
            at = places[at].parent_id
        if at is not None:
            found[stop_id] = sets[at]
        elif own and place.kind == _STOP:
            place.row.warn("is in no area")
    return found


def read_networks(source: Source) -> tuple[dict[str, str | None], dict[str, str]]:
    """Names of networks by id, and the network of each route that has one. Raises FeedError.

    Networks stand in networks.txt and route_networks.txt or in routes.network_id, never in both.
    """
    if not source.files.has("routes.txt"):
        raise source.fault("there is none; fares need the routes", file="routes.txt")
    seen: dict[str, int] = {}
    networks: dict[str, str | None] = {}
    of_route: dict[str, str] = {}
    apart = [name for name in ("networks.txt", "route_networks.txt") if source.files.has(name)]
    for row in source.rows("routes.txt", needed=("route_id",)):
        route_id, network_id = row.need("route_id"), row.text("network_id")
        row.once(seen, route_id, "route_id")
        if network_id is None:
            continue
        if apart:
            raise row.fault(f"network_id is forbidden beside {apart[0]}; empty the one or remove the other")
        networks[network_id] = None
        of_route[route_id] = network_id
    if not apart:
        return networks, of_route
    networks = _names(source, "networks.txt", "network_id", "network_name")
    once: dict[str, int] = {}
    for row in source.rows("route_networks.txt", needed=("network_id", "route_id")):
        network_id = row.need_known("network_id", networks, "networks.txt")
        route_id = row.need_known("route_id", seen, "routes.txt")
        row.once(once, route_id, "route_id")
        of_route[route_id] = network_id
    for network_id in networks.keys() - set(of_route.values()):
        source.notes.warn(f"no route is in network {network_id!r}", file="networks.txt")
    return networks, of_route


def _names(source: Source, file: str, key: str, name: str) -> dict[str, str | None]:
    seen: dict[str, int] = {}
    names: dict[str, str | None] = {}
    for row in source.rows(file, needed=(key,)):
        found = row.need(key)
        row.once(seen, found, key)
        names[found] = row.text(name)
    return names


def _check_parent(place: Place, places: Mapping[str, Place]) -> None:
    """The parent of a boarding area is a platform, every other's is a station: so there are no rings."""
    parent = places.get(place.parent_id or "")
    if parent is None:
        raise place.row.fault("parent_station is not in stops.txt; add it there or correct it here")
    wanted, word = (_STOP, "platform") if place.kind == _BOARDING_AREA else (_STATION, "station")
    if parent.kind != wanted:
        raise place.row.fault(f"parent_station is no {word} (location_type {wanted}); correct one of the two")


def _timezone(row: Row, name: str, column: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise row.fault(f"{column} {name[:40]!r} is no time zone; write one as Europe/Warsaw") from None
