"""Guiding an operator from one presentation to the next, and keeping each as soon as the gate has answered."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from openstile.face.attack import Outcome
from openstile.lab.attacks_file import SessionFile
from openstile.lab.attacks_record import Answer
from openstile.lab.attacks_session import BONA_FIDE, Presentation, check_conditions, check_number, check_species
from openstile.terms import BadInputError
from openstile.terms.limits import ATTACK_TIMES_MAX

ANSWERS: dict[Outcome | None, str] = {
    Outcome.PASS: "let through",
    Outcome.DENY: "denied: attack",
    Outcome.RETRY: "not let through: unsure, also after the retry",
    None: "no response: no face was found",
}
"""What the gate did, in words."""


@unique
class Command(StrEnum):
    """What an operator may type instead of Enter."""

    AGAIN = "r"
    """The presentation before once more; both count."""
    VOID = "v"
    """The presentation before was mis-made: it stays in the file, counts nowhere, and is made again."""
    SKIP = "s"
    QUIT = "q"


COMMANDS = "Enter: now   r: the one before once more   v: the one before was mis-made   s: skip   q: quit"


@dataclass(frozen=True, slots=True)
class Step:
    """One presentation to come; subject, species and instrument as in `Presentation`."""

    subject: int
    species: str
    instrument: int | None

    @property
    def prompt(self) -> str:
        """What the operator is asked to do."""
        if self.instrument is None:
            return f"Person {self.subject} looks at the camera, as a rider does."
        return f"Hold the {self.species} no. {self.instrument} of person {self.subject} before the camera."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session is to hold: `times` presentations of each species, with this instrument, in these conditions."""

    species: tuple[str, ...]
    instrument: int = 1
    conditions: str = ""
    times: int = 1

    def __post_init__(self) -> None:
        if not self.species or len(set(self.species)) < len(self.species):
            raise BadInputError("species: give one or more, each once")
        for one in self.species:
            check_species(one)
        check_number("instrument", self.instrument)
        check_conditions(self.conditions)
        if not 1 <= self.times <= ATTACK_TIMES_MAX:
            raise BadInputError(f"times {self.times}: give 1 to {ATTACK_TIMES_MAX}")

    def steps(self, subject: int, made: Iterable[Presentation]) -> list[Step]:
        """What is left of it for `subject`, species by species."""
        check_number("subject", subject)
        done = [(one.subject, one.species, one.instrument) for one in made if self._is_made(one)]
        steps = []
        for species in self.species:
            step = Step(subject, species, None if species == BONA_FIDE else self.instrument)
            left = self.times - done.count((step.subject, step.species, step.instrument))
            steps += [step] * max(0, left)
        return steps

    def _is_made(self, one: Presentation) -> bool:
        return not one.void and one.conditions == self.conditions


class Guide:
    """Through the steps of one person. `look` presents to the gate, `ask` gives a line or None where nobody answers,
    `tell` says one, `now` is the wall clock's. Without `ask` nobody is waited for.
    """

    def __init__(
        self,
        file: SessionFile,
        *,
        look: Callable[[], Answer],
        tell: Callable[[str], None],
        now: Callable[[], datetime],
        ask: Callable[[str], str | None] | None,
    ) -> None:
        self._file, self._look, self._tell, self._now, self._ask = file, look, tell, now, ask

    def run(self, steps: Sequence[Step], conditions: str) -> bool:
        """Make the presentations; each is kept before the next begins. False: the operator quits."""
        at, made = 0, False
        while at < len(steps) or (made and self._ask is not None):
            answer = self._asked(steps[at].prompt if at < len(steps) else "That was all of this person. Enter goes on.")
            match answer:
                case Command.QUIT:
                    return False
                case Command.AGAIN if made:
                    self._present(steps[at - 1], conditions)
                case Command.VOID if made:
                    self._file.put(self._file.session.with_last_void())
                    at, made = at - 1, False
                case Command.SKIP if at < len(steps):
                    at, made = at + 1, False
                case "" if at < len(steps):
                    self._present(steps[at], conditions)
                    at, made = at + 1, True
                case "":
                    break
                case _:
                    self._tell(COMMANDS)
        return True

    def _asked(self, prompt: str) -> str:
        if self._ask is None:
            return ""
        answer = self._ask(prompt)
        return Command.QUIT if answer is None else answer.strip().lower()

    def _present(self, step: Step, conditions: str) -> None:
        answer = self._look()
        self._file.put(
            self._file.session.with_next(
                Presentation(
                    subject=step.subject,
                    species=step.species,
                    instrument=step.instrument,
                    conditions=conditions,
                    clips=answer.clips,
                    outcome=answer.outcome,
                    at=self._now().replace(microsecond=0),
                    from_file=answer.from_file,
                )
            )
        )
        said = "; ".join(f"{one.detector} {one.verdict.value}" for clip in answer.clips for one in clip)
        self._tell(f"{step.species}: {ANSWERS[answer.outcome]}{f' ({said})' if said else ''}")
