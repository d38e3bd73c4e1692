"""Bootstrap over people: how far a figure moves when other people of the same kind had come.

Comparisons share people, so they are not independent, and an interval that counts comparisons is too narrow. Whole
people are drawn with replacement instead (R. M. Bolle, N. K. Ratha, S. Pankanti: Error analysis of pattern recognition
systems, the subsets bootstrap, CVIU 93, 2004). A person drawn k times brings each mated comparison k times, and a pair
of people drawn k and l times brings each non-mated comparison k l times (A. B. Owen: The pigeonhole bootstrap, Annals
of Applied Statistics 1, 2007). Percentile intervals (B. Efron). Seeded: the same scores give the same interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.lab.intervals import CONFIDENCE
from openstile.lab.scores import Scores
from openstile.terms.errors import BadInputError
from openstile.terms.limits import LAB_REPLICATES_MAX

REPLICATES = 1000
SEED = 19795
_FEW = 4096
"""Fewer comparisons than this are summed one by one: cheaper than a table of people."""
_TILE = 1024
"""People on a side of the tables of pairs that are summed at once: 4 MiB."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often people are drawn, and from which seed. 100 to LAB_REPLICATES_MAX replicates."""

    replicates: int = REPLICATES
    seed: int = SEED

    def __post_init__(self) -> None:
        if not 100 <= self.replicates <= LAB_REPLICATES_MAX:
            raise BadInputError(f"bootstrap: {self.replicates} replicates are outside 100 to {LAB_REPLICATES_MAX}")
        if self.seed < 0:
            raise BadInputError(f"bootstrap: the seed {self.seed} must be 0 or more")


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle 95 % of what resampled people gave. A quantity, not a probability: d' may pass 1."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise BadInputError(f"bootstrap: {self.low} to {self.high} is not in this order")


@dataclass(frozen=True, slots=True)
class Resampled:
    """Intervals over people. None: nothing can be said so, for without a single event, or with events alone, every
    resample shows the same.
    """

    fmr: Spread | None
    fnmr: Spread | None
    d_prime: Spread | None


def resample(scores: Scores, how: Resampling | None = None) -> Resampled:
    """The intervals of FMR, FNMR (at the scores' threshold) and d' over the people who take part in a comparison."""
    how = how or Resampling()
    present, mated, pairs = _renumber(scores.mated_subjects, scores.non_mated_subjects)
    if present < 2:
        return Resampled(None, None, None)
    weights = draw_weights(present, how)
    one, other = scores.mated.astype(np.float64), scores.non_mated.astype(np.float64)
    failed, matched = ~scores.matched(scores.mated), scores.matched(scores.non_mated)
    single = [_sum_single(weights, mated, values) for values in (np.ones_like(one), one, one**2)]
    double = [_sum_pairs(weights, pairs, values) for values in (np.ones_like(other), other, other**2)]
    return Resampled(
        fmr=_rate(_sum_pairs(weights, pairs[matched], np.ones(matched.sum())), double[0], matched),
        fnmr=_rate(_sum_single(weights, mated[failed], np.ones(failed.sum())), single[0], failed),
        d_prime=_separation(single, double),
    )


def draw_weights(people: int, how: Resampling) -> NDArray[np.float64]:
    """(replicates, people): how often each person was drawn; each row adds up to the number of people."""
    random = np.random.default_rng(how.seed)
    drawn = random.multinomial(people, np.full(people, 1 / people), size=how.replicates)
    return drawn.astype(np.float64)


def percentile_interval(values: NDArray[np.float64]) -> Spread | None:
    """The middle 95 % of finite `values`; None when fewer than half are finite."""
    finite = values[np.isfinite(values)]
    if 2 * len(finite) < len(values) or not len(finite):
        return None
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(finite, (tail, 100 - tail))
    return Spread(float(low), float(high))


def _rate(events: NDArray[np.float64], trials: NDArray[np.float64], happened: NDArray[np.bool_]) -> Spread | None:
    if happened.all() or not happened.any():
        return None
    return percentile_interval(_divide(events, trials))


def _separation(single: list[NDArray[np.float64]], double: list[NDArray[np.float64]]) -> Spread | None:
    """d' of each replicate, from its weighted sums of 1, distance and distance squared."""
    moments = []
    for count, total, squares in (single, double):
        mean = _divide(total, count)
        moments.append((mean, np.maximum(_divide(squares, count) - mean**2, 0)))
    (one, one_var), (other, other_var) = moments
    return percentile_interval(_divide(np.abs(other - one), np.sqrt((one_var + other_var) / 2)))


def _divide(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """part / whole, nan where whole is 0 (a replicate in which nobody can be compared)."""
    result = np.full(len(part), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def _renumber(mated: NDArray[np.int32], pairs: NDArray[np.int32]) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    """The same comparisons with the people who take part numbered from 0, as they come: those of a block together."""
    everyone = np.concatenate([pairs.ravel(), mated])
    present, first, places = np.unique(everyone, return_index=True, return_inverse=True)
    numbers = np.argsort(np.argsort(first))[places.reshape(-1)]
    return len(present), numbers[pairs.size :], numbers[: pairs.size].reshape(-1, 2)


def _sum_single(
    weights: NDArray[np.float64], people: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(replicates,): the sum over comparisons of weight of the person * value."""
    per_person = np.bincount(people, weights=values, minlength=weights.shape[1])
    return np.asarray(weights @ per_person, np.float64)


def _sum_pairs(
    weights: NDArray[np.float64], pairs: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(replicates,): the sum over comparisons of both people's weights * value.

    Pairs are gathered into square tables of people, so that a matrix product sums millions of them for all replicates.
    """
    people = weights.shape[1]
    tiles = -(-people // _TILE)
    keys = (pairs[:, 0] // _TILE) * tiles + pairs[:, 1] // _TILE
    order = np.argsort(keys, kind="stable")
    ends = np.searchsorted(keys[order], np.arange(tiles * tiles), side="right")
    total = np.zeros(len(weights))
    start = 0
    for tile, end in enumerate(ends.tolist()):
        chosen = order[start:end]
        start = end
        if len(chosen):
            total += _sum_tile(weights, tile // tiles * _TILE, tile % tiles * _TILE, pairs[chosen], values[chosen])
    return total


def _sum_tile(
    weights: NDArray[np.float64], row: int, column: int, pairs: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    if len(pairs) < _FEW:
        return np.asarray((weights[:, pairs[:, 0]] * weights[:, pairs[:, 1]]) @ values, np.float64)
    rows, columns = weights[:, row : row + _TILE], weights[:, column : column + _TILE]
    wide = columns.shape[1]
    places = (pairs[:, 0] - row) * wide + (pairs[:, 1] - column)
    table = np.bincount(places, weights=values, minlength=rows.shape[1] * wide).reshape(-1, wide)
    return np.asarray(np.einsum("ij,ij->i", rows @ table, columns), np.float64)
