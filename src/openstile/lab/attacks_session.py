"""Presentations before a gate's camera that people agreed to, and what the gate's attack check made of each.

Terms of ISO/IEC 30107-1 and -3. People and instruments are numbers. Of a presentation nothing is kept but what
`Presentation` holds: no frame, no place in a frame, no template.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum, unique

from openstile.face.attack import AttackMode, Evidence, Outcome, fuse
from openstile.terms import BadInputError
from openstile.terms.limits import (
    ATTACK_CLIP_DETECTORS_MAX,
    ATTACK_CONDITIONS_CHARS_MAX,
    ATTACK_NUMBER_MAX,
    ATTACK_PRESENTATIONS_MAX,
    ATTACK_SPECIES_CHARS_MAX,
    PACK_ID_CHARS_MAX,
)

BONA_FIDE = "bona fide"
"""The living person, with nothing in between (ISO/IEC 30107-1: bona fide presentation). No species."""
SPECIES = (BONA_FIDE, "flat print", "bent print", "phone", "tablet", "monitor", "video replay")
"""What a session is guided through unless it names its own; all but the first are PAI species."""
CLIPS_MAX = 2
"""As `crossing.attack`: one, and one more after a first that told too little."""
_MONITORED_MAX = 8
_WORDS = re.compile(r"[a-z0-9]+(?:[ -][a-z0-9]+)*")
_ID = re.compile(r"[0-9a-f]{16}")


@unique
class Rule(StrEnum):
    """Whose rule is applied to what the detectors said (`face.attack.fusion`)."""

    UNATTENDED = "unattended"
    ATTENDED = "attended"


@dataclass(frozen=True, slots=True)
class Presentation:
    """One presentation.

    subject: number of the person who is there, or whom the instrument shows. instrument: number of the PAI within its
    species; None for a bona fide presentation. clips: what each detector said of each complete clip. outcome: of the
    unattended rule, after its retry; None where no face was found in the time limit: no response. at: UTC, a whole
    second. from_file: its frames came from a file, not from a camera. void: the operator called it mis-made; it stays
    in the file and counts in no rate.
    """

    subject: int
    species: str
    instrument: int | None
    conditions: str
    clips: tuple[tuple[Evidence, ...], ...]
    outcome: Outcome | None
    at: datetime
    from_file: bool = False
    void: bool = False

    def __post_init__(self) -> None:
        check_species(self.species)
        check_number("subject", self.subject)
        if (self.instrument is None) != (self.species == BONA_FIDE):
            raise BadInputError(f"{self.species}: an instrument's number goes with each attack and with nothing else")
        if self.instrument is not None:
            check_number("instrument", self.instrument)
        check_conditions(self.conditions)
        for clip in self.clips:
            names = [one.detector for one in clip]
            if not 1 <= len(names) <= ATTACK_CLIP_DETECTORS_MAX or len(set(names)) < len(names):
                raise BadInputError(f"a clip: must have 1 to {ATTACK_CLIP_DETECTORS_MAX} detectors, each once")
        if self.at.tzinfo is not UTC or self.at.microsecond:
            raise BadInputError(f"instant {self.at}: must be UTC, in whole seconds")

    @property
    def is_attack(self) -> bool:
        """Whether an instrument was presented."""
        return self.instrument is not None

    def outcome_by(self, rule: Rule, monitored: Sequence[str]) -> Outcome | None:
        """What the gate does under `rule`, with these detectors only monitored.

        The attended gate decides on the first complete clip; without any it refuses, as the other one does.
        """
        if rule is Rule.UNATTENDED or self.outcome is None:
            return self.outcome
        if not self.clips:
            return Outcome.RETRY
        return fuse(self.clips[0], mode=AttackMode.ENFORCE, unattended=False, monitored=monitored)


@dataclass(frozen=True, slots=True)
class Session:
    """What was presented to one gate, in its order.

    session_id: 16 hexadecimal digits, random: tells whether a file is given twice. openstile: the version whose
    detectors ran. pack: id of the model pack that located the faces. flash: whether the gate's display lit them.
    monitored: detectors of the gate that had no say. look_ms_max: its time limit.
    """

    session_id: str
    openstile: str
    pack: str
    flash: bool
    monitored: tuple[str, ...]
    look_ms_max: int
    presentations: tuple[Presentation, ...] = ()

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.session_id):
            raise BadInputError("session: its id must be 16 hexadecimal digits")
        if not re.fullmatch(r"[0-9A-Za-z.+-]{1,40}", self.openstile):
            raise BadInputError("session: openstile must be a version")
        if not (1 <= len(self.pack) <= PACK_ID_CHARS_MAX and self.pack.isascii() and self.pack.isprintable()):
            raise BadInputError("session: pack must be the id of a model pack")
        if not 200 <= self.look_ms_max <= 60_000:
            raise BadInputError(f"session: look_ms_max {self.look_ms_max} is outside 200 to 60,000")
        named = all(re.fullmatch(r"[a-z_]{1,20}", name) for name in self.monitored)
        if not named or len(set(self.monitored)) < len(self.monitored) or len(self.monitored) > _MONITORED_MAX:
            raise BadInputError("session: monitored must name detectors, each once")
        if len(self.presentations) > ATTACK_PRESENTATIONS_MAX:
            raise BadInputError(
                f"session: has more than {ATTACK_PRESENTATIONS_MAX:,} presentations; begin another file"
            )
        self._check_outcomes()

    def _check_outcomes(self) -> None:
        for number, one in enumerate(self.presentations, 1):
            if one.outcome not in _outcomes(one, self.monitored):
                raise BadInputError(f"presentation {number}: its outcome is not what its detectors came to")

    def with_next(self, presentation: Presentation) -> "Session":
        """The session with one more."""
        return replace(self, presentations=(*self.presentations, presentation))

    def without(self, subject: int) -> "Session":
        """The session without anything of this person, who wants it so. Raises BadInputError when there is nothing."""
        left = tuple(one for one in self.presentations if one.subject != subject)
        if len(left) == len(self.presentations):
            raise BadInputError(f"session: holds nothing of person {subject}; check the number")
        return replace(self, presentations=left)

    def with_last_void(self) -> "Session":
        """The session whose last presentation counts no more."""
        if not self.presentations:
            raise BadInputError("session: nothing was presented yet")
        return replace(self, presentations=(*self.presentations[:-1], replace(self.presentations[-1], void=True)))


def _outcomes(one: Presentation, monitored: Sequence[str]) -> tuple[Outcome | None, ...]:
    """What an unattended gate could have made of these clips; empty where it would not have asked for them."""
    if not one.clips:
        return (None, Outcome.RETRY)
    found = [fuse(clip, mode=AttackMode.ENFORCE, unattended=True, monitored=monitored) for clip in one.clips]
    if len(found) > CLIPS_MAX or any(outcome is not Outcome.RETRY for outcome in found[:-1]):
        return ()
    return (found[-1],)


def check_species(species: str) -> None:
    """Raises BadInputError unless `species` is a name in small letters, digits, single spaces and hyphens."""
    if not (len(species) <= ATTACK_SPECIES_CHARS_MAX and _WORDS.fullmatch(species)):
        raise BadInputError(
            f"species {species[:60]!r}: give 1 to {ATTACK_SPECIES_CHARS_MAX} small letters, digits, spaces or hyphens"
        )


def check_number(what: str, number: int) -> None:
    """Raises BadInputError unless `number` is that of a person or an instrument."""
    if not 1 <= number <= ATTACK_NUMBER_MAX:
        raise BadInputError(f"{what} {number}: must be a number of 1 to {ATTACK_NUMBER_MAX}")


def check_conditions(conditions: str) -> None:
    """Raises BadInputError unless `conditions` is one short line."""
    if len(conditions) > ATTACK_CONDITIONS_CHARS_MAX or not conditions.isprintable():
        raise BadInputError(
            f"conditions: give one line of at most {ATTACK_CONDITIONS_CHARS_MAX} characters, as 'lamp on, 300 lux'"
        )
