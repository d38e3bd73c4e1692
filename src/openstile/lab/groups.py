"""Error rates in every group that people say they belong to, and how far groups are apart.

A non-mated comparison belongs to a group when both its people do: strangers who resemble each other more are the harder
case. One threshold serves everybody, as at a gate; `at_wanted` shows what each group would see at the threshold that
gives a wanted FMR over all comparisons together, which is where a network's weakness shows even when no group has a
false match at the shipped threshold.
"""

from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.lab.accuracy import FMR_CLAIM, FMR_WANTED, FNMR_CLAIM, Measured, measured
from openstile.lab.bootstrap import Resampling
from openstile.lab.claims import Claim, Measure
from openstile.lab.dataset import Group
from openstile.lab.intervals import Proportion
from openstile.lab.rates import fmr_at, fnmr_at, threshold_for
from openstile.lab.rates_among import ErrorRates, proportion_json, rates_among
from openstile.lab.scores import Scores, members
from openstile.terms.errors import BadInputError


@dataclass(frozen=True, slots=True)
class AtWanted:
    """What a group sees at the threshold that gives `fmr_wanted` over all comparisons of everybody."""

    fmr_wanted: float
    threshold: float
    fmr: Proportion
    fnmr: Proportion


@dataclass(frozen=True, slots=True)
class GroupRates:
    """One group at the shipped threshold, and at others."""

    group: Group
    rates: ErrorRates
    at_wanted: tuple[AtWanted, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Disparity:
    """How unequal one attribute's groups are at one threshold: the largest rate of a group over everybody's rate.

    Groups with no comparison are left out. None: everybody's rate is 0, so there is nothing to compare with.
    """

    attribute: str
    fmr_wanted: float | None
    worst_fmr: str | None
    fmr_ratio: float | None
    worst_fnmr: str | None
    fnmr_ratio: float | None


@dataclass(frozen=True, slots=True)
class GroupsReport:
    """Every group of every attribute, larger groups of an attribute first. everybody: for comparison."""

    measured: Measured
    everybody: ErrorRates
    groups: tuple[GroupRates, ...]
    disparities: tuple[Disparity, ...]

    def to_json(self) -> dict[str, object]:
        """For machines: JSON values alone."""
        return {
            "measured": self.measured.to_json(),
            "everybody": self.everybody.to_json(),
            "groups": [
                {
                    "attribute": each.group.attribute,
                    "value": each.group.value,
                    "rates": each.rates.to_json(),
                    "at_wanted": [
                        {
                            "fmr_wanted": at.fmr_wanted,
                            "threshold": at.threshold,
                            "fmr": proportion_json(at.fmr),
                            "fnmr": proportion_json(at.fnmr),
                        }
                        for at in each.at_wanted
                    ],
                    "claims": [claim.to_json() for claim in each.claims],
                }
                for each in self.groups
            ],
            "disparities": [asdict(each) for each in self.disparities],
        }


def report_groups(
    scores: Scores,
    *,
    how: Resampling | None = None,
    fmr_wanted: tuple[float, ...] = FMR_WANTED[:3],
    fmr_claim: float = FMR_CLAIM,
    fnmr_claim: float = FNMR_CLAIM,
) -> GroupsReport:
    """The report of a run. Raises BadInputError when the data set says nothing of its people."""
    sizes = Counter(group for own in scores.groups for group in own)
    if not sizes:
        raise BadInputError(f"{scores.data_set.name}: has no attributes; add columns to its subjects.csv")
    columns = scores.data_set.attributes
    ordered = sorted(sizes, key=lambda group: (columns.index(group.attribute), -sizes[group], group.value))
    thresholds = {
        wanted: threshold_for(scores.mated, scores.non_mated, wanted).threshold
        for wanted in (fmr_wanted if len(scores.non_mated) else ())
    }
    everybody = rates_among(scores, captures=np.ones(len(scores.faults), np.bool_), how=how)
    groups = tuple(_group(scores, group, thresholds, how, fmr_claim, fnmr_claim) for group in ordered)
    return GroupsReport(
        measured=measured(scores),
        everybody=everybody,
        groups=groups,
        disparities=tuple(
            _disparity(scores, attribute, groups, wanted, threshold)
            for attribute in columns
            for wanted, threshold in ((None, scores.distance_max), *thresholds.items())
        ),
    )


def within(scores: Scores, group: Group) -> tuple[Scores, NDArray[np.bool_]]:
    """The comparisons whose people are all in `group`, and which captures show them."""
    inside = members(scores.groups, group)
    one, other = scores.non_mated_subjects.T
    part = scores.only(inside[scores.mated_subjects], inside[one] & inside[other])
    return part, inside[scores.capture_subjects]


def _group(
    scores: Scores,
    group: Group,
    thresholds: dict[float, float],
    how: Resampling | None,
    fmr_claim: float,
    fnmr_claim: float,
) -> GroupRates:
    part, captures = within(scores, group)
    rates = rates_among(part, captures=captures, how=how)
    at_wanted = tuple(
        AtWanted(wanted, threshold, fmr_at(part.non_mated, threshold), fnmr_at(part.mated, threshold))
        for wanted, threshold in thresholds.items()
    )
    claims = (rates.claim(Measure.FMR, fmr_claim), rates.claim(Measure.FNMR, fnmr_claim))
    return GroupRates(group, rates, at_wanted, claims)


def _disparity(
    scores: Scores, attribute: str, groups: tuple[GroupRates, ...], wanted: float | None, threshold: float
) -> Disparity:
    own = [each for each in groups if each.group.attribute == attribute]
    fmr = {each.group.value: _at(each, wanted)[0].rate for each in own}
    fnmr = {each.group.value: _at(each, wanted)[1].rate for each in own}
    worst_fmr, fmr_ratio = _largest(fmr, fmr_at(scores.non_mated, threshold).rate)
    worst_fnmr, fnmr_ratio = _largest(fnmr, fnmr_at(scores.mated, threshold).rate)
    return Disparity(attribute, wanted, worst_fmr, fmr_ratio, worst_fnmr, fnmr_ratio)


def _at(each: GroupRates, wanted: float | None) -> tuple[Proportion, Proportion]:
    if wanted is None:
        return each.rates.fmr, each.rates.fnmr
    found = next(at for at in each.at_wanted if at.fmr_wanted == wanted)
    return found.fmr, found.fnmr


def _largest(rates: dict[str, float | None], whole: float | None) -> tuple[str | None, float | None]:
    """The group with the largest rate, and how many times everybody's it is."""
    known = {value: rate for value, rate in rates.items() if rate is not None}
    if not known or not whole:
        return None, None
    worst = max(known, key=lambda value: known[value])
    return worst, known[worst] / whole
