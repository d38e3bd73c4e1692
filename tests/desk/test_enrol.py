"""Enrolment: one rider's photographs become one reference, or a line that names the photograph at fault."""

from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from openstile.desk import EnrolmentError, face_reference
from openstile.desk.advice import ADVICE
from openstile.face import FaceEngine, Frame, Template, compare, extract_template, locate
from openstile.face.faults import FaceFault
from openstile.face.images import read_image
from openstile.face.quality import QualityLimits, assess
from openstile.face.quality_limits import ENROLMENT_LIMITS, stricter
from openstile.terms.limits import ENROL_FACES_MAX

LIMITS = QualityLimits()


@pytest.fixture(scope="module")
def frames(portraits: dict[str, Path]) -> dict[str, Frame]:
    return {name: read_image(path) for name, path in portraits.items()}


def _reference(engine: FaceEngine, *named: tuple[str, Frame]) -> bytes:
    return face_reference(named, engine=engine, quality=LIMITS).data


def test_reference_is_the_template_of_one_photograph_closest_to_the_others(
    engine: FaceEngine, frames: dict[str, Frame]
) -> None:
    pixels = frames["president-3.jpg"].pixels
    smaller = cv2.resize(pixels, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    versions = {"as it is": pixels, "smaller": smaller, "soft": cv2.GaussianBlur(pixels, (0, 0), 1.5)}
    shots = {name: Frame(np.asarray(version, np.uint8)) for name, version in versions.items()}
    alone = {name: Template(engine.pack_id, _reference(engine, (name, shot))) for name, shot in shots.items()}
    probes = {name: extract_template(engine, shot, locate(engine, shot)[0]) for name, shot in shots.items()}
    sums = {
        name: sum(
            compare(engine=engine, probe=probe, reference=reference).distance
            for other, probe in probes.items()
            if other != name
        )
        for name, reference in alone.items()
    }
    together = _reference(engine, *shots.items())
    assert together == alone[min(sums, key=lambda name: sums[name])].data
    assert len(together) == engine.dimensions


def test_photographs_of_different_people_are_refused_by_name(engine: FaceEngine, frames: dict[str, Frame]) -> None:
    with pytest.raises(EnrolmentError, match=r"([ab])\.jpg and (?!\1)[ab]\.jpg: do not show the same person"):
        _reference(engine, ("a.jpg", frames["president-1.jpg"]), ("b.jpg", frames["astronaut.png"]))


def test_blurred_photograph_is_refused(engine: FaceEngine, frames: dict[str, Frame]) -> None:
    blurred = Frame(cv2.GaussianBlur(frames["president-1.jpg"].pixels, (0, 0), 9).astype(np.uint8), 0)
    with pytest.raises(EnrolmentError, match=r"soft\.jpg: the face is blurred"):
        _reference(engine, ("soft.jpg", blurred))


def test_photograph_of_two_people_is_refused(engine: FaceEngine, frames: dict[str, Frame]) -> None:
    left = cv2.resize(frames["president-1.jpg"].pixels, (480, 600))
    pair = Frame(np.hstack([left, left[:, ::-1]]).astype(np.uint8), 0)
    with pytest.raises(EnrolmentError, match="more than one face"):
        _reference(engine, ("pair.jpg", pair))


@pytest.mark.parametrize("count", [0, ENROL_FACES_MAX + 1])
def test_number_of_photographs_is_limited(engine: FaceEngine, frames: dict[str, Frame], count: int) -> None:
    with pytest.raises(EnrolmentError, match=f"1 to {ENROL_FACES_MAX}"):
        _reference(engine, *[("a.jpg", frames["president-1.jpg"])] * count)


def test_enrolment_asks_more_of_a_photograph_than_a_gate_of_a_frame() -> None:
    assert stricter(LIMITS, ENROLMENT_LIMITS) == ENROLMENT_LIMITS
    assert all(getattr(LIMITS, each.name) != getattr(ENROLMENT_LIMITS, each.name) for each in fields(QualityLimits))


def test_photograph_good_enough_for_a_gate_may_not_be_for_enrolment(
    engine: FaceEngine, frames: dict[str, Frame]
) -> None:
    """Half the size: a gate would compare it; the desk asks for a larger one and says how large."""
    portrait = frames["president-3.jpg"]
    eyes = assess(portrait, locate(engine, portrait)[0], limits=LIMITS).pose.eye_distance
    scale = 30 / eyes
    small = Frame(np.asarray(cv2.resize(portrait.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)))
    assert assess(small, locate(engine, small)[0], limits=LIMITS).fault is None
    with pytest.raises(EnrolmentError, match=r"small\.jpg: the face is too small; come closer .*needed at least 40"):
        _reference(engine, ("small.jpg", small))


def test_operator_who_asks_more_than_enrolment_gets_more(engine: FaceEngine, frames: dict[str, Frame]) -> None:
    with pytest.raises(EnrolmentError, match="too small"):
        face_reference(
            [("a.jpg", frames["president-3.jpg"])], engine=engine, quality=replace(LIMITS, eye_distance_min=999)
        )


def test_every_photograph_that_cannot_be_used_is_named_with_what_to_do(
    engine: FaceEngine, frames: dict[str, Frame]
) -> None:
    dark = Frame((frames["president-3.jpg"].pixels * 0.15).astype(np.uint8))
    empty = Frame(np.full((480, 640, 3), 120, np.uint8))
    with pytest.raises(EnrolmentError) as caught:
        _reference(engine, ("dark.jpg", dark), ("good.jpg", frames["president-3.jpg"]), ("empty.jpg", empty))
    said = str(caught.value)
    assert "dark.jpg: the face is too dark; use more light" in said
    assert "empty.jpg: no face found" in said
    assert "good.jpg" not in said


def test_every_fault_has_its_sentence_at_the_desk() -> None:
    assert set(ADVICE) == set(FaceFault)
    assert all("; " in sentence for sentence in ADVICE.values()), "what is wrong; what to do"
