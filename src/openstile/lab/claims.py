"""Which claims a sample can carry, and the words for those it cannot.

A claim "at most x" rests on trials that are independent of each other: one a person for false non-matches, pairs that
share nobody for false matches, one a person for presentations. Every other one adds to the picture, not to the claim.
Nothing in the lab prints "at most x" but `Claim.sentence`.
"""

from dataclasses import dataclass
from enum import StrEnum

from openstile.lab.intervals import TRIALS_MAX, Proportion, trials_needed
from openstile.terms.errors import BadInputError


class Measure(StrEnum):
    """Rates that claims are made of (ISO/IEC 19795-1, ISO/IEC 30107-3)."""

    FMR = "FMR"
    FNMR = "FNMR"
    APCER = "APCER"
    BPCER = "BPCER"


_UNIT = {
    Measure.FMR: "comparisons of pairs that share nobody",
    Measure.FNMR: "people with a mated comparison each",
    Measure.APCER: "people shown by instruments of this species",
    Measure.BPCER: "living people",
}
_EVENT = {
    Measure.FMR: ("failed", "failing"),
    Measure.FNMR: ("failed", "failing"),
    Measure.APCER: ("were taken for life", "taken for life"),
    Measure.BPCER: ("were rejected", "rejected"),
}
"""What an error is called: it happened, happening."""


@dataclass(frozen=True, slots=True)
class Claim:
    """ "At most `rate_max`", held against what was seen.

    observed: all comparisons. independent: those a claim may rest on, with the events counted against it.
    """

    measure: Measure
    rate_max: float
    observed: Proportion
    independent: Proportion

    def __post_init__(self) -> None:
        if not 0 < self.rate_max < 1:
            raise BadInputError(f"claim: {self.measure} of at most {self.rate_max} must lie between 0 and 1")

    @property
    def carried(self) -> bool:
        """Whether the upper limit of the 95 % interval of the independent trials lies at or below `rate_max`."""
        return self.independent.carries(self.rate_max)

    @property
    def needed(self) -> int | None:
        """Independent trials that would carry the claim with no more events than were seen; None: no number would
        do, or more than can be counted.
        """
        return needed_with(self.rate_max, self.independent.events)

    @property
    def sentence(self) -> str:
        """What may be said of people who were not measured."""
        seen = f"{self.independent.events} of {self.independent.trials} {_UNIT[self.measure]}"
        if self.carried:
            return f"{self.measure} at most {self.rate_max:.2g} (95 %; {seen})"
        happened, happening = _EVENT[self.measure]
        refused = f"no claim of {_article(self.measure)} {self.measure} at {self.rate_max:.2g}: {seen} {happened}"
        if self.needed is None:
            return refused
        failing = f"no more than {self.independent.events}" if self.independent.events else "none"
        return (
            f"{refused}, too few to carry it; it would need {self.needed:,} {_UNIT[self.measure]}, "
            f"with {failing} {happening}"
        )

    def to_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "measure": self.measure.value,
            "rate_max": self.rate_max,
            "carried": self.carried,
            "independent": [self.independent.events, self.independent.trials],
            "needed": self.needed,
            "sentence": self.sentence,
        }


def _article(measure: Measure) -> str:
    return "a" if measure is Measure.BPCER else "an"


def check_wanted(*, fmr_max: float, fnmr_max: float) -> None:
    """Raise BadInputError when a claim cannot even be tried for: better said before a long run than after."""
    nothing = Proportion(0, 0)
    Claim(Measure.FMR, fmr_max, nothing, nothing)
    Claim(Measure.FNMR, fnmr_max, nothing, nothing)


def needed_with(rate_max: float, events: int) -> int | None:
    """The fewest trials whose upper 95 % limit lies at or below `rate_max` when `events` of them fail.

    None beyond TRIALS_MAX. Without events it is the closed form of `intervals.trials_needed`.
    """
    if events == 0:
        trials = trials_needed(rate_max)
        return trials if trials <= TRIALS_MAX else None
    low, high = events, TRIALS_MAX
    if not Proportion(events, high).carries(rate_max):
        return None
    while low < high:
        middle = (low + high) // 2
        if Proportion(events, middle).carries(rate_max):
            high = middle
        else:
            low = middle + 1
    return low
