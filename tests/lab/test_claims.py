"""What a sample can carry, and the words for what it cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.lab.made_scores import all_pairs, make_scores

from openstile.lab.claims import Claim, Measure, needed_with
from openstile.lab.intervals import Proportion
from openstile.lab.rates_among import disjoint_pairs, rates_among
from openstile.lab.scores import Scores
from openstile.terms.errors import BadInputError


def _independent(scores: Scores) -> tuple[Proportion, Proportion]:
    rates = rates_among(scores, captures=np.ones(len(scores.faults), np.bool_))
    return rates.independent_fmr, rates.independent_fnmr


@pytest.mark.parametrize(("rate", "events"), [(0.001, 0), (0.001, 1), (0.01, 3), (0.0001, 30)])
def test_needed_trials_are_those_of_the_exact_limit_and_not_one_less(rate: float, events: int) -> None:
    needed = needed_with(rate, events)
    assert needed is not None
    upper = [stats.binomtest(events, n).proportion_ci(method="exact").high for n in (needed - 1, needed)]
    assert upper[1] <= rate < upper[0]
    assert needed == pytest.approx(stats.chi2.ppf(0.975, 2 * events + 2) / 2 / rate, rel=0.01)  # for small rates


def test_no_number_of_trials_is_named_where_none_would_do() -> None:
    assert needed_with(1e-9, 0) is None
    claim = Claim(Measure.FMR, 1e-9, Proportion(0, 10), Proportion(0, 10))
    assert claim.needed is None
    assert "no claim" in claim.sentence


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.0005, 0.9))
def test_at_most_is_said_only_where_the_sample_carries_it(seen: tuple[int, int], rate: float) -> None:
    claim = Claim(Measure.FNMR, rate, Proportion(*seen), Proportion(*seen))
    upper = 1.0 if seen[0] == seen[1] else stats.beta.ppf(0.975, seen[0] + 1, seen[1] - seen[0])
    if abs(upper - rate) > 1e-9:
        assert claim.carried == (upper <= rate)
    assert ("at most" in claim.sentence) == claim.carried


def test_refusal_names_the_comparisons_that_would_carry_the_claim() -> None:
    claim = Claim(Measure.FMR, 0.001, Proportion(0, 7080), Proportion(0, 30))
    assert not claim.carried
    assert "3,688 comparisons of pairs that share nobody" in claim.sentence
    assert claim.to_json()["needed"] == 3688


def test_as_many_independent_trials_as_pairs_that_share_nobody_at_the_rate_of_all() -> None:
    pairs = all_pairs(7)
    for matches, counted in ((0, 0), (1, 1), (7, 1), (8, 2), (21, 3)):
        non_mated = [0.4 if number < matches else 0.9 for number in range(21)]
        fmr, fnmr = _independent(make_scores([0.1] * 7, non_mated, pairs))
        assert fmr == Proportion(counted, 3)  # of 7 people 3 pairs; 7 of 21 are 1 of 3
        assert fnmr == Proportion(0, 7)


def test_listed_pairs_give_only_as_many_as_share_nobody() -> None:
    star = [(0, n) for n in range(1, 9)]
    fmr, _ = _independent(make_scores([0.1] * 9, [0.9] * 8, star, listed=True))
    assert fmr == Proportion(0, 1)  # everybody was compared with one person


def test_somebody_compared_often_does_not_hide_the_errors_of_the_others() -> None:
    """One person with no false match in 1,000 comparisons; five pairs besides of whom three match."""
    pairs = [(0, n) for n in range(11, 1011)] + [(2 * n + 1, 2 * n + 2) for n in range(5)]
    non_mated = [0.9] * 1000 + [0.4] * 3 + [0.9] * 2
    fmr, _ = _independent(make_scores([0.1] * 1011, non_mated, pairs, listed=True))
    assert fmr == Proportion(3, 6)  # and not 3 of 1005 of six, rounded up: one


def test_conditions_in_which_few_were_seen_count_as_many_pairs_as_there_are() -> None:
    """Nine people are compared with one alone, for the others gave one photograph: one pair, not five."""
    star = [(0, n) for n in range(1, 10)]
    fmr, _ = _independent(make_scores([0.1] * 10, [0.9] * 9, star))
    assert fmr == Proportion(0, 1)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] != pair[1]), max_size=40))
def test_pairs_apart_share_nobody_and_no_other_one_fits(pairs: list[tuple[int, int]]) -> None:
    people = np.array(pairs, np.int32).reshape(-1, 2)
    chosen = disjoint_pairs(people)
    used = people[chosen].ravel().tolist()
    assert len(set(used)) == len(used)
    assert all(one in used or other in used for one, other in pairs)
    assert np.array_equal(chosen, disjoint_pairs(people))


def test_pairs_apart_of_everybody_with_everybody_in_blocks_are_half_the_people() -> None:
    blocks = [np.array(all_pairs(size)) + offset for size, offset in ((1000, 0), (1001, 1000), (7, 2001))]
    assert len(disjoint_pairs(np.concatenate(blocks).astype(np.int32))) == 500 + 500 + 3
    assert len(disjoint_pairs(np.array(all_pairs(1500), np.int32))) == 750


@pytest.mark.parametrize("rate", [0.0, 1.0, float("nan")])
def test_claims_at_the_ends_are_refused(rate: float) -> None:
    with pytest.raises(BadInputError):
        Claim(Measure.FMR, rate, Proportion(0, 1), Proportion(0, 1))
