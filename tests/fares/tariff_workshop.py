"""Tariffs for tests, small and like real ones: a city with zones, peaks and caps, and one with a flat fare."""

import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from tests.fares.feed_workshop import folder_feed

from openstile.fares import Tariff, price_taps, read_feed
from openstile.fares.rides import Counted, FareTap, HeldPeriod, PricedJourney, Rider, Way
from openstile.fares.rules_file import parse_rules
from openstile.fares.values import Feed

LATER = datetime(2026, 12, 1, tzinfo=UTC)
"""When nothing is open any more."""

_STOPS = {"bank": "z1", "oxford": "z1", "stratford": "z2", "wimbledon": "z3", "aldgate": "z1", "hackney": "z2"}
_LONDON_PRICES = {"z1": ("2.90", "2.80"), "z12": ("3.50", "2.90"), "z13": ("3.80", "3.10"), "z2": ("2.20", "2.10")}
_ZONES = {"z1": "z1 z1", "z12": "z1 z2", "z13": "z1 z3", "z2": "z2 z2"}
_CALENDAR = (
    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "weekdays,1,1,1,1,1,0,0,20260101,20261231\nweekend,0,0,0,0,0,1,1,20260101,20261231\n"
)
_LEG_RULES = (
    "leg_group_id,network_id,from_area_id,to_area_id,from_timeframe_group_id,to_timeframe_group_id,fare_product_id,"
    "rule_priority\n"
)
_TRANSFERS = (
    "from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type,"
    "fare_product_id\n"
)

LONDON_RULES = """
currency = "GBP"

[service_day]
starts = "04:30"

[systems.rail]
networks = ["tube"]
mode = "entry_exit"
journey_minutes_max = 110
maximum = "9.40"
maximum_by_category = { child = "4.70" }

[systems.bus]
networks = ["bus"]
mode = "entry"

[caps.day-z12]
name = "Zones 1-2"
window = "service_day"
kind = "amount"
limit = "8.90"
limit_by_category = { child = "4.45" }
products = ["z1-peak", "z1-off", "z12-peak", "z12-off", "z2-peak", "z2-off", "bus"]

[caps.day-z13]
name = "Zones 1-3"
window = "service_day"
kind = "amount"
limit = "10.50"

[caps.week-z12]
name = "Zones 1-2"
window = "calendar_week"
starts_on = "monday"
kind = "amount"
limit = "44.70"
products = ["z1-peak", "z1-off", "z12-peak", "z12-off", "z2-peak", "z2-off", "bus"]

[categories.student]
pays_as = "child"
"""

NEW_YORK_RULES = """
currency = "USD"

[systems.all]
mode = "entry"

[caps.week]
name = "7-day cap"
window = "rolling_days"
days = 7
kind = "amount"
limit = "35.00"
limit_by_category = { reduced = "17.50" }
"""


def _feed(files: dict[str, str]) -> Feed:
    with tempfile.TemporaryDirectory() as folder:
        return read_feed(folder_feed(Path(folder), files))


@cache
def london_feed() -> Feed:
    """Zones, peak fares, and an hour of free transfers between buses."""
    products = "fare_product_id,fare_product_name,rider_category_id,amount,currency\n"
    rules = f"{_LEG_RULES}bus,bus,,,,,bus,1\n"
    products += "bus,Bus,adult,1.75,GBP\nbus,Bus,child,0.00,GBP\n"
    for name, prices in _LONDON_PRICES.items():
        for when, price in zip(("peak", "off"), prices, strict=True):
            pence = int(price.replace(".", "")) // 2
            shown = f"Zone {'-'.join(name[1:])}, {'peak' if when == 'peak' else 'off-peak'}"
            products += f'{name}-{when},"{shown}",adult,{price},GBP\n'
            products += f'{name}-{when},"{shown}, child",child,{pence // 100}.{pence % 100:02},GBP\n'
            first, last = _ZONES[name].split()
            for pair in dict.fromkeys(((first, last), (last, first))):
                rules += f"tube,tube,{pair[0]},{pair[1]},{when},,{name}-{when},1\n"
    return _feed(
        {
            "agency.txt": "agency_name,agency_url,agency_timezone\nT,https://t.example,Europe/London\n",
            "stops.txt": "stop_id,stop_name\n" + "".join(f"{stop},{stop.title()}\n" for stop in _STOPS),
            "areas.txt": "area_id\nz1\nz2\nz3\n",
            "stop_areas.txt": "area_id,stop_id\n" + "".join(f"{zone},{stop}\n" for stop, zone in _STOPS.items()),
            "routes.txt": "route_id,route_type,network_id\nT,1,tube\nB,3,bus\n",
            "calendar.txt": _CALENDAR,
            "timeframes.txt": (
                "timeframe_group_id,start_time,end_time,service_id\npeak,06:30:00,09:30:00,weekdays\n"
                "peak,16:00:00,19:00:00,weekdays\noff,00:00:00,06:30:00,weekdays\noff,09:30:00,16:00:00,weekdays\n"
                "off,19:00:00,24:00:00,weekdays\noff,00:00:00,24:00:00,weekend\n"
            ),
            "rider_categories.txt": (
                "rider_category_id,rider_category_name,is_default_fare_category\nadult,Adult,1\nchild,Child,\n"
                "student,Student,\n"
            ),
            "fare_products.txt": products,
            "fare_leg_rules.txt": rules,
            "fare_transfer_rules.txt": f"{_TRANSFERS}bus,bus,-1,3600,1,0,\n",
        }
    )


@cache
def new_york_feed() -> Feed:
    """One fare, and one free transfer within two hours that is not from subway to subway."""
    return _feed(
        {
            "agency.txt": "agency_name,agency_url,agency_timezone\nM,https://m.example,America/New_York\n",
            "stops.txt": "stop_id,stop_name\ntimes-sq,Times Sq\nbroadway,Broadway\n",
            "routes.txt": "route_id,route_type,network_id\nS,1,subway\nB,3,bus\n",
            "rider_categories.txt": (
                "rider_category_id,rider_category_name,is_default_fare_category\nfull,Full fare,1\nreduced,Reduced,\n"
            ),
            "fare_products.txt": (
                "fare_product_id,fare_product_name,rider_category_id,amount,currency\n"
                "ride,Ride,full,3.00,USD\nride,Ride,reduced,1.50,USD\n"
            ),
            "fare_leg_rules.txt": f"{_LEG_RULES}subway,subway,,,,,ride,\nbus,bus,,,,,ride,\n",
            "fare_transfer_rules.txt": (
                f"{_TRANSFERS}subway,bus,,7200,1,0,\nbus,subway,,7200,1,0,\nbus,bus,1,7200,1,0,\n"
            ),
        }
    )


@cache
def tariff(feed: str = "london", rules: str | None = None) -> Tariff:
    """A city's tariff; `rules` in place of its own, as the text of a file."""
    data, own = (london_feed(), LONDON_RULES) if feed == "london" else (new_york_feed(), NEW_YORK_RULES)
    return Tariff(data, parse_rules((own if rules is None else rules).encode(), source="test"))


def at(text: str) -> datetime:
    """An instant; a day of March 2026 and a time, as `02 08:15`, in UTC, which London has then."""
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def tap(when: str, stop: str, way: str = "in", net: str | None = "tube", tap_id: str | None = None) -> FareTap:
    """A tap; its id is its time, place and way unless another is given."""
    return FareTap(tap_id or f"{when} {stop} {way}", at(when), stop, net, Way(way))


def tube(when: str, origin: str, to: str, minutes: int = 20) -> list[FareTap]:
    """The two taps of a ride."""
    begin = at(when)
    end = begin + timedelta(minutes=minutes)
    return [tap(when, origin), FareTap(f"{when} {to} out", end, to, "tube", Way.OUT)]


def bus(when: str, stop: str = "aldgate") -> list[FareTap]:
    """The one tap of a ride."""
    return [tap(when, stop, net="bus")]


def priced(
    of: Tariff,
    taps: Iterable[FareTap],
    *,
    rider: Rider | None = None,
    counted: Sequence[Counted] = (),
    periods: Sequence[HeldPeriod] = (),
    now: datetime = LATER,
) -> tuple[PricedJourney, ...]:
    """As `price_taps`, for the default rider when all is over."""
    return price_taps(of, rider=rider or Rider(), taps=tuple(taps), counted=counted, periods=periods, now=now)


def amounts(journeys: Iterable[PricedJourney]) -> list[str]:
    """What each journey costs."""
    return [journey.amount.decimal for journey in journeys]


def days(first: int, last: int) -> tuple[date, date]:
    """Two days of March 2026."""
    return date(2026, 3, first), date(2026, 3, last)
