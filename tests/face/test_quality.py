"""The quality gate: what hurts comparison is refused before it, what does not hurt passes."""

import inspect
import math
from collections.abc import Callable
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.face.london import Person

from openstile.face import FaceEngine, Frame, LocatedFace, locate
from openstile.face.faults import FaceFault
from openstile.face.located import Box, Point
from openstile.face.quality import Quality, QualityLimits, assess
from openstile.terms import BadInputError

Pixels = NDArray[np.uint8]
LIMITS = QualityLimits()


def at_width(person: Person, width: float) -> Pixels:
    """The smiling photograph, scaled so that the face's box is `width` pixels wide, on a frame of 640 x 480 or more."""
    seen = person.smiling
    scale = width / seen.face.box.width
    picture = cv2.resize(seen.frame.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    below, right = max(0, 480 - picture.shape[0]), max(0, 640 - picture.shape[1])
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def noisy(picture: Pixels, light: float, deviation: float) -> Pixels:
    """Less light, then the sensor's noise."""
    noise = np.random.default_rng(17).normal(0, deviation, picture.shape)
    return np.clip(picture * light + noise, 0, 255).astype(np.uint8)


def blurred(picture: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def moved(picture: Pixels, pixels: int, *, down: bool = False) -> Pixels:
    kernel = np.zeros((pixels, pixels), np.float32)
    kernel[:, pixels // 2] = 1 / pixels
    return np.asarray(cv2.filter2D(picture, -1, kernel if down else kernel.T), np.uint8)


def moved_aslant(picture: Pixels, pixels: int) -> Pixels:
    return np.asarray(cv2.filter2D(picture, -1, np.eye(pixels, dtype=np.float32) / pixels), np.uint8)


def judge(pictures: list[Pixels], engine: FaceEngine) -> list[Quality]:
    """The quality of the largest face of each picture that has one."""
    found = [(Frame(picture), locate(engine, Frame(picture))) for picture in pictures]
    return [assess(frame, faces[0], limits=LIMITS) for frame, faces in found if faces]


def rate(faults: list[Quality], *kinds: FaceFault) -> float:
    return float(np.mean([quality.fault in kinds for quality in faults]))


@pytest.mark.parametrize("width", [50, 60, 112, 200])
def test_sharp_faces_of_any_width_pass(london: tuple[Person, ...], engine: FaceEngine, width: int) -> None:
    judged = judge([at_width(person, width) for person in london[::2]], engine)
    assert len(judged) == len(london[::2])
    assert [quality for quality in judged if quality.fault is not None] == []


@pytest.mark.parametrize(
    ("change", "kinds", "least"),
    [
        (lambda p: blurred(p, 3), [FaceFault.FACE_BLURRED], 1.0),
        (lambda p: blurred(p, 2), [FaceFault.FACE_BLURRED], 0.9),
        (lambda p: moved(p, 9), [FaceFault.FACE_BLURRED], 0.9),
        (lambda p: moved(p, 13), [FaceFault.FACE_BLURRED], 1.0),
        (lambda p: moved(p, 9, down=True), [FaceFault.FACE_BLURRED], 0.9),
        (lambda p: moved_aslant(p, 11), [FaceFault.FACE_BLURRED], 0.9),
        (lambda p: noisy(blurred(p, 3), 1, 8), [FaceFault.FACE_BLURRED, FaceFault.TOO_NOISY], 0.9),
        (lambda p: noisy(p, 0.15, 8), [FaceFault.TOO_NOISY, FaceFault.TOO_DARK], 1.0),
        (lambda p: noisy(p, 0.25, 15), [FaceFault.TOO_NOISY], 1.0),
        (lambda p: noisy(p, 0.25, 8), [FaceFault.TOO_NOISY], 0.8),
        (lambda p: noisy(p, 0.08, 0), [FaceFault.TOO_DARK], 0.9),
        (lambda p: noisy(p, 2.5, 0), [FaceFault.TOO_BRIGHT], 0.6),
    ],
    ids=[
        "blur 3", "blur 2", "motion 9", "motion 13", "motion 9 down", "motion 11 aslant", "blur 3 and noise",
        "dark noise", "strong noise", "dim noise", "dark", "bright",
    ],
)  # fmt: skip
def test_what_hurts_comparison_is_refused(
    london: tuple[Person, ...],
    engine: FaceEngine,
    change: Callable[[Pixels], Pixels],
    kinds: list[FaceFault],
    least: float,
) -> None:
    judged = judge([change(at_width(person, 112)) for person in london[::3]], engine)
    assert rate(judged, *kinds) >= least, [quality for quality in judged if quality.fault not in kinds]


@pytest.mark.parametrize(
    "change",
    [
        lambda p: blurred(p, 1),
        lambda p: moved(p, 5),
        lambda p: noisy(p, 0.3, 1),
        lambda p: noisy(p, 1, 8),
        lambda p: (255 * (p / 255.0) ** 2).astype(np.uint8),
        lambda p: np.asarray(cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1), np.uint8),
    ],
    ids=["blur 1", "motion 5", "dim", "noise", "gamma 2", "jpeg 50"],
)
def test_what_does_not_hurt_comparison_passes(
    london: tuple[Person, ...], engine: FaceEngine, change: Callable[[Pixels], Pixels]
) -> None:
    judged = judge([change(at_width(person, 112)) for person in london[::3]], engine)
    assert rate(judged, *FaceFault) <= 0.05, [quality for quality in judged if quality.fault]


def upright_face(scale: float = 1.0, x: float = 200, y: float = 200) -> LocatedFace:
    """A drawn face's landmarks: 60 pixels between the eyes at scale 1, centred at the nose."""
    marks = ((-30, -35), (30, -35), (0, 0), (-25, 28), (25, 28))
    points = tuple(Point(x + scale * dx, y + scale * dy) for dx, dy in marks)
    return LocatedFace(Box(x - 65 * scale, y - 85 * scale, 130 * scale, 170 * scale), points, 0.9)


def textured(value: int = 128) -> Frame:
    rng = np.random.default_rng(23)
    picture = cv2.GaussianBlur(rng.normal(0, 90, (400, 400, 3)), (0, 0), 1.5) + value
    return Frame(np.clip(picture, 0, 255).astype(np.uint8))


def test_face_at_the_smallest_eye_distance_passes_and_one_below_is_too_far() -> None:
    at = LIMITS.eye_distance_min / 60
    assert assess(textured(), upright_face(at + 1e-6), limits=LIMITS).fault is not FaceFault.FACE_TOO_FAR
    assert assess(textured(), upright_face(at - 1e-3), limits=LIMITS).fault is FaceFault.FACE_TOO_FAR


@pytest.mark.parametrize(("x", "y"), [(10, 200), (390, 200), (200, 10), (200, 390), (-500, 200), (200, 9999)])
def test_face_cut_by_any_border_is_refused(x: float, y: float) -> None:
    quality = assess(textured(), upright_face(1, x, y), limits=LIMITS)
    assert quality.fault is FaceFault.FACE_CUT
    assert quality.detail is None


def turned(face: LocatedFace, degrees: float) -> LocatedFace:
    angle = math.radians(degrees)
    spin = complex(math.cos(angle), math.sin(angle))
    points = (spin * complex(p.x - 200, p.y - 200) for p in face.landmarks)
    return replace(face, landmarks=tuple(Point(200 + z.real, 200 + z.imag) for z in points))


def nose_at(x: float, y: float) -> LocatedFace:
    face = upright_face()
    marks = list(face.landmarks)
    marks[2] = Point(x, y)
    return replace(face, landmarks=tuple(marks))


@pytest.mark.parametrize(
    ("face", "fault"),
    [
        (turned(upright_face(), 29), None),
        (turned(upright_face(), -29), None),
        (turned(upright_face(), 31), FaceFault.FACE_TURNED),
        (turned(upright_face(), -31), FaceFault.FACE_TURNED),
        (turned(upright_face(), 180), FaceFault.FACE_TURNED),
        (nose_at(200 + 14, 200), None),
        (nose_at(200 + 16, 200), FaceFault.FACE_TURNED),
        (nose_at(200 - 16, 200), FaceFault.FACE_TURNED),
        (nose_at(200, 165 + 0.66 * 63), None),
        (nose_at(200, 165 + 0.68 * 63), FaceFault.FACE_TURNED),
        (nose_at(200, 165 + 0.46 * 63), None),
        (nose_at(200, 165 + 0.44 * 63), FaceFault.FACE_TURNED),
    ],
)
def test_head_turned_beyond_a_limit_is_refused(face: LocatedFace, fault: FaceFault | None) -> None:
    lenient = replace(
        LIMITS, sharpness_min=0, steadiness_min=0, noise_max=9, eyes_seen_min=0, nose_seen_min=0, mouth_seen_min=0
    )
    assert assess(textured(), face, limits=lenient).fault is fault


@pytest.mark.parametrize(
    ("value", "fault"), [(0, FaceFault.TOO_DARK), (255, FaceFault.TOO_BRIGHT), (128, FaceFault.TOO_FLAT)]
)
def test_flat_frame_is_dark_bright_or_without_contrast(value: int, fault: FaceFault) -> None:
    frame = Frame(np.full((400, 400, 3), value, np.uint8))
    assert assess(frame, upright_face(), limits=LIMITS).fault is fault


def test_landmarks_in_one_point_are_a_fault_and_never_a_crash() -> None:
    face = LocatedFace(Box(1, 1, 50, 50), (Point(9, 9),) * 5, 1.0)
    for limits in (LIMITS, replace(LIMITS, eye_distance_min=0)):
        assert assess(textured(), face, limits=limits).fault is not None


@pytest.mark.parametrize("name", [field.name for field in fields(QualityLimits)])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -0.1])
def test_limit_that_is_no_number_is_refused(name: str, wrong: float) -> None:
    with pytest.raises(BadInputError, match=name):
        replace(LIMITS, **{name: wrong})


def test_every_limit_says_what_it_means() -> None:
    lines = [line.strip() for line in inspect.getsource(QualityLimits).splitlines()]
    for field in fields(QualityLimits):
        at = next(index for index, line in enumerate(lines) if line.startswith(f"{field.name}: float = "))
        assert lines[at + 1].startswith('"""'), f"{field.name} has no meaning beside it"
