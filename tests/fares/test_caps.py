"""Caps: what counts towards which, in which window, and that none is ever exceeded."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fares.tariff_workshop import LONDON_RULES, NEW_YORK_RULES, amounts, at, bus, priced, tap, tariff, tube

from openstile.fares import Tariff
from openstile.fares.rides import FareTap, PricedJourney, Rider, Way
from openstile.fares.rules import Window
from openstile.fares.words import say

NO_CAPS = LONDON_RULES.split("[caps.day-z12]", maxsplit=1)[0]


def with_cap(*lines: str) -> Tariff:
    """London with one cap."""
    return tariff("london", "\n".join((NO_CAPS, "[caps.x]", 'name = "X"', *lines)))


def buses(*days: int, hours: Sequence[int] = (8,)) -> list[FareTap]:
    """Bus rides of 1.75."""
    return [tap for day in days for hour in hours for tap in bus(f"{day:02} {hour:02}:00")]


def test_count_cap_makes_what_follows_free() -> None:
    of = with_cap('window = "service_day"', 'kind = "count"', "limit = 2")
    journeys = priced(of, [*tube("02 07:00", "bank", "stratford"), *buses(2, hours=(9, 12, 15)), *buses(3)])
    assert amounts(journeys) == ["3.50", "1.75", "0.00", "0.00", "1.75"]
    assert say(journeys[2].lines[-1], "en") == "2 paid journeys today, the others are free (X): -1.75"
    assert say(journeys[2].lines[-1], "de") == "2 bezahlte Fahrten heute, die anderen sind frei (X): -1,75"


def test_journey_without_cost_does_not_count() -> None:
    of = with_cap('window = "service_day"', 'kind = "count"', "limit = 1", 'networks = ["bus"]')
    journeys = priced(of, [*bus("02 08:00"), tap("02 09:30", "hackney", "out", "bus"), *bus("02 12:00")])
    assert amounts(journeys) == ["1.75", "0.00"]


def test_week_starts_on_the_day_that_the_rules_say() -> None:
    of = with_cap('window = "calendar_week"', 'starts_on = "thursday"', 'kind = "amount"', 'limit = "4.00"')
    assert amounts(priced(of, buses(2, 3, 4, 5, 6))) == ["1.75", "1.75", "0.50", "1.75", "1.75"]


def test_rolling_days_begin_anew_with_the_first_journey_after_them() -> None:
    of = with_cap('window = "rolling_days"', "days = 3", 'kind = "count"', "limit = 1")
    assert amounts(priced(of, buses(2, 4, 6, 8, 9))) == ["1.75", "0.00", "1.75", "0.00", "1.75"]


def test_journey_outside_the_scope_neither_counts_nor_gets_cheaper() -> None:
    of = with_cap('window = "service_day"', 'kind = "amount"', 'limit = "2.00"', 'networks = ["bus"]')
    journeys = priced(of, [*buses(2), *tube("02 12:00", "bank", "stratford"), *buses(2, hours=(14,))])
    assert amounts(journeys) == ["1.75", "2.90", "0.25"]


def test_off_peak_cap_counts_only_what_is_off_peak() -> None:
    of = with_cap('window = "service_day"', 'kind = "amount"', 'limit = "3.00"', 'products = ["z12-off"]')
    day = [
        *tube("02 08:00", "bank", "stratford"),
        *tube("02 11:00", "bank", "stratford"),
        *tube("02 13:00", "bank", "stratford"),
        *tube("02 17:00", "bank", "stratford"),
    ]
    assert amounts(priced(of, day)) == ["3.50", "2.90", "0.10", "3.50"]


@pytest.mark.parametrize(("more", "costs"), [((), ["9.40", "1.75"]), (("maximum_fares = true",), ["2.00", "0.00"])])
def test_maximum_fare_counts_only_where_the_cap_says_so(more: tuple[str, ...], costs: list[str]) -> None:
    of = with_cap('window = "service_day"', 'kind = "amount"', 'limit = "2.00"', *more)
    assert amounts(priced(of, [tap("02 08:00", "bank"), *bus("02 12:00")])) == costs


def test_cap_of_some_categories_leaves_others_alone() -> None:
    of = with_cap('window = "service_day"', 'kind = "count"', "limit = 1", 'categories = ["child"]')
    assert amounts(priced(of, buses(2, hours=(8, 12)))) == ["1.75", "1.75"]


def test_counted_under_rules_that_have_changed_is_left_out() -> None:
    rolling = with_cap('window = "rolling_days"', "days = 7", 'kind = "count"', "limit = 1")
    counted = [journey.counted for journey in priced(rolling, buses(2))]
    fixed = with_cap('window = "calendar_week"', 'kind = "count"', "limit = 1")
    assert amounts(priced(fixed, buses(3), counted=counted)) == ["1.75"]
    assert amounts(priced(rolling, buses(3), counted=counted)) == ["0.00"]
    assert amounts(priced(tariff("london", NO_CAPS), buses(3), counted=counted)) == ["1.75"]


def test_window_that_came_first_stays_when_a_tap_comes_late() -> None:
    of = with_cap('window = "rolling_days"', "days = 7", 'kind = "count"', "limit = 1")
    counted = [journey.counted for journey in priced(of, buses(4))]
    assert amounts(priced(of, buses(2, 5), counted=counted)) == ["1.75", "0.00"]


def test_counted_from_reaches_as_far_back_as_the_longest_window() -> None:
    assert tariff().counted_from(date(2026, 3, 10)) == date(2026, 3, 4)
    assert tariff("new-york").counted_from(date(2026, 3, 10)) == date(2026, 3, 4)
    assert tariff("london", NO_CAPS).counted_from(date(2026, 3, 10)) == date(2026, 3, 10)


CITIES = {"london": tariff(), "new-york": tariff("new-york"), "counted": with_cap(
    'window = "rolling_days"', "days = 3", 'kind = "count"', "limit = 2"
)}  # fmt: skip


@st.composite
def whole_rides(draw: st.DrawFn) -> tuple[str, list[FareTap]]:
    """Rides of some weeks in one city, by the hour."""
    city = draw(st.sampled_from(sorted(CITIES)))
    taps: list[FareTap] = []
    for hour in draw(st.lists(st.integers(0, 24 * 24), max_size=40, unique=True)):
        begin = at("02 00:00") + timedelta(hours=hour)
        if city == "new-york":
            taps.append(FareTap(f"{hour}", begin, "times-sq", draw(st.sampled_from(["subway", "bus"])), Way.IN))
        elif draw(st.booleans()):
            taps.append(FareTap(f"{hour}", begin, "aldgate", "bus", Way.IN))
        else:
            taps.append(FareTap(f"{hour}", begin, "bank", "tube", Way.IN))
            stop = draw(st.sampled_from(["stratford", "wimbledon", "oxford"]))
            taps.append(FareTap(f"{hour}+", begin + timedelta(minutes=25), stop, "tube", Way.OUT))
    return city, taps


@settings(deadline=None, max_examples=150)
@given(whole_rides())
def test_no_cap_is_ever_exceeded(case: tuple[str, list[FareTap]]) -> None:
    """Reckoned from the journeys alone, window by window, beside the engine's own books."""
    of, journeys = CITIES[case[0]], priced(CITIES[case[0]], case[1])
    for active in of.caps_for(of.rider(Rider()).category_id):
        cap, paid, rides = active.cap, defaultdict[str, int](int), defaultdict[str, int](int)
        for journey in journeys:
            for scope in journey.counted.cap_scopes:
                if scope.partition("@")[0] != cap.cap_id:
                    continue
                rolls = cap.window is Window.ROLLING_DAYS
                window = scope.partition("@")[2] if rolls else cap.starts(journey.day).isoformat()
                assert 0 <= (journey.day - date.fromisoformat(window)).days < cap.days_long
                paid[window] += journey.amount.minor
                rides[window] += journey.amount.minor > 0
        limited = rides if cap.amounts is None else paid
        assert all(used <= active.limit for used in limited.values())
    for journey in journeys:
        assert 0 <= journey.amount.minor <= journey.counted.full.minor


@settings(deadline=None, max_examples=150)
@given(whole_rides(), st.integers(0, 24))
def test_days_that_faded_into_counts_leave_the_others_as_they_were(
    case: tuple[str, list[FareTap]], faded_days: int
) -> None:
    """Also when only as many counts are kept as `counted_from` says."""
    of, taps = CITIES[case[0]], case[1]
    at_once = priced(of, taps)
    first_day = of.service_day(at("02 12:00")) + timedelta(days=faded_days)
    left = [journey for journey in at_once if journey.day >= first_day]
    ids = {tap_id for journey in left for tap_id in journey.tap_ids}
    since = of.counted_from(first_day)
    counted = [journey.counted for journey in at_once if since <= journey.day < first_day]
    assert list(priced(of, [tap for tap in taps if tap.tap_id in ids], counted=counted)) == left


def test_binding_cap_of_several_is_the_one_that_is_told() -> None:
    rules = NEW_YORK_RULES + '[caps.day]\nname = "Day"\nwindow = "service_day"\nkind = "amount"\nlimit = "7.00"\n'
    taps = [FareTap(str(n), at(f"04 {12 + 3 * n}:00"), "times-sq", "subway", Way.IN) for n in range(4)]
    journeys: Sequence[PricedJourney] = priced(tariff("new-york", rules), taps)
    assert amounts(journeys) == ["3.00", "3.00", "1.00", "0.00"]
    assert [line.code for line in journeys[2].lines] == ["fare", "cap_day"]
