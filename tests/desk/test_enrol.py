"""Enrolment: one rider's photographs become one reference, or a line that names the photograph at fault."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from openstile.desk import EnrolmentError, face_reference
from openstile.face import FaceEngine, Frame
from openstile.face.images import read_image
from openstile.face.quality import QualityLimits
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
    names = ("president-1.jpg", "president-2.jpg", "president-3.jpg")
    alone = {name: _reference(engine, (name, frames[name])) for name in names}
    together = _reference(engine, *((name, frames[name]) for name in names))
    assert together == alone["president-1.jpg"]
    assert len(together) == engine.dimensions


def test_photographs_of_different_people_are_refused_by_name(engine: FaceEngine, frames: dict[str, Frame]) -> None:
    with pytest.raises(EnrolmentError, match=r"b\.jpg and a\.jpg: do not show the same person"):
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
