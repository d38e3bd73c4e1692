"""Error against discard: does a quality measure put the pictures first that will be compared wrongly?

P. Grother, E. Tabassi: Performance of biometric quality measures (IEEE Transactions on Pattern Analysis and Machine
Intelligence 29, 2007); ISO/IEC 29794-1 calls the plot the error versus discard characteristic. The mated comparisons
with the lowest quality are left out, a growing share of them, and the false non-match rate of the others is drawn. A
measure that knows something makes the curve fall; one that knows nothing leaves it level.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.terms.errors import BadInputError

Numbers = NDArray[np.float64]

DISCARD_MAX = 0.5
"""The part of the curve that the gain looks at: nobody runs a gate that throws away more than half of its frames."""
SHARES: Numbers = np.linspace(0.0, DISCARD_MAX, 51)


@dataclass(frozen=True, slots=True)
class Gain:
    """How much of what a perfect order would gain a measure gains: 1 all, 0 none (chance), below 0 worse than chance.

    Areas under the curves between no discard and DISCARD_MAX: (chance - measure) / (chance - perfect). low, high: 95 %
    of bootstrap samples of the subjects lie between.
    """

    value: float
    low: float
    high: float


def error_against_discard(quality: Numbers, non_match: NDArray[np.bool_], shares: Numbers = SHARES) -> Numbers:
    """FNMR of what is left when each of `shares` (0..1, below 1) was discarded, the lowest quality first.

    quality, non_match: (n,), one entry a mated comparison. Comparisons of equal quality are discarded in no order:
    the curve is the mean over all orders of them, so that ties neither help nor hurt. A share that falls between two
    comparisons takes part of one. Raises BadInputError.
    """
    if quality.shape != non_match.shape or quality.ndim != 1 or not quality.size:
        raise BadInputError("error against discard: needs one quality for each comparison, and at least one")
    if not np.isfinite(quality).all() or not ((shares >= 0) & (shares < 1)).all():
        raise BadInputError("error against discard: qualities must be finite and shares lie in 0..1, below 1")
    values, group = np.unique(quality, return_inverse=True)
    sizes = np.bincount(group, minlength=values.size)
    errors = np.bincount(group, weights=non_match, minlength=values.size).astype(np.float64)
    return _curve(sizes.astype(np.float64), errors, shares)


def gain_of(quality: Numbers, non_match: NDArray[np.bool_]) -> float | None:
    """See `Gain`. None where there is no error, or nothing but errors: no order can be better than another."""
    errors = float(np.count_nonzero(non_match))
    if errors in (0.0, float(non_match.size)):
        return None
    curve = error_against_discard(quality, non_match)
    rate = errors / non_match.size
    perfect = np.maximum(0.0, (rate - SHARES) / (1 - SHARES))
    chance = rate * DISCARD_MAX
    return float((chance - _area(curve)) / (chance - _area(perfect)))


def gain_with_interval(
    quality: Numbers,
    non_match: NDArray[np.bool_],
    subjects: NDArray[np.intp],
    *,
    random: np.random.Generator,
    samples: int,
) -> Gain | None:
    """The gain, and its interval from `samples` bootstrap samples of whole subjects (comparisons of one are not
    independent). subjects: (n,) numbers of subjects. None as `gain_of`, with one subject alone, and where fewer than
    half of the samples have an error and a match: then nobody knows how far the gain would move.
    """
    value = gain_of(quality, non_match)
    order = np.argsort(subjects, kind="stable")
    people, starts = np.unique(subjects[order], return_index=True)
    if value is None or people.size < 2:
        return None
    rows = np.split(order, starts[1:])
    found = []
    for _ in range(samples):
        chosen = np.concatenate([rows[index] for index in random.integers(0, people.size, people.size)])
        again = gain_of(quality[chosen], non_match[chosen])
        if again is not None:
            found.append(again)
    if 2 * len(found) < samples:
        return None
    low, high = (float(edge) for edge in np.quantile(found, (0.025, 0.975)))
    return Gain(value, low, high)


def _curve(sizes: Numbers, errors: Numbers, shares: Numbers) -> Numbers:
    """Errors that are left at each share: all less those discarded, linear within a group of equal quality."""
    edges = np.concatenate([[0.0], np.cumsum(sizes)])
    gone = np.concatenate([[0.0], np.cumsum(errors)])
    total, all_errors = edges[-1], gone[-1]
    left = all_errors - np.interp(shares * total, edges, gone)
    return np.asarray(left / ((1 - shares) * total), np.float64)


def _area(curve: Numbers) -> float:
    return float(np.trapezoid(curve, SHARES))
