"""What pricing by a feed gives: chains of legs that transfer rules tie together, each step with the rule it follows."""

from dataclasses import dataclass
from enum import StrEnum

from openstile.terms.money import Money


class StepKind(StrEnum):
    """What a step pays for: one leg, several legs that count as one, or the transfer between two of them."""

    FARE = "fare"
    JOINED = "joined"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Step:
    """One amount of a chain and the rule that says so.

    `legs` are indices into the legs that were priced: for a fare the leg or legs it is for, for a transfer the leg
    before it and the leg after it. `line` is that of the rule: of fare_transfer_rules.txt for a transfer, else of
    fare_leg_rules.txt. `product_id` None is a transfer without a product, which costs nothing.
    """

    kind: StepKind
    legs: tuple[int, ...]
    product_id: str | None
    amount: Money
    line: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Legs `first` to `last` (indices, both inclusive), priced together. The amounts of the steps sum to `amount`.

    A leg whose own fare a transfer rule waives has no fare step. `amount` None, without steps: no rule of the feed says
    what the rider pays. An amount may be negative, where the feed's own amounts add up to that.
    """

    first: int
    last: int
    steps: tuple[Step, ...]
    amount: Money | None
