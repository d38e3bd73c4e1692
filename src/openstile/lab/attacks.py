"""Error rates of the attack check in recorded presentations, after ISO/IEC 30107-3 (PAD subsystem evaluation).

APCER of a PAI species: presentations that were taken for bona fide ones, of those with a response. BPCER: bona fide
presentations that were taken for attacks, of those with a response. APNRR and BPNRR: presentations without a response,
of all. A RETRY that stays after the gate's retry lets nobody through: it is "attack" to both rates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low

from openstile.face.attack import Outcome, Verdict
from openstile.lab.attacks_session import BONA_FIDE, SPECIES, Presentation, Rule, Session
from openstile.lab.claims import Claim, Measure
from openstile.lab.intervals import Proportion
from openstile.lab.rates_among import proportion_json
from openstile.terms import BadInputError
from openstile.terms.limits import ATTACK_SESSIONS_MAX

CLAIM_MAX = 0.05
"""What a claim is tried for unless something else is asked for: the aim of the simulator's figures."""


@dataclass(frozen=True, slots=True)
class DetectorVerdicts:
    """What one detector alone said of the first complete clip of each presentation that has one.

    Alone at an unattended gate it lets through what it calls live, at an attended one what it does not call an attack.
    score_median: in its own unit (`face.attack.thresholds`), the lower of two in the middle; None without any score.
    """

    detector: str
    attack: Proportion
    live: Proportion
    inconclusive: Proportion
    score_median: float | None

    def to_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "detector": self.detector,
            "attack": proportion_json(self.attack),
            "live": proportion_json(self.live),
            "inconclusive": proportion_json(self.inconclusive),
            "score_median": self.score_median,
        }


@dataclass(frozen=True, slots=True)
class RuleRates:
    """Under one rule. error: APCER or BPCER, of presentations with a response. accepted: let through, of all."""

    error: Proportion
    accepted: Proportion


@dataclass(frozen=True, slots=True)
class SpeciesRates:
    """Presentations of one PAI species, or the bona fide ones.

    no_response: APNRR or BPNRR. unfinished: of those with a response, the ones in which no clip was complete in time.
    claim: of the unattended rule, on people: one whose presentations were misjudged once counts as misjudged.
    """

    species: str
    people: int
    instruments: int
    unattended: RuleRates
    attended: RuleRates
    no_response: Proportion
    unfinished: int
    claim: Claim
    detectors: tuple[DetectorVerdicts, ...]

    @property
    def is_attack(self) -> bool:
        """False for the bona fide presentations."""
        return self.species != BONA_FIDE

    def by(self, rule: Rule) -> RuleRates:
        """The rates under `rule`."""
        return self.unattended if rule is Rule.UNATTENDED else self.attended

    def to_json(self) -> dict[str, object]:
        """For machines, in the standard's terms."""
        error, silent = ("apcer", "apnrr") if self.is_attack else ("bpcer", "bpnrr")
        return {
            "species": self.species,
            "presentations": self.no_response.trials,
            "people": self.people,
            "instruments": self.instruments,
            error: proportion_json(self.unattended.error),
            f"{error}_attended": proportion_json(self.attended.error),
            silent: proportion_json(self.no_response),
            "accepted": proportion_json(self.unattended.accepted),
            "accepted_attended": proportion_json(self.attended.accepted),
            "unfinished": self.unfinished,
            "claim": self.claim.to_json(),
            "detectors": [each.to_json() for each in self.detectors],
        }


@dataclass(frozen=True, slots=True)
class AttackReport:
    """What the sessions show. species: PAI species, those of `SPECIES` first. bona_fide: None without any.

    void, from_files: presentations that were called mis-made, and counted ones whose frames came from files.
    """

    sessions: int
    versions: tuple[str, ...]
    packs: tuple[str, ...]
    flash: bool
    monitored: tuple[str, ...]
    people: int
    presentations: int
    void: int
    from_files: int
    species: tuple[SpeciesRates, ...]
    bona_fide: SpeciesRates | None

    def highest(self, rule: Rule) -> SpeciesRates | None:
        """The species with the highest APCER, of several the one seen least; None without a response to any attack."""
        answered = [each for each in self.species if each.by(rule).error.trials]
        return max(answered, key=lambda e: (e.by(rule).error.rate or 0.0, -e.by(rule).error.trials), default=None)

    def to_json(self) -> dict[str, object]:
        """For machines, and for the lab's report: recorded presentations are not simulated ones."""
        living = self.bona_fide
        none = proportion_json(Proportion(0, 0))
        return {
            "simulated": False,
            "sessions": self.sessions,
            "versions": list(self.versions),
            "packs": list(self.packs),
            "flash": self.flash,
            "monitored": list(self.monitored),
            "people": self.people,
            "presentations": self.presentations,
            "void": self.void,
            "from_files": self.from_files,
            "species": [each.to_json() for each in self.species],
            "apcer_highest": {rule.value: _highest_json(self.highest(rule), rule) for rule in Rule},
            "bona_fide": None if living is None else living.to_json(),
            "bpcer": none if living is None else proportion_json(living.unattended.error),
            "bpcer_attended": none if living is None else proportion_json(living.attended.error),
            "bpnrr": none if living is None else proportion_json(living.no_response),
        }


def report_attacks(
    sessions: Sequence[Session], *, claim_apcer: float = 0.05, claim_bpcer: float = 0.05
) -> AttackReport:
    """Count `sessions` together. The same number in two of them is taken for the same person or instrument.

    Raises BadInputError: no session or too many, one given twice, sessions of gates whose rule differs, a rate that
    cannot be claimed.
    """
    if not 1 <= len(sessions) <= ATTACK_SESSIONS_MAX:
        raise BadInputError(f"attacks: {len(sessions)} sessions; give 1 to {ATTACK_SESSIONS_MAX}")
    if len({each.session_id for each in sessions}) < len(sessions):
        raise BadInputError("attacks: one session is given twice; give each file once")
    if len({(each.flash, frozenset(each.monitored)) for each in sessions}) > 1:
        raise BadInputError("attacks: gates with and without a flash, or other monitored detectors; count them apart")
    monitored = tuple(sorted(sessions[0].monitored))
    told = [one for session in sessions for one in session.presentations]
    counted = [one for one in told if not one.void]
    names = dict.fromkeys((*SPECIES, *sorted({one.species for one in counted})))
    groups = {name: [one for one in counted if one.species == name] for name in names}
    rates = [
        _rates(name, group, monitored, claim_apcer if name != BONA_FIDE else claim_bpcer)
        for name, group in groups.items()
        if group
    ]
    return AttackReport(
        sessions=len(sessions),
        versions=tuple(sorted({each.openstile for each in sessions})),
        packs=tuple(sorted({each.pack for each in sessions})),
        flash=sessions[0].flash,
        monitored=monitored,
        people=len({one.subject for one in counted}),
        presentations=len(counted),
        void=len(told) - len(counted),
        from_files=sum(one.from_file for one in counted),
        species=tuple(each for each in rates if each.is_attack),
        bona_fide=next((each for each in rates if not each.is_attack), None),
    )


def _rates(species: str, group: Sequence[Presentation], monitored: Sequence[str], rate_max: float) -> SpeciesRates:
    def under(rule: Rule) -> RuleRates:
        passed = sum(one.outcome_by(rule, monitored) is Outcome.PASS for one in group)
        return RuleRates(_errors(group, rule, monitored), Proportion(passed, len(group)))

    silent = sum(one.outcome is None for one in group)
    measure = Measure.BPCER if species == BONA_FIDE else Measure.APCER
    unattended = under(Rule.UNATTENDED)
    return SpeciesRates(
        species=species,
        people=len({one.subject for one in group}),
        instruments=len({one.instrument for one in group if one.instrument is not None}),
        unattended=unattended,
        attended=under(Rule.ATTENDED),
        no_response=Proportion(silent, len(group)),
        unfinished=sum(one.outcome is not None and not one.clips for one in group),
        claim=Claim(measure, rate_max, unattended.error, _people(group, monitored)),
        detectors=_detectors(group),
    )


def _errors(group: Iterable[Presentation], rule: Rule, monitored: Sequence[str]) -> Proportion:
    """APCER of attacks, BPCER of bona fide presentations: of those with a response, the ones taken for the other."""
    answered = [one for one in group if one.outcome is not None]
    return Proportion(sum(_misjudged(one, rule, monitored) for one in answered), len(answered))


def _misjudged(one: Presentation, rule: Rule, monitored: Sequence[str]) -> bool:
    return (one.outcome_by(rule, monitored) is Outcome.PASS) == one.is_attack


def _people(group: Sequence[Presentation], monitored: Sequence[str]) -> Proportion:
    """One trial a person with a response; misjudged when any presentation was."""
    answered = [one for one in group if one.outcome is not None]
    misjudged = {one.subject for one in answered if _misjudged(one, Rule.UNATTENDED, monitored)}
    return Proportion(len(misjudged), len({one.subject for one in answered}))


def _detectors(group: Sequence[Presentation]) -> tuple[DetectorVerdicts, ...]:
    names = dict.fromkeys(said.detector for one in group for clip in one.clips[:1] for said in clip)
    return tuple(_verdicts(name, group) for name in names)


def _verdicts(name: str, group: Sequence[Presentation]) -> DetectorVerdicts:
    said = [each for one in group for clip in one.clips[:1] for each in clip if each.detector == name]

    def count(verdict: Verdict) -> Proportion:
        return Proportion(sum(each.verdict is verdict for each in said), len(said))

    scores = [each.score for each in said if each.score is not None]
    median = median_low(scores) if scores else None
    return DetectorVerdicts(name, count(Verdict.ATTACK), count(Verdict.LIVE), count(Verdict.INCONCLUSIVE), median)


def _highest_json(species: SpeciesRates | None, rule: Rule) -> dict[str, object] | None:
    if species is None:
        return None
    return {"species": species.species, "apcer": proportion_json(species.by(rule).error)}
