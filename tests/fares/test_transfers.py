"""Transfer rules: groups, counts, durations, types, and the cheapest way through several."""

import pytest
from tests.fares.rule_workshop import amounts, feed_of, join, leg, product, rule, transfer

from openstile.fares.chains import Step, StepKind
from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.values import TransferRule
from openstile.terms.money import Money

PRODUCTS = [
    product("tram", 200),
    product("bus", 300),
    product("add", 50),
    product("less", -300),
    product("ticket", 420),
    product("children", 10, category="child"),
    product("dollars", 10, currency="USD"),
]
RULES = [rule("tram", net="tram", group="t", line=2), rule("bus", net="bus", group="b", line=3)]


def rides(nets: str, *, gap_min: float = 10, ride_min: float | None = 10) -> list[Leg]:
    """Legs one after the other, `t` in trams and `b` in buses, so many minutes from one departure to the next."""
    names = {"t": "tram", "b": "bus"}
    return [leg(net=names[net], start_min=600 + index * gap_min, ride_min=ride_min) for index, net in enumerate(nets)]


@pytest.mark.parametrize(
    ("kind", "product_id", "nets", "expected"),
    [
        (0, None, "tb", [200]),
        (0, "add", "tb", [250]),
        (1, None, "tb", [500]),
        (1, "add", "tb", [550]),
        (1, "less", "tb", [200]),
        (0, "less", "tb", [-100]),
        (2, "ticket", "tb", [420]),
        (2, None, "tb", [0]),
        (0, "add", "bt", [300, 200]),
    ],
)
def test_what_is_paid_for_two_legs(kind: int, product_id: str | None, nets: str, expected: list[int]) -> None:
    assert amounts(feed_of(PRODUCTS, RULES, [transfer("t", "b", kind, product_id)]), *rides(nets)) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (0, 0, 200 + 50 + 50),
        (0, 1, 200 + 50 + 50 + 200),
        (0, 2, 200 + 50 + 50),
        (1, 0, 200 + 50 + 300 + 50),
        (1, 1, 200 + 50 + 300 + 50 + 200),
        (1, 2, 200 + 50 + 300 + 50),
        (2, 0, 50 + 50),
        (2, 1, 50 + 50 + 200),
        (2, 2, 50 + 50),
    ],
)
def test_what_was_processed_stays_when_another_transfer_follows(first: int, second: int, expected: int) -> None:
    transfers = [transfer("t", "b", first, "add"), transfer("b", "t", second, "add")]
    assert amounts(feed_of(PRODUCTS, RULES, transfers), *rides("tbt")) == [expected]


@pytest.mark.parametrize(
    ("transfers", "nets", "expected"),
    [
        pytest.param([transfer("t", "t", 0, count=1)], "tt", [200], id="one transfer"),
        pytest.param([transfer("t", "t", 0, count=1)], "ttt", [200, 200], id="a second one begins anew"),
        pytest.param([transfer("t", "t", 0, count=1)], "tttt", [200, 200], id="and may be transferred from"),
        pytest.param([transfer("t", "t", 0, count=-1)], "tttttt", [200], id="without limit"),
        pytest.param(
            [transfer("t", "t", 0, "add", count=-1), transfer("t", "t", 0, count=1)],
            "ttt",
            [250],
            id="the smallest count that is enough: no limit comes last",
        ),
        pytest.param(
            [transfer("t", "t", 0, "add", count=1), transfer("t", "t", 0, count=2)],
            "ttt",
            [250],
            id="the smallest count that is enough counts, even when it is dearer",
        ),
        pytest.param(
            [transfer("t", "t", 0, "add", count=1, limit_s=60, limit_type=1), transfer("t", "t", 0, count=2)],
            "tt",
            [200],
            id="among those in time",
        ),
        pytest.param(
            [transfer("t", "t", 0, count=1), transfer("t", "b", 0), transfer("b", "t", 0)],
            "ttbtt",
            [200],
            id="a transfer to another group ends the run",
        ),
        pytest.param([transfer("t", "b", 0), transfer("b", "b", 0, count=1)], "tbb", [200], id="count of its own run"),
    ],
)
def test_transfer_counts(transfers: list[TransferRule], nets: str, expected: list[int]) -> None:
    assert amounts(feed_of(PRODUCTS, RULES, transfers), *rides(nets)) == expected


@pytest.mark.parametrize(
    ("limit_type", "limit_s", "joined"),
    [(kind, limit_s - over, not over) for kind, limit_s in enumerate((1200, 900, 300, 600)) for over in (0, 1)],
)
def test_durations_at_the_limit_and_one_second_beyond(limit_type: int, limit_s: int, *, joined: bool) -> None:
    """Legs from minute 0 to 10 and from 15 to 20."""
    legs = [leg(start_min=600, ride_min=10), leg(start_min=615, ride_min=5)]
    rules = [transfer("t", "t", 0, count=-1, limit_s=limit_s, limit_type=limit_type)]
    assert amounts(feed_of(PRODUCTS, RULES, rules), *legs) == ([200] if joined else [200, 200])


def test_a_duration_runs_from_the_first_leg_of_consecutive_matches() -> None:
    feed = feed_of(PRODUCTS, RULES, [transfer("t", "t", 0, count=-1, limit_s=1800, limit_type=1)])
    assert amounts(feed, *rides("tttt", gap_min=10)) == [200]
    assert amounts(feed, *rides("ttttt", gap_min=10)) == [200, 200]


def test_a_duration_between_two_groups_runs_from_the_leg_before() -> None:
    transfers = [transfer("t", "b", 0, limit_s=900, limit_type=1), transfer("b", "t", 0, limit_s=900, limit_type=1)]
    assert amounts(feed_of(PRODUCTS, RULES, transfers), *rides("tbtbt", gap_min=15)) == [200]


@pytest.mark.parametrize("limit_type", [0, 1, 2, 3])
def test_a_departure_stands_for_an_arrival_that_nobody_knows(limit_type: int) -> None:
    legs = [leg(to=None, start_min=600 + minute, ride_min=None) for minute in (0, 15)]
    for limit_s, expected in ((900, [200]), (899, [200, 200])):
        rules = [transfer("t", "t", 0, count=-1, limit_s=limit_s, limit_type=limit_type)]
        assert amounts(feed_of(PRODUCTS, RULES, rules), *legs) == expected


@pytest.mark.parametrize(
    ("transfers", "nets", "expected"),
    [
        pytest.param([transfer(None, None, 0)], "tb", [200], id="both empty: any groups"),
        pytest.param([transfer(None, "b", 0)], "tb", [200], id="empty before"),
        pytest.param([transfer("t", None, 0)], "tb", [200], id="empty after"),
        pytest.param([transfer("t", "b", 0, "add"), transfer(None, None, 0)], "tb", [250], id="exact match first"),
        pytest.param([transfer("t", "t", 0, count=1), transfer(None, "b", 0)], "tb", [200, 300], id="t is listed"),
        pytest.param([transfer("b", "t", 0), transfer(None, "b", 0)], "tb", [200], id="t is not listed as from"),
        pytest.param([transfer(None, None, 0, count=1)], "tbt", [200, 200], id="empty to empty counts as one group"),
        pytest.param([transfer("t", "b", 0, "children")], "tb", [200, 300], id="a product that is not for the rider"),
        pytest.param([transfer("t", "b", 0, "dollars")], "tb", [200, 300], id="a product in another currency"),
    ],
)
def test_which_transfer_rule_matches(transfers: list[TransferRule], nets: str, expected: list[int]) -> None:
    assert amounts(feed_of(PRODUCTS, RULES, transfers), *rides(nets), rider=Rider("adult")) == expected


def test_legs_without_a_group_are_among_the_rest() -> None:
    feed = feed_of(PRODUCTS, [rule("tram")], [transfer(None, None, 0, count=-1)])
    assert amounts(feed, *rides("tbt")) == [200]


def test_a_transfer_that_matches_applies_even_when_separate_legs_are_cheaper() -> None:
    assert amounts(feed_of(PRODUCTS, RULES, [transfer("t", "b", 1, "ticket")]), *rides("tb")) == [920]


def test_the_dearer_first_leg_is_chosen_when_it_makes_the_journey_cheaper() -> None:
    products = [product("short", 100), product("day", 250)]
    rules = [rule("short", group="s"), rule("day", group="d")]
    feed = feed_of(products, rules, [transfer("d", "d", 0, count=-1)])
    assert amounts(feed, leg()) == [100]
    assert amounts(feed, *rides("ttt")) == [250]


def test_the_cheapest_of_rules_that_match_alike_is_taken() -> None:
    """Instead of the first fare, the ticket costs more than nothing after it."""
    feed = feed_of(PRODUCTS, RULES, [transfer("t", "b", 2, "ticket"), transfer("t", "b", 0, "add")])
    assert amounts(feed, *rides("tb")) == [250]
    feed = feed_of(
        [*PRODUCTS, product("pair", 240)], RULES, [transfer("t", "b", 2, "pair"), transfer("t", "b", 0, "add")]
    )
    assert amounts(feed, *rides("tb")) == [240]


def test_an_unknown_fare_stands_alone_and_ends_a_chain() -> None:
    rules = [rule("tram", net="tram", group="t")]
    assert amounts(feed_of(PRODUCTS, rules, [transfer("t", "t", 0, count=-1)]), *rides("ttbtt")) == [200, None, 200]


def test_currencies_are_never_mixed_in_a_chain() -> None:
    rules = [rule("tram", net="tram", group="t"), rule("dollars", net="bus", group="b")]
    chains = FareIndex(feed_of(PRODUCTS, rules, [transfer("t", "b", 0)])).price(rides("tb"), Rider())
    assert [chain.amount for chain in chains] == [Money(200, "EUR"), Money(10, "USD")]


def test_steps_tell_which_rules_were_followed() -> None:
    transfers = [transfer("t", "b", 1, "less", line=5), transfer("b", "t", 0, line=6)]
    (chain,) = FareIndex(feed_of(PRODUCTS, RULES, transfers)).price(rides("tbt"), Rider())
    assert chain.steps == (
        Step(StepKind.FARE, (0,), "tram", Money(200, "EUR"), 2),
        Step(StepKind.TRANSFER, (0, 1), "less", Money(-300, "EUR"), 5),
        Step(StepKind.FARE, (1,), "bus", Money(300, "EUR"), 3),
        Step(StepKind.TRANSFER, (1, 2), None, Money(0, "EUR"), 6),
    )
    assert chain.amount == Money(200, "EUR")


def test_a_transfer_from_a_joined_leg_is_measured_from_its_first_departure_and_named_by_its_last_leg() -> None:
    legs = [leg("a", "hub-1", start_min=600), leg("hub-2", "c", start_min=620), leg(net="bus", start_min=640)]
    for limit_s, expected in ((2400, [(0, 2)]), (2399, [(0, 1), (2, 2)])):
        transfers = [transfer("t", "b", 0, limit_s=limit_s, limit_type=1)]
        chains = FareIndex(feed_of(PRODUCTS, RULES, transfers, [join("tram")])).price(legs, Rider())
        assert [(chain.first, chain.last) for chain in chains] == expected
        assert [step.legs for step in chains[0].steps][1:] in ([(1, 2)], [])


def test_a_long_journey_with_many_choices_is_priced_at_once() -> None:
    """Forty legs of four groups each: trying all choices would never end."""
    products = [product(name, 100 + index) for index, name in enumerate("wxyz")]
    rules = [rule(name, group=name) for name in "wxyz"]
    feed = feed_of(products, rules, [transfer(name, name, 0, count=-1) for name in "wxyz"])
    assert amounts(feed, *rides("t" * 40)) == [100]
