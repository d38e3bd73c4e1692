"""The values of a GTFS Fares v2 feed that pricing goes by, named as in the GTFS reference (docs/fares.md).

Ids are those of the feed; None is an empty field. A feed's values are checked against each other by its reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from openstile.terms.money import Money


class DurationType(IntEnum):
    """fare_transfer_rules.duration_limit_type: from what to what a transfer's time runs."""

    DEPARTURE_TO_ARRIVAL = 0
    DEPARTURE_TO_DEPARTURE = 1
    ARRIVAL_TO_DEPARTURE = 2
    ARRIVAL_TO_ARRIVAL = 3


class TransferType(IntEnum):
    """fare_transfer_rules.fare_transfer_type: what is paid for leg A, leg B and the transfer AB between them."""

    A_AND_TRANSFER = 0
    A_AND_TRANSFER_AND_B = 1
    TRANSFER_ONLY = 2


@dataclass(frozen=True, slots=True)
class FareProduct:
    """One row of fare_products.txt: what a product costs riders of a category with a fare media."""

    product_id: str
    name: str | None
    category_id: str | None
    media_id: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class LegRule:
    """One row of fare_leg_rules.txt. `line` is that of the file, for messages and explanations."""

    leg_group_id: str | None
    network_id: str | None
    from_area_id: str | None
    to_area_id: str | None
    from_timeframe_id: str | None
    to_timeframe_id: str | None
    product_id: str
    priority: int | None
    line: int


@dataclass(frozen=True, slots=True)
class JoinRule:
    """One row of fare_leg_join_rules.txt: legs that count as one."""

    from_network_id: str
    to_network_id: str
    from_stop_id: str | None
    to_stop_id: str | None
    line: int


@dataclass(frozen=True, slots=True)
class TransferRule:
    """One row of fare_transfer_rules.txt. `count` -1 is without limit; `duration_s` in seconds."""

    from_leg_group_id: str | None
    to_leg_group_id: str | None
    count: int | None
    duration_s: int | None
    duration_type: DurationType | None
    transfer_type: TransferType
    product_id: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Timeframe:
    """One row of timeframes.txt: seconds after local midnight, `end_s` exclusive; on the days of a service."""

    group_id: str
    start_s: int
    end_s: int
    service_id: str


@dataclass(frozen=True, slots=True)
class RiderCategory:
    """One row of rider_categories.txt."""

    category_id: str
    name: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class FareMedia:
    """One row of fare_media.txt."""

    media_id: str
    name: str | None
    media_type: int


@dataclass(frozen=True, slots=True)
class Stop:
    """What fares need of one row of stops.txt; `timezone` is an IANA name, the agency's where the feed says none."""

    stop_id: str
    name: str
    parent_id: str | None
    timezone: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, read and checked. Mappings are not changed after reading.

    `areas_of`: stop id to the ids of its areas (its own, or else those of its parent station).
    `has_priority`: some leg rule has a rule_priority value. `services`: id of a service that a timeframe
    names to the local days on which it runs.
    `network_of_route`: route id to network id (networks.txt and route_networks.txt, or routes.network_id).
    """

    timezone: str
    stops: Mapping[str, Stop]
    areas: Mapping[str, str | None]
    areas_of: Mapping[str, frozenset[str]]
    networks: Mapping[str, str | None]
    network_of_route: Mapping[str, str]
    products: tuple[FareProduct, ...]
    leg_rules: tuple[LegRule, ...]
    join_rules: tuple[JoinRule, ...]
    transfer_rules: tuple[TransferRule, ...]
    timeframes: Mapping[str, tuple[Timeframe, ...]]
    services: Mapping[str, frozenset[date]] = field(repr=False)
    categories: Mapping[str, RiderCategory] = field(default_factory=dict)
    media: Mapping[str, FareMedia] = field(default_factory=dict)

    @property
    def network_ids(self) -> frozenset[str]:
        """The networks that there are; routes.txt may name some that networks.txt does not have."""
        return frozenset({*self.networks, *self.network_of_route.values()})

    @property
    def has_priority(self) -> bool:
        """Whether empty networks and areas of leg rules are ignored, instead of meaning those not listed."""
        return any(rule.priority is not None for rule in self.leg_rules)
