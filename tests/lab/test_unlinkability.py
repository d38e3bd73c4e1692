"""Unlinkability: the measure against values computed by hand, and passes against attacks that a leak would feed."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import integrate, stats

from openstile.lab.unlinkability import SIGNIFICANCE, Unlinkability, measure_unlinkability
from openstile.lab.unlinkability_measure import (
    RESAMPLES,
    SHUFFLES,
    LinkScores,
    _auc_interval,
    area_under_curve,
    global_measure,
    measure_linkage,
)
from openstile.lab.unlinkability_trials import IssuingDesk, LinkPerson, make_trials, random_people, simulated_distance
from openstile.lab.unlinkability_views import (
    Party,
    score_correlation,
    score_equal_bits,
    score_equal_bytes,
    score_shared_runs,
)
from openstile.terms import BadInputError

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _people(count: int = 16) -> tuple[LinkPerson, ...]:
    return random_people(count, dimensions=128, pack_id="cf-dlib-1", rng=np.random.default_rng(5))


def _measured(pairs: int = 160, random: Callable[[int], bytes] | None = None) -> Unlinkability:
    return measure_unlinkability(
        _people(),
        distance=simulated_distance,
        now=NOW,
        random=random or np.random.default_rng(11).bytes,
        rng=np.random.default_rng(12),
        pairs=pairs,
        simulated_people=True,
    )


def _link_scores(mated: np.ndarray, non_mated: np.ndarray) -> LinkScores:
    people = np.arange(len(non_mated))
    return LinkScores(mated, non_mated, np.arange(len(mated)), np.stack((people, (people + 1) % len(people)), axis=1))


def test_d_sys_of_distributions_that_do_not_overlap_is_1() -> None:
    assert global_measure(np.linspace(2, 3, 200), np.linspace(0, 1, 200)) == 1.0


def test_d_sys_of_the_same_scores_is_0() -> None:
    scores = np.linspace(0, 1, 200)
    assert global_measure(scores, scores) == 0.0


def test_d_sys_of_half_overlapping_uniform_scores_is_one_half() -> None:
    # Mated in bins 0 and 1, non-mated in 1 and 2: D is 1 in bin 0 (half of the mated) and 0 in bin 1.
    mated, non_mated = np.repeat([0.0, 1.5], 15), np.repeat([1.5, 3.0], 15)
    assert global_measure(mated, non_mated) == pytest.approx(0.5)


def test_d_sys_of_three_bins_as_computed_by_hand() -> None:
    # Shares: mated 1/2 1/3 1/6, non-mated 1/6 1/3 1/2; D = (1/2 - 1/6) / (1/2 + 1/6) = 1/2 in the first bin, else 0.
    mated, non_mated = np.repeat([0.0, 1.5, 3.0], [15, 10, 5]), np.repeat([0.0, 1.5, 3.0], [5, 10, 15])
    assert global_measure(mated, non_mated) == pytest.approx(0.25)


def test_d_sys_of_two_normal_distributions_is_their_integral() -> None:
    def density(s: float) -> float:
        mated, non_mated = stats.norm.pdf(s, 1), stats.norm.pdf(s)
        return float(mated * max(0.0, (mated - non_mated) / (mated + non_mated)))

    expected = integrate.quad(density, -8, 9)[0]
    rng = np.random.default_rng(3)
    assert global_measure(rng.normal(1, 1, 100_000), rng.normal(0, 1, 100_000)) == pytest.approx(expected, abs=0.01)


def test_auc_is_the_statistic_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(4)
    mated, non_mated = rng.integers(0, 9, 60).astype(float), rng.integers(0, 7, 90).astype(float)
    expected = stats.mannwhitneyu(mated, non_mated).statistic / (60 * 90)
    assert area_under_curve(mated, non_mated) == pytest.approx(expected)


def test_interval_of_the_auc_is_that_of_people_drawn_one_by_one() -> None:
    rng = np.random.default_rng(14)
    people = rng.permutation(20)
    scores = LinkScores(
        rng.integers(0, 9, 15).astype(float), rng.integers(0, 7, 40).astype(float), people[:15],
        np.array([rng.choice(20, 2, replace=False) for _ in range(40)]),
    )  # fmt: skip
    present = np.unique([*scores.mated_people, *scores.non_mated_people.ravel()])
    found, draws = [], np.random.default_rng(3)
    for _ in range(RESAMPLES):
        drawn = present[draws.integers(len(present), size=len(present))]
        times = np.bincount(drawn, minlength=20)
        mated = np.repeat(scores.mated, times[scores.mated_people])
        others = np.repeat(scores.non_mated, times[scores.non_mated_people].prod(axis=1))
        found.append(stats.mannwhitneyu(mated, others).statistic / (len(mated) * len(others)))
    interval = _auc_interval(scores, np.random.default_rng(3))
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(found, (0.025, 0.975))))


def test_scores_without_a_difference_are_guessed_by_chance() -> None:
    rng = np.random.default_rng(6)
    train, test = (_link_scores(rng.normal(size=400), rng.normal(size=400)) for _ in range(2))
    linkage = measure_linkage(train, test, rng=rng)
    assert linkage.p_value > 0.01
    assert linkage.guesses.trials == 800
    assert linkage.guesses.interval.low < 0.5 < linkage.guesses.interval.high
    assert linkage.auc_interval.low < 0.5 < linkage.auc_interval.high


def test_scores_with_a_small_difference_are_found_out() -> None:
    rng = np.random.default_rng(7)
    train, test = (_link_scores(rng.normal(0.5, 1, 800), rng.normal(0, 1, 800)) for _ in range(2))
    linkage = measure_linkage(train, test, rng=rng)
    assert linkage.p_value == pytest.approx(1 / 2000)
    assert linkage.guesses.interval.low > 0.5
    assert linkage.auc_interval.low < stats.norm.cdf(0.5 / 2**0.5) < linkage.auc_interval.high


def test_guess_of_scores_that_are_apart_is_always_right() -> None:
    rng = np.random.default_rng(8)
    train, test = (_link_scores(rng.uniform(0, 0.4, 50), rng.uniform(0.6, 1, 50)) for _ in range(2))
    assert measure_linkage(train, test, rng=rng).guesses.rate == 1.0  # smaller scores may be the mated ones


def test_scores_of_bytes_as_computed_by_hand() -> None:
    first, second = np.array([[0, 1, 2, 3]], np.uint8), np.array([[1, 2, 3, 3]], np.uint8)
    assert score_equal_bytes(first, second).tolist() == [0.25]
    assert score_equal_bits(first, second).tolist() == [pytest.approx(1 - (1 + 2 + 1 + 0) / 32)]
    assert score_shared_runs(first, second).tolist() == [2.0]  # 1 2 and 2 3
    assert score_correlation(first, second)[0] == pytest.approx(np.corrcoef(first[0], second[0])[0, 1])


def test_nobody_is_both_learnt_on_and_attacked() -> None:
    desk = IssuingDesk(now=NOW, random=secrets.token_bytes)
    trials = make_trials(_people(), desk=desk, pairs=16, rng=np.random.default_rng(1))
    learnt, attacked = ({p for pair in half for p in pair.people} for half in (trials.train, trials.test))
    assert not learnt & attacked
    assert sum(pair.mated for pair in trials.test) == len(trials.test) / 2


def test_sealed_passes_cannot_be_linked_and_opened_ones_can() -> None:
    measured = _measured()
    views = {(view.party, view.scenario, view.score): view for view in measured.views}
    assert not measured.sealed_passes_link
    assert views[Party.GATE_KEY, "two-passes", "distance"].linked
    assert views[Party.GATE_KEY, "two-passes", "distance"].linkage.d_sys == pytest.approx(1)
    assert views[Party.READER, "other-products", "length"].linked, "lengths of products show, and are said to"
    assert measured.passes == 4 * (160 + 80 + 80) + 2 * 20


def test_attack_that_links_always_is_called_so_however_many_attacks_there_are() -> None:
    """The smallest p that shuffling can give lies below the significance shared among all attacks."""
    views = _measured(pairs=64).views
    assert SIGNIFICANCE / len(views) >= 1 / (1 + SHUFFLES)


def test_d_sys_by_chance_is_that_of_labels_shuffled_one_by_one() -> None:
    rng = np.random.default_rng(9)
    scores = _link_scores(rng.normal(0.2, 1, 300), rng.normal(0, 1, 300))
    both = np.concatenate((scores.mated, scores.non_mated))
    shuffled = []
    for _ in range(1000):
        order = rng.permutation(both)
        shuffled.append(global_measure(order[:300], order[300:]))
    chance = measure_linkage(scores, scores, rng=rng).d_sys_chance
    assert (chance.low, chance.high) == pytest.approx(tuple(np.quantile(shuffled, (0.025, 0.975))), abs=0.015)


def test_seal_whose_random_bytes_repeat_is_found_out() -> None:
    rng = np.random.default_rng(11)
    measured = _measured(random=lambda size: bytes(size) if size == 32 else rng.bytes(size))  # of the ephemeral key
    assert measured.sealed_passes_link
    assert measured.renewal.of("encapsulated key").rate == 1.0


def test_renewed_pass_has_only_its_reference_in_common_with_the_old_one() -> None:
    renewal = _measured(pairs=64).renewal
    assert {name for name, equal in renewal.equal if equal.events} == {"reference"}
    assert renewal.renewals == 8


def test_report_value_is_json_without_passes_templates_or_ids() -> None:
    text = json.dumps(_measured(pairs=64).to_json(), allow_nan=False)
    assert "OS1:" not in text
    assert json.loads(text)["people"] == 16


def test_too_few_people_or_pairs_are_refused() -> None:
    desk = IssuingDesk(now=NOW, random=secrets.token_bytes)
    with pytest.raises(BadInputError, match="needs 8 or more"):
        make_trials(_people(7), desk=desk, pairs=16, rng=np.random.default_rng(1))
    with pytest.raises(BadInputError, match="use 16"):
        make_trials(_people(8), desk=desk, pairs=15, rng=np.random.default_rng(1))
    assert desk.issued == 0
