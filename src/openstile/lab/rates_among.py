"""The error rates of one set of people or conditions, with every interval, and what they rest on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.lab.bootstrap import Resampled, Resampling, Spread, resample
from openstile.lab.claims import Claim, Measure
from openstile.lab.intervals import Proportion
from openstile.lab.rates import d_prime, fmr_at, fnmr_at
from openstile.lab.scores import Scores


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """fta: of captures; fnmr and fmr: of comparisons, at the scores' threshold.

    independent_fnmr: one trial a person, failed when any mated comparison of the person failed. independent_fmr: as
    many trials as there are pairs of people that share nobody, at the FMR of all comparisons, rounded up. Claims rest
    on these two. resampled: intervals over people (`bootstrap`). farthest_mated, closest_non_mated, d_prime: None
    without such comparisons.
    """

    people: int
    fta: Proportion
    fnmr: Proportion
    fmr: Proportion
    independent_fnmr: Proportion
    independent_fmr: Proportion
    resampled: Resampled
    farthest_mated: float | None
    closest_non_mated: float | None
    d_prime: float | None

    def claim(self, measure: Measure, rate_max: float) -> Claim:
        """Hold "at most `rate_max`" against these rates."""
        if measure is Measure.FMR:
            return Claim(measure, rate_max, self.fmr, self.independent_fmr)
        return Claim(measure, rate_max, self.fnmr, self.independent_fnmr)

    def to_json(self) -> dict[str, object]:
        """For machines; rates as events, trials, rate and the two limits of the Clopper-Pearson interval."""
        return {
            "people": self.people,
            "fta": proportion_json(self.fta),
            "fnmr": proportion_json(self.fnmr) | {"over_people": spread_json(self.resampled.fnmr)},
            "fmr": proportion_json(self.fmr) | {"over_people": spread_json(self.resampled.fmr)},
            "independent_fnmr": proportion_json(self.independent_fnmr),
            "independent_fmr": proportion_json(self.independent_fmr),
            "farthest_mated": self.farthest_mated,
            "closest_non_mated": self.closest_non_mated,
            "d_prime": self.d_prime,
            "d_prime_over_people": spread_json(self.resampled.d_prime),
        }


def rates_among(scores: Scores, *, captures: NDArray[np.bool_], how: Resampling | None = None) -> ErrorRates:
    """The rates over `captures` ((captures,) mask) and over all comparisons of `scores`, cut down before by `only`."""
    shown = np.flatnonzero(captures)
    return ErrorRates(
        people=len(np.unique(scores.capture_subjects[shown])),
        fta=Proportion(sum(scores.faults[number] is not None for number in shown), len(shown)),
        fnmr=fnmr_at(scores.mated, scores.distance_max),
        fmr=fmr_at(scores.non_mated, scores.distance_max),
        independent_fnmr=_people_failed(scores),
        independent_fmr=_pairs_apart(scores),
        resampled=resample(scores, how),
        farthest_mated=float(scores.mated.max()) if len(scores.mated) else None,
        closest_non_mated=float(scores.non_mated.min()) if len(scores.non_mated) else None,
        d_prime=d_prime(scores.mated, scores.non_mated),
    )


def proportion_json(proportion: Proportion) -> dict[str, object]:
    """Events, trials, rate (null without trials) and the 95 % interval."""
    interval = proportion.interval
    return {
        "events": proportion.events,
        "trials": proportion.trials,
        "rate": proportion.rate,
        "interval": [interval.low, interval.high],
    }


def spread_json(spread: Spread | None) -> list[float] | None:
    """The two limits, or null where resampling says nothing."""
    return None if spread is None else [spread.low, spread.high]


def _people_failed(scores: Scores) -> Proportion:
    owners = scores.mated_subjects
    failed = ~scores.matched(scores.mated)
    return Proportion(len(np.unique(owners[failed])), len(np.unique(owners)))


def _pairs_apart(scores: Scores) -> Proportion:
    """As many trials as there are pairs of people that share nobody, with the FMR of all comparisons, rounded up.

    All comparisons together estimate FMR at least as well as one set of pairs apart does (the variance of an average
    over all such sets is no larger), so to count no more trials than that errs against the claim.
    """
    people = scores.non_mated_subjects
    if scores.data_set.listed is not None:
        pairs = sum(1 for _ in _disjoint(people, set()))
    else:
        pairs = max(0, len(np.unique(people)) - (scores.blocks - 1)) // 2  # an odd block leaves one person over
    fmr = fmr_at(scores.non_mated, scores.distance_max)
    if not fmr.trials:
        return Proportion(0, 0)
    pairs = max(pairs, 1)
    return Proportion(-(-fmr.events * pairs // fmr.trials), pairs)


def _disjoint(pairs: NDArray[np.int32], used: set[int]) -> Iterator[tuple[int, int]]:
    """Pairs of which nobody is in `used`; whoever comes out is added to it."""
    for one, other in pairs.tolist():
        if one not in used and other not in used:
            used.update((one, other))
            yield one, other
