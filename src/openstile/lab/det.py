"""What plots are drawn from: the detection error trade-off and the distributions of scores.

DET: A. Martin et al.: The DET curve in assessment of detection task performance (Eurospeech 1997); ISO/IEC 19795-1.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from openstile.terms.errors import BadInputError

POINTS_MAX = 256
BIN = 0.02
"""Width of the bins of distances, in the pack's common unit."""
_BINS_MAX = 1000
_LOOKED_AT_MAX = 20_000


@dataclass(frozen=True, slots=True)
class DetPoint:
    """Both error rates at one threshold."""

    threshold: float
    fmr: float
    fnmr: float


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """How many comparisons fell into each bin of width `bin`, from 0 upwards; the last one takes what is beyond."""

    bin: float
    mated: tuple[int, ...]
    non_mated: tuple[int, ...]


def det_curve(
    mated: NDArray[np.float32], non_mated: NDArray[np.float32], *, points_max: int = POINTS_MAX
) -> tuple[DetPoint, ...]:
    """The trade-off where it bends: points with rising FMR and falling FNMR, at observed distances.

    Of runs of thresholds that change one rate alone only the ends are kept. With more than `points_max` left, those
    are kept that lie evenly in normal deviates of FMR, as the axes of a DET plot do; the ends always. Empty without
    scores of both kinds.
    """
    if points_max < 2:
        raise BadInputError(f"DET: {points_max} points make no curve; ask for 2 or more")
    if not len(mated) or not len(non_mated):
        return ()
    one, other = np.sort(mated), np.sort(non_mated)
    tried = np.unique(np.concatenate([[np.float32(0)], one, other]))
    matched = np.searchsorted(one, tried, side="right")
    false = np.searchsorted(other, tried, side="right")
    bends = np.ones(len(tried), np.bool_)
    still_one, still_other = np.diff(matched) == 0, np.diff(false) == 0
    bends[1:-1] = ~((still_one[:-1] & still_one[1:]) | (still_other[:-1] & still_other[1:]))
    kept = _thin(np.flatnonzero(bends), false / len(other), points_max)
    return tuple(
        DetPoint(float(tried[i]), float(false[i] / len(other)), float(1 - matched[i] / len(one))) for i in kept
    )


def normal_deviate(rate: float) -> float:
    """The z at which the normal distribution function is `rate` (0 to 1, both excluded): an axis of a DET plot."""
    if not 0 < rate < 1:
        raise BadInputError(f"normal deviate: {rate} is outside 0 to 1")
    return NormalDist().inv_cdf(rate)


def count_scores(mated: NDArray[np.float32], non_mated: NDArray[np.float32], *, width: float = BIN) -> ScoreCounts:
    """Histograms of both kinds over the same bins."""
    if not 0 < width <= 10:
        raise BadInputError(f"bins: a width of {width} is outside 0 to 10")
    farthest = max((float(found.max()) for found in (mated, non_mated) if len(found)), default=0.0)
    bins = min(int(farthest / width) + 1, _BINS_MAX)
    one, other = (
        np.bincount(np.minimum((found.astype(np.float64) / width).astype(np.int64), bins - 1), minlength=bins)
        for found in (mated, non_mated)
    )
    return ScoreCounts(width, tuple(one.tolist()), tuple(other.tolist()))


def _thin(kept: NDArray[np.int64], fmr: NDArray[np.float64], points_max: int) -> NDArray[np.int64]:
    if len(kept) <= points_max:
        return kept
    if len(kept) > _LOOKED_AT_MAX:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, _LOOKED_AT_MAX).astype(np.int64))]
    smallest = 0.5 / max(2, len(fmr))
    places = np.array([normal_deviate(min(max(float(rate), smallest), 1 - smallest)) for rate in fmr[kept]])
    wanted = np.linspace(places[0], places[-1], points_max)
    chosen = np.clip(np.searchsorted(places, wanted), 0, len(kept) - 1)
    chosen[0], chosen[-1] = 0, len(kept) - 1
    return kept[np.unique(chosen)]
