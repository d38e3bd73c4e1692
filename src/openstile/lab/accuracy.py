"""Error rates of the gate's code on photographs of consenting people: all of them together, and pair by pair of
conditions. `groups` has the same for every group.

Terms of ISO/IEC 19795-1. A report holds rates and counts. It names nobody, but for the list of worst pairs, which
holds data-set ids and is empty unless asked for.
"""

from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.face.faults import FaceFault
from openstile.lab.bootstrap import Resampling
from openstile.lab.bootstrap_thresholds import Chosen, resample_chosen
from openstile.lab.claims import Claim, Measure
from openstile.lab.det import DetPoint, ScoreCounts, count_scores, det_curve
from openstile.lab.rates import EqualErrorRate, ThresholdFor, empty_band, equal_error_rate, threshold_for
from openstile.lab.rates_among import ErrorRates, proportion_json, rates_among, spread_json
from openstile.lab.scores import Scores
from openstile.terms.errors import BadInputError
from openstile.terms.limits import LAB_WORST_MAX

FMR_CLAIM = 0.001
FNMR_CLAIM = 0.01
FMR_WANTED = (0.01, 0.001, 0.0001, 0.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on, and with what."""

    data_set: str
    people: int
    photographs: int
    missing: int
    conditions: tuple[str, ...]
    attributes: tuple[str, ...]
    pack_id: str
    distance_max: float
    mated: int
    non_mated: int
    blocks: int

    def to_json(self) -> dict[str, object]:
        """For machines."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ConditionRates:
    """One pair of conditions; `first` is the one that was enrolled, as the data set names its conditions."""

    first: str
    second: str
    rates: ErrorRates


@dataclass(frozen=True, slots=True)
class WorstPair:
    """Data-set ids of the two photographs of a mated comparison far apart, or a non-mated one close together."""

    mated: bool
    first: str
    second: str
    distance: float


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """All people together. thresholds: what a wanted FMR takes on these very scores; chosen: the intervals over people
    of these and of the EER. claims: what may be said of others. eer, band: None without both kinds of comparison.
    """

    measured: Measured
    faults: tuple[tuple[FaceFault, int], ...]
    rates: ErrorRates
    eer: EqualErrorRate | None
    band: float | None
    thresholds: tuple[ThresholdFor, ...]
    chosen: Chosen
    claims: tuple[Claim, ...]
    conditions: tuple[ConditionRates, ...]
    det: tuple[DetPoint, ...]
    counts: ScoreCounts
    worst: tuple[WorstPair, ...] = ()

    def to_json(self) -> dict[str, object]:
        """For machines: JSON values alone."""
        return {
            "measured": self.measured.to_json(),
            "faults": {fault.value: count for fault, count in self.faults},
            "rates": self.rates.to_json(),
            "eer": None if self.eer is None else asdict(self.eer) | {"over_people": spread_json(self.chosen.eer)},
            "empty_band": self.band,
            "thresholds": [
                {
                    "fmr_wanted": found.fmr_wanted,
                    "threshold": found.threshold,
                    "threshold_over_people": spread_json(spread.threshold),
                    "fmr": proportion_json(found.fmr),
                    "fnmr": proportion_json(found.fnmr) | {"over_people": spread_json(spread.fnmr)},
                }
                for found, spread in zip(self.thresholds, self.chosen.thresholds, strict=True)
            ],
            "claims": [claim.to_json() for claim in self.claims],
            "conditions": [
                {"first": each.first, "second": each.second, "rates": each.rates.to_json()} for each in self.conditions
            ],
            "det": [[point.threshold, point.fmr, point.fnmr] for point in self.det],
            "scores": asdict(self.counts),
            "worst": [asdict(pair) for pair in self.worst],
        }


def report_accuracy(
    scores: Scores,
    *,
    how: Resampling | None = None,
    fmr_wanted: tuple[float, ...] = FMR_WANTED,
    fmr_claim: float = FMR_CLAIM,
    fnmr_claim: float = FNMR_CLAIM,
    worst: int = 0,
) -> AccuracyReport:
    """The report of a run. worst: how many pairs of each kind to name. Raises BadInputError."""
    if not 0 <= worst <= LAB_WORST_MAX:
        raise BadInputError(f"worst: {worst} pairs are outside 0 to {LAB_WORST_MAX}")
    rates = rates_among(scores, captures=np.ones(len(scores.faults), np.bool_), how=how)
    faults = Counter(fault for fault in scores.faults if fault is not None)
    thresholds = fmr_wanted if len(scores.non_mated) else ()
    return AccuracyReport(
        measured=measured(scores),
        faults=tuple(sorted(faults.items())),
        rates=rates,
        eer=equal_error_rate(scores.mated, scores.non_mated),
        band=empty_band(scores.mated, scores.non_mated),
        thresholds=tuple(threshold_for(scores.mated, scores.non_mated, wanted) for wanted in thresholds),
        chosen=resample_chosen(scores, thresholds, how),
        claims=(rates.claim(Measure.FMR, fmr_claim), rates.claim(Measure.FNMR, fnmr_claim)),
        conditions=_conditions(scores, how),
        det=det_curve(scores.mated, scores.non_mated),
        counts=count_scores(scores.mated, scores.non_mated),
        worst=_worst(scores, worst),
    )


def measured(scores: Scores) -> Measured:
    """What the scores stand on."""
    data_set = scores.data_set
    return Measured(
        data_set=data_set.name,
        people=len(np.unique(scores.capture_subjects)),
        photographs=len(data_set.captures),
        missing=data_set.missing,
        conditions=data_set.conditions,
        attributes=data_set.attributes,
        pack_id=scores.pack_id,
        distance_max=scores.distance_max,
        mated=len(scores.mated),
        non_mated=len(scores.non_mated),
        blocks=scores.blocks,
    )


def _conditions(scores: Scores, how: Resampling | None) -> tuple[ConditionRates, ...]:
    """Each pair of conditions that has a comparison; nothing more than the whole where there is one condition."""
    names = scores.data_set.conditions
    if len(names) == 1:
        return ()
    own = scores.capture_conditions
    keys = [_keys(own[pairs], len(names)) for pairs in (scores.mated_captures, scores.non_mated_captures)]
    found = []
    for key in np.unique(np.concatenate(keys)).tolist():
        first, second = divmod(key, len(names))
        part = scores.only(keys[0] == key, keys[1] == key)
        rates = rates_among(part, captures=np.isin(own, (first, second)), how=how)
        found.append(ConditionRates(names[first], names[second], rates))
    return tuple(found)


def _keys(conditions: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """One number for each unordered pair of conditions."""
    return np.asarray(conditions.min(axis=1) * count + conditions.max(axis=1), np.int32)


def _worst(scores: Scores, count: int) -> tuple[WorstPair, ...]:
    """The `count` farthest mated comparisons, then the `count` closest non-mated ones."""
    captures = scores.data_set.captures
    far = np.argsort(-scores.mated, kind="stable")[:count]
    close = np.argsort(scores.non_mated, kind="stable")[:count] if count else far[:0]
    kinds = (
        (True, scores.mated, scores.mated_captures, far),
        (False, scores.non_mated, scores.non_mated_captures, close),
    )
    return tuple(
        WorstPair(
            mated, captures[pairs[index, 0]].capture_id, captures[pairs[index, 1]].capture_id, float(found[index])
        )
        for mated, found, pairs, chosen in kinds
        for index in chosen
    )
