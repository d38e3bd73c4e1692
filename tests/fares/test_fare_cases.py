"""The conformance cases (tests/fares/cases/README.md), and all zones and riders of a real feed by a naive reading."""

import csv
import json
import zipfile
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from openstile.fares.errors import FeedError
from openstile.fares.feed import read_feed
from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.terms.money import parse_money

CASES = Path(__file__).parent / "cases"
BASES: dict[str, Any] = json.loads((CASES / "base.json").read_text(encoding="utf-8"))


ALL = [
    (f"{path.stem}: {case['name']}", case)
    for path in sorted(CASES.glob("*.json"))
    if path.name != "base.json"
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"]
]


def files_of(case: dict[str, Any]) -> dict[str, Any]:
    """The files of a case over those of its base."""
    files: dict[str, Any] = files_of(BASES[case["base"]]) if "base" in case else {}
    return {**files, **case.get("feed", {})}


def write_feed(folder: Path, case: dict[str, Any]) -> Path:
    for name, content in files_of(case).items():
        if content is not None:
            text = content if isinstance(content, str) else "".join(f"{line}\n" for line in content)
            (folder / name).write_bytes(text.encode())
    return folder


def leg_of(leg: dict[str, Any]) -> Leg:
    start, end = (datetime.fromisoformat(leg[name]).astimezone(UTC) for name in ("start", "end"))
    return Leg(leg["network"], leg["from"], leg["to"], start, end)


@pytest.mark.parametrize("case", [case for _, case in ALL], ids=[name for name, _ in ALL])
def test_case_of_the_reference(case: dict[str, Any], tmp_path: Path) -> None:
    folder, expected = write_feed(tmp_path, case), case["expected"]
    if "refused" in expected:
        with pytest.raises(FeedError) as raised:
            read_feed(folder)
        assert {"file": raised.value.file, "line": raised.value.line} == expected["refused"], str(raised.value)
        return
    feed = read_feed(folder)
    if "accepted" in expected:
        return
    rider = Rider(case.get("rider", {}).get("category"), case.get("rider", {}).get("media"))
    chains = FareIndex(feed).price([leg_of(leg) for leg in case["legs"]], rider)
    got = [
        {"legs": [chain.first, chain.last], "amount": None if chain.amount is None else str(chain.amount)}
        for chain in chains
    ]
    assert got == expected["chains"], case["source"]
    for chain in chains:
        assert sum(step.amount.minor for step in chain.steps) == (0 if chain.amount is None else chain.amount.minor)


def test_cases_are_enough_each_named_once_and_each_with_its_source() -> None:
    assert len(ALL) >= 120
    assert len({name for name, _ in ALL}) == len(ALL)
    known = {"name", "source", "reading", "base", "feed", "rider", "legs", "expected"}
    for name, case in ALL:
        assert set(case) <= known, name
        assert case["source"].partition(": ")[2], name
        assert len(case["expected"]) == 1, name
        assert set(case["expected"]) <= {"chains", "refused", "accepted"}, name


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    with archive.open(name) as file:
        return list(csv.DictReader(TextIOWrapper(file, encoding="utf-8-sig", newline="")))


def test_every_zone_pair_and_rider_category_of_zakroczym(shared_data: Path) -> None:
    path = shared_data / "gtfs" / "zakroczym.zip"
    with zipfile.ZipFile(path) as archive:
        zones = {row["stop_id"]: row["area_id"] for row in rows(archive, "stop_areas.txt")}
        categories = [row["rider_category_id"] for row in rows(archive, "rider_categories.txt")]
        product_of = {
            (row["from_area_id"], row["to_area_id"]): row["fare_product_id"]
            for row in rows(archive, "fare_leg_rules.txt")
        }
        price_of = {
            (row["fare_product_id"], row["rider_category_id"]): parse_money(row["amount"], row["currency"])
            for row in rows(archive, "fare_products.txt")
        }
    index = FareIndex(read_feed(path))
    start, end = datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 2, 7, 20, tzinfo=UTC)
    stop_in = {zone: stop for stop, zone in zones.items()}
    assert len(stop_in) == 3
    assert len(categories) == 4
    known = 0
    for from_zone, from_stop in stop_in.items():
        for to_zone, to_stop in stop_in.items():
            for category in categories:
                expected = price_of.get((product_of[from_zone, to_zone], category))
                (chain,) = index.price([Leg(None, from_stop, to_stop, start, end)], Rider(category))
                assert chain.amount == expected, (from_zone, to_zone, category)
                known += expected is not None
            (default,) = index.price([Leg(None, from_stop, to_stop, start, end)], Rider())
            assert default.amount == price_of[product_of[from_zone, to_zone], "0"]
    assert known == 9
