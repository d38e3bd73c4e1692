"""Which quality measures earn their place: error against discard for each, and what each limit rejects.

A measure earns its place at the gate when it passes both tests: (1) on frames spoilt in the way it is meant to see,
together with clean ones, its order of them is better than chance (the gain's interval lies above 0); (2) of those
frames, the ones that its limit rejects are compared wrongly more often than those that pass every limit: the intervals
of the two rates do not touch, and, for frames of one person are not independent, so it is in 97.5 % of bootstrap
samples of the people too. What does not earn its place may give advice, and rejects nobody.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from openstile.face.quality_limits import ENROLMENT_LIMITS
from openstile.face.quality_table import Measured
from openstile.lab.discard_conditions import MEANT_FOR, Condition, Kind
from openstile.lab.discard_curve import SHARES, Gain, Numbers, error_against_discard, gain_with_interval
from openstile.lab.discard_trials import DiscardTrial, DiscardTrials
from openstile.lab.intervals import Proportion

SAMPLES = 200
"""Bootstrap samples of the subjects for each interval."""
_SEED = 29794


@dataclass(frozen=True, slots=True)
class MeasureReport:
    """What one measure is worth.

    gain, curve: over all frames; own_gain, own_curve: over frames of `kinds` and clean ones. Curves are the FNMR at
    each of `discard_curve.SHARES`; gains are None where no error was made. rejected: false non-matches among frames of
    `kinds` that the limit rejects; passing: among those and clean ones that pass every limit; alone: among all frames
    that no other limit rejects. clean_rejected: clean frames that the limit rejects. enrolment_rejected and
    enrolment_clean_rejected: the same frames held against what enrolment asks; of no frame where it only gives advice.
    """

    measure: str
    kinds: tuple[Kind, ...]
    rejects: bool
    at_least: float | None
    at_most: float | None
    gain: Gain | None
    own_gain: Gain | None
    curve: tuple[float, ...]
    own_curve: tuple[float, ...]
    rejected: Proportion
    passing: Proportion
    alone: Proportion
    clean_rejected: Proportion
    enrolment_at_least: float | None
    enrolment_at_most: float | None
    enrolment_rejected: Proportion
    enrolment_clean_rejected: Proportion
    earns: bool


@dataclass(frozen=True, slots=True)
class ConditionReport:
    """What one simulated fault does: no_face: frames without a face that a gate would choose; fnmr: of the others, and
    of those that pass every limit; rejected: by some limit.
    """

    kind: Kind
    name: str
    no_face: Proportion
    fnmr: Proportion
    rejected: Proportion
    fnmr_passing: Proportion


@dataclass(frozen=True, slots=True)
class DiscardReport:
    """Error against discard for every measure, and every condition. Holds no picture, template or person's id."""

    pack_id: str
    distance_max: float
    subjects: int
    left_out: int
    measures: tuple[MeasureReport, ...]
    conditions: tuple[ConditionReport, ...]
    all_frames: Proportion
    passing: Proportion

    def to_json(self) -> dict[str, object]:
        """Everything as JSON values; rates as [events, trials], `shares` for the curves."""
        return {
            "pack_id": self.pack_id,
            "distance_max": self.distance_max,
            "subjects": self.subjects,
            "left_out": self.left_out,
            "fnmr_all": _pair(self.all_frames),
            "fnmr_passing": _pair(self.passing),
            "shares": [round(float(share), 4) for share in SHARES],
            "measures": [_measure_json(measure) for measure in self.measures],
            "conditions": [
                {
                    "kind": one.kind.value,
                    "name": one.name,
                    "no_face": _pair(one.no_face),
                    "fnmr": _pair(one.fnmr),
                    "rejected": _pair(one.rejected),
                    "fnmr_passing": _pair(one.fnmr_passing),
                }
                for one in self.conditions
            ],
        }


def report_discard(trials: DiscardTrials, *, samples: int = SAMPLES) -> DiscardReport:
    """Count and draw. Seeded: the same trials give the same report."""
    compared = [trial for trial in trials.trials if trial.non_match is not None]
    table = _Table.of(compared)
    random = np.random.default_rng(_SEED)
    passing = np.asarray(~table.broken_by_gate.any(axis=1), np.bool_)
    conditions = list(dict.fromkeys(trial.condition for trial in trials.trials))
    return DiscardReport(
        pack_id=trials.pack_id,
        distance_max=trials.distance_max,
        subjects=trials.subjects,
        left_out=trials.left_out,
        measures=tuple(_measure(table, column, passing, random, samples) for column in range(len(table.names))),
        conditions=tuple(_condition(condition, trials.trials) for condition in conditions),
        all_frames=_errors(table, table.all_rows),
        passing=_errors(table, passing),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Compared frames as rows. goodness: how far inside its limits each measure lies, below 0 when outside."""

    names: tuple[str, ...]
    first: DiscardTrial
    values: Numbers
    goodness: Numbers
    rejects: NDArray[np.bool_]
    subjects: NDArray[np.intp]
    kinds: NDArray[np.object_]
    non_match: NDArray[np.bool_]

    @classmethod
    def of(cls, trials: Sequence[DiscardTrial]) -> "_Table":
        first = trials[0]
        return cls(
            names=tuple(one.name for one in first.measures),
            first=first,
            values=np.array([[one.value for one in trial.measures] for trial in trials], np.float64),
            goodness=np.array([[one.goodness for one in trial.measures] for trial in trials], np.float64),
            rejects=np.array([one.rejects for one in first.measures]),
            subjects=np.array([trial.subject for trial in trials], np.intp),
            kinds=np.array([trial.condition.kind for trial in trials], object),
            non_match=np.array([bool(trial.non_match) for trial in trials]),
        )

    @property
    def all_rows(self) -> NDArray[np.bool_]:
        return np.ones(self.non_match.shape, np.bool_)

    @property
    def broken(self) -> NDArray[np.bool_]:
        return self.goodness < 0

    @property
    def broken_by_gate(self) -> NDArray[np.bool_]:
        return self.broken & self.rejects[None, :]


def _measure(
    table: _Table, column: int, passing: NDArray[np.bool_], random: np.random.Generator, samples: int
) -> MeasureReport:
    one = table.first.measures[column]
    kinds = MEANT_FOR.get(one.name, ())
    spoilt = np.isin(table.kinds, list(kinds)) if kinds else np.zeros_like(passing)
    clean = table.kinds == Kind.CLEAN
    own = spoilt | clean
    broken = table.broken[:, column]
    others = np.delete(table.broken_by_gate, column, axis=1).any(axis=1)
    rejected, passed = spoilt & broken, own & passing
    own_gain = _gain(table, column, own, random, samples) if kinds else None
    at_least, at_most = _enrolment(one)
    short = one.rejects & _outside(table.values[:, column], at_least, at_most)
    return MeasureReport(
        measure=one.name,
        kinds=kinds,
        rejects=one.rejects,
        at_least=one.at_least,
        at_most=one.at_most,
        gain=_gain(table, column, table.all_rows, random, samples),
        own_gain=own_gain,
        curve=_curve(table, column, table.all_rows),
        own_curve=_curve(table, column, own),
        rejected=_errors(table, rejected),
        passing=_errors(table, passed),
        alone=_errors(table, broken & ~others),
        clean_rejected=_share(broken, clean),
        enrolment_at_least=at_least,
        enrolment_at_most=at_most,
        enrolment_rejected=_errors(table, spoilt & short),
        enrolment_clean_rejected=_share(short, clean) if one.rejects else Proportion(0, 0),
        earns=own_gain is not None and own_gain.low > 0 and _fails_more(table, rejected, passed, samples),
    )


def _enrolment(one: Measured) -> tuple[float | None, float | None]:
    """What the desk asks of a measure that rejects: its own limit, or the gate's where that is stricter."""
    least = getattr(ENROLMENT_LIMITS, f"{one.name}_min", None) if one.rejects else None
    most = getattr(ENROLMENT_LIMITS, f"{one.name}_max", None) if one.rejects else None
    return (
        None if least is None else max(least, least if one.at_least is None else one.at_least),
        None if most is None else min(most, most if one.at_most is None else one.at_most),
    )


def _outside(values: Numbers, at_least: float | None, at_most: float | None) -> NDArray[np.bool_]:
    below = values < (-np.inf if at_least is None else at_least)
    return np.asarray(below | (values > (np.inf if at_most is None else at_most)), np.bool_)


def _fails_more(table: "_Table", one: NDArray[np.bool_], other: NDArray[np.bool_], samples: int) -> bool:
    """Whether frames of `one` are compared wrongly more often than those of `other`, by both intervals."""
    if _errors(table, one).interval.low <= _errors(table, other).interval.high:
        return False
    people, owner = np.unique(table.subjects, return_inverse=True)
    random = np.random.default_rng(_SEED)
    drawn = random.multinomial(people.size, np.full(people.size, 1 / people.size), size=samples)
    rates = []
    for rows in (one, other):
        trials = np.bincount(owner[rows], minlength=people.size)
        errors = np.bincount(owner[rows & table.non_match], minlength=people.size)
        rates.append((drawn @ errors) / np.maximum(drawn @ trials, 1))
    return bool(np.quantile(rates[0] - rates[1], 0.025) > 0)


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> Proportion:
    return Proportion(int(np.count_nonzero(part & whole)), int(np.count_nonzero(whole)))


def _gain(
    table: _Table, column: int, rows: NDArray[np.bool_], random: np.random.Generator, samples: int
) -> Gain | None:
    return gain_with_interval(
        table.goodness[rows, column], table.non_match[rows], table.subjects[rows], random=random, samples=samples
    )


def _curve(table: _Table, column: int, rows: NDArray[np.bool_]) -> tuple[float, ...]:
    if not rows.any():
        return ()
    curve = error_against_discard(table.goodness[rows, column], table.non_match[rows])
    return tuple(round(float(rate), 5) for rate in curve)


def _errors(table: _Table, rows: NDArray[np.bool_]) -> Proportion:
    return Proportion(int(np.count_nonzero(table.non_match & rows)), int(np.count_nonzero(rows)))


def _condition(condition: Condition, trials: Sequence[DiscardTrial]) -> ConditionReport:
    shown = [trial for trial in trials if trial.condition is condition]
    compared = [trial for trial in shown if trial.non_match is not None]
    passing = [trial for trial in compared if all(one.fits or not one.rejects for one in trial.measures)]
    return ConditionReport(
        kind=condition.kind,
        name=condition.name,
        no_face=Proportion(len(shown) - len(compared), len(shown)),
        fnmr=Proportion(sum(bool(trial.non_match) for trial in compared), len(compared)),
        rejected=Proportion(len(compared) - len(passing), len(compared)),
        fnmr_passing=Proportion(sum(bool(trial.non_match) for trial in passing), len(passing)),
    )


def _pair(proportion: Proportion) -> list[int]:
    return [proportion.events, proportion.trials]


def _measure_json(measure: MeasureReport) -> dict[str, object]:
    value = asdict(measure)
    for name in ("rejected", "passing", "alone", "clean_rejected", "enrolment_rejected", "enrolment_clean_rejected"):
        value[name] = _pair(getattr(measure, name))
    value["kinds"] = [kind.value for kind in measure.kinds]
    return value
