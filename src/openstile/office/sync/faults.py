"""What the office answers a gate or its staff instead of what was asked for.

A refusal towards a gate is a value: what it leaves behind (an alarm, a nonce that was used) is committed with it. One
towards staff is an error: nothing was done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openstile.terms import OpenstileError


@dataclass(frozen=True, slots=True)
class SyncProblem:
    """A refusal. `name` is one of the API's problems (docs/office.md); `more` are its members, ready for JSON."""

    name: str
    detail: str
    more: Mapping[str, object] = field(default_factory=dict)


class SyncError(OpenstileError):
    """A request of staff about gates that cannot be met as things stand. `problem` is its name in the API."""

    exit_code = 2

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message)
        self.problem = problem


def unknown_gate() -> SyncError:
    """There is no such gate."""
    return SyncError("unknown-gate", "gate: there is none of this name; look at the list of gates")


def bad_signature(detail: str) -> SyncProblem:
    """The request is not one that a gate of ours signed for this moment."""
    return SyncProblem("bad-signature", detail)


GATE_LOCKED = SyncProblem("gate-locked", "This gate is locked; ask the operator")
UNKNOWN_EPOCH = SyncProblem("unknown-epoch", "The gate has no such journal here; make it known first")
