"""Alignment, frames, and the choice of the rider: arithmetic that needs no network."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openstile.face import Frame, LocatedFace
from openstile.face.align import align, similarity
from openstile.face.engine import ChipGeometry
from openstile.face.faults import FaceFault
from openstile.face.located import Box, Point
from openstile.face.zone import CaptureZone, choose_rider
from openstile.terms import BadInputError
from openstile.terms.limits import IMAGE_SIDE_PIXELS_MAX, IMAGE_SIDE_PIXELS_MIN

CHIP = ChipGeometry(
    150, (Point(46.37, 46.02), Point(102.16, 44.20), Point(74.11, 77.07), Point(50.21, 101.82), Point(97.37, 100.05))
)


def face_at(x: float, y: float, height: float) -> LocatedFace:
    """A face whose box is centred at (x, y)."""
    width = 0.75 * height
    marks = tuple(
        Point(x + dx * width, y + dy * height)
        for dx, dy in ((-0.2, -0.1), (0.2, -0.1), (0, 0), (-0.15, 0.2), (0.15, 0.2))
    )
    return LocatedFace(Box(x - width / 2, y - height / 2, width, height), marks, 0.9)


@settings(max_examples=200)
@given(
    scale=st.floats(0.05, 20),
    angle=st.floats(-math.pi, math.pi),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_similarity_recovers_any_turn_scale_and_shift(scale: float, angle: float, x: float, y: float) -> None:
    turn = scale * complex(math.cos(angle), math.sin(angle))
    source = tuple(Point(z.real, z.imag) for z in ((complex(p.x, p.y) - complex(x, y)) / turn for p in CHIP.landmarks))
    matrix = similarity(source, CHIP.landmarks)
    assert matrix == pytest.approx(
        np.array([[turn.real, -turn.imag, x], [turn.imag, turn.real, y]]), abs=1e-6 * (1 + scale)
    )


def test_similarity_is_the_least_squares_solution() -> None:
    rng = np.random.default_rng(3)
    source = tuple(
        Point(p.x + dx, p.y + dy) for p, (dx, dy) in zip(CHIP.landmarks, rng.normal(0, 5, (5, 2)), strict=True)
    )
    rows, values = [], []
    for s, t in zip(source, CHIP.landmarks, strict=True):
        rows += [[s.x, -s.y, 1, 0], [s.y, s.x, 0, 1]]
        values += [t.x, t.y]
    a, b, x, y = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    assert similarity(source, CHIP.landmarks) == pytest.approx(np.array([[a, -b, x], [b, a, y]]))


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 2.0, 3.3, 6.4])
def test_chip_of_a_large_face_is_that_of_its_scaled_picture(scale: float) -> None:
    """A chip drawn large and aligned back is the chip again: halving keeps pixel centres where they are."""
    rng = np.random.default_rng(5)
    chip = cv2.GaussianBlur(rng.integers(0, 256, (150, 150, 3), dtype=np.uint8), (0, 0), 4)
    side = round(150 * scale)
    large = np.asarray(cv2.resize(chip, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    exact = side / 150
    marks = tuple(Point((p.x + 0.5) * exact - 0.5, (p.y + 0.5) * exact - 0.5) for p in CHIP.landmarks)
    canvas = np.full((side + 301, side + 433, 3), 90, np.uint8)
    canvas[100 : 100 + side, 200 : 200 + side] = large
    shifted = tuple(Point(p.x + 200, p.y + 100) for p in marks)
    aligned = align(Frame(canvas), LocatedFace(Box(1, 1, 9, 9), shifted, 1.0), CHIP)
    difference = np.abs(aligned[8:-8, 8:-8].astype(int) - chip[8:-8, 8:-8].astype(int))
    assert difference.mean() < 1.0
    assert difference.max() <= 8


@pytest.mark.parametrize("at", [(-1000, 50), (50, -1000), (5000, 5000), (0, 0), (99, 99)])
@pytest.mark.parametrize("height", [1e-3, 40, 1e5])
def test_face_outside_the_frame_gives_a_chip_and_never_crashes(at: tuple[float, float], height: float) -> None:
    frame = Frame(np.full((100, 100, 3), 255, np.uint8))
    assert align(frame, face_at(*at, height), CHIP).shape == (150, 150, 3)


def test_landmarks_in_one_point_give_a_chip_and_never_crash() -> None:
    face = LocatedFace(Box(1, 1, 9, 9), (Point(5, 5),) * 5, 1.0)
    assert align(Frame(np.zeros((50, 50, 3), np.uint8)), face, CHIP).shape == (150, 150, 3)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((20, 20), np.uint8),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((20, 20, 3), np.float32),
        np.zeros((IMAGE_SIDE_PIXELS_MIN - 1, 20, 3), np.uint8),
        np.zeros((20, IMAGE_SIDE_PIXELS_MAX + 1, 3), np.uint8),
    ],
)
def test_frame_of_another_shape_type_or_size_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(BadInputError):
        Frame(pixels)


def test_frame_cannot_be_changed_and_does_not_show_its_pixels() -> None:
    frame = Frame(np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[0, 0, 0] = 1
    assert "array" not in repr(frame)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_places_that_are_not_finite_are_refused(wrong: float) -> None:
    with pytest.raises(BadInputError):
        Point(wrong, 0)
    with pytest.raises(BadInputError):
        Box(0, 0, wrong, 1)
    with pytest.raises(BadInputError):
        Box(0, 0, 0, 1)


W, H = 640, 480
ZONE = CaptureZone()


@pytest.mark.parametrize(
    ("faces", "outcome"),
    [
        ([], FaceFault.NO_FACE),
        ([(320, 240, 200)], 0),
        ([(320, 240, 200), (250, 240, 119)], 0),
        ([(320, 240, 200), (250, 240, 120)], FaceFault.TWO_FACES),
        ([(250, 240, 200), (390, 240, 200)], FaceFault.TWO_FACES),
        ([(320, 240, 200), (40, 240, 200)], 0),
        ([(40, 240, 400)], FaceFault.NO_FACE),
        ([(320, 240, 47)], FaceFault.FACE_TOO_FAR),
        ([(320, 240, 48)], 0),
        ([(96, 240, 200)], 0),
        ([(95, 240, 200)], FaceFault.NO_FACE),
        ([(320, 240, 30), (300, 240, 29)], FaceFault.FACE_TOO_FAR),
    ],
)
def test_rider_is_the_nearest_face_in_the_zone_or_none(
    faces: list[tuple[float, float, float]], outcome: FaceFault | int
) -> None:
    located = [face_at(*face) for face in faces]
    for order in (located, located[::-1]):
        chosen = choose_rider(order, frame_width=W, frame_height=H, zone=ZONE)
        assert chosen is (outcome if isinstance(outcome, FaceFault) else located[outcome])


@pytest.mark.parametrize(
    "wrong",
    [
        {"left": 0.9},
        {"right": 1.1},
        {"top": -0.1},
        {"bottom": math.nan},
        {"face_height_min": 1.0},
        {"second_face_ratio": 0.0},
        {"second_face_ratio": 1.01},
    ],
)
def test_zone_outside_the_frame_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInputError, match="capture zone"):
        CaptureZone(**wrong)
