"""How a refusal travels inside this room. At the room's door it is a value: `Refuse`."""

from openstile.crossing.reasons import Reason


class RefusedError(Exception):
    """Ends the crossing with one reason. Never leaves the crossing room."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
