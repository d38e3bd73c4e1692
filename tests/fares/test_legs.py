"""Leg rules: networks, areas, priorities, riders and alternatives, by the letter of the GTFS reference."""

import pytest
from tests.fares.rule_workshop import amounts, feed_of, leg, product, rule

from openstile.fares.chains import Step, StepKind
from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.values import LegRule
from openstile.terms.money import Money

FLAT = [product("flat", 200), product("inner", 150), product("cheap", 100), product("dear", 900)]


@pytest.mark.parametrize(
    ("rules", "ride", "expected"),
    [
        pytest.param([rule("flat")], leg("a", "b"), 200, id="one rule without fields is for everything"),
        pytest.param([rule("flat")], leg("nowhere", None, net=None), 200, id="also without network and area"),
        pytest.param([], leg("a", "b"), None, id="no rules, fare unknown"),
        pytest.param([rule("inner", origin="A", to="B")], leg("a", "b"), 150, id="exact match"),
        pytest.param([rule("inner", origin="A", to="B")], leg("b", "a"), None, id="rules have a direction"),
        pytest.param([rule("inner", net="tram")], leg(net="bus"), None, id="another network"),
        pytest.param([rule("inner", net="tram")], leg(net=None), None, id="no network"),
        pytest.param([rule("flat")], leg(net="ferry"), None, id="a network that the feed does not have"),
        pytest.param([rule("flat")], leg("elsewhere", "b"), None, id="a stop that the feed does not have"),
        pytest.param([rule("flat")], leg("a", "elsewhere"), None, id="a destination that the feed does not have"),
        pytest.param([rule("inner", origin="A"), rule("flat")], leg("a", "b"), 150, id="empty area: not those listed"),
        pytest.param([rule("inner", origin="A"), rule("flat")], leg("c", "b"), 200, id="empty area: all others"),
        pytest.param([rule("dear", origin="A"), rule("flat")], leg("a", "b"), 900, id="so cheaper rest does not count"),
        pytest.param(
            [rule("dear", net="tram"), rule("flat")], leg(net="tram"), 900, id="empty network: not those listed"
        ),
        pytest.param([rule("dear", net="tram"), rule("flat")], leg(net="bus"), 200, id="empty network: all others"),
        pytest.param(
            [rule("dear", net="bus", origin="A", to="B"), rule("flat", net="tram", origin="A")],
            leg("a", "b", net="tram"),
            None,
            id="an area that another rule lists is not among the rest, whatever that rule's network",
        ),
        pytest.param([rule("inner", origin="B"), rule("flat")], leg("hub-2", "c"), 150, id="one area of two is listed"),
        pytest.param(
            [rule("inner", origin="A"), rule("cheap", origin="B")], leg("hub-2", "c"), 100, id="both areas of a stop"
        ),
        pytest.param(
            [rule("inner", to="B"), rule("flat")], leg("a", None), 200, id="no destination: an empty area only"
        ),
        pytest.param([rule("inner", to="B")], leg("a", None), None, id="no destination: no rule with an area"),
        pytest.param([rule("flat"), rule("cheap")], leg(), 100, id="several rules match: the cheapest"),
    ],
)
def test_leg_rules_without_priorities(rules: list[LegRule], ride: Leg, expected: int | None) -> None:
    assert amounts(feed_of(FLAT, rules), ride) == [expected]


@pytest.mark.parametrize(
    ("rules", "ride", "expected"),
    [
        pytest.param([rule("inner", origin="A"), rule("dear", priority=1)], leg(), 900, id="the highest priority wins"),
        pytest.param([rule("cheap", priority=0), rule("flat")], leg(), 100, id="blank is zero"),
        pytest.param([rule("inner", origin="A", priority=0), rule("cheap")], leg(), 100, id="empty is ignored"),
        pytest.param(
            [rule("cheap", priority=2, net="bus"), rule("flat")], leg(), 200, id="only rules that match count"
        ),
        pytest.param([rule("inner", origin="A", priority=0)], leg("c", "b"), None, id="no rule matches"),
        pytest.param([rule("flat", priority=3), rule("inner", priority=3)], leg(), 150, id="equals are alternatives"),
        pytest.param([rule("flat", priority=1)], leg("nowhere", None, net=None), 200, id="no network, no area"),
    ],
)
def test_leg_rules_with_priorities(rules: list[LegRule], ride: Leg, expected: int | None) -> None:
    assert amounts(feed_of(FLAT, rules), ride) == [expected]


@pytest.mark.parametrize(
    ("rider", "expected"),
    [
        (Rider(), 250),
        (Rider("adult"), 250),
        (Rider("child"), 110),
        (Rider("child", "card"), 120),
        (Rider("child", "app"), 110),
        (Rider(None, "card"), 250),
        (Rider(None, "app"), 300),
        (Rider("adult", "app"), 300),
        (Rider("elf"), 300),
        (Rider("elf", "stone"), 300),
        (Rider("adult", "stone"), 300),
    ],
)
def test_a_rider_pays_the_cheapest_row_for_their_category_and_media(rider: Rider, expected: int) -> None:
    products = [
        product("p", 300),
        product("p", 250, category="adult", media="card"),
        product("p", 120, category="child", media="card"),
        product("p", 110, category="child", media="app"),
    ]
    assert amounts(feed_of(products, [rule("p")]), leg(), rider=rider) == [expected]


def test_a_rider_for_whom_no_product_is_has_an_unknown_fare() -> None:
    feed = feed_of([product("p", 300, category="adult")], [rule("p")])
    assert amounts(feed, leg(), rider=Rider("child")) == [None]


def test_priorities_decide_before_the_riders_right_to_a_product() -> None:
    feed = feed_of([product("p", 300), product("q", 100, category="child")], [rule("p"), rule("q", priority=1)])
    assert amounts(feed, leg(), rider=Rider("adult")) == [None]


def test_of_two_currencies_the_first_in_the_alphabet_counts() -> None:
    feed = feed_of([product("p", 300), product("q", 100, currency="PLN")], [rule("p"), rule("q")])
    (chain,) = FareIndex(feed).price([leg()], Rider())
    assert chain.amount == Money(300, "EUR")


def test_a_step_names_the_rule_and_the_product() -> None:
    feed = feed_of(FLAT, [rule("flat", line=7), rule("cheap", line=9)])
    (chain,) = FareIndex(feed).price([leg()], Rider())
    assert chain.steps == (Step(StepKind.FARE, (0,), "cheap", Money(100, "EUR"), 9),)


def test_no_legs_make_no_chains() -> None:
    assert FareIndex(feed_of(FLAT, [rule("flat")])).price([], Rider()) == ()


def test_what_was_looked_up_before_does_not_change_an_answer() -> None:
    feed = feed_of(FLAT, [rule("inner", origin="A"), rule("flat")])
    index = FareIndex(feed)
    rides = [leg("a", "b"), leg("c", "b"), leg("nowhere", None), leg("a", "b")]
    assert [index.price([ride], Rider()) for ride in rides * 2] == [
        FareIndex(feed).price([ride], Rider()) for ride in rides * 2
    ]
