"""The rule that joins the detectors: a veto, a need for life, a retry, and never an average."""

import pytest

from openstile.face.attack import AttackMode, Evidence, Outcome, Verdict, fuse
from openstile.terms import BadInputError

ENFORCE = AttackMode.ENFORCE


def said(detector: str, verdict: Verdict, *, physical: bool = True) -> Evidence:
    return Evidence(detector, verdict, 1.0, physical)


LIVE = said("flash_response", Verdict.LIVE)
ATTACK = said("parallax", Verdict.ATTACK)
UNSURE = said("flash_shape", Verdict.INCONCLUSIVE)
CONTEXT_DENIES = said("context", Verdict.ATTACK, physical=False)
CONTEXT_UNSURE = said("context", Verdict.INCONCLUSIVE, physical=False)


@pytest.mark.parametrize("unattended", [True, False])
@pytest.mark.parametrize("denier", [ATTACK, CONTEXT_DENIES])
def test_one_attack_outweighs_any_number_of_signs_of_life(denier: Evidence, unattended: bool) -> None:
    found = [said(f"other_{letter}", Verdict.LIVE) for letter in "abcdefgh"] + [denier]
    assert fuse(found, mode=ENFORCE, unattended=unattended) is Outcome.DENY


@pytest.mark.parametrize("found", [[], [UNSURE], [UNSURE, CONTEXT_UNSURE], [CONTEXT_UNSURE] * 9])
def test_unattended_gate_opens_only_on_positive_evidence_of_life(found: list[Evidence]) -> None:
    assert fuse(found, mode=ENFORCE, unattended=True) is Outcome.RETRY
    assert fuse([*found, LIVE], mode=ENFORCE, unattended=True) is Outcome.PASS


def test_attended_gate_opens_when_no_detector_objects() -> None:
    assert fuse([UNSURE], mode=ENFORCE, unattended=False) is Outcome.PASS


@pytest.mark.parametrize("mode", [AttackMode.OFF, AttackMode.MONITOR])
def test_nobody_is_refused_in_the_modes_off_and_monitor(mode: AttackMode) -> None:
    assert fuse([ATTACK, CONTEXT_DENIES], mode=mode, unattended=True) is Outcome.PASS


def test_monitored_detector_has_no_say_at_all() -> None:
    assert fuse([ATTACK, LIVE], mode=ENFORCE, unattended=True, monitored=("parallax",)) is Outcome.PASS
    assert fuse([LIVE], mode=ENFORCE, unattended=True, monitored=("flash_response",)) is Outcome.RETRY


def test_detector_that_only_knows_attacks_can_never_say_live() -> None:
    with pytest.raises(BadInputError, match="can deny and cannot say live"):
        said("context", Verdict.LIVE, physical=False)


@pytest.mark.parametrize("name", ["", "Parallax", "a b", "x" * 21, "übel"])
def test_detector_has_a_name_that_can_be_counted(name: str) -> None:
    with pytest.raises(BadInputError, match="name"):
        said(name, Verdict.ATTACK)


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_score_is_a_finite_number(score: float) -> None:
    with pytest.raises(BadInputError, match="finite"):
        Evidence("parallax", Verdict.ATTACK, score)


def test_evidence_holds_a_name_a_verdict_and_a_number_and_no_frame_or_template() -> None:
    assert set(Evidence.__dataclass_fields__) == {"detector", "verdict", "score", "physical"}
    assert LIVE.counted_as == "pad_flash_response_live"
