"""From what the detectors say to what the gate does: a veto, a need for life, one retry. Never an average."""

from collections.abc import Collection, Sequence
from enum import StrEnum, unique

from openstile.face.attack.evidence import Evidence, Verdict


@unique
class AttackMode(StrEnum):
    """What the detectors' answers are used for."""

    OFF = "off"
    """No detector runs."""
    MONITOR = "monitor"
    """They run, their answers are counted, and nobody is refused on account of them."""
    ENFORCE = "enforce"
    """They decide, by `fuse`."""


@unique
class Outcome(StrEnum):
    """What the gate does about one clip."""

    PASS = "pass"  # noqa: S105
    DENY = "deny"
    RETRY = "retry"


def fuse(
    evidence: Sequence[Evidence], *, mode: AttackMode, unattended: bool, monitored: Collection[str] = ()
) -> Outcome:
    """The rule (docs/presentation-attacks.md): any enforced detector that says attack denies; opening unattended needs
    at least one positive evidence of life from a physical detector, else one retry is asked for.

    Detectors named in `monitored` have no say, as all have none in the modes off and monitor. Scores are not looked
    at: many weak doubts do not add up to a denial, and no strong sign of life outweighs a denial.
    """
    if mode is not AttackMode.ENFORCE:
        return Outcome.PASS
    enforced = [one for one in evidence if one.detector not in monitored]
    if any(one.verdict is Verdict.ATTACK for one in enforced):
        return Outcome.DENY
    alive = any(one.verdict is Verdict.LIVE and one.physical for one in enforced)
    return Outcome.PASS if alive or not unattended else Outcome.RETRY
