"""Rules of a feed: for legs, for legs that count as one, and for transfers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from openstile.fares.feed_places import Place
from openstile.fares.feed_rows import Row, Source
from openstile.fares.values import DurationType, JoinRule, LegRule, TransferRule, TransferType
from openstile.terms.limits import FARE_RULES_MAX

_STOPS_AND_STATIONS = (0, 1)
_NO_LIMIT = -1


@dataclass(frozen=True, slots=True)
class Named:
    """What rules may name: ids of products, networks, areas, groups of timeframes, and stops."""

    products: Mapping[str, object]
    networks: Mapping[str, object]
    areas: Mapping[str, object]
    timeframes: Mapping[str, object]
    places: Mapping[str, Place]


def read_leg_rules(source: Source, named: Named) -> tuple[LegRule, ...]:
    """fare_leg_rules.txt in its order. Raises FeedError."""
    seen: dict[tuple[str | None, ...], int] = {}
    rules = []
    for row in source.rows("fare_leg_rules.txt", needed=("fare_product_id",), rows_max=FARE_RULES_MAX):
        priority = row.integer("rule_priority")
        if priority is not None and priority < 0:
            raise row.fault(f"rule_priority is {priority}; write 0 or more")
        rule = LegRule(
            leg_group_id=row.text("leg_group_id"),
            network_id=_network(row, "network_id", named),
            from_area_id=row.known("from_area_id", named.areas, "areas.txt"),
            to_area_id=row.known("to_area_id", named.areas, "areas.txt"),
            from_timeframe_id=row.known("from_timeframe_group_id", named.timeframes, "timeframes.txt"),
            to_timeframe_id=row.known("to_timeframe_group_id", named.timeframes, "timeframes.txt"),
            product_id=row.need_known("fare_product_id", named.products, "fare_products.txt"),
            priority=priority,
            line=row.line,
        )
        key = (
            rule.network_id, rule.from_area_id, rule.to_area_id,
            rule.from_timeframe_id, rule.to_timeframe_id, rule.product_id,
        )  # fmt: skip
        row.once(seen, key, "everything but leg_group_id and rule_priority")
        rules.append(rule)
    return tuple(rules)


def read_join_rules(source: Source, named: Named) -> tuple[JoinRule, ...]:
    """fare_leg_join_rules.txt in its order. Raises FeedError."""
    seen: dict[tuple[str | None, ...], int] = {}
    rules = []
    file, needed = "fare_leg_join_rules.txt", ("from_network_id", "to_network_id")
    for row in source.rows(file, needed=needed, rows_max=FARE_RULES_MAX):
        row.need("from_network_id"), row.need("to_network_id")
        from_network, to_network = _network(row, "from_network_id", named), _network(row, "to_network_id", named)
        from_stop, to_stop = _join_stop(row, "from_stop_id", named), _join_stop(row, "to_stop_id", named)
        if (from_stop is None) != (to_stop is None):
            raise row.fault("from_stop_id and to_stop_id are one empty and one not; give both or neither")
        row.once(seen, (from_network, to_network, from_stop, to_stop), "this record")
        if from_network != to_network:
            row.warn("joins two networks; a joined leg then has none, and no leg rule of a network holds for it")
        rules.append(JoinRule(from_network or "", to_network or "", from_stop, to_stop, row.line))
    return tuple(rules)


def read_transfer_rules(
    source: Source, groups: Collection[str], products: Mapping[str, object]
) -> tuple[TransferRule, ...]:
    """fare_transfer_rules.txt in its order. `groups`: those of the leg rules. Raises FeedError."""
    known = dict.fromkeys(groups)
    seen: dict[tuple[str | int | None, ...], int] = {}
    rules = []
    file, needed = "fare_transfer_rules.txt", ("fare_transfer_type",)
    for row in source.rows(file, needed=needed, rows_max=FARE_RULES_MAX):
        row.need("fare_transfer_type")
        from_group = row.known("from_leg_group_id", known, "fare_leg_rules.txt")
        to_group = row.known("to_leg_group_id", known, "fare_leg_rules.txt")
        count, (duration_s, duration_type) = _count(row, from_group, to_group), _duration(row)
        product_id = row.known("fare_product_id", products, "fare_products.txt")
        kind = TransferType(row.choice("fare_transfer_type", range(3)) or 0)
        row.once(seen, (from_group, to_group, product_id, count, duration_s), "groups, product, count and duration")
        rules.append(TransferRule(from_group, to_group, count, duration_s, duration_type, kind, product_id, row.line))
    return tuple(rules)


def _network(row: Row, column: str, named: Named) -> str | None:
    return row.known(column, named.networks, "networks.txt or routes.txt")


def _join_stop(row: Row, column: str, named: Named) -> str | None:
    stop_id = row.known(column, named.places, "stops.txt")
    if stop_id is not None and named.places[stop_id].kind not in _STOPS_AND_STATIONS:
        raise row.fault(f"{column} is neither a stop nor a station; name one")
    return stop_id


def _count(row: Row, from_group: str | None, to_group: str | None) -> int | None:
    """transfer_count, of transfers within one group only: -1 or at least 1."""
    count = row.integer("transfer_count")
    if count is None:
        if from_group is not None and from_group == to_group:
            raise row.fault("transfer_count is empty; a transfer within one leg group needs it, -1 is without limit")
        return None
    if from_group != to_group:
        raise row.fault("transfer_count is forbidden where the two leg groups differ; empty it")
    if count != _NO_LIMIT and count < 1:
        raise row.fault(f"transfer_count is {count}; write 1 or more, or -1 for no limit")
    return count


def _duration(row: Row) -> tuple[int | None, DurationType | None]:
    limit, kind = row.integer("duration_limit"), row.choice("duration_limit_type", range(4))
    if limit is not None and limit < 1:
        raise row.fault(f"duration_limit is {limit}; write seconds, 1 or more, or leave it empty")
    if (limit is None) != (kind is None):
        raise row.fault("duration_limit and duration_limit_type are one empty and one not; give both or neither")
    return limit, None if kind is None else DurationType(kind)
