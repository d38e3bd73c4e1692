"""Intervals of the EER and of thresholds over people, against people drawn one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.lab.made_scores import all_pairs, make_scores

from openstile.lab import bootstrap_thresholds
from openstile.lab.bootstrap import Resampling, draw_weights
from openstile.lab.bootstrap_thresholds import NOTHING, Chosen, resample_chosen
from openstile.lab.rates import equal_error_rate, threshold_for
from openstile.lab.scores import Scores
from openstile.terms.errors import BadInputError

HOW = Resampling(200, 7)


def _people(count: int, seed: int, *, steps: int = 0) -> Scores:
    """Overlapping distances between everybody; with `steps` they are rounded, so that many are equal."""
    random, pairs = np.random.default_rng(seed), all_pairs(count)
    mated, others = random.uniform(0, 0.7, count), random.uniform(0.3, 1.2, len(pairs))
    if steps:
        mated, others = np.rint(mated * steps) / steps, np.rint(others * steps) / steps
    return make_scores(mated, others, pairs)


def _one_by_one(scores: Scores, wanted: float, how: Resampling) -> tuple[list[float], list[float], list[float]]:
    """EER, threshold and FNMR at it, of each replicate, from the repeated scores themselves."""
    pairs = scores.non_mated_subjects
    eer, thresholds, fnmr = [], [], []
    for times in draw_weights(len(scores.mated), how).astype(int):
        mated = np.repeat(scores.mated, times)
        others = np.repeat(scores.non_mated, times[pairs[:, 0]] * times[pairs[:, 1]])
        if not len(others):
            continue
        rate, found = equal_error_rate(mated, others), threshold_for(mated, others, wanted)
        assert rate is not None
        assert found.fnmr.rate is not None
        eer.append(rate.rate)
        thresholds.append(found.threshold)
        fnmr.append(found.fnmr.rate)
    return eer, thresholds, fnmr


@settings(deadline=None, max_examples=12)
@given(st.integers(6, 14), st.integers(0, 50), st.sampled_from([0, 10]), st.sampled_from([0.1, 0.2, 1 / 3, 0.75]))
def test_intervals_are_those_of_people_drawn_one_by_one(people: int, seed: int, steps: int, wanted: float) -> None:
    scores = _people(people, seed, steps=steps)
    eer, thresholds, fnmr = _one_by_one(scores, wanted, HOW)
    chosen = resample_chosen(scores, (wanted,), HOW)
    (found,) = chosen.thresholds
    for spread, values in ((chosen.eer, eer), (found.threshold, thresholds), (found.fnmr, fnmr)):
        if min(values) == max(values):
            assert spread is None
            continue
        assert spread is not None
        assert (spread.low, spread.high) == pytest.approx(tuple(np.percentile(values, (2.5, 97.5))), abs=1e-9)


def test_comparisons_are_added_until_no_replicate_needs_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few at first and few replicates at once: the intervals stay those of all comparisons."""
    scores = _people(30, 4)
    whole = resample_chosen(scores, (0.5,), HOW)
    monkeypatch.setattr(bootstrap_thresholds, "_AT_ONCE", 1000)
    replicates = bootstrap_thresholds._Replicates.of(scores, HOW)
    assert replicates is not None
    few = replicates._settled(1, replicates._crossings)
    assert np.array_equal(few, replicates.equal_error_rates())
    assert resample_chosen(scores, (0.5,), HOW) == whole


def test_interval_of_the_equal_error_rate_holds_the_known_one_of_two_normal_distributions() -> None:
    """Of N(0, 1) and N(2, 1) the EER is Phi(-1); every person has a comparison of each kind with nobody else's."""
    random, people = np.random.default_rng(1), 3000
    pairs = [(2 * n, 2 * n + 1) for n in range(people // 2)]
    scores = make_scores(random.normal(5, 1, people), random.normal(7, 1, len(pairs)), pairs, listed=True)
    found = resample_chosen(scores, (), Resampling(300, 2)).eer
    assert found is not None
    assert found.low < stats.norm.cdf(-1) < found.high
    assert found.high - found.low < 0.05


def test_person_who_resembles_everybody_moves_the_threshold() -> None:
    pairs = all_pairs(40)
    alike = make_scores([0.1] * 40, [0.3 + b / 1000 if a == 0 else 0.9 + b / 1000 for a, b in pairs], pairs)
    (found,) = resample_chosen(alike, (0.02,), HOW).thresholds
    assert found.threshold is not None
    assert found.threshold.low < 0.4
    assert found.threshold.high > 0.9


def test_nothing_is_said_without_errors_or_where_none_is_allowed() -> None:
    pairs = all_pairs(5)
    apart = make_scores([0.1] * 5, np.linspace(0.8, 0.9, len(pairs)), pairs)
    assert resample_chosen(apart, (0.0, 0.01), HOW) == Chosen(
        None, (NOTHING, NOTHING)
    )  # of ten comparisons 1 % is none
    (found,) = resample_chosen(apart, (0.2,), HOW).thresholds
    assert found.threshold is not None
    assert found.fnmr is None, "no replicate failed anybody"
    nobody = make_scores([0.1], [], [])
    assert resample_chosen(nobody, (0.1,), HOW) == Chosen(None, (NOTHING,))


def test_wanted_rate_that_cannot_be_is_refused() -> None:
    for wanted in (1.0, -0.1, float("nan")):
        with pytest.raises(BadInputError):
            resample_chosen(_people(4, 1), (wanted,), HOW)
