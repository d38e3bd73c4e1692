"""Bootstrap over people: how far a figure moves when other people of the same kind had come.

Comparisons share people, so they are not independent, and an interval that counts comparisons is too narrow. Whole
people are drawn with replacement instead (R. M. Bolle, N. K. Ratha, S. Pankanti: Error analysis of pattern recognition
systems, the subsets bootstrap, CVIU 93, 2004). A person drawn k times brings each mated comparison k times, and a pair
of people drawn k and l times brings each non-mated comparison k l times (A. B. Owen: The pigeonhole bootstrap, Annals
of Applied Statistics 1, 2007). Percentile intervals (B. Efron). Seeded: the same scores give the same interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The people who take part in a comparison, numbered from 0, and how often each replicate drew them.

    weights: (replicates, people) float64. mated: (m,), whose comparison each is; pairs: (n, 2), between whom.
    """

    weights: NDArray[np.float64] = field(repr=False)
    mated: NDArray[np.int64] = field(repr=False)
    pairs: NDArray[np.int64] = field(repr=False)


def draw_people(scores: Scores, how: Resampling) -> Drawn | None:
    """Draw them; None with fewer than two people, of whom nothing can be said so."""
    present, mated, pairs = _renumber(scores.mated_subjects, scores.non_mated_subjects)
    return None if present < 2 else Drawn(draw_weights(present, how), mated, pairs)


def resample(scores: Scores, how: Resampling | None = None) -> Resampled:
    """The intervals of FMR, FNMR (at the scores' threshold) and d' over the people who take part in a comparison."""
    drawn = draw_people(scores, how or Resampling())
    if drawn is None:
        return Resampled(None, None, None)
    one, other = scores.mated.astype(np.float64), scores.non_mated.astype(np.float64)
    failed, matched = ~scores.matched(scores.mated), scores.matched(scores.non_mated)
    single = [_sum_single(drawn.weights, drawn.mated, values) for values in (np.ones_like(one), one, one**2)]
    double = sum_pairs(drawn.weights, drawn.pairs, (np.ones_like(other), other, other**2))
    (false_matches,) = sum_pairs(drawn.weights, drawn.pairs[matched], (np.ones(matched.sum()),))
    return Resampled(
        fmr=_rate(false_matches, double[0], matched),
        fnmr=_rate(_sum_single(drawn.weights, drawn.mated[failed], np.ones(failed.sum())), single[0], failed),
        d_prime=_separation(single, double) if min(len(one), len(other)) > 1 else None,
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
    if not len(everyone):
        return 0, everyone.astype(np.int64), pairs.astype(np.int64)
    first = np.full(int(everyone.max()) + 1, len(everyone), np.int64)
    first[everyone[::-1]] = np.arange(len(everyone) - 1, -1, -1)  # of several places of a person the first is kept
    present = np.flatnonzero(first < len(everyone))
    numbers = np.empty(len(first), np.int64)
    numbers[present[np.argsort(first[present])]] = np.arange(len(present))
    return len(present), numbers[mated], numbers[pairs]


def _sum_single(
    weights: NDArray[np.float64], people: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(replicates,): the sum over comparisons of weight of the person * value."""
    per_person = np.bincount(people, weights=values, minlength=weights.shape[1])
    return np.asarray(weights @ per_person, np.float64)


def sum_pairs(
    weights: NDArray[np.float64], pairs: NDArray[np.int64], columns: Sequence[NDArray[np.float64]]
) -> list[NDArray[np.float64]]:
    """Of each of `columns` (one value a comparison) (replicates,): the sum of both people's weights * value.

    Pairs are gathered into square tables of people, so that a matrix product sums millions of them for all replicates.
    """
    tiles = -(-weights.shape[1] // _TILE)
    small = np.int64 if tiles * tiles > np.iinfo(np.int16).max else np.int16  # of which sorting is quick
    keys = ((pairs[:, 0] // _TILE) * tiles + pairs[:, 1] // _TILE).astype(small)
    ends = np.cumsum(np.bincount(keys, minlength=tiles * tiles))
    order = np.argsort(keys, kind="stable")
    totals = [np.zeros(len(weights)) for _ in columns]
    start = 0
    for tile, end in enumerate(ends.tolist()):
        chosen = order[start:end]
        start = end
        if len(chosen):
            values = [column[chosen] for column in columns]
            parts = _sum_tile(weights, tile // tiles * _TILE, tile % tiles * _TILE, pairs[chosen], values)
            for total, part in zip(totals, parts, strict=True):
                total += part
    return totals


def _sum_tile(
    weights: NDArray[np.float64],
    row: int,
    column: int,
    pairs: NDArray[np.int64],
    columns: Sequence[NDArray[np.float64]],
) -> list[NDArray[np.float64]]:
    if len(pairs) < _FEW:
        both = weights[:, pairs[:, 0]] * weights[:, pairs[:, 1]]
        return [np.asarray(both @ values, np.float64) for values in columns]
    own = pairs - (row, column)
    (height, wide) = own.max(axis=0) + 1  # of the tile only what has a comparison
    rows, others = weights[:, row : row + height], weights[:, column : column + wide]
    places = own[:, 0] * wide + own[:, 1]
    tables = [np.bincount(places, weights=values, minlength=height * wide).reshape(height, wide) for values in columns]
    return [np.asarray(np.einsum("ij,ij->i", rows @ table, others), np.float64) for table in tables]
