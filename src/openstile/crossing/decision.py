"""What a crossing comes to. Nothing here describes a face: no score, no template, no pixel."""

from dataclasses import dataclass, replace

from openstile.crossing.reasons import Reason
from openstile.terms.ids import PassId


@dataclass(frozen=True, slots=True)
class Admit:
    """The rider is the owner of a valid pass.

    `status_unsure`: no fresh status list said that the pass was not withdrawn, and the policy admits such with a mark.
    """

    status_unsure: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """The barrier stays closed, for one reason of the closed set."""

    reason: Reason


Decision = Admit | Refuse


@dataclass(frozen=True, slots=True)
class StepTime:
    """Time spent in one named step, in milliseconds; a step run on several frames is summed."""

    step: str
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """One crossing: the decision, the opened pass's id and product, and the time of each step.

    `pass_id` and `product` are None when the pass did not open and verify: what an unverified pass says of itself is
    not repeated. `frames_read` counts the frames pulled from the camera.
    """

    decision: Decision
    pass_id: PassId | None
    product: str | None
    frames_read: int
    steps: tuple[StepTime, ...]

    @property
    def admitted(self) -> bool:
        """Whether the decision is `Admit`."""
        return isinstance(self.decision, Admit)

    @property
    def reason(self) -> Reason | None:
        """The reason of a refusal; None when admitted."""
        return self.decision.reason if isinstance(self.decision, Refuse) else None

    @property
    def total_ms(self) -> float:
        """The sum over all steps, in milliseconds."""
        return sum(step.elapsed_ms for step in self.steps)

    def then(self, steps: tuple[StepTime, ...], decision: Decision) -> "Crossing":
        """The same crossing with more steps done, and the decision that they came to."""
        return replace(self, steps=(*self.steps, *steps), decision=decision)
