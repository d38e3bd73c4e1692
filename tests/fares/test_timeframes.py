"""Timeframes: the stop's own clock and calendar day, at the start and at the end of a leg."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.fares.rule_workshop import STOPS, amounts, feed_of, frame, join, leg, product, rule

from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.timeframes import Timeframes
from openstile.terms import BadInputError

PRODUCTS = [product("peak", 300), product("off", 200)]
MORNING = [frame("morning", 7, 9)]


def utc(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """An instant in January 2026, when Berlin is an hour ahead."""
    return datetime(2026, 1, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (utc(5, 5, 59, 59), False),
        (utc(5, 6), True),
        (utc(5, 7, 59, 59), True),
        (utc(5, 8), False),
    ],
)
def test_a_timeframe_holds_from_its_start_until_before_its_end(at: datetime, *, inside: bool) -> None:
    ride = Leg("tram", "a", "b", at, at + timedelta(hours=3))
    assert amounts(feed_of(PRODUCTS, [rule("peak", at="morning")], frames=MORNING), ride) == [300 if inside else None]


def test_the_end_of_a_leg_is_matched_by_the_end_and_its_stop() -> None:
    stops = {**STOPS, "b": replace(STOPS["b"], timezone="Asia/Tokyo")}
    feed = feed_of(PRODUCTS, [rule("peak", until="morning")], frames=MORNING, stops=stops)
    start = utc(5, 20)
    assert amounts(feed, Leg("tram", "a", "b", start, utc(5, 22, 30))) == [300]  # 07:30 on Tuesday in Tokyo
    assert amounts(feed, Leg("tram", "b", "a", start, utc(5, 22, 30))) == [None]


def test_a_leg_without_an_end_matches_no_timeframe_of_its_end() -> None:
    always = [frame("always")]
    assert amounts(feed_of(PRODUCTS, [rule("peak", until="always")], frames=always), leg(to=None, ride_min=None)) == [
        None
    ]
    assert amounts(feed_of(PRODUCTS, [rule("peak", until="always")], frames=always), leg(to=None)) == [None]
    assert amounts(feed_of(PRODUCTS, [rule("peak", until="always")], frames=always), leg()) == [300]


def test_an_empty_timeframe_never_restricts() -> None:
    rules = [rule("peak", at="morning"), rule("off")]
    feed = feed_of(PRODUCTS, rules, frames=MORNING)
    assert amounts(feed, leg(start_min=390)) == [200]
    assert amounts(feed, leg(start_min=600)) == [200]


def test_a_peak_rule_with_a_higher_priority_wins_in_its_time_only() -> None:
    feed = feed_of(PRODUCTS, [rule("peak", at="morning", priority=1), rule("off")], frames=MORNING)
    assert amounts(feed, leg(start_min=390), leg(start_min=600)) == [300, 200]


def test_the_day_is_that_of_the_local_clock() -> None:
    services = {"monday": frozenset({date(2026, 1, 5)})}
    feed = feed_of(PRODUCTS, [rule("peak", at="m")], frames=[frame("m", service="monday")], services=services)
    for at, expected in ((utc(4, 22, 59), None), (utc(4, 23), 300), (utc(5, 22, 59), 300), (utc(5, 23), None)):
        assert amounts(feed, Leg("tram", "a", "b", at, None)) == [expected]


def test_a_group_holds_when_one_of_its_rows_does() -> None:
    services = {"monday": frozenset({date(2026, 1, 5)}), "tuesday": frozenset({date(2026, 1, 6)})}
    groups = {"g": (frame("g", 7, 9, "monday"), frame("g", 16, 24, "monday"), frame("g", 0, 24, "tuesday"))}
    frames = Timeframes(groups, services)
    hours = [hour for hour in range(-1, 49) if frames.at(utc(5, 0) + timedelta(hours=hour), "UTC")]
    assert hours == [7, 8, *range(16, 48)]


@pytest.mark.parametrize(
    ("at", "groups"),
    [
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), {"night"}),  # 01:59:59
        (datetime(2026, 3, 29, 1, tzinfo=UTC), set()),  # 03:00:00, an hour is left out
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), {"night"}),  # 02:30, the first time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), {"night"}),  # 02:30, the second time
        (datetime(2026, 10, 25, 2, tzinfo=UTC), set()),
    ],
)
def test_the_clock_on_the_wall_counts_when_it_changes(at: datetime, groups: set[str]) -> None:
    days = frozenset({date(2026, 3, 29), date(2026, 10, 25)})
    assert Timeframes({"night": (frame("night", 1, 3),)}, {"daily": days}).at(at, "Europe/Berlin") == groups


def test_a_service_without_days_and_a_group_without_rows_never_hold() -> None:
    feed = feed_of(
        PRODUCTS, [rule("peak", at="never"), rule("off", at="nothing")], frames=[frame("never", service="x")]
    )
    assert amounts(feed, leg()) == [None]


def test_days_that_are_forgotten_are_worked_out_again() -> None:
    frames = Timeframes({"am": (frame("am", 0, 12),)}, {"daily": frozenset({date(2026, 1, 5)})})
    for day in range(3000):
        frames.at(utc(5, 8) + timedelta(days=day), "UTC")
    assert frames.at(utc(5, 8), "UTC") == {"am"}


def test_a_timezone_that_does_not_exist_is_a_fault_of_the_feed() -> None:
    stops = {**STOPS, "a": replace(STOPS["a"], timezone="Europe/Atlantis")}
    feed = feed_of(PRODUCTS, [rule("peak", at="morning")], joins=[join("tram")], frames=MORNING, stops=stops)
    with pytest.raises(BadInputError, match="timezone 'Europe/Atlantis': is not in the IANA database"):
        FareIndex(feed).price([leg()], Rider())
