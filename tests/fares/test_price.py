"""Pricing, on two tariffs like real ones with amounts reckoned by hand, and what holds whatever the taps are."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fares.tariff_workshop import LATER, LONDON_RULES, amounts, at, bus, priced, tap, tariff, tube

from openstile.fares.rides import FareTap, JourneyState, PricedJourney, Rider, Way
from openstile.fares.words import say
from openstile.terms import BadInputError

ADULT, CHILD, STUDENT = Rider("adult"), Rider("child"), Rider("student")


def test_a_day_in_london_as_reckoned_by_hand() -> None:
    table = [
        # taps                                  costs   because
        (tube("02 07:00", "bank", "stratford"), "3.50", "Zone 1-2, peak"),
        (tube("02 12:00", "stratford", "bank"), "2.90", "Zone 1-2, off-peak: 6.40 so far"),
        (bus("02 13:00") + bus("02 13:40", "hackney"), "1.75", "the second bus is free within the hour: 8.15"),
        (tube("02 17:00", "bank", "stratford"), "0.75", "3.50, but zones 1-2 cost 8.90 a day"),
        (tube("02 22:00", "bank", "wimbledon"), "1.60", "3.10, but zones 1-3 cost 10.50 a day"),
        (bus("03 01:00"), "0.00", "still Monday, until 04:30"),
        (tube("03 04:29", "bank", "stratford"), "0.00", "still Monday, though it ends on Tuesday"),
        (bus("03 04:50"), "1.75", "Tuesday"),
    ]
    journeys = priced(tariff(), [tap for taps, _, _ in table for tap in taps])
    assert amounts(journeys) == [costs for _, costs, _ in table]
    assert [journey.day.day for journey in journeys] == [2, 2, 2, 2, 2, 2, 2, 3]
    assert [[say(line, "en") for line in journey.lines] for journey in journeys[2:5]] == [
        ["Bus (Aldgate): 1.75", "transfer within 60 min (Hackney): 0.00"],
        ["Zone 1-2, peak (Bank – Stratford): 3.50", "daily cap reached (Zones 1-2, 8.90): -2.75"],
        ["Zone 1-3, off-peak (Bank – Wimbledon): 3.10", "daily cap reached (Zones 1-3, 10.50): -1.50"],
    ]


def test_a_week_in_london_as_reckoned_by_hand() -> None:
    commute = [
        tap
        for day in range(2, 7)
        for tap in tube(f"{day:02} 08:00", "bank", "stratford") + tube(f"{day:02} 17:00", "stratford", "bank")
    ]
    weekend = [
        (tube("07 10:00", "bank", "stratford"), "2.90"),  # 35.00 until Friday, 37.90
        (tube("07 20:00", "stratford", "bank"), "2.90"),  # 40.80
        (tube("08 10:00", "bank", "stratford"), "2.90"),  # 43.70
        (tube("08 20:00", "stratford", "bank"), "1.00"),  # 44.70, the cap
        (bus("09 04:00"), "0.00"),  # still Sunday
        (tube("09 08:00", "bank", "stratford"), "3.50"),  # a new week
    ]
    journeys = priced(tariff(), [*commute, *(tap for taps, _ in weekend for tap in taps)])
    assert amounts(journeys) == ["3.50"] * 10 + [costs for _, costs in weekend]
    assert say(journeys[13].lines[-1], "de") == "Wochenhöchstpreis erreicht (Zones 1-2, 44,70): -1,90"


def subway(day: int, hour: int) -> FareTap:
    """A ride in New York; the hour is that of New York (UTC-5 until 8 March 2026, then UTC-4)."""
    offset = 5 if day < 8 else 4
    when = datetime(2026, 3, day, tzinfo=UTC) + timedelta(hours=hour + offset)
    return FareTap(f"{day} {hour}", when, "times-sq", "subway", Way.IN)


def test_seven_days_in_new_york_from_the_first_ride_as_reckoned_by_hand() -> None:
    table = [
        *(((day, hour), "3.00") for day in range(4, 9) for hour in (8, 18)),  # Wednesday to Sunday: 30.00
        ((9, 8), "3.00"),  # 33.00
        ((9, 18), "2.00"),  # 35.00, the cap
        ((10, 8), "0.00"),
        ((10, 23), "0.00"),  # the last hour of the seventh day
        ((13, 8), "3.00"),  # the next seven days begin with this ride, not on Wednesday
        *(((day, hour), "3.00") for day in range(15, 20) for hour in (8, 18)),  # 33.00
        ((19, 22), "2.00"),
        ((20, 0), "3.00"),
    ]
    journeys = priced(tariff("new-york"), [subway(*when) for when, _ in table])
    assert amounts(journeys) == [costs for _, costs in table]
    assert say(journeys[11].lines[-1], "en") == "cap of 7 days reached (7-day cap, 35.00): -1.00"
    assert journeys[11].counted.cap_scopes == ("week@2026-03-04",)


def test_one_transfer_in_two_hours_in_new_york_and_none_from_subway_to_subway() -> None:
    taps = [
        tap("04 12:00", "times-sq", net="subway"),
        tap("04 12:30", "broadway", net="bus"),  # free
        tap("04 13:00", "times-sq", net="subway"),  # bus to subway, but the free ride ended with the bus: see below
        tap("04 20:00", "times-sq", net="subway"),
        tap("04 20:10", "broadway", net="subway"),
        tap("04 23:30", "broadway", net="bus"),  # over two hours after
    ]
    journeys = priced(tariff("new-york"), taps)
    # GTFS ties subway to bus and bus to subway by two rules, each of which is met: one journey of three rides.
    assert [(len(journey.legs), journey.amount.decimal) for journey in journeys] == [
        (3, "3.00"), (1, "3.00"), (1, "3.00"), (1, "3.00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rider", "costs"),
    [(Rider(), "3.50"), (ADULT, "3.50"), (CHILD, "1.75"), (STUDENT, "1.75")],
)
def test_rider_category_decides_and_one_without_prices_pays_as_another(rider: Rider, costs: str) -> None:
    assert amounts(priced(tariff(), tube("02 07:00", "bank", "stratford"), rider=rider)) == [costs]


@pytest.mark.parametrize(("rider", "limit"), [(ADULT, "8.90"), (CHILD, "4.45"), (STUDENT, "4.45")])
def test_limits_of_caps_go_by_category_too(rider: Rider, limit: str) -> None:
    day = [tap for hour in range(6, 24, 2) for tap in tube(f"02 {hour:02}:00", "bank", "stratford")]
    assert f"{sum(j.amount.minor for j in priced(tariff(), day, rider=rider)) / 100:.2f}" == limit


def test_fare_that_no_rule_says_is_unknown_and_costs_nothing() -> None:
    (journey,) = priced(tariff(), tube("02 07:00", "wimbledon", "wimbledon"))
    assert (journey.state, journey.amount.minor, journey.counted.rides) == (JourneyState.UNKNOWN, 0, 0)
    assert say(journey.lines[0], "en") == "no rule says the fare (Wimbledon); somebody will look at it"


def test_stop_that_the_feed_does_not_have_is_an_unknown_fare_too() -> None:
    (journey,) = priced(tariff(), tube("02 07:00", "atlantis", "bank"))
    assert (journey.state, journey.amount.minor) == (JourneyState.UNKNOWN, 0)


def test_journey_over_midnight_is_one_and_of_the_day_on_which_it_began() -> None:
    (journey,) = priced(tariff(), bus("03 23:40") + bus("04 00:20", "hackney"))
    assert (journey.day, journey.amount.decimal, len(journey.legs)) == (date(2026, 3, 3), "1.75", 2)


def test_late_tap_repairs_the_journey_it_belongs_to_and_leaves_the_others() -> None:
    morning, evening = tube("02 07:00", "bank", "stratford"), tube("02 17:00", "stratford", "bank")
    before = priced(tariff(), [morning[0], *evening])
    after = priced(tariff(), [*evening, *morning])
    assert [(j.state, j.amount.decimal) for j in before] == [
        (JourneyState.MISSING_EXIT, "9.40"),
        (JourneyState.COMPLETE, "3.50"),
    ]
    assert [(j.state, j.amount.decimal) for j in after] == [
        (JourneyState.COMPLETE, "3.50"),
        (JourneyState.COMPLETE, "3.50"),
    ]
    assert before[0].key == after[0].key
    assert before[1] == after[1]


def test_tap_id_with_two_contents_is_refused_and_one_tap_twice_is_one() -> None:
    one = tap("02 07:00", "bank", net="bus", tap_id="7")
    assert len(priced(tariff(), [one, one])) == 1
    with pytest.raises(BadInputError, match="twice with different content"):
        priced(tariff(), [one, tap("02 07:00", "oxford", net="bus", tap_id="7")])


def test_negative_total_costs_nothing_and_a_line_says_so() -> None:
    from tests.fares.rule_workshop import feed_of, product, rule, transfer

    from openstile.fares import Tariff

    feed = feed_of(
        [product("ride", 200), product("gift", -500)],
        [rule("ride", group="g")],
        [transfer("g", "g", 1, "gift", count=-1)],
    )
    taps = [
        FareTap(str(n), datetime(2026, 1, 5, 10, n, tzinfo=UTC), stop, "tram", way)
        for n, (stop, way) in enumerate([("a", Way.IN), ("b", Way.OUT), ("b", Way.IN), ("a", Way.OUT)])
    ]
    (journey,) = priced(Tariff(feed), taps)
    assert [line.amount.minor for line in journey.lines if line.amount] == [200, -500, 200, 100]
    assert journey.amount.minor == 0


PLACES = st.sampled_from([("bank", "tube"), ("stratford", "tube"), ("wimbledon", "tube"), ("aldgate", "bus"),
                          ("hackney", "bus"), ("bank", None), ("atlantis", "tube")])  # fmt: skip
MINUTES = st.integers(0, 9 * 24 * 60)


@st.composite
def journeys_of_taps(draw: st.DrawFn) -> list[FareTap]:
    """Taps of some days, many of them of whole rides, others without sense."""
    taps: list[FareTap] = []
    for minute in draw(st.lists(MINUTES, max_size=20, unique=True)):
        (stop, net), begin = draw(PLACES), at("02 00:00") + timedelta(minutes=minute)
        way = draw(st.sampled_from(Way))
        taps.append(FareTap(f"{minute}", begin, stop, net, way))
        if draw(st.booleans()):
            (other, _), later = draw(PLACES), begin + timedelta(minutes=draw(st.integers(0, 130)))
            taps.append(FareTap(f"{minute}+", later, other, net, Way.OUT))
    return taps


def lines_sum(journey: PricedJourney) -> int:
    """What the lines of the explanation sum to."""
    return sum(line.amount.minor for line in journey.lines if line.amount is not None)


@settings(deadline=None, max_examples=150)
@given(journeys_of_taps(), st.randoms(use_true_random=False), st.sampled_from([ADULT, CHILD, STUDENT]), MINUTES)
def test_whatever_the_taps_are_each_is_priced_once_explained_and_in_any_order_the_same(
    taps: list[FareTap], random: object, rider: Rider, now_min: int
) -> None:
    now = at("02 00:00") + timedelta(minutes=now_min)
    journeys = priced(tariff(), taps, rider=rider, now=now)
    shuffled = list(taps)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert priced(tariff(), shuffled, rider=rider, now=now) == journeys
    assert sorted(tap_id for journey in journeys for tap_id in journey.tap_ids) == sorted(one.tap_id for one in taps)
    for journey in journeys:
        assert lines_sum(journey) == journey.amount.minor >= 0
        assert journey.key == journey.tap_ids[0]
        assert journey.state is not JourneyState.UNKNOWN or journey.amount.minor == 0
        assert all(say(line, "en") and say(line, "de") for line in journey.lines)
    starts = [journey.legs[0].start for journey in journeys]
    assert starts == sorted(starts)


ONLY_DAYS = LONDON_RULES.replace("calendar_week", "service_day").replace('starts_on = "monday"\n', "")


@settings(deadline=None, max_examples=100)
@given(journeys_of_taps(), PLACES, MINUTES, st.sampled_from(Way))
def test_late_tap_changes_no_journey_of_another_day(
    taps: list[FareTap], place: tuple[str, str | None], minute: int, way: Way
) -> None:
    """A tap and the other taps of its ride are on one service day, or on two that follow each other."""
    of = tariff("london", ONLY_DAYS)
    late = FareTap("late", at("02 00:00") + timedelta(minutes=minute), place[0], place[1], way)
    day = of.service_day(late.at)

    def elsewhere(journeys: Sequence[PricedJourney]) -> list[PricedJourney]:
        return [journey for journey in journeys if abs((journey.day - day).days) > 1]

    assert elsewhere(priced(of, taps)) == elsewhere(priced(of, [*taps, late]))


def test_open_journey_says_until_when_it_is_open() -> None:
    of, entry = tariff(), tap("02 07:00", "bank")
    (journey,) = priced(of, [entry], now=at("02 07:05"))
    assert (journey.state, journey.amount.decimal) == (JourneyState.OPEN, "9.40")
    until = of.open_until(journey)
    assert priced(of, [entry], now=until - timedelta(seconds=1))[0].state is JourneyState.OPEN
    assert priced(of, [entry], now=until)[0].state is JourneyState.MISSING_EXIT
    assert until < LATER
