"""One crossing as one straight line: presented bytes to a decision, keeping nothing of the rider."""

from openstile.crossing.cross import cross
from openstile.crossing.decision import Admit, Crossing, Decision, Refuse, StepTime
from openstile.crossing.policy import Policy
from openstile.crossing.reasons import Reason

__all__ = ["Admit", "Crossing", "Decision", "Policy", "Reason", "Refuse", "StepTime", "cross"]
