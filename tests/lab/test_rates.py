"""Rates, thresholds and separations against values counted by hand, brute force and scipy."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from openstile.lab.det import count_scores, det_curve, normal_deviate
from openstile.lab.intervals import Proportion, clopper_pearson
from openstile.lab.rates import allowed_matches, d_prime, empty_band, equal_error_rate, fmr_at, fnmr_at, threshold_for
from openstile.lab.scores import matches
from openstile.terms.errors import BadInputError

MATED = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
NON_MATED = np.array([0.35, 0.5, 0.6, 0.7, 0.8], np.float32)
NOBODY = np.empty(0, np.float32)
some_scores = st.lists(st.integers(0, 40), min_size=1, max_size=40).map(lambda v: np.array(v, np.float32) / 32)


def test_rates_are_those_counted_by_hand() -> None:
    assert fmr_at(NON_MATED, 0.5) == Proportion(2, 5)  # at the threshold matches, as at the gate
    assert fmr_at(NON_MATED, 0.49) == Proportion(1, 5)
    assert fnmr_at(MATED, 0.25) == Proportion(2, 4)
    assert fnmr_at(NOBODY, 0.25) == Proportion(0, 0)


def test_threshold_is_not_rounded_before_it_is_compared() -> None:
    """float32(0.1) is above 0.1: the gate, which compares doubles, would refuse it."""
    assert not matches(np.array([0.1], np.float32), 0.1)[0]
    assert matches(np.array([0.1], np.float32), float(np.float32(0.1)))[0]


def test_equal_error_rate_counted_by_hand() -> None:
    found = equal_error_rate(MATED, NON_MATED)
    assert found is not None
    assert found.rate == pytest.approx((1 / 5 + 1 / 4) / 2)  # at 0.35: 1 of 5 match, 1 of 4 do not
    assert found.threshold == pytest.approx(0.35)
    assert found.difference == pytest.approx(0.05)
    apart = equal_error_rate(MATED, NON_MATED + np.float32(1))
    assert apart is not None
    assert apart.rate == 0
    assert apart.threshold == pytest.approx(0.4)
    assert equal_error_rate(NOBODY, NON_MATED) is None


@settings(deadline=None, max_examples=50)
@given(some_scores, some_scores)
def test_no_threshold_brings_the_rates_closer_than_the_equal_error_rate(mated: np.ndarray, others: np.ndarray) -> None:
    found = equal_error_rate(mated, others)
    assert found is not None
    fmr, fnmr = fmr_at(others, found.threshold).rate, fnmr_at(mated, found.threshold).rate
    assert fmr is not None
    assert fnmr is not None
    assert (fmr + fnmr) / 2 == pytest.approx(found.rate)
    for threshold in (-0.1, *np.arange(0, 41) / 32):
        other = abs((fmr_at(others, threshold).rate or 0) - (fnmr_at(mated, threshold).rate or 0))
        assert found.difference <= other + 1e-12


def test_equal_error_rate_of_two_normal_distributions_is_the_known_one() -> None:
    """Of N(0, 1) and N(d, 1) the EER is Phi(-d / 2), and d' is d (Green and Swets)."""
    random = np.random.default_rng(1)
    mated, others = (random.normal(mean, 1, 200_000).astype(np.float32) + 10 for mean in (0, 2))
    found = equal_error_rate(mated, others)
    assert found is not None
    assert found.rate == pytest.approx(stats.norm.cdf(-1), abs=0.002)
    assert d_prime(mated, others) == pytest.approx(2, abs=0.01)


def test_d_prime_counted_by_hand() -> None:
    assert d_prime(np.array([1, 3], np.float32), np.array([6, 10], np.float32)) == pytest.approx(6 / np.sqrt(2.5))
    assert d_prime(MATED[:1], NON_MATED) is None
    assert d_prime(MATED[[0, 0]], NON_MATED[[0, 0]]) is None


def test_empty_band_counted_by_hand() -> None:
    assert empty_band(np.array([0.2, 0.4], np.float32), np.array([0.5, 0.9], np.float32)) == pytest.approx(0.2)
    assert empty_band(MATED, NON_MATED) == pytest.approx((0.35 - 0.4) / 0.35, rel=1e-5)
    assert empty_band(MATED, NOBODY) is None


@settings(deadline=None, max_examples=50)
@given(some_scores, st.sampled_from([0.0, 0.01, 0.1, 0.25, 1 / 3, 0.5, 0.99]))
def test_threshold_for_a_wanted_rate_is_the_largest_that_keeps_it(others: np.ndarray, wanted: float) -> None:
    found = threshold_for(MATED, others, wanted)
    assert found.threshold == 0 or (found.fmr.rate or 0) <= wanted
    above = float(np.nextafter(np.float32(found.threshold), np.float32(9)))
    assert (fmr_at(others, above).rate or 0) > wanted


def test_threshold_where_strangers_are_at_distance_0_says_what_it_does() -> None:
    found = threshold_for(MATED, np.zeros(4, np.float32), 0.1)
    assert (found.threshold, found.fmr) == (0.0, Proportion(4, 4))


def test_wanted_rate_next_to_one_is_one_comparison_less_than_all() -> None:
    assert threshold_for(MATED, NON_MATED, float(np.nextafter(1, 0))).fmr == Proportion(4, 5)
    assert [allowed_matches(rate, 1000) for rate in (0.0, 0.000999, 0.001, 0.0019, 0.3)] == [0, 0, 1, 1, 300]


def test_of_thresholds_at_which_the_rates_are_as_far_apart_the_smaller_one_is_named() -> None:
    """At 0.2: 1 of 5 match, 1 of 3 do not; at 0.25: 2 of 5 match (0.133 and 0.067 apart); at 0.3 none is failed."""
    found = equal_error_rate(np.array([0.1, 0.2, 0.3], np.float32), np.array([0.2, 0.25, 0.5, 0.6, 0.7], np.float32))
    assert found is not None
    assert found.threshold == pytest.approx(0.25)
    assert found.rate == pytest.approx((2 / 5 + 1 / 3) / 2)
    tied = equal_error_rate(np.array([0.1, 0.4], np.float32), np.array([0.2, 0.3], np.float32))
    assert tied is not None
    assert tied.threshold == pytest.approx(0.2)  # half of each; as far apart, 1/2, are 0.1 and 0.3
    assert tied.rate == 0.5


def test_threshold_needs_scores_and_a_rate() -> None:
    for others, wanted in ((NOBODY, 0.1), (NON_MATED, 1.0), (NON_MATED, -0.1), (NON_MATED, float("nan"))):
        with pytest.raises(BadInputError):
            threshold_for(MATED, others, wanted)


def test_trade_off_counted_by_hand() -> None:
    points = [(round(p.threshold, 2), round(p.fmr, 2), round(p.fnmr, 2)) for p in det_curve(MATED, NON_MATED)]
    assert points[0] == (0.0, 0.0, 1.0)
    assert (0.3, 0.0, 0.25) in points
    assert (0.35, 0.2, 0.25) in points
    assert (0.4, 0.2, 0.0) in points
    assert points[-1] == (0.8, 1.0, 0.0)
    assert (0.1, 0.0, 0.75) not in points  # between two ends that FMR 0 joins


@settings(deadline=None, max_examples=50)
@given(some_scores, some_scores, st.integers(2, 12))
def test_trade_off_is_made_of_rates_and_falls(mated: np.ndarray, others: np.ndarray, most: int) -> None:
    points = det_curve(mated, others, points_max=most)
    assert len(points) <= most
    for point in points:
        assert point.fmr == pytest.approx(fmr_at(others, point.threshold).rate)
        assert point.fnmr == pytest.approx(fnmr_at(mated, point.threshold).rate)
    for before, after in pairwise(points):
        assert before.threshold < after.threshold
        assert before.fmr <= after.fmr
        assert before.fnmr >= after.fnmr
    assert (points[-1].fmr, points[-1].fnmr) == (1, 0) or most < 3


@pytest.mark.parametrize("rate", [1e-9, 1e-4, 0.025, 0.3, 0.5, 0.975, 1 - 1e-6])
def test_normal_deviate_is_that_of_scipy(rate: float) -> None:
    assert normal_deviate(rate) == pytest.approx(stats.norm.ppf(rate), abs=1e-9)


def test_scores_are_counted_in_bins() -> None:
    counts = count_scores(np.array([0.0, 0.1], np.float32), np.array([0.05, 0.25, 0.26], np.float32), width=0.1)
    assert counts.mated == (1, 1, 0)
    assert counts.non_mated == (1, 0, 2)
    assert count_scores(NOBODY, NOBODY).mated == (0,)


@pytest.mark.parametrize(("events", "trials"), [(0, 60), (3, 7080), (7, 7080), (59, 60), (70, 12_497_500)])
def test_intervals_are_those_of_scipy(events: int, trials: int) -> None:
    wanted = stats.binomtest(events, trials).proportion_ci(method="exact")
    found = clopper_pearson(events, trials)
    assert found.low == pytest.approx(wanted.low, rel=1e-5)
    assert found.high == pytest.approx(wanted.high, rel=1e-5)
