"""Covered faces, flat light and advice: what rejects a frame, what only advises, and that the measures mean it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.face.london import Person

from openstile.face import FaceEngine, Frame, LocatedFace, locate
from openstile.face.faults import FaceFault
from openstile.face.feedback import Feedback
from openstile.face.located import Box, Point
from openstile.face.quality import Quality, QualityLimits, assess
from openstile.face.quality_chip import CHIP, MASK
from openstile.face.quality_light import measure_light
from openstile.face.quality_limits import stricter
from openstile.face.quality_table import Measured, measured
from openstile.lab.discard_conditions import CONDITIONS, present

LIMITS = QualityLimits()
BY_NAME = {condition.name: condition for condition in CONDITIONS}


def judged(people: tuple[Person, ...], engine: FaceEngine, name: str) -> list[Quality]:
    """The quality of each person's smiling photograph under the simulated fault `name`."""
    found = []
    for person in people:
        frame = Frame(present(person.smiling.frame.pixels, person.smiling.face, BY_NAME[name]))
        found += [assess(frame, face, limits=LIMITS) for face in locate(engine, frame)[:1]]
    assert found
    return found


@pytest.mark.parametrize(
    "name",
    [
        "grey bar over the eyes", "black bar over the eyes", "dark glasses", "blue mask", "skin-coloured mask",
        "black mask with folds", "hand before the mouth",
    ],
)  # fmt: skip
def test_face_with_eyes_nose_or_mouth_covered_is_refused(
    london: tuple[Person, ...], engine: FaceEngine, name: str
) -> None:
    qualities = judged(london[::6], engine, name)
    assert [quality.fault for quality in qualities] == [FaceFault.FACE_COVERED] * len(qualities)
    assert {quality.feedback[0] for quality in qualities} == {Feedback.UNCOVER_FACE}


def test_most_faces_with_a_covered_nose_are_refused(london: tuple[Person, ...], engine: FaceEngine) -> None:
    """The limit stands low: noses of faces that can be matched read as little as 0.2."""
    faults = [quality.fault for quality in judged(london[::6], engine, "grey patch over the nose")]
    assert faults.count(FaceFault.FACE_COVERED) >= 0.7 * len(faults)


@pytest.mark.parametrize("name", ["clean", "patch over one eye", "side light 0.1", "turn 10", "lean 15"])
def test_rider_who_can_be_matched_is_not_refused_for_a_patch_a_shadow_or_a_small_turn(
    london: tuple[Person, ...], engine: FaceEngine, name: str
) -> None:
    assert [quality.fault for quality in judged(london[::6], engine, name)] == [None] * 10


def test_covers_are_told_from_faces_in_every_group(london: tuple[Person, ...]) -> None:
    """Nobody in any self-reported group is taken for covered, with a margin below the lowest of them."""
    for person in london:
        for seen in (person.neutral, person.smiling):
            detail = assess(seen.frame, seen.face, limits=LIMITS).detail
            assert detail is not None
            assert detail.eyes_seen > 1.5 * LIMITS.eyes_seen_min, person.groups
            assert detail.nose_seen > 1.2 * LIMITS.nose_seen_min, person.groups
            assert detail.mouth_seen > 1.2 * LIMITS.mouth_seen_min, person.groups


def test_haze_is_refused_as_too_flat(london: tuple[Person, ...], engine: FaceEngine) -> None:
    assert {quality.fault for quality in judged(london[::6], engine, "contrast 0.06")} == {FaceFault.TOO_FLAT}
    assert {quality.fault for quality in judged(london[::6], engine, "contrast 0.25")} == {None}


def test_uneven_light_is_advice_and_refuses_nobody(london: tuple[Person, ...], engine: FaceEngine) -> None:
    for quality in judged(london[::6], engine, "side light 0.25"):
        assert (quality.fault, Feedback.EVEN_LIGHT in quality.feedback) == (None, True)
    assert not any(Feedback.EVEN_LIGHT in quality.feedback for quality in judged(london[::6], engine, "clean"))


def test_entropy_and_evenness_are_those_of_a_known_histogram() -> None:
    """Half of the face at one level and half at another: one bit. The halves left and right: nothing in common."""
    luminance = np.zeros((CHIP.side, CHIP.side), np.float32)
    luminance[:, :74] = 200
    columns = np.count_nonzero(MASK, axis=0)
    share = columns[:74].sum() / columns.sum()
    bits = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    light = measure_light(luminance)
    assert light.dynamic_range == pytest.approx(bits)
    assert (light.evenness, light.bright_part, light.dark_part, light.blown_out) == (0.0, 200.0, 0.0, 0.0)
    rows = np.repeat(np.arange(CHIP.side, dtype=np.float32)[:, None], CHIP.side, axis=1)
    assert measure_light(rows).evenness == pytest.approx(1.0, abs=0.02)
    assert measure_light(np.full_like(luminance, 255)).blown_out == 1.0
    assert measure_light(np.full_like(luminance, 77)).dynamic_range == 0.0


def drawn_face(*, covered: bool = False) -> tuple[Frame, LocatedFace]:
    """Two eyes, a nose and a mouth drawn as dark shapes on grey; or their places left empty."""
    marks = ((170, 165), (230, 165), (200, 200), (175, 228), (225, 228))
    picture = np.full((400, 400, 3), 150, np.uint8)
    rng = np.random.default_rng(3)
    picture = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    if not covered:
        for x, y in marks[:2]:
            cv2.circle(picture, (x, y), 6, (20, 20, 20), -1)
        cv2.circle(picture, (192, 205), 4, (30, 30, 30), -1)
        cv2.circle(picture, (208, 205), 4, (30, 30, 30), -1)
        cv2.ellipse(picture, (200, 228), (24, 6), 0, 0, 360, (40, 40, 40), -1)
    face = LocatedFace(Box(140, 110, 120, 160), tuple(Point(float(x), float(y)) for x, y in marks), 0.9)
    return Frame(picture), face


def test_measures_come_as_one_table_with_what_was_asked() -> None:
    frame, face = drawn_face()
    quality = assess(frame, face, limits=LIMITS)
    table = {one.name: one for one in measured(quality, LIMITS)}
    assert table["eyes_seen"].value > 3 * LIMITS.eyes_seen_min
    assert table["eyes_seen"].at_least == LIMITS.eyes_seen_min
    assert table["noise"].at_most == LIMITS.noise_max
    assert (table["pitch"].at_least, table["pitch"].at_most) == (LIMITS.pitch_min, LIMITS.pitch_max)
    assert {name for name, one in table.items() if not one.rejects} == {"evenness", "eyes_open", "mouth_open"}
    assert all(one.fits == (one.goodness >= 0) for one in table.values())
    assert len([name for name in QualityLimits.__dataclass_fields__ if name != "pitch_max"]) == len(table) - 3


def test_table_of_a_face_too_far_holds_what_could_be_measured() -> None:
    frame, face = drawn_face()
    quality = assess(frame, face, limits=replace(LIMITS, eye_distance_min=100))
    assert [one.name for one in measured(quality, LIMITS)] == ["eye_distance", "visible", "yaw", "pitch", "roll"]


@pytest.mark.parametrize(
    ("one", "fits", "wanted"),
    [
        (Measured("a", 2.0, 2.0), True, "at least 2"),
        (Measured("a", 1.99, 2.0), False, "at least 2"),
        (Measured("a", 2.0, None, 2.0), True, "at most 2"),
        (Measured("a", 2.01, None, 2.0), False, "at most 2"),
        (Measured("a", 0.5, 0.4, 0.6), True, "0.4 to 0.6"),
        (Measured("a", 0.7, 0.4, 0.6), False, "0.4 to 0.6"),
    ],
)
def test_measure_fits_at_its_limit_and_not_one_past_it(one: Measured, fits: bool, wanted: str) -> None:
    assert (one.fits, one.wanted) == (fits, wanted)


def test_stricter_limits_are_the_stricter_of_each() -> None:
    one, other = replace(LIMITS, sharpness_min=0.5, noise_max=0.04), replace(LIMITS, sharpness_min=0.4, noise_max=0.02)
    both = stricter(one, other)
    assert (both.sharpness_min, both.noise_max, both.yaw_max) == (0.5, 0.02, LIMITS.yaw_max)
