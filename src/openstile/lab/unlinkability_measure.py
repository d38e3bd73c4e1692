"""Whether a score tells pairs of one person from pairs of two: how linkable, and how often a guess would be right.

D_sys: M. Gomez-Barrero, J. Galbally, C. Rathgeb, C. Busch: General Framework to Evaluate Unlinkability in Biometric
Template Protection Systems (IEEE Transactions on Information Forensics and Security 13(6), 2018), as ISO/IEC 30136
wants it reported. 0: the scores of both kinds of pair are distributed alike; 1: they can be told apart always.

D_sys of a sample is never below 0, so chance alone lifts it. Beside it stands what the same scores give when the labels
are shuffled: that is what "no better than chance" means here.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from openstile.lab.intervals import Interval, Proportion
from openstile.terms import BadInputError
from openstile.terms.limits import LINK_TRIALS_MAX

Values = NDArray[np.float64]
Indices = NDArray[np.intp]

BINS_MAX = 100
SCORES_PER_BIN = 10
"""As many bins as the paper's authors take: a tenth of the mated scores, at most a hundred."""
SHUFFLES = 1999
RESAMPLES = 500


@dataclass(frozen=True, slots=True, eq=False)
class LinkScores:
    """Scores of pairs; a larger one says rather "one person". People are numbered from 0.

    mated: (n,) float64, of the people in `mated_people` (n,). non_mated: (m,), of those in `non_mated_people` (m, 2).
    """

    mated: Values = field(repr=False)
    non_mated: Values = field(repr=False)
    mated_people: Indices = field(repr=False)
    non_mated_people: Indices = field(repr=False)

    def __post_init__(self) -> None:
        n, m = len(self.mated), len(self.non_mated)
        if not 2 <= min(n, m) <= max(n, m) <= LINK_TRIALS_MAX:
            raise BadInputError(f"linking: {n} and {m} pairs; give 2 to {LINK_TRIALS_MAX} of each kind")
        if self.mated_people.shape != (n,) or self.non_mated_people.shape != (m, 2):
            raise BadInputError("linking: each pair needs its people, one or two")
        if not (np.isfinite(self.mated).all() and np.isfinite(self.non_mated).all()):
            raise BadInputError("linking: a score is not a finite number")


@dataclass(frozen=True, slots=True)
class Distributions:
    """Densities over bins, and how linkable a pair with a score in that bin is: D(s), 0 to 1. For drawing."""

    edges: tuple[float, ...]
    mated: tuple[float, ...]
    non_mated: tuple[float, ...]
    local: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Linkage:
    """How well one score links.

    d_sys: 0 to 1. d_sys_chance: the interval in which 95 % of D_sys lie when labels are shuffled; p_value: the part of
    them (with the one observed) at or above d_sys. auc: the probability that a mated pair scores higher than a
    non-mated one, 0.5 by chance; its interval is of a bootstrap over people. guesses: those that were right, at a
    threshold chosen on other people; half by chance.
    """

    mated: int
    non_mated: int
    d_sys: float
    d_sys_chance: Interval
    p_value: float
    auc: float
    auc_interval: Interval
    guesses: Proportion
    distributions: Distributions


def measure_linkage(train: LinkScores, test: LinkScores, *, rng: np.random.Generator) -> Linkage:
    """How well the scores of `test` link, and the guesses with a threshold chosen on `train` (other people)."""
    d_sys, chance, p_value = _against_chance(test, rng)
    return Linkage(
        mated=len(test.mated),
        non_mated=len(test.non_mated),
        d_sys=d_sys,
        d_sys_chance=chance,
        p_value=p_value,
        auc=area_under_curve(test.mated, test.non_mated),
        auc_interval=_auc_interval(test, rng),
        guesses=_guesses(train, test),
        distributions=distributions(test.mated, test.non_mated),
    )


def global_measure(mated: Values, non_mated: Values) -> float:
    """D_sys for equally likely kinds of pair: the mean of D(s) over mated scores, from histograms.

    D(s) = 2 LR / (1 + LR) - 1 where LR = p(s | mated) / p(s | non-mated) > 1, else 0 (equations 8 and 9 of the paper).
    """
    return float(_d_sys(*_counts(*_binned(mated, non_mated))))


def distributions(mated: Values, non_mated: Values) -> Distributions:
    """The densities and D(s) of the bins from which D_sys is summed."""
    bins, labels = _binned(mated, non_mated)
    edges = _edges(mated, non_mated)
    counts = [np.bincount(bins[labels == kind], minlength=len(edges) - 1) for kind in (True, False)]
    widths = np.diff(edges)
    shares = [count / max(int(count.sum()), 1) for count in counts]
    return Distributions(
        edges=tuple(edges.tolist()),
        mated=tuple((shares[0] / widths).tolist()),
        non_mated=tuple((shares[1] / widths).tolist()),
        local=tuple(_local(*shares).tolist()),
    )


def area_under_curve(mated: Values, non_mated: Values) -> float:
    """P(mated > non-mated) + P(equal) / 2 (the statistic of Mann and Whitney, 1947, over the number of pairs)."""
    return _weighted_auc(mated, non_mated, np.ones(len(mated)), np.ones(len(non_mated)))


def _edges(mated: Values, non_mated: Values) -> Values:
    low = min(float(mated.min()), float(non_mated.min()))
    high = max(float(mated.max()), float(non_mated.max()))
    bins = max(1, min(len(mated) // SCORES_PER_BIN, BINS_MAX))
    return np.linspace(low, high if high > low else low + 1.0, bins + 1)


def _binned(mated: Values, non_mated: Values) -> tuple[Indices, NDArray[np.bool_]]:
    """The bin of each score, mated ones first, and which are mated."""
    edges = _edges(mated, non_mated)
    pooled = np.concatenate((mated, non_mated))
    bins = np.clip(np.searchsorted(edges, pooled, side="right") - 1, 0, len(edges) - 2)
    return bins, np.arange(len(pooled)) < len(mated)


def _local(mated: Values, non_mated: Values) -> Values:
    """D(s) by bin from the shares of both kinds; (LR - 1) / (LR + 1), written without a division by zero."""
    total = mated + non_mated
    return np.divide(mated - non_mated, total, out=np.zeros_like(total), where=mated > non_mated)


def _counts(bins: Indices, labels: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many scores of both kinds each bin has."""
    size = int(bins.max()) + 1
    return np.bincount(bins[labels], minlength=size), np.bincount(bins[~labels], minlength=size)


def _d_sys(mated: NDArray[np.int64], non_mated: NDArray[np.int64]) -> Values:
    """D_sys of counts by bin, (..., bins); the result has the shape (...)."""
    shares = mated / mated.sum(axis=-1, keepdims=True), non_mated / non_mated.sum(axis=-1, keepdims=True)
    return np.asarray(np.sum(shares[0] * _local(*shares), axis=-1), np.float64)


def _against_chance(scores: LinkScores, rng: np.random.Generator) -> tuple[float, Interval, float]:
    """D_sys, the middle 95 % of those of shuffled labels, and the part of them that reach it.

    Shuffling labels draws the mated scores out of each bin without putting back: a hypergeometric distribution.
    """
    mated, non_mated = _counts(*_binned(scores.mated, scores.non_mated))
    seen = float(_d_sys(mated, non_mated))
    both = mated + non_mated
    drawn = rng.multivariate_hypergeometric(both, int(mated.sum()), size=SHUFFLES, method="marginals")
    shuffled = _d_sys(drawn, both - drawn)
    low, high = np.quantile(shuffled, (0.025, 0.975))
    reached = int(np.count_nonzero(shuffled >= seen - 1e-12))
    return seen, Interval(float(low), min(float(high), 1.0)), (1 + reached) / (1 + SHUFFLES)


def _weighted_auc(mated: Values, non_mated: Values, mated_weights: Values, non_mated_weights: Values) -> float:
    _, places = np.unique(np.concatenate((mated, non_mated)), return_inverse=True)
    size = int(places.max()) + 1
    of_mated = np.bincount(places[: len(mated)], weights=mated_weights, minlength=size)
    of_non_mated = np.bincount(places[len(mated) :], weights=non_mated_weights, minlength=size)
    below = np.cumsum(of_non_mated) - of_non_mated
    total = of_mated.sum() * of_non_mated.sum()
    return float(np.sum(of_mated * (below + of_non_mated / 2)) / total) if total else math.nan


def _auc_interval(scores: LinkScores, rng: np.random.Generator) -> Interval:
    """The middle 95 % of a bootstrap that draws people: a pair counts as often as its people were drawn together."""
    people = np.unique(np.concatenate((scores.mated_people, scores.non_mated_people.ravel())))
    of_mated = np.searchsorted(people, scores.mated_people)
    of_non_mated = np.searchsorted(people, scores.non_mated_people)
    found = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(len(people), size=len(people)), minlength=len(people)).astype(np.float64)
        weights = times[of_mated], times[of_non_mated[:, 0]] * times[of_non_mated[:, 1]]
        found.append(_weighted_auc(scores.mated, scores.non_mated, *weights))
    drawn = np.array(found)[np.isfinite(found)]
    if not len(drawn):
        return Interval(0.0, 1.0)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(low), min(float(high), 1.0))


def _guesses(train: LinkScores, test: LinkScores) -> Proportion:
    """How many of `test` are guessed right by "one person where the score is at least t", with the best t of `train`,
    or by the reverse where that did better there. Both kinds count alike: as many of each are taken.
    """
    threshold, sign = _best_threshold(train)
    pairs = min(len(test.mated), len(test.non_mated))
    right = np.count_nonzero(sign * test.mated[:pairs] >= threshold)
    right += np.count_nonzero(sign * test.non_mated[:pairs] < threshold)
    return Proportion(int(right), 2 * pairs)


def _best_threshold(scores: LinkScores) -> tuple[float, int]:
    best = (-1.0, math.inf, 1)
    for sign in (1, -1):
        mated, non_mated = np.sort(sign * scores.mated), np.sort(sign * scores.non_mated)
        values = np.unique(np.concatenate((mated, non_mated)))
        above = 1 - np.searchsorted(mated, values, side="left") / len(mated)
        below = np.searchsorted(non_mated, values, side="left") / len(non_mated)
        at = int(np.argmax(above + below))
        if above[at] + below[at] > best[0]:
            middle = (values[at] + values[max(at - 1, 0)]) / 2  # of the gap, so that neither side is favoured
            best = (float(above[at] + below[at]), float(middle), sign)
    return best[1], best[2]
