"""`openstile fares check`: what was read, what is odd, and exit code 2 with file and line for what is wrong."""

from pathlib import Path

from tests.cli.conftest import Openstile
from tests.fares.feed_workshop import GOOD, folder_feed, zip_feed


def test_check_of_a_good_feed_counts_its_records(openstile: Openstile, tmp_path: Path) -> None:
    ran = openstile("fares", "check", zip_feed(tmp_path / "feed.zip", GOOD))
    assert ran.exit_code == 0, ran.err
    assert "fare_leg_rules.txt" in ran.out
    assert "Warnings" not in ran.out


def test_check_in_json_tells_records_and_warnings(openstile: Openstile, tmp_path: Path) -> None:
    files = {**GOOD, "fare_products.txt": GOOD["fare_products.txt"] + "idle,Idle,,,9,USD\n"}
    ran = openstile("fares", "check", folder_feed(tmp_path, files), "--json")
    assert ran.exit_code == 0, ran.err
    assert list(ran.json) == ["feed", "rules", "timezone", "rule_priority", "records", "warnings", "warnings_count"]
    assert ran.json["records"]["fare_products.txt"] == 4
    assert ran.json["warnings_count"] == len(ran.json["warnings"]) == 2
    assert {warning["file"] for warning in ran.json["warnings"]} == {"fare_products.txt"}


def test_bad_feed_ends_with_2_and_the_line(openstile: Openstile, tmp_path: Path) -> None:
    files = {**GOOD, "areas.txt": "area_id\ninner\ninner\n"}
    ran = openstile("fares", "check", folder_feed(tmp_path, files), "--json")
    assert (ran.exit_code, ran.json["exit_code"]) == (2, 2)
    assert "areas.txt line 3: area_id is the same as on line 2" in ran.err
    assert "areas.txt line 3" in ran.json["error"]


def test_rules_are_checked_against_the_feed(openstile: Openstile, tmp_path: Path) -> None:
    feed, rules = folder_feed(tmp_path / "feed", GOOD), tmp_path / "fares.toml"
    rules.write_text('[systems.trams]\nnetworks = ["tram"]\nmode = "entry"\n')
    ran = openstile("fares", "check", feed, "--rules", rules, "--json")
    assert (ran.exit_code, ran.json["rules"]) == (0, str(rules)), ran.err
    rules.write_text('[systems.trams]\nnetworks = ["moon"]\nmode = "entry"\n')
    ran = openstile("fares", "check", feed, "--rules", rules)
    assert ran.exit_code == 2
    assert "moon" in ran.err
