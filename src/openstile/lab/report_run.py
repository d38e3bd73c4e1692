"""Everything that a report tells, measured one after the other with the same pack and policy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from openstile.face.packs import list_packs
from openstile.lab.accuracy import report_accuracy
from openstile.lab.attacks import AttackReport
from openstile.lab.bootstrap import Resampling
from openstile.lab.capture import Apparatus, PackSource, capture_all
from openstile.lab.dataset import DataSet
from openstile.lab.discard import DiscardReport, report_discard
from openstile.lab.discard_conditions import CONDITIONS
from openstile.lab.discard_trials import run_discard_trials
from openstile.lab.groups import report_groups
from openstile.lab.report import Found, PackFacts
from openstile.lab.report_thresholds import Threshold, shipped_thresholds
from openstile.lab.scores import Scores
from openstile.lab.speed import SpeedReport, measure_speed
from openstile.lab.unlinkability import Unlinkability, measure_unlinkability
from openstile.lab.unlinkability_people import gate_distance, people_of
from openstile.lab.unlinkability_trials import Random
from openstile.terms import BadInputError
from openstile.terms.instants import Clock

PARTS = ("groups", "quality", "speed", "unlinkability")
"""What a run may leave out; accuracy is always measured."""
_SPEED_PHOTOGRAPHS = 100

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ReportRun:
    """What to measure, and with what. `random` gives the bytes that go into passes; `link_pairs` as in `unlinkability`.

    attacks: what recorded presentations showed before; a data set of photographs shows nothing of attacks.

    progress is told which part is at work, what is done and what there is in all.
    """

    data_set: DataSet
    apparatus: Apparatus
    clock: Clock
    random: Random
    how: Resampling
    parts: tuple[str, ...] = PARTS
    link_pairs: int = 2000
    attacks: AttackReport | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        unknown = sorted(set(self.parts) - set(PARTS))
        if unknown:
            raise BadInputError(f"report: knows no part {', '.join(unknown)}; there are {', '.join(PARTS)}")

    def measure(self, scores: Scores) -> Found:
        """All parts; those that the data set cannot carry (no attributes, one photograph a person) are left out."""
        return Found(
            accuracy=report_accuracy(scores, how=self.how),
            groups=report_groups(scores, how=self.how) if "groups" in self.parts and any(scores.groups) else None,
            quality=self._quality() if "quality" in self.parts and len(scores.mated) else None,
            speed=self._speed() if "speed" in self.parts else None,
            attacks=self.attacks,
            unlinkability=self._unlinkability() if "unlinkability" in self.parts and len(scores.mated) else None,
        )

    def _told(self, what: str) -> Callable[[int, int], None] | None:
        told = self.progress
        return None if told is None else lambda done, total: told(what, done, total)

    def _quality(self) -> DiscardReport:
        engine = self.apparatus.open_engine()
        trials = run_discard_trials(
            self.data_set, engine, CONDITIONS, policy=self.apparatus.policy, progress=self._told("quality")
        )
        return report_discard(trials)

    def _speed(self) -> SpeedReport:
        return measure_speed(
            self.data_set,
            self.apparatus,
            clock=self.clock,
            photographs=_SPEED_PHOTOGRAPHS,
            progress=self._told("speed"),
        )

    def _unlinkability(self) -> Unlinkability:
        return measure_unlinkability(
            people_of(self.data_set, capture_all(self.data_set.captures, self.apparatus)),
            distance=gate_distance(self.apparatus.open_engine()),
            now=self.clock.now(),
            random=self.random,
            rng=np.random.default_rng(self.how.seed),
            pairs=self.link_pairs,
            progress=self._told("passes"),
        )


def pack_facts(apparatus: Apparatus) -> PackFacts:
    """What the pack's manifest says of it; for an engine that is no pack of this machine its id alone."""
    engine = apparatus.open_engine()
    folders = apparatus.open_engine.pack_folders if isinstance(apparatus.open_engine, PackSource) else ()
    size = sum(part.dimensions for part in engine.parts)
    for info in list_packs(pack_folders=folders):
        if info.pack_id == engine.pack_id:
            sources = tuple((each.file, each.licence, each.origin) for each in info.sources)
            return PackFacts(engine.pack_id, info.name, info.licence, info.origin, size, sources)
    return PackFacts(engine.pack_id, engine.pack_id, "not stated", "not stated", size)


def thresholds_of(apparatus: Apparatus, scores: Scores, found: Found) -> tuple[Threshold, ...]:
    """The limits that the run was made with, each with its line in the report."""
    measures = () if found.quality is None else tuple(each.measure for each in found.quality.measures)
    return shipped_thresholds(
        distance_max=scores.distance_max,
        quality=apparatus.policy.quality,
        zone=apparatus.policy.zone,
        pack_id=scores.pack_id,
        measures=measures,
        attacks=found.attacks is not None,
    )
