"""The nuisance rule: a detector ships only if the attacks that it is there for move its score more than nuisances do.

On a small fixed set, each presentation rendered once for all detectors; docs/presentation-attacks.md has the spread of
many.
"""

from dataclasses import replace
from functools import lru_cache

import pytest
from tests.attacks.camera import Camera
from tests.attacks.judging import judge
from tests.attacks.light import GateDisplay
from tests.attacks.motion import Motion, MotionKind
from tests.attacks.presets import Nuisance, disturb
from tests.attacks.scene import Scene, Screen, Species

from openstile.face.attack import Evidence, Verdict

CALM = Scene(
    seed=11,
    subject=4,
    motion=Motion(MotionKind.APPROACH, amount=0.2, distance=0.48),
    display=GateDisplay(share=0.1),
    camera=Camera(width=352, height=400),
)
NUISANCES = {
    nuisance.value: disturb(CALM, nuisance)
    for nuisance in (Nuisance.DARK, Nuisance.BLUR, Nuisance.WARM, Nuisance.FLICKER, Nuisance.GLASSES)
} | {f"tone {tone}": replace(CALM, tone=tone) for tone in (1, 10)}
THERE_FOR = {
    "parallax": (Species.FLAT_PRINT, Species.TABLET),
    "flash_response": (Species.WRONG_SEQUENCE,),
    "flash_shape": (Species.FLAT_PRINT, Species.BENT_PRINT, Species.TABLET),
}


@lru_cache
def said(scene: Scene) -> dict[str, Evidence]:
    return {one.detector: one for one in judge(scene, 1).evidence}


def score(detector: str, scene: Scene) -> float | None:
    """None where the detector could measure nothing; then it must not have called it anything."""
    found = said(scene)[detector]
    assert found.score is not None or found.verdict is Verdict.INCONCLUSIVE
    return found.score


@pytest.mark.parametrize("detector", THERE_FOR)
def test_attacks_move_the_score_more_than_any_nuisance_does(detector: str) -> None:
    attacks = [replace(CALM, species=species, screen=Screen.INJECTED) for species in THERE_FOR[detector]]
    living = {name: score(detector, scene) for name, scene in {"calm": CALM, **NUISANCES}.items()}
    attacked = {scene.species.value: score(detector, scene) for scene in attacks}
    measured = [value for value in living.values() if value is not None]
    assert living["calm"] is not None
    assert len(measured) >= len(living) - 1, "nearly all of them can be measured"
    assert min(measured) > max(value for value in attacked.values() if value is not None), (living, attacked)


@pytest.mark.parametrize("nuisance", [Nuisance.STILL, Nuisance.SUNLIGHT])
def test_nuisance_that_leaves_nothing_to_measure_is_no_attack(nuisance: Nuisance) -> None:
    verdicts = {name: one.verdict for name, one in said(disturb(CALM, nuisance)).items()}
    assert Verdict.ATTACK not in verdicts.values()
    if nuisance is Nuisance.SUNLIGHT:
        assert verdicts["flash_response"] is verdicts["flash_shape"] is Verdict.INCONCLUSIVE
