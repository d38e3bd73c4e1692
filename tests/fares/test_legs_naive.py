"""The index against an implementation that looks at every rule: equal for any feed, rider and legs, and whatever the
order of the rules is."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fares.naive_fares import Priced, price_naively
from tests.fares.rule_workshop import STOPS, feed_of, frame, join, leg, product, rule, transfer

from openstile.fares.chains import Chain
from openstile.fares.index import FareIndex
from openstile.fares.rides import Leg, Rider
from openstile.fares.values import Feed, LegRule, TransferRule

_AREA = st.sampled_from((None, None, None, "A", "B"))
_NETWORK = st.sampled_from(("tram", "tram", None, "bus"))
_RULE_NETWORK = st.sampled_from((None, None, "tram", "bus"))
_GROUP = st.sampled_from((None, "g", "g", "h"))
_FRAME = st.sampled_from((None, None, None, None, "early", "late"))
_PRODUCT = st.sampled_from(("p", "q", "r"))
_PRICE = st.integers(-3, 9)
_OTHER_STOPS = {**STOPS, "b": replace(STOPS["b"], timezone="Asia/Tokyo")}


@st.composite
def _products(draw: st.DrawFn) -> list:  # type: ignore[type-arg]
    keys = st.tuples(_PRODUCT, st.sampled_from((None, "adult", "child")), st.sampled_from((None, "card", "app")))
    return [
        product(product_id, draw(_PRICE), category=category, media=media)
        for product_id, category, media in draw(st.lists(keys, min_size=1, max_size=8, unique=True))
    ]


@st.composite
def _leg_rules(draw: st.DrawFn) -> list[LegRule]:
    keys = st.tuples(_PRODUCT, _RULE_NETWORK, _AREA, _AREA, _FRAME, _FRAME)
    ranked = draw(st.booleans())
    return [
        rule(
            key[0],
            net=key[1],
            origin=key[2],
            to=key[3],
            at=key[4],
            until=key[5],
            group=draw(_GROUP),
            priority=draw(st.sampled_from((None, 0, 1))) if ranked else None,
            line=line,
        )
        for line, key in enumerate(draw(st.lists(keys, min_size=1, max_size=10, unique=True)), 2)
    ]


@st.composite
def _transfer_rules(draw: st.DrawFn) -> list[TransferRule]:
    keys = st.tuples(
        _GROUP,
        _GROUP,
        st.sampled_from((None, "p", "t")),
        st.sampled_from((-1, 1, 2)),
        st.sampled_from((None, 1200, 1800, 3600)),
    )
    made = []
    for line, (before, after, product_id, count, limit_s) in enumerate(
        draw(st.lists(keys, max_size=8, unique=True)), 2
    ):
        made.append(
            transfer(
                before,
                after,
                draw(st.integers(0, 2)),
                product_id,
                count=count if before == after else None,
                limit_s=limit_s,
                limit_type=None if limit_s is None else draw(st.integers(0, 3)),
                line=line,
            )
        )
    return made


@st.composite
def _feeds(draw: st.DrawFn) -> Feed:
    joins = draw(
        st.lists(st.sampled_from((join("tram"), join("bus", end="b", start="hub"), join("tram", end="a", start="a"))))
    )
    return feed_of(
        [*draw(_products()), product("t", draw(_PRICE), category=draw(st.sampled_from((None, "adult"))))],
        draw(_leg_rules()),
        draw(_transfer_rules()),
        joins,
        [frame("early", 0, 11), frame("late", 11, 24), frame("late", 0, 10.5, service="never")],
        stops=_OTHER_STOPS,
    )


@st.composite
def _legs(draw: st.DrawFn) -> Sequence[Leg]:
    made, minute = [], 570
    for _ in range(draw(st.integers(1, 4))):
        minute += draw(st.sampled_from((5, 5, 15, 45)))
        stop = st.sampled_from(("a", "b", "c", "hub-1", "hub-2", "nowhere"))
        to = draw(st.one_of(stop, stop, st.none()))
        ride_min = None if to is None else draw(st.sampled_from((5, 15)))
        made.append(leg(draw(stop), to, net=draw(_NETWORK), start_min=minute, ride_min=ride_min))
        minute += ride_min or 5
    return made


_RIDERS = st.builds(Rider, st.sampled_from((None, "adult", "child", "elf")), st.sampled_from((None, "card", "app")))


def _shape(chains: Sequence[Chain]) -> list[Priced]:
    return [
        (
            chain.first,
            chain.last,
            None if chain.amount is None else chain.amount.minor,
            tuple((step.product_id, step.amount.minor) for step in chain.steps),
        )
        for chain in chains
    ]


@given(_feeds(), st.lists(st.tuples(_legs(), _RIDERS), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_the_index_prices_as_looking_at_every_rule_does(
    feed: Feed, journeys: list[tuple[Sequence[Leg], Rider]]
) -> None:
    index = FareIndex(feed)
    for legs, rider in journeys:
        assert _shape(index.price(legs, rider)) == price_naively(feed, legs, rider)


@given(_feeds(), _legs(), _RIDERS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rules_in_the_files_does_not_matter(feed: Feed, legs: Sequence[Leg], rider: Rider, random) -> None:  # type: ignore[no-untyped-def]
    def mixed(rows: tuple) -> tuple:  # type: ignore[type-arg]
        return tuple(random.sample(rows, len(rows)))

    other = replace(
        feed,
        products=mixed(feed.products),
        leg_rules=mixed(feed.leg_rules),
        transfer_rules=mixed(feed.transfer_rules),
        join_rules=mixed(feed.join_rules),
    )
    assert FareIndex(feed).price(legs, rider) == FareIndex(other).price(legs, rider)


@given(_feeds(), _legs(), _RIDERS)
@settings(max_examples=60, deadline=None)
def test_chains_hold_every_leg_once_and_steps_sum_to_the_amount(feed: Feed, legs: Sequence[Leg], rider: Rider) -> None:
    chains = FareIndex(feed).price(legs, rider)
    held = [index for chain in chains for index in range(chain.first, chain.last + 1)]
    assert held == list(range(len(legs)))
    for chain in chains:
        assert (chain.amount is None) == (not chain.steps)
        assert chain.amount is None or chain.amount.minor == sum(step.amount.minor for step in chain.steps)
