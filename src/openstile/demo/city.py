"""The demo's small city: two zones, a metro with gates in and out, a tram, a peak, a transfer and a daily cap.

Its fares are a GTFS Fares v2 feed and a file of rules, written into the demo's folder as an operator would have them.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from openstile.journal import Direction
from openstile.terms.files import write_private

CURRENCY = "EUR"
FEED_FOLDER, RULES_FILE = "city", "fares.toml"


@dataclass(frozen=True, slots=True)
class CityGate:
    """A gate of the city: where it stands, and which way it lets riders through."""

    name: str
    stop: str
    network: str
    direction: Direction


HARBOUR_IN = CityGate("harbour-in", "harbour", "metro", Direction.IN)
HILL_OUT = CityGate("hill-out", "hill", "metro", Direction.OUT)
HILL_TRAM = CityGate("hill-tram", "hill", "tram", Direction.IN)
GATES = (HARBOUR_IN, HILL_OUT, HILL_TRAM)

_FEED = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\ncity,City Lines,https://city.example,Etc/UTC\n",
    "stops.txt": "stop_id,stop_name\nharbour,Harbour\nmarket,Market\nhill,Hill\n",
    "areas.txt": "area_id,area_name\nz1,Zone 1\nz2,Zone 2\n",
    "stop_areas.txt": "area_id,stop_id\nz1,harbour\nz1,market\nz2,hill\n",
    "routes.txt": "route_id,route_type,network_id\nM1,1,metro\nT1,0,tram\n",
    "timeframes.txt": (
        "timeframe_group_id,start_time,end_time,service_id\n"
        "peak,06:30:00,09:30:00,daily\npeak,16:00:00,19:00:00,daily\n"
        "off,00:00:00,06:30:00,daily\noff,09:30:00,16:00:00,daily\noff,19:00:00,24:00:00,daily\n"
    ),
    "rider_categories.txt": (
        "rider_category_id,rider_category_name,is_default_fare_category\nadult,Adult,1\nreduced,Reduced,\n"
    ),
    "fare_products.txt": (
        "fare_product_id,fare_product_name,rider_category_id,amount,currency\n"
        'z1-peak,"Zone 1, peak",adult,2.40,EUR\nz1-off,"Zone 1, off-peak",adult,1.90,EUR\n'
        'z12-peak,"Zones 1-2, peak",adult,3.20,EUR\nz12-off,"Zones 1-2, off-peak",adult,2.60,EUR\n'
        "tram,Tram,adult,1.90,EUR\n"
        'z1-peak,"Zone 1, peak, reduced",reduced,1.20,EUR\nz1-off,"Zone 1, off-peak, reduced",reduced,0.95,EUR\n'
        'z12-peak,"Zones 1-2, peak, reduced",reduced,1.60,EUR\n'
        'z12-off,"Zones 1-2, off-peak, reduced",reduced,1.30,EUR\n'
        'tram,"Tram, reduced",reduced,0.95,EUR\n'
    ),
    "fare_leg_rules.txt": (
        "leg_group_id,network_id,from_area_id,to_area_id,from_timeframe_group_id,fare_product_id,rule_priority\n"
        "metro,metro,z1,z1,peak,z1-peak,1\nmetro,metro,z1,z1,off,z1-off,1\n"
        "metro,metro,z1,z2,peak,z12-peak,1\nmetro,metro,z1,z2,off,z12-off,1\n"
        "metro,metro,z2,z1,peak,z12-peak,1\nmetro,metro,z2,z1,off,z12-off,1\n"
        "tram,tram,,,,tram,1\n"
    ),
    "fare_transfer_rules.txt": (
        "from_leg_group_id,to_leg_group_id,duration_limit,duration_limit_type,fare_transfer_type\nmetro,tram,3600,2,0\n"
    ),
}
_CALENDAR = (
    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "daily,1,1,1,1,1,1,1,{year}0101,{next}1231\n"
)
_RULES = b"""currency = "EUR"

[systems.metro]
networks = ["metro"]
mode = "entry_exit"
journey_minutes_max = 240
maximum = "6.00"
maximum_by_category = { reduced = "3.00" }

[systems.tram]
networks = ["tram"]
mode = "entry"

[caps.day]
name = "City"
window = "service_day"
kind = "amount"
limit = "7.50"
limit_by_category = { reduced = "3.75" }
"""


def write_city(home: Path, *, today: date) -> None:
    """Writes feed and rules into an operator's home."""
    files = {**_FEED, "calendar.txt": _CALENDAR.format(year=today.year - 1, next=today.year + 1)}
    for name, text in files.items():
        write_private(home / FEED_FOLDER / name, text.encode())
    write_private(home / RULES_FILE, _RULES)
