"""Targets of what prices go by: a feed, as its files and as an archive, and the operator's rules."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from fuzz.target import Target, demand
from openstile.fares import feed as feeds
from openstile.fares import rules_file
from openstile.fares.errors import FeedError
from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.rules import FareRules
from openstile.fares.values import Feed
from openstile.terms import BadInputError

_MARK = b"== "
"""A line that begins so begins a file; the rest of it is its name."""
_START, _END = datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 2, 8, tzinfo=UTC)
_FEED = b"""== agency.txt
agency_name,agency_timezone
A,Europe/Berlin
== stops.txt
stop_id,stop_name,location_type,parent_station,stop_timezone
a,A,1,,
b,B,0,a,
c,"C, the third",,,Europe/Lisbon
== areas.txt
area_id
x
y
== stop_areas.txt
area_id,stop_id
x,a
y,c
== routes.txt
route_id,network_id
r,n
== calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
d,1,1,1,1,1,0,0,20260101,20260331
== calendar_dates.txt
service_id,date,exception_type
d,20260106,2
== timeframes.txt
timeframe_group_id,start_time,end_time,service_id
t,7:00:00,24:00:00,d
== rider_categories.txt
rider_category_id,rider_category_name,is_default_fare_category
k,K,1
== fare_media.txt
fare_media_id,fare_media_type
m,2
== fare_products.txt
fare_product_id,rider_category_id,fare_media_id,amount,currency
p,k,m,2.80,EUR
q,,,-0.30,EUR
== fare_leg_rules.txt
leg_group_id,network_id,from_area_id,to_area_id,from_timeframe_group_id,fare_product_id,rule_priority
g,n,x,y,t,p,1
h,,,,,p,
== fare_leg_join_rules.txt
from_network_id,to_network_id,from_stop_id,to_stop_id
n,n,b,c
== fare_transfer_rules.txt
from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type,fare_product_id
g,g,-1,3600,1,0,
g,h,,,,1,q
"""
_RULES = b"""
currency = "EUR"
[service_day]
starts = "04:00"
[systems.trams]
networks = ["n"]
mode = "entry_exit"
maximum = "4.80"
[systems.rest]
mode = "entry"
[caps.day]
name = "Day"
window = "service_day"
kind = "amount"
limit = "8.00"
[caps.week]
window = "calendar_week"
kind = "count"
limit = 12
networks = ["n"]
[periods.month]
price = "49.00"
months = 1
everything = true
"""


def _files(data: bytes) -> dict[str, bytes]:
    """The files in the fuzzer's text, of those that a feed may have."""
    names = {part.partition(b"\n")[0].decode("latin-1") for part in _parts(_FEED)}
    files = {}
    for part in _parts(data):
        name, _, content = part.partition(b"\n")
        if name.decode("latin-1") in names:
            files[name.decode("latin-1")] = content
    return files


def _parts(data: bytes) -> list[bytes]:
    return (b"\n" + data).split(b"\n" + _MARK)[1:]


def _parse_folder(data: bytes, folder: Path) -> object:
    for old in folder.glob("*.txt"):
        old.unlink()
    for name, content in _files(data).items():
        (folder / name).write_bytes(content)
    return feeds.read_feed(folder)


def _parse_archive(data: bytes, folder: Path) -> object:
    path = folder / "feed.zip"
    path.write_bytes(data)
    return feeds.read_feed(path)


def _check_feed(data: bytes, value: object) -> None:
    demand(isinstance(value, Feed), "not a Feed")
    assert isinstance(value, Feed)
    stops = [*value.stops][:3]
    networks = [None, *value.networks][:3]
    legs = [Leg(network, one, other, _START, _END) for one in stops for other in stops for network in networks]
    try:
        chains = FareIndex(value).price(legs, Rider())
    except BadInputError:
        return  # a sum beyond what money may be
    covered = [index for chain in chains for index in range(chain.first, chain.last + 1)]
    demand(covered == list(range(len(legs))), "a leg is in no chain, or in two")


def _parse_rules(data: bytes, folder: Path) -> object:
    return rules_file.parse_rules(data, source="fares.toml")


def _check_rules(data: bytes, value: object) -> None:
    demand(isinstance(value, FareRules), "not FareRules")
    assert isinstance(value, FareRules)
    demand(value == rules_file.parse_rules(data, source="again"), "read twice, the rules differ")


def _archive(method: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in _files(_FEED).items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


TARGETS = (
    Target(
        name="feed",
        parser="openstile.fares.feed.read_feed",
        promise="a feed that was read prices rides between its stops, each in one chain",
        parse=_parse_folder,
        check=_check_feed,
        seeds=lambda: (_FEED, _FEED.replace(b",1\nh", b",\nh").replace(b"\n", b"\r\n")),
        refusals=(FeedError,),
    ),
    Target(
        name="feed-archive",
        parser="openstile.fares.feed.read_feed",
        promise="the same, for bytes as a zip archive",
        parse=_parse_archive,
        check=_check_feed,
        seeds=lambda: (_archive(zipfile.ZIP_STORED), _archive(zipfile.ZIP_DEFLATED)),
        refusals=(FeedError,),
        bytes_max=8192,
    ),
    Target(
        name="fare-rules",
        parser="openstile.fares.rules_file.parse_rules",
        promise="rules that were read are the same when read again",
        parse=_parse_rules,
        check=_check_rules,
        seeds=lambda: (b"", _RULES),
        refusals=(BadInputError,),
    ),
)
