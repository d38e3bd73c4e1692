"""What a gate goes by at one moment: keys, status lists and policy, taken together so that they always fit."""

from dataclasses import dataclass
from datetime import datetime

from openstile.crossing import Policy
from openstile.passes import GateKeyring
from openstile.passes.standing import StatusLists


@dataclass(frozen=True, slots=True)
class Trust:
    """One consistent set. A lane asks for it once a crossing, so a new one takes effect between two riders."""

    keyring: GateKeyring
    statuses: StatusLists
    policy: Policy
    told_at: datetime | None = None
    """It cannot be earlier than that now: the newest time that an operator or issuer signed in any of it, less what
    their clock may be ahead."""
