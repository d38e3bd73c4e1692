"""Simulated presentations before the detectors: what must be caught, and what is known to get through.

One presentation each, so that the tests stay fast; `tests.attacks.measuring` measures many.
"""

from dataclasses import replace

import pytest
from tests.attacks.camera import Camera
from tests.attacks.judging import Judged, judge
from tests.attacks.light import Ambient, GateDisplay
from tests.attacks.measuring import outcomes, rate, tones
from tests.attacks.motion import Motion, MotionKind
from tests.attacks.scene import Scene, Screen, Species

from openstile.face.attack import Outcome, Verdict
from openstile.face.attack.thresholds import LIGHT_RATIO_MIN

CLOSER = Motion(MotionKind.APPROACH, amount=0.2, distance=0.5)
CALM = Scene(seed=4242, motion=Motion(MotionKind.TURN, amount=10.0, distance=0.5), camera=Camera(width=352, height=400))
"""A living face in even conditions."""


def said(judged: Judged) -> dict[str, Verdict]:
    return {one.detector: one.verdict for one in judged.evidence}


@pytest.mark.parametrize("tone", [1, 5, 10])
def test_living_face_of_any_tone_opens_an_unattended_gate(tone: int) -> None:
    assert judge(replace(CALM, tone=tone), 1).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "species",
    [Species.FLAT_PRINT, Species.BENT_PRINT, Species.BORDERLESS_PRINT, Species.PHONE, Species.TABLET, Species.MONITOR],
)
def test_picture_and_screen_are_refused_where_there_is_a_display(species: Species) -> None:
    assert judge(replace(CALM, species=species), 2).outcome is Outcome.DENY


def test_recording_in_the_light_of_another_plan_is_refused() -> None:
    judged = judge(replace(CALM, species=Species.WRONG_SEQUENCE, screen=Screen.INJECTED), 3)
    assert judged.outcome is Outcome.DENY
    assert said(judged)["flash_response"] is Verdict.ATTACK


@pytest.mark.parametrize("late", [1, 3])
def test_relay_that_lights_the_face_frames_late_is_refused(late: int) -> None:
    scene = replace(CALM, species=Species.RELIT_REPLAY, screen=Screen.INJECTED, lag_frames=late)
    assert judge(scene, 4).outcome is Outcome.DENY


def test_print_that_comes_nearer_never_counts_as_alive_for_parallax() -> None:
    judged = judge(replace(CALM, species=Species.FLAT_PRINT, motion=CLOSER), 5)
    assert said(judged)["parallax"] is not Verdict.LIVE


@pytest.mark.xfail(strict=True, reason="known limit: what moves in a recording has depth; parallax is blind to it")
def test_parallax_would_refuse_a_replay() -> None:
    turning = Motion(MotionKind.TURN, amount=14.0, distance=0.5)
    scene = Scene(Species.VIDEO_REPLAY, seed=9, motion=turning, screen=Screen.INJECTED)
    assert said(judge(scene, 6))["parallax"] is not Verdict.LIVE


@pytest.mark.xfail(strict=True, reason="known limit: a relay without any delay answers as a living face does")
def test_flash_would_refuse_a_relay_without_delay() -> None:
    scene = replace(CALM, species=Species.RELIT_REPLAY, screen=Screen.INJECTED, lag_frames=0)
    assert said(judge(scene, 7))["flash_response"] is Verdict.ATTACK


@pytest.mark.xfail(strict=True, reason="known limit: in sunlight the display's light drowns, so flash abstains")
def test_flash_would_see_life_in_sunlight() -> None:
    scene = replace(CALM, ambient=Ambient(lux=40_000), display=GateDisplay(share=LIGHT_RATIO_MIN / 4))
    assert said(judge(scene, 8))["flash_response"] is Verdict.LIVE


def test_tables_count_what_was_judged_and_say_how_sure_that_is() -> None:
    living = judge(CALM, 1)
    assert "| live | 1 | 1 (100.0 %; 2.5 to 100.0) | 0 (0.0 %; 0.0 to 97.5) | 0 " in outcomes([living])
    assert f"| {CALM.tone} | 1 | 0 " in tones([living])
    assert rate(0, 60) == "0 (0.0 %; 0.0 to 6.0)"  # 1 - 0.025^(1/60)
