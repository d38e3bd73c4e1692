"""Bootstrap over people of what a threshold is chosen by: the EER, and the thresholds for a wanted FMR.

The same draws as `bootstrap`: a comparison counts as often as its people were drawn. Each replicate chooses its own
threshold, so that the intervals hold what comes of choosing it on few people. Only the closest non-mated comparisons
decide, so only those are summed; more are taken until no replicate needs another one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.lab.bootstrap import Drawn, Resampling, Spread, draw_people, percentile_interval, sum_pairs
from openstile.lab.rates import allowed_matches
from openstile.lab.scores import Scores

_SUMMED_MAX = 200_000_000
"""Replicates times comparisons of one figure; with more comparisons there are fewer replicates."""
_REPLICATES_MIN = 100
_AT_ONCE = 4_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThresholdSpread:
    """Intervals over people of a threshold for a wanted FMR, and of the FNMR at the threshold of each replicate.

    None: nothing can be said so. A threshold that allows no false match hangs on a single comparison, of which
    resampling knows nothing (P. J. Bickel, D. A. Freedman, Annals of Statistics 9, 1981).
    """

    threshold: Spread | None
    fnmr: Spread | None


NOTHING = ThresholdSpread(None, None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Intervals over people: of the EER, and of each wanted FMR's threshold.

    eer is None without both kinds, or where some threshold parts them without an error.
    """

    eer: Spread | None
    thresholds: tuple[ThresholdSpread, ...]


def resample_chosen(scores: Scores, fmr_wanted: tuple[float, ...], how: Resampling | None = None) -> Chosen:
    """The intervals of `rates.equal_error_rate` and of `rates.threshold_for` at each of `fmr_wanted`, over people.

    Raises BadInputError for a rate outside 0 to 1 (1 excluded).
    """
    one, other = scores.mated, scores.non_mated
    allowed = [allowed_matches(wanted, max(len(other), 1)) for wanted in fmr_wanted]
    meet = bool(len(one) and len(other) and one.max() >= other.min())
    replicates = _Replicates.of(scores, how) if meet or any(allowed) else None
    if replicates is None:
        return Chosen(None, tuple(NOTHING for _ in fmr_wanted))
    return Chosen(
        _varied(replicates.equal_error_rates()) if meet else None,
        tuple(
            replicates.thresholds(wanted) if most else NOTHING for wanted, most in zip(fmr_wanted, allowed, strict=True)
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Replicates:
    """Comparisons in the order of their distance. mated, non_mated: (m,), (n,) float32, rising; totals: (replicates,)
    weights of all comparisons of the kind.
    """

    drawn: Drawn
    mated: NDArray[np.float32]
    non_mated: NDArray[np.float32]
    mated_total: Floats
    non_mated_total: Floats

    @classmethod
    def of(cls, scores: Scores, how: Resampling | None) -> "_Replicates | None":
        drawn = draw_people(scores, how or Resampling())
        if drawn is None:
            return None
        one, other = np.argsort(scores.mated, kind="stable"), np.argsort(scores.non_mated, kind="stable")
        (total,) = sum_pairs(drawn.weights, drawn.pairs, (np.ones(len(other)),))
        ordered = Drawn(drawn.weights, drawn.mated[one], drawn.pairs[other])
        return cls(
            ordered, scores.mated[one], scores.non_mated[other], drawn.weights[:, ordered.mated].sum(axis=1), total
        )

    def thresholds(self, wanted: float) -> ThresholdSpread:
        """Of each replicate the threshold just below the first distance that is one false match too many."""
        allowed = allowed_matches(wanted, len(self.non_mated))

        def first_too_many(rows: slice, closest: int) -> Floats:
            total = self.non_mated_total[rows]
            reached = self._cumulative(rows, closest) > (wanted * total * (1 + 1e-12))[:, None]
            places = np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf)
            return np.where(total > 0, places, np.nan)

        places = self._settled(allowed + allowed // 4 + 64, first_too_many)
        drew = np.isfinite(places)
        distances = self.non_mated[np.where(drew, places, 0).astype(np.intp)]
        found = np.maximum(np.nextafter(distances, np.float32(-np.inf)), np.float32(0))
        failed = self._fnmr_at(found)
        return ThresholdSpread(
            _varied(np.where(drew, found.astype(np.float64), np.nan)), _varied(np.where(drew, failed, np.nan))
        )

    def equal_error_rates(self) -> Floats:
        """Of each replicate the mean of both rates where they differ least (`rates.equal_error_rate`)."""
        most = int(np.searchsorted(self.non_mated, self.mated[-1], side="right"))  # no mated one is farther
        return self._settled(min(most, 4096 + len(self.non_mated) // 64), self._crossings)

    def _crossings(self, rows: slice, closest: int) -> Floats:
        """nan where nobody of some kind was drawn; inf where the rates do not meet among the `closest`."""
        tried = np.unique(np.concatenate([self.mated, self.non_mated[:closest]]))
        if closest < len(self.non_mated):
            tried = tried[tried < self.non_mated[closest]]
        ones, others = self.mated_total[rows, None], self.non_mated_total[rows, None]
        false = _upto(self._cumulative(rows, closest), self.non_mated[:closest], tried)
        failed = ones - _upto(self._cumulative_mated(rows), self.mated, tried)
        apart = false * ones - failed * others  # whole numbers, so that ties are ties
        met = apart >= 0
        after = np.argmax(met, axis=1)
        best = np.where(_pick(apart, after) + _pick(apart, np.maximum(after - 1, 0)) >= 0, after - 1, after)
        best = np.maximum(best, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = (_pick(false, best) / others[:, 0] + _pick(failed, best) / ones[:, 0]) / 2
        rate = np.where(met.any(axis=1), rate, np.inf)
        return np.where((ones[:, 0] > 0) & (others[:, 0] > 0), rate, np.nan)

    def _settled(self, closest: int, of: Callable[[slice, int], Floats]) -> Floats:
        """What `of` finds in every replicate among the `closest` non-mated comparisons; inf asks for more of them."""
        count = len(self.non_mated)
        while True:
            closest = min(max(closest, 1), count)
            width = closest + len(self.mated)
            replicates = min(len(self.drawn.weights), max(_REPLICATES_MIN, _SUMMED_MAX // width))
            found = np.concatenate([of(rows, closest) for rows in _chunks(replicates, width)])
            if closest == count or not np.isinf(found).any():
                return found
            closest *= 2

    def _cumulative(self, rows: slice, closest: int) -> Floats:
        """(rows, closest): the weight of the closest non-mated comparisons up to each of them."""
        one, other = (self.drawn.weights[rows].take(side, axis=1) for side in self.drawn.pairs[:closest].T)
        return np.cumsum(one * other, axis=1)

    def _cumulative_mated(self, rows: slice) -> Floats:
        """(rows, m): the same of the mated ones."""
        return np.cumsum(self.drawn.weights[rows].take(self.drawn.mated, axis=1), axis=1)

    def _fnmr_at(self, thresholds: NDArray[np.float32]) -> Floats:
        """(replicates,): the part of the mated weight above each replicate's own threshold; nan of no weight."""
        found = []
        for rows in _chunks(len(thresholds), len(self.mated)):
            padded = np.pad(self._cumulative_mated(rows), ((0, 0), (1, 0)))
            matched, total = _pick(padded, np.searchsorted(self.mated, thresholds[rows], side="right")), padded[:, -1]
            found.append(np.where(total > 0, 1 - matched / np.maximum(total, 1), np.nan))
        return np.concatenate(found)


def _upto(cumulative: Floats, distances: NDArray[np.float32], tried: NDArray[np.float32]) -> Floats:
    """(rows, 1 + tried): the weight at or below each distance tried; first that below all of them, which is 0."""
    padded = np.pad(cumulative, ((0, 0), (1, 0)))
    return padded[:, np.append(0, np.searchsorted(distances, tried, side="right"))]


def _pick(table: Floats, columns: NDArray[np.intp]) -> Floats:
    """(rows,): of each row the number in its own column."""
    return np.take_along_axis(table, columns[:, None], axis=1)[:, 0]


def _chunks(replicates: int, width: int) -> Iterator[slice]:
    """Slices of the replicates whose tables fit into memory."""
    size = max(1, _AT_ONCE // max(width, 1))
    return (slice(start, min(start + size, replicates)) for start in range(0, replicates, size))


def _varied(values: Floats) -> Spread | None:
    """The interval; None where every replicate gave the same."""
    spread = percentile_interval(values)
    known = values[np.isfinite(values)]
    return None if spread is None or known.min() == known.max() else spread
