"""Presentation attack detection: is it a living face that is compared? Detectors, and the rule that joins them."""

from openstile.face.attack.evidence import Detector, Evidence, Verdict
from openstile.face.attack.fusion import AttackMode, Outcome, fuse
from openstile.face.attack.kit import AttackKit
from openstile.face.attack.stimulus import Stimulus

__all__ = ["AttackKit", "AttackMode", "Detector", "Evidence", "Outcome", "Stimulus", "Verdict", "fuse"]
