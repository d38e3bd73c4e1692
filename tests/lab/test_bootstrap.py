"""Intervals over people, against explicit resampling and scipy's bootstrap."""

import numpy as np
import pytest
from scipy import stats
from tests.lab.made_scores import all_pairs, make_scores

from openstile.lab.bootstrap import Resampling, draw_weights, percentile_interval, resample
from openstile.lab.intervals import clopper_pearson
from openstile.lab.rates import d_prime, fmr_at, fnmr_at
from openstile.terms.errors import BadInputError

HOW = Resampling(200, 7)


def test_intervals_are_those_of_people_drawn_one_by_one() -> None:
    random = np.random.default_rng(2)
    people, pairs = 12, all_pairs(12)
    scores = make_scores(random.uniform(0, 0.7, people), random.uniform(0.3, 1.2, len(pairs)), pairs)
    drawn = draw_weights(people, HOW).astype(int)
    fmr, fnmr, apart = [], [], []
    for times in drawn:
        mated = np.repeat(scores.mated, times)
        others = np.repeat(scores.non_mated, [times[a] * times[b] for a, b in pairs])
        fmr.append(fmr_at(others, 0.5).rate)
        fnmr.append(fnmr_at(mated, 0.5).rate)
        apart.append(d_prime(mated, others))
    found = resample(scores, HOW)
    for spread, values in ((found.fmr, fmr), (found.fnmr, fnmr), (found.d_prime, apart)):
        assert spread is not None
        wanted = np.percentile(np.array(values, float), (2.5, 97.5))
        assert spread.low == pytest.approx(wanted[0])
        assert spread.high == pytest.approx(wanted[1])


def test_interval_of_a_rate_of_people_is_that_of_scipys_bootstrap() -> None:
    mated = np.where(np.arange(300) % 10 == 0, 0.9, 0.1)  # one in ten fails
    found = resample(make_scores(mated, [0.8], [(0, 1)]), Resampling(4000, 1)).fnmr
    wanted = stats.bootstrap(
        ((mated > 0.5).astype(float),), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert found is not None
    assert found.low == pytest.approx(wanted.low, abs=0.006)
    assert found.high == pytest.approx(wanted.high, abs=0.006)


def test_one_person_who_resembles_everybody_widens_the_interval() -> None:
    """Counted by comparisons 39 false matches look certain; drawn by people they are one person's."""
    pairs = all_pairs(40)
    non_mated = [0.4 if a == 0 else 0.9 for a, _ in pairs]
    spread = resample(make_scores([0.1] * 40, non_mated, pairs)).fmr
    by_comparisons = clopper_pearson(39, len(pairs))
    assert spread is not None
    assert spread.low == 0
    assert spread.high - spread.low > 2 * (by_comparisons.high - by_comparisons.low)


def test_without_events_or_with_nothing_else_resampling_says_nothing() -> None:
    pairs = all_pairs(4)
    none = resample(make_scores([0.1] * 4, [0.9] * len(pairs), pairs), HOW)
    assert (none.fmr, none.fnmr) == (None, None)
    every = resample(make_scores([0.9] * 4, [0.1] * len(pairs), pairs), HOW)
    assert (every.fmr, every.fnmr) == (None, None)
    alone = resample(make_scores([0.1], [], []), HOW)
    assert (alone.fmr, alone.fnmr, alone.d_prime) == (None, None, None)


def test_separation_that_was_not_measured_has_no_interval() -> None:
    pairs = all_pairs(3)
    scores = make_scores([0.1] * 3, [0.7, 0.8, 0.9], pairs)
    alone = scores.only(np.array([True, False, False]), np.ones(3, np.bool_))
    assert d_prime(alone.mated, alone.non_mated) is None
    assert resample(alone, HOW).d_prime is None


def test_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    pairs = all_pairs(20)
    random = np.random.default_rng(3)
    scores = make_scores(random.uniform(0, 1, 20), random.uniform(0, 1, len(pairs)), pairs)
    assert resample(scores, Resampling(200, 1)) == resample(scores, Resampling(200, 1))
    assert resample(scores, Resampling(200, 1)) != resample(scores, Resampling(200, 2))


def test_more_people_than_one_table_holds_are_summed_alike() -> None:
    """12,000 comparisons: one table is full enough for a product of matrices, the others are summed one by one."""
    people, random = 1100, np.random.default_rng(4)
    pairs = [(int(a), int(b)) for a, b in random.integers(0, people, (12_000, 2)) if a != b]
    scores = make_scores(np.full(people, 0.1), random.uniform(0.4, 1.0, len(pairs)), pairs, listed=True)
    how = Resampling(100, 5)
    as_they_come = {person: place for place, person in enumerate(dict.fromkeys(p for pair in pairs for p in pair))}
    weights = draw_weights(people, how)
    one, other = (np.array([as_they_come[pair[side]] for pair in pairs]) for side in (0, 1))
    both = weights[:, one] * weights[:, other]
    wanted = np.percentile(both @ scores.matched(scores.non_mated) / both.sum(axis=1), (2.5, 97.5))
    found = resample(scores, how).fmr
    assert found is not None
    assert found.low == pytest.approx(wanted[0])
    assert found.high == pytest.approx(wanted[1])


def test_half_the_replicates_must_say_something() -> None:
    assert percentile_interval(np.array([np.nan, np.nan, 1.0])) is None
    assert percentile_interval(np.array([np.nan, 1.0, 2.0])) is not None


@pytest.mark.parametrize(("replicates", "seed"), [(99, 1), (100_001, 1), (100, -1)])
def test_resampling_has_limits(replicates: int, seed: int) -> None:
    with pytest.raises(BadInputError):
        Resampling(replicates, seed)
