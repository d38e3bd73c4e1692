"""Error rates and separations from scores that are distances: small for the same person.

FMR and FNMR at a threshold, EER and thresholds for a wanted FMR after ISO/IEC 19795-1; d' after D. M. Green,
J. A. Swets: Signal detection theory and psychophysics (1966), as J. Daugman uses it (IEEE PAMI 15, 1993).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.lab.intervals import Proportion
from openstile.lab.scores import matches
from openstile.terms.errors import BadInputError

Distances = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EqualErrorRate:
    """Where FMR and FNMR are closest. rate: their mean there; difference: what is between them (samples are steps)."""

    rate: float
    threshold: float
    difference: float


@dataclass(frozen=True, slots=True)
class ThresholdFor:
    """The largest threshold at which at most `fmr_wanted` of the non-mated comparisons match, and both rates there."""

    fmr_wanted: float
    threshold: float
    fmr: Proportion
    fnmr: Proportion


def fmr_at(non_mated: Distances, threshold: float) -> Proportion:
    """False matches: non-mated distances at or below `threshold`, of all."""
    return Proportion(int(np.count_nonzero(matches(non_mated, threshold))), len(non_mated))


def fnmr_at(mated: Distances, threshold: float) -> Proportion:
    """False non-matches: mated distances above `threshold`, of all."""
    return Proportion(len(mated) - int(np.count_nonzero(matches(mated, threshold))), len(mated))


def d_prime(mated: Distances, non_mated: Distances) -> float | None:
    """|difference of the means| / sqrt(mean of the variances); None with fewer than two of a kind or no spread."""
    if min(len(mated), len(non_mated)) < 2:
        return None
    one, other = mated.astype(np.float64), non_mated.astype(np.float64)
    spread = math.sqrt((float(one.var()) + float(other.var())) / 2)
    return abs(float(other.mean()) - float(one.mean())) / spread if spread > 0 else None


def empty_band(mated: Distances, non_mated: Distances) -> float | None:
    """(closest non-mated - farthest mated) / closest non-mated: above 0 when some threshold errs nowhere."""
    if not len(mated) or not len(non_mated) or not float(non_mated.min()) > 0:
        return None
    closest = float(non_mated.min())
    return (closest - float(mated.max())) / closest


def equal_error_rate(mated: Distances, non_mated: Distances) -> EqualErrorRate | None:
    """The observed threshold at which the two rates differ least, the smaller one of several; None without scores.

    Every observed distance is tried, and one below all of them: between two of them no rate changes.
    """
    if not len(mated) or not len(non_mated):
        return None
    one, other = np.sort(mated), np.sort(non_mated)
    tried = np.unique(np.concatenate([one, other]))
    false = np.append(0, np.searchsorted(other, tried, side="right"))
    failed = len(one) - np.append(0, np.searchsorted(one, tried, side="right"))
    tried = np.append(np.nextafter(tried[0], np.float32(-np.inf)), tried)
    best = int(np.argmin(np.abs(false * len(one) - failed * len(other))))  # whole numbers, so that ties are ties
    fmr, fnmr = int(false[best]) / len(other), int(failed[best]) / len(one)
    return EqualErrorRate((fmr + fnmr) / 2, float(tried[best]), abs(fmr - fnmr))


def threshold_for(mated: Distances, non_mated: Distances, fmr_wanted: float) -> ThresholdFor:
    """The threshold for a wanted FMR on these scores; what it does on others is a matter of `claims`.

    It lies just below the first non-mated distance that would be one false match too many. Raises BadInputError: no
    non-mated score, or a rate outside 0 to 1 (1 excluded). Where so many lie at distance 0 that no threshold keeps
    the rate, it is 0, and `fmr` says what that does.
    """
    allowed = allowed_matches(fmr_wanted, len(non_mated))
    first_too_many = np.partition(non_mated, allowed)[allowed]
    threshold = max(0.0, float(np.nextafter(first_too_many, np.float32(-np.inf))))
    return ThresholdFor(fmr_wanted, threshold, fmr_at(non_mated, threshold), fnmr_at(mated, threshold))


def allowed_matches(fmr_wanted: float, comparisons: int) -> int:
    """How many of so many non-mated comparisons may match at a wanted FMR. Raises BadInputError, as `threshold_for`."""
    if not comparisons:
        raise BadInputError("threshold: there is no non-mated comparison to set it by")
    if not 0 <= fmr_wanted < 1:
        raise BadInputError(f"threshold: the wanted FMR {fmr_wanted} must be at least 0 and below 1")
    return min(math.floor(fmr_wanted * comparisons * (1 + 1e-12)), comparisons - 1)
