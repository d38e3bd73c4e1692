"""Feeds for tests: a small good one, changed file by file, as a folder or a zip archive."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

GOOD = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Hill Trams,https://trams.example,Europe/Berlin\n",
    "stops.txt": (
        "stop_id,stop_name,location_type,parent_station,stop_timezone\n"
        "S,Station,1,,\nS1,Platform 1,0,S,\nS2,Platform 2,,S,\nB,Bridge,,,\nE,Entrance,2,S,\nS1a,Door,4,S1,\n"
    ),
    "areas.txt": "area_id,area_name\ninner,Inner\nouter,Outer\n",
    "stop_areas.txt": "area_id,stop_id\ninner,S\nouter,B\nouter,S2\n",
    "routes.txt": "route_id,route_type,network_id\nR1,0,tram\nR2,3,bus\n",
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "weekdays,1,1,1,1,1,0,0,20260105,20260118\n"
    ),
    "calendar_dates.txt": "service_id,date,exception_type\nweekdays,20260106,2\nweekdays,20260110,1\n",
    "timeframes.txt": (
        "timeframe_group_id,start_time,end_time,service_id\npeak,7:00:00,09:00:00,weekdays\npeak,16:00:00,24:00:00,weekdays\n"
        "always,,,weekdays\n"
    ),
    "rider_categories.txt": (
        "rider_category_id,rider_category_name,is_default_fare_category\nadult,Adult,1\nchild,Child,\n"
    ),
    "fare_media.txt": "fare_media_id,fare_media_name,fare_media_type\ncard,Card,2\n",
    "fare_products.txt": (
        "fare_product_id,fare_product_name,rider_category_id,fare_media_id,amount,currency\n"
        "single,Single,adult,card,2.80,EUR\nsingle,Single,child,card,1.40,EUR\nchange,Change,,,-0.30,EUR\n"
    ),
    "fare_leg_rules.txt": (
        "leg_group_id,network_id,from_area_id,to_area_id,from_timeframe_group_id,to_timeframe_group_id,"
        "fare_product_id,rule_priority\nlocal,tram,inner,outer,peak,,single,\n"
    ),
    "fare_leg_join_rules.txt": "from_network_id,to_network_id,from_stop_id,to_stop_id\ntram,tram,,\n",
    "fare_transfer_rules.txt": (
        "from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type,"
        "fare_product_id\nlocal,local,-1,3600,1,1,change\n"
    ),
}
"""Reads without a fault and without a warning."""


def folder_feed(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with these files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zip_feed(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """A zip archive with these files at its root."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
