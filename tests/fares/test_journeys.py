"""Which taps make a ride, and what becomes of a ride that lacks one."""

from datetime import timedelta

import pytest
from tests.fares.tariff_workshop import LATER, LONDON_RULES, at, bus, priced, tap, tariff, tube

from openstile.fares.journeys import rides_of
from openstile.fares.rides import FareTap, JourneyState
from openstile.fares.words import say

COMPLETE, OPEN = JourneyState.COMPLETE, JourneyState.OPEN
MISSING_EXIT, MISSING_ENTRY = JourneyState.MISSING_EXIT, JourneyState.MISSING_ENTRY

ENTRY_ZONE = LONDON_RULES.replace('maximum = "9.40"', 'missing_exit = "entry_zone"\nmaximum = "9.40"')

IN, OUT = tap("02 10:00", "bank"), tap("02 10:20", "stratford", "out")
TABLE = {
    "in and out": ([IN, OUT], [(COMPLETE, "2.90")]),
    "no exit": ([IN], [(MISSING_EXIT, "9.40")]),
    "no entry": ([OUT], [(MISSING_ENTRY, "9.40")]),
    "out before in": ([tap("02 09:59", "bank", "out"), IN], [(MISSING_ENTRY, "9.40"), (MISSING_EXIT, "9.40")]),
    "in, in, out": ([IN, tap("02 10:05", "oxford"), OUT], [(MISSING_EXIT, "9.40"), (COMPLETE, "2.90")]),
    "in, out, out": ([IN, OUT, tap("02 10:40", "bank", "out")], [(COMPLETE, "2.90"), (MISSING_ENTRY, "9.40")]),
    "out and in in one second": (
        [IN, OUT, tap("02 10:20", "stratford"), tap("02 10:50", "bank", "out")],
        [(COMPLETE, "2.90"), (COMPLETE, "2.90")],
    ),
    "in twice in a minute": ([IN, tap("02 10:01", "bank"), OUT], [(COMPLETE, "2.90")]),
    "in twice in two minutes": ([IN, tap("02 10:02", "bank"), OUT], [(MISSING_EXIT, "9.40"), (COMPLETE, "2.90")]),
    "in at two stops in a minute": ([IN, tap("02 10:01", "oxford")], [(MISSING_EXIT, "9.40"), (MISSING_EXIT, "9.40")]),
    "out twice in a minute": ([IN, OUT, tap("02 10:21", "stratford", "out")], [(COMPLETE, "2.90")]),
    "in and out at one stop in one second, the exit counts first": (
        [IN, tap("02 10:00", "bank", "out", tap_id="x"), tap("02 10:01", "bank")],
        [(MISSING_ENTRY, "9.40"), (MISSING_EXIT, "9.40")],
    ),
    "exit at the limit": ([IN, tap("02 11:50", "stratford", "out")], [(COMPLETE, "2.90")]),
    "exit after the limit": (
        [IN, tap("02 11:51", "stratford", "out")],
        [(MISSING_EXIT, "9.40"), (MISSING_ENTRY, "9.40")],
    ),
    "a bus ends the ride before it": (
        [IN, *bus("02 10:10"), OUT],
        [(MISSING_EXIT, "9.40"), (COMPLETE, "1.75"), (MISSING_ENTRY, "9.40")],
    ),
    "a bus before and after": (
        [*bus("02 09:55"), IN, OUT, *bus("02 10:30", "hackney")],
        [(COMPLETE, "1.75"), (COMPLETE, "2.90"), (COMPLETE, "1.75")],
    ),
    "two buses": ([*bus("02 10:00"), *bus("02 10:30")], [(COMPLETE, "1.75")]),
    "one bus, tapped twice": ([*bus("02 10:00"), *bus("02 10:01")], [(COMPLETE, "1.75")]),
    "off a bus": ([*bus("02 10:00"), tap("02 10:10", "hackney", "out", "bus")], [(COMPLETE, "1.75")]),
    "off a bus only": ([tap("02 10:10", "hackney", "out", "bus")], [(COMPLETE, "0.00")]),
    "a network nobody named, no exit": ([tap("02 10:10", "bank", net=None)], [(JourneyState.UNKNOWN, "0.00")]),
}


@pytest.mark.parametrize(("taps", "expected"), TABLE.values(), ids=TABLE)
def test_taps_make_rides(taps: list[FareTap], expected: list[tuple[JourneyState, str]]) -> None:
    without_caps = tariff("london", LONDON_RULES.split("[caps.day-z12]", maxsplit=1)[0])
    journeys = priced(without_caps, taps)
    assert [(journey.state, journey.amount.decimal) for journey in journeys] == expected
    assert sorted(tap_id for j in journeys for tap_id in j.tap_ids) == sorted(one.tap_id for one in taps)


@pytest.mark.parametrize(("minute", "state"), [(0, OPEN), (110, OPEN), (111, MISSING_EXIT)])
def test_entry_is_open_until_its_exit_would_be_too_late(minute: int, state: JourneyState) -> None:
    (journey,) = priced(tariff(), [IN], now=at("02 10:00") + timedelta(minutes=minute))
    assert (journey.state, journey.amount.decimal) == (state, "9.40")


def test_entry_that_another_one_followed_is_open_no_more() -> None:
    journeys = priced(tariff(), [IN, *bus("02 10:10")], now=at("02 10:11"))
    assert [journey.state for journey in journeys] == [MISSING_EXIT, COMPLETE]


def test_missing_exit_can_cost_what_the_zone_of_entry_does() -> None:
    of = tariff("london", ENTRY_ZONE)
    taps = [tap("02 10:00", "stratford"), *tube("02 12:00", "bank", "oxford"), tap("02 14:00", "hackney", "out")]
    journeys = priced(of, taps)
    assert [(journey.state, journey.amount.decimal) for journey in journeys] == [
        (MISSING_EXIT, "2.10"), (COMPLETE, "2.80"), (MISSING_ENTRY, "9.40"),
    ]  # fmt: skip
    assert [say(line, "en") for line in journeys[0].lines] == [
        "no exit tap after Stratford: priced as a ride that ends there",
        "Zone 2, off-peak (Stratford): 2.10",
    ]
    (still_open,) = priced(of, [IN], now=at("02 10:30"))
    assert (still_open.state, still_open.amount.decimal) == (OPEN, "2.80")


def test_double_tap_is_told_and_can_be_switched_off() -> None:
    taps = [*bus("02 10:00"), *bus("02 10:01")]
    (journey,) = priced(tariff(), taps)
    assert [say(line, "de") for line in journey.lines] == [
        "mehrmals an Aldgate gehalten, einmal gezählt",
        "Bus (Aldgate): 1,75",
    ]
    strict = LONDON_RULES.replace('mode = "entry"\n', 'mode = "entry"\ndouble_tap_seconds = 0\n')
    assert [len(journey.legs) for journey in priced(tariff("london", strict), taps)] == [2]


def test_leg_of_a_missing_entry_is_its_exit_alone() -> None:
    of = tariff()
    (ride,) = rides_of([OUT], system_of=of.system_of, now=LATER)
    assert (ride.leg.from_stop_id, ride.leg.to_stop_id, ride.leg.start) == ("stratford", "stratford", OUT.at)


def test_open_maximum_and_missing_maximum_are_told_apart() -> None:
    (still_open,), (ended,) = priced(tariff(), [IN], now=IN.at), priced(tariff(), [IN])
    assert [say(line, "en") for line in (*still_open.lines, *ended.lines)] == [
        "on the way since Bank; without an exit tap it will be the maximum fare: 9.40",
        "maximum fare, no exit tap after Bank: 9.40",
    ]
