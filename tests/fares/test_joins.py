"""Join rules: when consecutive legs count as one, and what that one is."""

import pytest
from tests.fares.rule_workshop import amounts, feed_of, frame, join, leg, product, rule

from openstile.fares.chains import StepKind
from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.values import JoinRule

PRODUCTS = [product("through", 500), product("part", 200)]
RULES = [rule("part"), rule("part", origin="A", to="A"), rule("through", origin="A", to="C"), rule("part", to="B")]


@pytest.mark.parametrize(
    ("joins", "before", "after", "joined"),
    [
        pytest.param([join("tram")], leg("a", "hub-1"), leg("hub-2", "c"), True, id="two stops of one station"),
        pytest.param([join("tram")], leg("a", "b"), leg("b", "c"), True, id="the same stop"),
        pytest.param([join("tram")], leg("a", "b"), leg("hub-1", "c"), False, id="two places"),
        pytest.param([join("tram")], leg("a", "b"), leg("b", "c", net="bus"), False, id="another network after"),
        pytest.param([join("tram")], leg("a", "b", net=None), leg("b", "c", net=None), False, id="no network"),
        pytest.param([join("tram")], leg("a", None), leg("b", "c"), False, id="nobody knows where the first ended"),
        pytest.param(
            [join("tram", end="b", start="hub")], leg("a", "b"), leg("hub-1", "c"), True, id="stop to station"
        ),
        pytest.param(
            [join("tram", end="hub", start="b")], leg("a", "hub-2"), leg("b", "c"), True, id="station to stop"
        ),
        pytest.param(
            [join("tram", end="b", start="hub-2")], leg("a", "b"), leg("hub-1", "c"), False, id="other platform"
        ),
        pytest.param([join("tram", end="b", start="a")], leg("a", "b"), leg("b", "c"), False, id="stops override"),
        pytest.param(
            [join("tram", end="a", start="b")], leg("a", "b"), leg("a", "c"), False, id="joins have a direction"
        ),
        pytest.param(
            [join("tram", end="a", start="a"), join("tram")], leg("a", "b"), leg("b", "c"), True, id="any rule suffices"
        ),
    ],
)
def test_when_two_legs_count_as_one(joins: list[JoinRule], before: Leg, after: Leg, *, joined: bool) -> None:
    chains = FareIndex(feed_of(PRODUCTS, RULES, joins=joins)).price([before, after], Rider())
    assert [(chain.first, chain.last) for chain in chains] == ([(0, 1)] if joined else [(0, 0), (1, 1)])


def test_a_joined_leg_has_the_first_origin_and_the_last_destination() -> None:
    feed = feed_of(PRODUCTS, RULES, joins=[join("tram")])
    (chain,) = FareIndex(feed).price([leg("a", "hub-1"), leg("hub-2", "b"), leg("b", "c")], Rider())
    (step,) = chain.steps
    assert (step.kind, step.legs, step.product_id) == (StepKind.JOINED, (0, 1, 2), "through")


def test_a_joined_leg_has_the_first_start_and_the_last_end() -> None:
    frames = [frame("before-11", 0, 11), frame("after-12", 12, 24)]
    rules = [rule("through", at="before-11", until="after-12")]
    legs = [leg("a", "b", start_min=590), leg("b", "c", start_min=650)]  # 10:50 to 12:00 in Berlin
    assert amounts(feed_of(PRODUCTS, rules, joins=[join("tram")], frames=frames), *legs) == [500]
    assert amounts(feed_of(PRODUCTS, rules, frames=frames), *legs) == [None, None]


def test_a_run_ends_where_a_transfer_matches_no_join_rule() -> None:
    feed = feed_of(PRODUCTS, RULES, joins=[join("tram")])
    legs = [leg("a", "b"), leg("b", "c"), leg("c", "b", net="bus"), leg("b", "a"), leg("a", "c")]
    chains = FareIndex(feed).price(legs, Rider())
    assert [(chain.first, chain.last) for chain in chains] == [(0, 1), (2, 2), (3, 4)]


def test_a_joined_leg_of_two_networks_is_in_none() -> None:
    rules = [rule("part", net="tram"), rule("part", net="bus"), rule("through")]
    feed = feed_of(PRODUCTS, rules, joins=[join("tram", to_net="bus")])
    assert amounts(feed, leg("a", "b"), leg("b", "c", net="bus")) == [500]
