"""Period products: what they pay for, for how long and how often, and what they are sold for."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fares.tariff_workshop import LONDON_RULES, amounts, bus, days, priced, tap, tariff, tube

from openstile.fares.rides import Counted, HeldPeriod, Rider
from openstile.fares.rules import Amounts, Period
from openstile.fares.words import say
from openstile.terms import BadInputError

PERIODS = (
    LONDON_RULES
    + """
[periods.month-z12]
name = "Monthly Zones 1-2"
months = 1
price = "171.70"
price_by_category = { child = "85.80" }
products = ["z1-peak", "z1-off", "z12-peak", "z12-off", "z2-peak", "z2-off"]
extension = { z13-peak = "2.20", z13-off = "2.10" }

[periods.buses]
name = "Buses"
days = 7
price = "24.70"
networks = ["bus"]

[periods.ten]
name = "Ten rides"
days = 90
rides = 10
price = "25.00"
everything = true

[periods.staff]
name = "Staff"
days = 365
price_by_category = { student = "1.00" }
everything = true
maximum_fares = true
"""
)
OF = tariff("london", PERIODS)
MARCH = HeldPeriod("p1", "month-z12", *days(2, 31), rides=None)
BUSES = HeldPeriod("p2", "buses", *days(2, 8), rides=None)


def ten(rides: int = 10) -> HeldPeriod:
    """A ticket of so many rides."""
    return HeldPeriod("p3", "ten", *days(2, 31), rides=rides)


def test_season_pays_for_its_zones_and_only_for_its_days() -> None:
    day_before, day = tube("01 12:00", "bank", "stratford"), tube("02 12:00", "bank", "stratford")
    journeys = priced(OF, [*day_before, *day], periods=[MARCH])
    assert amounts(journeys) == ["2.90", "0.00"]
    assert say(journeys[1].lines[-1], "en") == "covered by Monthly Zones 1-2 until 2026-03-31: -2.90"
    assert say(journeys[1].lines[-1], "de") == "enthalten in Monthly Zones 1-2 bis 31.03.2026: -2,90"
    assert journeys[1].counted == Counted(
        day=date(2026, 3, 2), full=journeys[1].amount, charged=journeys[1].amount, rides=1, cap_scopes=(),
        period_id="p1",
    )  # fmt: skip


def test_last_service_day_ends_at_half_past_four() -> None:
    journeys = priced(OF, [*bus("09 04:29"), *bus("09 04:31", "hackney")], periods=[BUSES])
    assert amounts(journeys) == ["0.00"], "one journey, of the day on which it began"
    assert amounts(priced(OF, bus("09 04:30"), periods=[BUSES])) == ["1.75"]


def test_season_leaves_the_extension_to_pay() -> None:
    (journey,) = priced(OF, tube("02 12:00", "bank", "wimbledon"), periods=[MARCH])
    assert journey.amount.decimal == "2.10"
    assert say(journey.lines[-1], "en") == "Monthly Zones 1-2 until 2026-03-31: only the extension is paid: -1.00"


def test_season_for_one_network_leaves_the_other_to_pay() -> None:
    taps = [*bus("02 12:00"), *tube("02 12:30", "bank", "stratford")]
    assert amounts(priced(OF, taps, periods=[BUSES])) == ["0.00", "2.90"]


def test_two_seasons_each_pay_for_what_they_cover() -> None:
    taps = [*bus("02 12:00"), *tube("02 12:30", "bank", "stratford"), *tube("02 14:00", "bank", "wimbledon")]
    journeys = priced(OF, taps, periods=[BUSES, MARCH])
    assert [journey.counted.period_id for journey in journeys] == ["p2", "p1", "p1"]
    assert amounts(journeys) == ["0.00", "0.00", "2.10"]


def test_ticket_of_three_rides_pays_for_three_journeys_with_their_transfers() -> None:
    taps = [*bus("02 08:00"), *bus("02 08:30", "hackney"), *tube("02 12:00", "bank", "wimbledon"), *bus("03 08:00")]
    journeys = priced(OF, [*taps, *bus("04 08:00")], periods=[ten(3)])
    assert amounts(journeys) == ["0.00", "0.00", "0.00", "1.75"]
    assert say(journeys[1].lines[-1], "en") == "ride 2 of 3, Ten rides: -3.10"
    assert say(journeys[1].lines[-1], "de") == "Fahrt 2 von 3, Ten rides: -3,10"


def test_rides_that_faded_are_used_up_all_the_same() -> None:
    first = priced(OF, [*bus("02 08:00"), *bus("03 08:00")], periods=[ten(3)])
    later = priced(
        OF, [*bus("04 08:00"), *bus("05 08:00")], periods=[ten(3)], counted=[journey.counted for journey in first]
    )
    assert amounts(later) == ["0.00", "1.75"]
    assert OF.counted_from(date(2026, 3, 20), [ten(3)]) == date(2026, 3, 2)


def test_season_is_used_before_a_ride_of_a_ticket_that_would_save_as_much() -> None:
    (journey,) = priced(OF, bus("02 08:00"), periods=[ten(), BUSES])
    assert journey.counted.period_id == "p2"


def test_what_a_season_paid_counts_towards_no_cap() -> None:
    day = [ride for hour in range(8, 16, 2) for ride in tube(f"02 {hour:02}:00", "bank", "stratford")]
    assert {journey.counted.cap_scopes for journey in priced(OF, day, periods=[MARCH])} == {()}


def test_extension_counts_towards_the_cap() -> None:
    day = [ride for hour in range(10, 16) for ride in tube(f"02 {hour:02}:00", "bank", "wimbledon")]
    journeys = priced(OF, day, periods=[MARCH])
    assert amounts(journeys) == ["2.10", "2.10", "2.10", "2.10", "2.10", "0.00"]
    assert [line.code for line in journeys[-1].lines] == ["fare", "period_extension", "cap_day"]


@pytest.mark.parametrize(("product", "costs"), [("ten", "9.40"), ("staff", "0.00")])
def test_maximum_fare_is_covered_only_where_the_product_says_so(product: str, costs: str) -> None:
    held = HeldPeriod("p", product, *days(2, 31), rides=None)
    assert amounts(priced(OF, [tap("02 08:00", "bank")], periods=[held])) == [costs]


def test_product_that_the_rules_do_not_have_any_more_is_refused() -> None:
    with pytest.raises(BadInputError, match="keep its table while riders hold it"):
        priced(OF, [], periods=[HeldPeriod("p", "gone", *days(2, 8), rides=None)])


@pytest.mark.parametrize(
    ("product", "category", "price", "until", "rides"),
    [
        ("month-z12", None, "171.70", date(2026, 4, 1), None),
        ("month-z12", "child", "85.80", date(2026, 4, 1), None),
        ("month-z12", "student", "85.80", date(2026, 4, 1), None),
        ("buses", "adult", "24.70", date(2026, 3, 8), None),
        ("ten", None, "25.00", date(2026, 5, 30), 10),
        ("staff", "student", "1.00", date(2027, 3, 1), None),
    ],
)
def test_offer_says_price_and_last_day(
    product: str, category: str | None, price: str, until: date, rides: int | None
) -> None:
    offer = OF.offer(product, category_id=category, from_day=date(2026, 3, 2))
    assert offer is not None
    assert (offer.price.decimal, offer.until_day, offer.rides) == (price, until, rides)


@pytest.mark.parametrize(("product", "category"), [("none", None), ("staff", "adult"), ("staff", None)])
def test_what_is_not_sold_to_a_rider_has_no_offer(product: str, category: str | None) -> None:
    assert OF.offer(product, category_id=category, from_day=date(2026, 3, 2)) is None


def test_offer_for_the_end_of_time_is_refused() -> None:
    with pytest.raises(BadInputError, match="too far ahead"):
        OF.offer("ten", category_id=None, from_day=date.max)


@pytest.mark.parametrize(
    ("months", "first", "last"),
    [
        (1, date(2026, 1, 1), date(2026, 1, 31)),
        (1, date(2026, 1, 15), date(2026, 2, 14)),
        (1, date(2026, 1, 31), date(2026, 2, 28)),
        (1, date(2026, 1, 29), date(2026, 2, 28)),
        (1, date(2028, 1, 30), date(2028, 2, 29)),
        (12, date(2026, 12, 1), date(2027, 11, 30)),
        (13, date(2026, 12, 31), date(2028, 1, 30)),
    ],
)
def test_month_ends_the_day_before_it_began_or_with_a_short_month(months: int, first: date, last: date) -> None:
    assert Period("x", "X", Amounts(None), None, months).last_day(first) == last


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.integers(1, 36))
def test_month_product_never_ends_before_the_one_that_began_a_day_earlier(first: date, months: int) -> None:
    product = Period("x", "X", Amounts(None), None, months)
    day_before = date.fromordinal(first.toordinal() - 1)
    assert first < product.last_day(first) >= product.last_day(day_before)


def test_child_with_a_ticket_whose_rides_cost_nothing_uses_none_up() -> None:
    (journey,) = priced(OF, bus("02 08:00"), rider=Rider("child"), periods=[ten()])
    assert (journey.amount.minor, journey.counted.period_id, journey.counted.rides) == (0, None, 0)
