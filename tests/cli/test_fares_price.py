"""`openstile fares price`: a feed, a file of taps, rules; strict, and the same for people and machines."""

from pathlib import Path

import pytest
from tests.cli.conftest import Openstile
from tests.fares.feed_workshop import folder_feed

FEED = {
    "agency.txt": "agency_name,agency_url,agency_timezone\nT,https://t.example,Europe/Berlin\n",
    "stops.txt": "stop_id,stop_name\na,Alpha\nb,Beta\n",
    "areas.txt": "area_id\nA\nB\n",
    "stop_areas.txt": "area_id,stop_id\nA,a\nB,b\n",
    "routes.txt": "route_id,route_type,network_id\n1,0,tram\n",
    "rider_categories.txt": (
        "rider_category_id,rider_category_name,is_default_fare_category\nadult,Adult,1\nchild,Child,\n"
    ),
    "fare_media.txt": "fare_media_id,fare_media_name,fare_media_type\ncard,Card,2\n",
    "fare_products.txt": (
        "fare_product_id,fare_product_name,rider_category_id,amount,currency\n"
        "single,Single,adult,2.80,EUR\nsingle,Single,child,1.40,EUR\n"
    ),
    "fare_leg_rules.txt": "network_id,from_area_id,to_area_id,fare_product_id\ntram,A,B,single\ntram,B,A,single\n",
}
RULES = """
currency = "EUR"
[systems.tram]
mode = "entry_exit"
maximum = "5.00"
[caps.day]
name = "Day"
window = "service_day"
kind = "amount"
limit = "4.00"
"""
HEADER = "rider,time,stop_id,direction,network_id,category,media\n"
TAPS = HEADER + (
    "ann,2026-03-02T08:00:00+01:00,a,in,tram,,\n"
    "bob,2026-03-02T08:00:30+01:00,a,in,tram,child,card\n"
    "ann,2026-03-02T08:20:00+01:00,b,out,tram,,\n"
    "ann,2026-03-02T16:20:00Z,a,out,tram,,\n"
    "ann,2026-03-02T16:00:00Z,b,in,tram,,\n"
    "bob,2026-03-02T08:15:00+01:00,b,out,tram,child,card\n"
)


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A feed, a file of taps, and rules."""
    taps, rules = tmp_path / "taps.csv", tmp_path / "fares.toml"
    taps.write_text(TAPS)
    rules.write_text(RULES)
    return folder_feed(tmp_path / "feed", FEED), taps, rules


def test_journeys_and_totals_for_machines(openstile: Openstile, paths: tuple[Path, Path, Path]) -> None:
    feed, taps, rules = paths
    ran = openstile("fares", "price", feed, taps, "--rules", rules, "--json")
    assert (ran.exit_code, ran.err) == (0, "")
    assert ran.json["totals"] == [
        {"rider": "ann", "minor": 400, "currency": "EUR"},
        {"rider": "bob", "minor": 140, "currency": "EUR"},
    ]
    assert ran.json["journeys"][1] == {
        "rider": "ann",
        "day": "2026-03-02",
        "started_at": "2026-03-02T16:00:00+00:00",
        "state": "complete",
        "tap_lines": [6, 5],
        "products": ["single"],
        "minor": 120,
        "currency": "EUR",
        "lines": [
            {
                "code": "fare",
                "values": ["Single", "Beta", "Alpha"],
                "minor": 280,
                "text": "Single (Beta – Alpha): 2.80",
            },
            {
                "code": "cap_day",
                "values": ["Day", "4.00", "1"],
                "minor": -160,
                "text": "daily cap reached (Day, 4.00): -1.60",
            },
        ],
    }


def test_journeys_and_totals_for_people_in_local_time(openstile: Openstile, paths: tuple[Path, Path, Path]) -> None:
    feed, taps, rules = paths
    ran = openstile("fares", "price", feed, taps, "--rules", rules, "--language", "de")
    assert ran.exit_code == 0
    assert "2026-03-02 17:00" in ran.out
    assert "Tageshöchstpreis erreicht (Day, 4,00): -1,60" in ran.out
    assert "4.00 EUR" in ran.out


def test_without_rules_there_is_neither_cap_nor_maximum_fare(
    openstile: Openstile, paths: tuple[Path, Path, Path]
) -> None:
    feed, taps, _ = paths
    taps.write_text(TAPS + "ann,2026-03-02T21:00:00+01:00,a,in,tram,,\n")
    journeys = openstile("fares", "price", feed, taps, "--json").json["journeys"]
    assert [(one["minor"], one["state"]) for one in journeys[:3]] == [
        (280, "complete"), (280, "complete"), (0, "unknown"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "state"), [("2026-03-02T08:30:00+01:00", "open"), ("2026-03-02T23:00Z", "missing_exit")]
)
def test_now_decides_what_is_still_open(
    openstile: Openstile, paths: tuple[Path, Path, Path], now: str, state: str
) -> None:
    feed, taps, rules = paths
    taps.write_text(HEADER + "ann,2026-03-02T08:00:00+01:00,a,in,tram,,\n")
    ran = openstile("fares", "price", feed, taps, "--rules", rules, "--now", now, "--json")
    assert [one["state"] for one in ran.json["journeys"]] == [state]


GOOD_ROW = "ann,2026-03-02T08:00:00+01:00,a,in,tram,,\n"


@pytest.mark.parametrize(
    ("taps", "complaint"),
    [
        ("", "line 1: has no column rider"),
        ("rider,time,stop_id\n", "line 1: has no column direction"),
        (HEADER.replace("media", "fare"), "line 1: has an unknown column 'fare'"),
        (HEADER.replace("media", "rider"), "line 1: has a column twice"),
        (HEADER + GOOD_ROW + "ann,2026-03-02\n", "line 3: has 2 fields, the first line has 7"),
        (HEADER + GOOD_ROW.replace("ann", ""), "line 2: rider is empty"),
        (HEADER + GOOD_ROW.replace("ann", "a" * 201), "line 2: rider must have at most 200"),
        (HEADER + GOOD_ROW.replace("ann", "a\x07"), "line 2: rider must have at most 200 printable"),
        (HEADER + GOOD_ROW.replace("+01:00", ""), "line 2: time must be ISO 8601 with its offset"),
        (HEADER + GOOD_ROW.replace("2026-03-02T", ""), "line 2: time must be ISO 8601"),
        (HEADER + GOOD_ROW.replace("2026", "0001"), "line 2: time must be ISO 8601"),
        (HEADER + GOOD_ROW.replace(",a,", ",,"), "line 2: stop_id is empty"),
        (HEADER + GOOD_ROW.replace(",a,", ",z,"), "line 2: stop_id 'z': the feed has no such stop"),
        (HEADER + GOOD_ROW.replace(",in,", ",IN,"), "line 2: direction must be in or out"),
        (HEADER + GOOD_ROW.replace("tram", "bus"), "line 2: network_id 'bus': the feed has no such network"),
        (
            HEADER + GOOD_ROW.replace("tram,,", "tram,dog,"),
            "line 2: category 'dog': the feed has no such rider category",
        ),
        (HEADER + GOOD_ROW.replace("tram,,", "tram,,cash"), "line 2: media 'cash': the feed has no such fare media"),
        (HEADER + GOOD_ROW + GOOD_ROW.replace("tram,,", "tram,child,"), "line 3: this rider has another category or"),
        (HEADER + '"ann', "is not CSV"),
    ],
)
def test_file_of_taps_that_is_wrong_is_refused_with_its_line(
    openstile: Openstile, paths: tuple[Path, Path, Path], taps: str, complaint: str
) -> None:
    paths[1].write_text(taps)
    ran = openstile("fares", "price", paths[0], paths[1])
    assert (ran.exit_code, ran.out) == (2, "")
    assert complaint in ran.err


def test_files_that_are_not_there_or_no_text_are_refused(openstile: Openstile, paths: tuple[Path, Path, Path]) -> None:
    feed, taps, rules = paths
    gone = feed / "gone"
    for arguments in ((gone, taps), (feed, gone), (feed, taps, "--rules", gone), (feed, taps, "--now", "noon")):
        assert openstile("fares", "price", *arguments).exit_code == 2
    taps.write_bytes(b"\xff\xfe")
    ran = openstile("fares", "price", feed, taps, "--rules", rules)
    assert (ran.exit_code, "is not UTF-8" in ran.err) == (2, True)
    ran = openstile("fares", "price", feed, "/dev/zero")
    assert (ran.exit_code, "it is no CSV" in ran.err) == (2, True), "what has no end is not read to its end"


def test_real_feed_prices_a_ride_between_zones(openstile: Openstile, shared_data: Path, tmp_path: Path) -> None:
    taps = tmp_path / "taps.csv"
    rows = [("normal", "0"), ("other", "3")]
    taps.write_text(
        "rider,time,stop_id,direction,category,media\n"
        + "".join(
            f"{name},2026-03-02T08:{minute}:00+01:00,{stop},{way},{category},0\n"
            for name, category in rows
            for minute, stop, way in (("00", "100", "in"), ("40", "120", "out"))
        )
    )
    ran = openstile("fares", "price", shared_data / "gtfs" / "zakroczym.zip", taps, "--json")
    assert [(one["minor"], one["state"], one["currency"]) for one in ran.json["journeys"]] == [
        (500, "complete", "PLN"),
        (0, "unknown", "PLN"),
    ]
