"""Clopper-Pearson limits against published ones, and claims against what a sample can carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openstile.lab.intervals import Interval, Proportion, binomial_cdf, clopper_pearson, trials_needed
from openstile.terms.errors import BadInputError


# R. G. Newcombe: Two-sided confidence intervals for the single proportion (Statistics in Medicine 17, 1998), table I,
# method 5 (Clopper-Pearson), four decimals.
@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_limits_are_those_of_newcombe_1998(events: int, trials: int, low: float, high: float) -> None:
    interval = clopper_pearson(events, trials)
    assert round(interval.low, 4) == low
    assert round(interval.high, 4) == high


@pytest.mark.parametrize("trials", [1, 5, 60, 312, 3540, 1_000_000])
def test_no_event_has_the_closed_form(trials: int) -> None:
    assert clopper_pearson(0, trials).high == pytest.approx(1 - 0.025 ** (1 / trials), rel=1e-9)
    assert clopper_pearson(trials, trials).low == pytest.approx(0.025 ** (1 / trials), rel=1e-9)


def test_no_trial_says_nothing() -> None:
    assert clopper_pearson(0, 0) == Interval(0.0, 1.0)
    assert Proportion(0, 0).rate is None
    assert not Proportion(0, 0).carries(0.99)


@given(st.integers(1, 2000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_each_limit_leaves_a_tail_of_two_and_a_half_percent(case: tuple[int, int]) -> None:
    events, trials = case
    interval = clopper_pearson(events, trials)
    assert interval.low <= events / trials <= interval.high
    if events > 0:
        assert 1 - binomial_cdf(events - 1, trials, interval.low) == pytest.approx(0.025, rel=1e-6)
    if events < trials:
        assert binomial_cdf(events, trials, interval.high) == pytest.approx(0.025, rel=1e-6)


@given(st.integers(0, 200), st.integers(1, 200), st.floats(0.0, 1.0))
def test_binomial_distribution_is_a_probability_and_mirrors(events: int, trials: int, rate: float) -> None:
    below = binomial_cdf(events, trials, rate)
    assert 0 <= below <= 1
    assert below + binomial_cdf(trials - events - 1, trials, 1 - rate) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("rate_max", "trials"), [(0.01, 368), (0.001, 3688), (0.05, 72)])
def test_claim_needs_so_many_trials_and_not_one_less(rate_max: float, trials: int) -> None:
    assert trials_needed(rate_max) == trials
    assert Proportion(0, trials).carries(rate_max)
    assert not Proportion(0, trials - 1).carries(rate_max)


def test_zero_of_sixty_does_not_carry_one_percent() -> None:
    assert not Proportion(0, 60).carries(0.01)
    assert Proportion(0, 60).carries(0.06)


@pytest.mark.parametrize(("events", "trials"), [(-1, 5), (6, 5), (0, 100_000_001)])
def test_impossible_counts_are_refused(events: int, trials: int) -> None:
    with pytest.raises(BadInputError):
        Proportion(events, trials)
    with pytest.raises(BadInputError):
        clopper_pearson(events, trials)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, float("nan")])
def test_claims_and_confidences_at_the_ends_are_refused(value: float) -> None:
    with pytest.raises(BadInputError):
        trials_needed(value)
    with pytest.raises(BadInputError):
        clopper_pearson(0, 5, confidence=value)


def test_interval_out_of_order_is_refused() -> None:
    with pytest.raises(BadInputError):
        Interval(0.5, 0.4)
