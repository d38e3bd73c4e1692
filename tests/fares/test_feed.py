"""A feed is read whole and strictly, from folders and archives of anybody; what it says comes out as values."""

import zipfile
from datetime import date
from pathlib import Path

import pytest
from tests.fares.feed_workshop import GOOD, folder_feed, zip_feed

from openstile.fares import feed_files, feed_rows, feed_times
from openstile.fares.errors import FeedError
from openstile.fares.feed import check_feed, read_feed
from openstile.fares.values import DurationType, JoinRule, LegRule, Timeframe, TransferRule, TransferType
from openstile.terms.money import Money


def refusal(path: Path) -> FeedError:
    with pytest.raises(FeedError) as raised:
        read_feed(path)
    assert str(raised.value).startswith(f"feed {path}")
    return raised.value


def test_good_feed_reads_alike_from_folder_and_archive_without_a_warning(tmp_path: Path) -> None:
    folder = check_feed(folder_feed(tmp_path / "feed", GOOD))
    archive = check_feed(zip_feed(tmp_path / "feed.zip", GOOD))
    assert folder == archive
    assert folder.oddities == ()
    assert folder.records["stops.txt"] == 6
    feed = folder.feed
    assert feed.leg_rules == (LegRule("local", "tram", "inner", "outer", "peak", None, "single", None, 2),)
    assert feed.join_rules == (JoinRule("tram", "tram", None, None, 2),)
    assert feed.transfer_rules == (
        TransferRule(
            "local", "local", -1, 3600, DurationType.DEPARTURE_TO_DEPARTURE,
            TransferType.A_AND_TRANSFER_AND_B, "change", 2,
        ),
    )  # fmt: skip
    assert [product.amount for product in feed.products] == [Money(280, "EUR"), Money(140, "EUR"), Money(-30, "EUR")]
    assert feed.network_of_route == {"R1": "tram", "R2": "bus"}
    assert feed.timezone == "Europe/Berlin"
    assert not feed.has_priority


def test_platform_has_its_stations_areas_unless_it_is_given_others(tmp_path: Path) -> None:
    areas_of = read_feed(folder_feed(tmp_path, GOOD)).areas_of
    inner, outer = frozenset({"inner"}), frozenset({"outer"})
    assert areas_of == {"S": inner, "S1": inner, "S2": outer, "B": outer, "E": inner, "S1a": inner}


def test_stop_takes_the_zone_of_its_station_then_its_own_then_the_agencys(tmp_path: Path) -> None:
    stops = (
        "stop_id,stop_name,location_type,parent_station,stop_timezone\n"
        "S,Station,1,,Europe/Lisbon\nS1,Platform,,S,Europe/Madrid\nO,Own,,,Europe/Paris\nN,None,,,\n"
        "T,Other station,1,,\nT1,Its platform,,T,Europe/Madrid\n"
    )
    files = {**GOOD, "stops.txt": stops, "stop_areas.txt": "area_id,stop_id\ninner,S\n"}
    checked = check_feed(folder_feed(tmp_path, files))
    zones = {stop_id: stop.timezone for stop_id, stop in checked.feed.stops.items()}
    assert zones == {
        "S": "Europe/Lisbon", "S1": "Europe/Lisbon", "O": "Europe/Paris", "N": "Europe/Berlin",
        "T": "Europe/Berlin", "T1": "Europe/Berlin",
    }  # fmt: skip
    assert {o.line for o in checked.oddities if "stop_timezone" in o.text} == {3, 7}


def test_days_are_the_calendars_with_the_exceptions(tmp_path: Path) -> None:
    feed = read_feed(folder_feed(tmp_path, GOOD))
    days = {date(2026, 1, day) for day in (5, 7, 8, 9, 10, 12, 13, 14, 15, 16)}
    assert feed.services == {"weekdays": days}
    assert feed.timeframes == {
        "peak": (Timeframe("peak", 25200, 32400, "weekdays"), Timeframe("peak", 57600, 86400, "weekdays")),
        "always": (Timeframe("always", 0, 86400, "weekdays"),),
    }


def test_service_of_calendar_dates_alone_is_known(tmp_path: Path) -> None:
    files = {name: text for name, text in GOOD.items() if name != "calendar.txt"}
    assert read_feed(folder_feed(tmp_path, files)).services == {"weekdays": {date(2026, 1, 10)}}


def test_byte_order_mark_carriage_returns_and_unknown_columns_change_nothing(tmp_path: Path) -> None:
    stops = GOOD["stops.txt"].replace("\n", ",\tsomething\r\n").replace("\tsomething", "stop_desc", 1)
    files: dict[str, str | bytes] = {**GOOD, "stops.txt": b"\xef\xbb\xbf" + stops.encode(), "unknown.txt": b"\xff\x00"}
    assert read_feed(folder_feed(tmp_path / "a", files)) == read_feed(folder_feed(tmp_path / "b", GOOD))


def test_columns_may_stand_in_any_order_and_only_a_value_makes_priority(tmp_path: Path) -> None:
    rules = "rule_priority,fare_product_id,leg_group_id\n,single,local\n7,change,local\n"
    feed = read_feed(folder_feed(tmp_path, {**GOOD, "fare_leg_rules.txt": rules}))
    assert [rule.priority for rule in feed.leg_rules] == [None, 7]
    assert feed.has_priority


def test_line_of_a_fault_is_the_files_after_quoted_line_ends_and_empty_lines(tmp_path: Path) -> None:
    areas = 'area_id,area_name,note\ninner,Inner,"two\nlines"\n\nouter,Outer,\n"inner",Again,"a\nb"\n'
    error = refusal(folder_feed(tmp_path, {**GOOD, "areas.txt": areas}))
    assert (error.file, error.line) == ("areas.txt", 6)
    assert "area_id is the same as on line 2" in str(error)


def test_spaces_around_a_value_are_dropped_and_told(tmp_path: Path) -> None:
    files = {**GOOD, "areas.txt": "area_id, area_name\n inner ,Inner\nouter,Outer\n"}
    checked = check_feed(folder_feed(tmp_path, files))
    assert set(checked.feed.areas) == {"inner", "outer"}
    assert [(o.file, o.line) for o in checked.oddities] == [("areas.txt", 2)]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", 1, "empty"),
        (b"area_id,area_name\ninner\n", 2, "has 1 fields, the first line has 2"),
        (b"area_id,area_name\ninner,Inner,\n", 2, "has 3 fields"),
        (b"area_id,area_id\ninner,Inner\n", 1, "twice"),
        (b"area_name\nInner\n", 1, "no column area_id"),
        (b'area_id,area_name\ninner,"Inner\n', 2, "not CSV"),
        (b'area_id,area_name\ninner,"In"ner\n', 2, "not CSV"),
        (b"area_id,area_name\rinner,Inner\r", 1, "not CSV"),
        (b"area_id,area_name\ninner,Inner\nouter,\xff\n", 3, "byte 7 of the line is not UTF-8"),
        (b"area_id,area_name\nin\tner,Inner\n", 2, "control character"),
        (b"area_id,area_name\nin\x00ner,Inner\n", 2, "control character"),
        (b"area_id,area_name\n" + b"x" * 2001 + b",Inner\n", 2, "longer than 2000"),
        (b"area_id,area_name\ninner," + b"x" * 2**20, 2, "longer than 1048576 bytes"),
    ],
)
def test_broken_csv_is_refused_with_its_line(content: bytes, line: int, words: str, tmp_path: Path) -> None:
    error = refusal(zip_feed(tmp_path / "feed.zip", {**GOOD, "areas.txt": content}))
    assert (error.file, error.line) == ("areas.txt", line)
    assert words in str(error)


def test_member_that_unpacks_to_more_than_it_may_is_not_read_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_files, "FEED_FILE_BYTES_MAX", 200_000)
    bomb = GOOD["stops.txt"] + "\n" * 300_000
    path = zip_feed(tmp_path / "bomb.zip", {**GOOD, "stops.txt": bomb})
    assert path.stat().st_size < 10_000
    error = refusal(path)
    assert error.file == "stops.txt"
    assert "larger than 200000 bytes" in str(error)


def test_archive_that_lies_about_a_members_size_is_counted_as_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_files, "FEED_FILE_BYTES_MAX", 200_000)
    bomb = GOOD["stops.txt"] + "\n" * 300_000
    path = zip_feed(tmp_path / "bomb.zip", {**GOOD, "stops.txt": bomb})
    size = len(bomb).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    assert refusal(path).file == "stops.txt"


def test_records_beyond_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder_feed(tmp_path, {**GOOD, "areas.txt": "area_id\n" + "".join(f"{n}\n" for n in range(FEED_ROWS + 1))})
    monkeypatch.setattr(feed_rows.Source.rows, "__kwdefaults__", {"rows_max": FEED_ROWS})
    error = refusal(path)
    assert (error.file, error.line) == ("areas.txt", FEED_ROWS + 2)


FEED_ROWS = 20


def test_service_that_runs_for_ages_is_refused(tmp_path: Path) -> None:
    calendar = GOOD["calendar.txt"].replace("20260118", "99991231")
    error = refusal(folder_feed(tmp_path, {**GOOD, "calendar.txt": calendar}))
    assert (error.file, error.line) == ("calendar.txt", 2)


def test_days_of_all_services_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_times, "FEED_DAYS_MAX", 10)
    read_feed(folder_feed(tmp_path / "a", GOOD))
    monkeypatch.setattr(feed_times, "FEED_DAYS_MAX", 9)
    assert refusal(folder_feed(tmp_path / "b", GOOD)).file == "timeframes.txt"


def test_what_is_no_feed_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no zip")
    assert "not a zip archive" in str(refusal(text))
    assert "cannot be read" in str(refusal(tmp_path / "absent"))
    assert "neither a file nor a folder" in str(refusal(Path("/dev/null")))
    empty = folder_feed(tmp_path / "empty", {})
    assert "agency.txt" in str(refusal(empty))


def test_archive_with_its_files_in_a_folder_says_so(tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "feed.zip", {f"feed/{name}": text for name, text in GOOD.items()})
    assert "at the root" in str(refusal(path))


def test_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "feed.zip", GOOD)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("areas.txt", "area_id\n")
    assert "twice" in str(refusal(path))


def test_encrypted_or_oddly_packed_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for name, text in GOOD.items():
            archive.writestr(name, text)
    assert "another method" in str(refusal(path))


def test_damaged_member_is_refused(tmp_path: Path) -> None:
    path = zip_feed(tmp_path / "feed.zip", GOOD)
    data = bytearray(path.read_bytes())
    at = data.index(b"agency.txt") + len(b"agency.txt")
    data[at : at + 20] = bytes(20)
    path.write_bytes(data)
    error = refusal(path)
    assert (error.file, error.line) == ("agency.txt", None)
    assert "damaged" in str(error)


def test_archive_of_too_many_members_is_refused_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zip_feed(tmp_path / "feed.zip", GOOD)
    monkeypatch.setattr(feed_files, "_DIRECTORY_BYTES_MAX", 100)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "more than" in str(refusal(path))


def test_error_is_one_line_even_with_a_hostile_id(tmp_path: Path) -> None:
    files = {**GOOD, "stop_areas.txt": "area_id,stop_id\ninner,\u2028" + "x" * 500 + "\n"}
    error = refusal(folder_feed(tmp_path, files))
    assert (error.file, error.line) == ("stop_areas.txt", 2)
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 300 + len(str(tmp_path))


def test_zakroczym_loads_and_its_oddities_are_told(shared_data: Path) -> None:
    checked = check_feed(shared_data / "gtfs" / "zakroczym.zip")
    assert checked.records["fare_products.txt"] == 10
    assert len(checked.feed.leg_rules) == 9
    assert {area for areas in checked.feed.areas_of.values() for area in areas} == {"1", "2", "3"}
    assert any("none is the default" in oddity.text for oddity in checked.oddities)
