"""The simulator's head is a body in space: its landmarks have depth, move as rigid bodies do and lie on its skin."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.attacks.anatomy import SEMI_AXES, directions, stereographic
from tests.attacks.camera import Camera
from tests.attacks.head import Head, Subject, make_subject
from tests.attacks.light import LUMINANCE, Ambient, GateDisplay, even_light
from tests.attacks.motion import Expression, Face, Motion, MotionKind, Mover, Pose, rotate
from tests.attacks.skin import TONES, skin_colour

CAMERA = Camera(width=320, height=240, focal_px=280.0)
FRONT = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
CALM = Expression()


@pytest.fixture(scope="module")
def subject() -> Subject:
    return make_subject(5, 4)


def _turned(degrees: float) -> Pose:
    return Pose(rotate(degrees, 0, 0), FRONT.place)


def test_tip_of_the_nose_is_nearer_than_eyes_and_mouth(subject: Subject) -> None:
    z = Head(subject, FRONT, CALM).landmarks()[:, 2]
    assert 0.025 < z[:2].mean() - z[2] < 0.055
    assert 0.02 < z[3:].mean() - z[2] < 0.05


def test_faces_have_the_proportions_of_adults() -> None:
    for number in (5, 9, 10):
        marks = Head(make_subject(number, 4), FRONT, CALM).landmarks()
        apart = float(np.linalg.norm(marks[1] - marks[0]))
        assert 0.052 < apart < 0.075
        assert 0.85 < (marks[3:, 1].mean() - marks[:2, 1].mean()) / apart < 1.2


@pytest.mark.parametrize("degrees", [-14.0, -8.0, 8.0, 14.0])
def test_turning_head_shows_the_parallax_of_its_nose(subject: Subject, degrees: float) -> None:
    still, turned = (Head(subject, pose, CALM).landmarks() for pose in (FRONT, _turned(degrees)))
    ahead = still[:2, 2].mean() - still[2, 2]
    shift = (turned[2, 0] - turned[:2, 0].mean()) - (still[2, 0] - still[:2, 0].mean())
    assert shift == pytest.approx(-math.sin(math.radians(degrees)) * ahead, abs=0.001)


def test_rigid_motion_keeps_all_distances_in_the_face(subject: Subject) -> None:
    moved = Pose(rotate(12, -7, 3), np.array([0.05, -0.02, 0.7]))
    before, after = (Head(subject, pose, CALM).landmarks() for pose in (FRONT, moved))
    assert np.linalg.norm(after - after[2], axis=1) == pytest.approx(np.linalg.norm(before - before[2], axis=1))


@pytest.mark.parametrize("expression", [CALM, Expression(smile=0.8, jaw=0.5, brows=0.5)])
@pytest.mark.parametrize("degrees", [0.0, 12.0])
def test_pixel_of_a_landmark_shows_the_skin_of_that_landmark(
    subject: Subject, expression: Expression, degrees: float
) -> None:
    head = Head(subject, _turned(degrees), expression)
    surface = head.trace(CAMERA)
    u, v = surface.spread(surface.u), surface.spread(surface.v)
    points = head.landmarks()
    depth = surface.spread(surface.points[2])
    for point, pixel, wanted in zip(points, CAMERA.project(points), subject.shape.landmarks, strict=True):
        x, y = round(pixel[0]) - surface.box[2], round(pixel[1]) - surface.box[0]
        assert (u[y, x], v[y, x]) == pytest.approx(tuple(wanted), abs=0.02)
        assert depth[y, x] == pytest.approx(point[2], abs=0.003)


def test_rays_end_on_the_surface_and_normals_look_at_the_camera(subject: Subject) -> None:
    surface = Head(subject, _turned(-10), CALM).trace(CAMERA)
    inside = surface.coverage > 0.99
    own = (surface.points[:, inside].T.astype(np.float64) - FRONT.place) @ rotate(-10, 0, 0)
    uv, relief = stereographic(own)
    assert np.abs(uv - np.stack([surface.u[inside], surface.v[inside]], axis=1)).max() < 0.02
    assert np.abs(relief).max() < 0.5
    towards = (surface.normals[:, inside] * surface.points[:, inside]).sum(axis=0)
    assert np.mean(towards < 0) > 0.99
    np.testing.assert_allclose(np.linalg.norm(surface.normals[:, inside], axis=0), 1, atol=0.08)


def test_directions_and_stereographic_coordinates_are_inverse() -> None:
    uv = np.array([[0.0, 0.0], [0.3, -0.2], [-0.7, 0.6]])
    back, relief = stereographic(directions(uv[:, 0], uv[:, 1]) * SEMI_AXES * 1.1)
    assert back == pytest.approx(uv)
    assert relief == pytest.approx(np.full(3, 0.1))


def test_skin_adds_up_the_light_of_room_and_display_and_returns_less_than_it_gets(subject: Subject) -> None:
    ambient, display = Ambient(lux=200, kelvin=6500), GateDisplay(share=0.2)
    head = Head(subject, FRONT, CALM)
    rows = even_light(np.array([0.2, 0.5, 0.9], np.float32), 240)
    both = head.layer(CAMERA, ambient, display)
    room = head.layer(CAMERA, ambient, replace(display, share=0.0)).light(rows)
    alone = both.light(even_light(np.zeros(3, np.float32), 240))
    np.testing.assert_allclose(alone, room, rtol=1e-5, atol=1e-4)
    expected = both.display * np.array([0.2, 0.5, 0.9], np.float32)[:, None, None]
    np.testing.assert_allclose(both.light(rows) - room, expected, rtol=1e-3, atol=1e-3)
    doubled = head.layer(CAMERA, ambient, replace(display, share=0.4)).display
    np.testing.assert_allclose(doubled, 2 * both.display, rtol=1e-5)
    assert np.tensordot(LUMINANCE, both.ambient, axes=1).max() < 1.3 * 200
    assert both.display.max() < 2.0 * display.share * 200


def test_nearer_parts_get_more_display_light(subject: Subject) -> None:
    near, far = (
        Head(subject, Pose(np.eye(3), np.array([0, 0, z])), CALM).layer(CAMERA, Ambient(), GateDisplay())
        for z in (0.4, 0.8)
    )
    ratio = np.median(near.display[1][near.coverage > 0.99]) / np.median(far.display[1][far.coverage > 0.99])
    assert 3 < ratio < 6


def _typology(rgb: NDArray[np.float32]) -> float:
    """Individual typology angle in degrees: atan((L* - 50) / b*) of CIELAB (Chardon, Cretois and Hourseau 1991)."""
    y, z = np.array([[0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    fy, fz = y ** (1 / 3), (z / 1.0888) ** (1 / 3)
    return math.degrees(math.atan2(116 * fy - 16 - 50, 200 * (fy - fz)))


def test_skin_tones_reach_from_very_light_to_dark_in_even_order() -> None:
    angles = [_typology(skin_colour(tone)) for tone in range(1, TONES + 1)]
    assert angles == sorted(angles, reverse=True)
    assert angles[0] > 55
    assert angles[-1] < -30
    assert all(before - after < 25 for before, after in pairwise(angles))


def test_person_keeps_the_face_in_another_skin() -> None:
    light, dark = make_subject(9, 4), make_subject(9, 10)
    assert np.array_equal(light.shape.relief, dark.shape.relief)
    assert light.paint.open_eyes[400, 256].mean() > 2 * dark.paint.open_eyes[400, 256].mean()
    assert not np.array_equal(make_subject(10, 4).shape.relief, light.shape.relief)


def test_turn_and_approach_go_as_far_as_they_say() -> None:
    turn = Mover(Motion(MotionKind.TURN, 12.0), np.random.default_rng(1), clip_s=0.8)
    start, end = (turn.pose(time_s).rotation for time_s in (0.0, 0.8))
    angle = math.degrees(math.acos((np.trace(start.T @ end) - 1) / 2))
    assert 8 < angle < 18
    walk = Mover(Motion(MotionKind.APPROACH, 0.3, distance=0.45), np.random.default_rng(2), clip_s=0.8)
    assert walk.pose(0.0).place[2] - walk.pose(0.8).place[2] == pytest.approx(0.3, abs=0.02)
    assert walk.pose(0.8).place[2] == pytest.approx(0.45, abs=0.015)


def test_who_holds_still_moves_a_tenth() -> None:
    still, natural = (
        Mover(Motion(kind), np.random.default_rng(3), clip_s=0.8) for kind in (MotionKind.STILL, MotionKind.NATURAL)
    )
    paths = [np.ptp([m.pose(t).place for t in np.linspace(0, 0.8, 21)], axis=0).max() for m in (still, natural)]
    assert paths[0] == pytest.approx(paths[1] / 10)
    assert 0.0005 < paths[1] < 0.02


def test_expression_without_liveliness_stays_what_it_was() -> None:
    calm, lively = (Face(np.random.default_rng(4), clip_s=0.8, liveliness=value) for value in (0.0, 1.0))
    assert calm.expression(0.0) == calm.expression(0.8)
    assert lively.expression(0.0) != lively.expression(0.8)


@pytest.mark.parametrize("wrong", [(MotionKind.TURN, 0.0), (MotionKind.TURN, 61.0), (MotionKind.APPROACH, 0.0)])
def test_motion_that_cannot_be_is_refused(wrong: tuple[MotionKind, float]) -> None:
    with pytest.raises(ValueError, match="motion"):
        Motion(*wrong)
