"""Exact intervals for observed rates, and which claims a sample can carry.

C. J. Clopper, E. S. Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial
(Biometrika 26, 1934). ISO/IEC 19795-1 asks for such intervals beside every error rate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from openstile.terms.errors import BadInputError

CONFIDENCE = 0.95
_HALVINGS = 200
"""More than a double has bits, so that bisection ends at two neighbouring numbers."""
TRIALS_MAX = 100_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper limit of a rate, 0 to 1."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise BadInputError(f"interval: {self.low} to {self.high} is not within 0 to 1, in this order")


@dataclass(frozen=True, slots=True)
class Proportion:
    """`events` seen in `trials`. Trials must be independent of each other for the interval to mean what it says."""

    events: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.trials <= TRIALS_MAX:
            raise BadInputError(f"proportion: {self.events} of {self.trials} cannot be (at most {TRIALS_MAX} trials)")

    @property
    def rate(self) -> float | None:
        """Events by trials; None without any trial: nothing was measured."""
        return self.events / self.trials if self.trials else None

    @property
    def interval(self) -> Interval:
        """The two-sided 95 % interval; 0 to 1 without any trial."""
        return clopper_pearson(self.events, self.trials)

    def carries(self, rate_max: float) -> bool:
        """Whether this sample allows the claim "at most `rate_max`": the upper limit lies at or below it.

        A rate of zero in a small sample does not: 0 of 60 allows "at most 6 %" and no more.
        """
        return self.interval.high <= rate_max


def clopper_pearson(events: int, trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval: each limit is the rate at which so few, or so many, events have the probability
    (1 - confidence) / 2. `confidence` lies between 0 and 1, both excluded. Raises BadInputError.
    """
    if not 0 <= events <= trials <= TRIALS_MAX:
        raise BadInputError(f"interval: {events} events of {trials} trials cannot be (at most {TRIALS_MAX} trials)")
    if not 0 < confidence < 1:
        raise BadInputError(f"interval: confidence {confidence} must lie between 0 and 1")
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else _rising_root(lambda rate: 1 - binomial_cdf(events - 1, trials, rate), tail)
    high = 1.0 if events == trials else _rising_root(lambda rate: -binomial_cdf(events, trials, rate), -tail)
    return Interval(low, high)


def trials_needed(rate_max: float, *, confidence: float = CONFIDENCE) -> int:
    """How many trials without a single event are needed before "at most `rate_max`" may be claimed.

    The upper limit for no event in n trials is 1 - tail^(1/n), so n = log(tail) / log(1 - rate_max), rounded up.
    """
    if not 0 < rate_max < 1 or not 0 < confidence < 1:
        raise BadInputError(f"claim: rate {rate_max} and confidence {confidence} must lie between 0 and 1")
    return math.ceil(math.log((1 - confidence) / 2) / math.log1p(-rate_max))


def binomial_cdf(events: int, trials: int, rate: float) -> float:
    """The probability of at most `events` events in `trials` independent trials at `rate` each.

    Summed over the shorter tail; each term from logarithms of factorials, so that no trial count overflows.
    """
    if events < 0:
        return 0.0
    if events >= trials or rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    if events <= trials * rate:
        return min(1.0, _sum_terms(range(events, -1, -1), trials, rate))
    return max(0.0, 1.0 - _sum_terms(range(events + 1, trials + 1), trials, rate))


def _sum_terms(counts: range, trials: int, rate: float) -> float:
    """Binomial terms from the largest outwards, until they no longer count; each from the one before by its ratio."""
    count = counts.start
    term = math.exp(
        math.lgamma(trials + 1)
        - math.lgamma(count + 1)
        - math.lgamma(trials - count + 1)
        + count * math.log(rate)
        + (trials - count) * math.log1p(-rate)
    )
    odds, total = rate / (1 - rate), 0.0
    for count in counts:
        total += term
        if term <= total * 1e-17:
            break
        term *= (trials - count) / (count + 1) * odds if counts.step > 0 else count / (trials - count + 1) / odds
    return total


def _rising_root(function: Callable[[float], float], value: float) -> float:
    """The rate in 0..1 at which the rising `function` takes `value`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if function(middle) < value:
            low = middle
        else:
            high = middle
    return (low + high) / 2
