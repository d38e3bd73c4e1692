"""The error rates of one set of people or conditions, with every interval, and what they rest on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.lab.bootstrap import Resampled, Resampling, Spread, resample
from openstile.lab.claims import Claim, Measure
from openstile.lab.intervals import Proportion
from openstile.lab.rates import d_prime, fmr_at, fnmr_at
from openstile.lab.scores import Scores

_SEED = 19795
_SOME = 500_000


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """fta: of captures; fnmr and fmr: of comparisons, at the scores' threshold.

    independent_fnmr: one trial a person, failed when any mated comparison of the person failed. independent_fmr: as
    many trials as there are pairs of people that share nobody, at the FMR of all comparisons, rounded up (`claims`
    rest on these two). resampled: intervals over people (`bootstrap`). farthest_mated, closest_non_mated, d_prime: None
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

    Where everybody was compared with everybody, all comparisons together estimate FMR at least as well as one set of
    pairs apart does (the variance of an average over all such sets is no larger), so to count no more trials than that
    errs against the claim. Where pairs were listed, somebody who was compared often may hide errors among the others:
    then the pairs apart themselves are counted too, and the larger number holds.
    """
    fmr = fmr_at(scores.non_mated, scores.distance_max)
    if not fmr.trials:
        return Proportion(0, 0)
    chosen = disjoint_pairs(scores.non_mated_subjects)
    failed = -(-fmr.events * len(chosen) // fmr.trials)
    if scores.data_set.listed is not None:
        failed = max(failed, fmr_at(scores.non_mated[chosen], scores.distance_max).events)
    return Proportion(failed, len(chosen))


def disjoint_pairs(people: NDArray[np.int32]) -> NDArray[np.int64]:
    """(k,): numbers of pairs that share nobody, to which no further one can be added. people: (n, 2).

    Of everybody with everybody they are half as many as people. Drawn without a look at any score: each round takes
    the pairs whose random number is the smallest of all pairs of both their people (M. Luby, SIAM Journal on Computing
    15, 1986), at first among some of the pairs alone, which leaves few people over.
    """
    random = np.random.default_rng(_SEED)
    free = np.ones(int(people.max(initial=-1)) + 1, np.bool_)
    chosen = [np.empty(0, np.int64)]
    some = np.unique(random.integers(0, len(people), _SOME)) if len(people) > 2 * _SOME else np.arange(len(people))
    for numbers in (some, np.arange(len(people))):
        one, other = people[numbers].T
        left = numbers[free[one] & free[other]]
        while len(left):
            order = random.permutation(len(left))
            smallest = np.full(len(free), len(left))
            for side in people[left].T:
                np.minimum.at(smallest, side, order)
            taken = left[(smallest[people[left]] == order[:, None]).all(axis=1)]
            chosen.append(taken)
            free[people[taken]] = False
            one, other = people[left].T
            left = left[free[one] & free[other]]
    return np.sort(np.concatenate(chosen))
