"""Simulated presentations: each species differs from a live head in what its physics says, and in nothing else."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.attacks.camera import Camera
from tests.attacks.carriers import PAPER, TABLET, Held, Picture
from tests.attacks.light import FRAME_RATE, Ambient, GateDisplay
from tests.attacks.motion import Motion, MotionKind, Pose, rotate
from tests.attacks.presets import Nuisance, disturb, draw_scene
from tests.attacks.scene import Plan, Scene, Screen, Species, plan_of_light
from tests.attacks.simulator import Shot, render

from openstile.face import FaceEngine, Frame, locate

SMALL = Camera(width=320, height=240, focal_px=280.0)
COLOURS = np.array([[230, 150, 150], [150, 230, 150], [150, 150, 230], [230, 230, 150], [150, 230, 230]], np.uint8)
PLAN: Plan = np.repeat(COLOURS, 4, axis=0)
TURN = Motion(MotionKind.TURN, 12.0)
SUBJECT = 5


def _scene(species: Species, **changes: object) -> Scene:
    return replace(Scene(species=species, subject=SUBJECT, camera=SMALL), **changes)  # type: ignore[arg-type]


def _marks(scene: Scene, plan: Plan = PLAN[::4]) -> NDArray[np.float64]:
    return np.array([shot.landmarks for shot in render(scene, plan)])


def _off_plane(marks: NDArray[np.float64]) -> float:
    """Greatest distance in pixels of any frame's landmarks from the best homography of the first frame's."""
    worst = 0.0
    for frame in marks[1:]:
        matrix, _ = cv2.findHomography(marks[0], frame, 0)
        mapped = cv2.perspectiveTransform(marks[0][None], matrix)[0]
        worst = max(worst, float(np.linalg.norm(mapped - frame, axis=1).max()))
    return worst


def _face_colours(scene: Scene, plan: Plan) -> NDArray[np.float64]:
    """(frames, 3) mean blue, green, red of the cheeks."""
    return np.array([_cheeks(shot) for shot in render(scene, plan)])


def _cheeks(shot: Shot) -> NDArray[np.float64]:
    x, y = np.rint((shot.landmarks[0] + shot.landmarks[3]) / 2).astype(int)
    return np.asarray(shot.pixels[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3).mean(axis=0), np.float64)


def _response(scene: Scene) -> float:
    """How much the cheek's colour follows a display that goes from dark to white, over its brightness."""
    dark, white = _face_colours(scene, np.array([[0, 0, 0], [255, 255, 255]], np.uint8))
    return float((white - dark).mean() / dark.mean())


@pytest.mark.parametrize("species", list(Species))
def test_species_gives_frames_of_the_camera_and_landmarks_inside_them(species: Species) -> None:
    shots = list(render(_scene(species), PLAN[:5]))
    assert [shot.time_s for shot in shots] == [i / FRAME_RATE for i in range(5)]
    assert shots[4].colour == (150, 230, 150)
    for shot in shots:
        assert shot.pixels.shape == (240, 320, 3)
        assert shot.pixels.dtype == np.uint8
        left, top, width, height = shot.box
        assert (shot.landmarks > (left, top)).all()
        assert (shot.landmarks < (left + width, top + height)).all()


def test_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = (
        np.array([shot.pixels for shot in render(_scene(Species.LIVE, seed=seed), PLAN[:2])]) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_frames_do_not_depend_on_how_many_follow() -> None:
    still = replace(TURN, kind=MotionKind.NATURAL, amount=0.0)
    short, long = (list(render(_scene(Species.LIVE, motion=still), PLAN[:n])) for n in (2, 3))
    assert short[1].landmarks == pytest.approx(long[1].landmarks)


def test_flat_picture_moves_as_a_plane_and_a_head_does_not() -> None:
    """Five points leave two degrees of freedom beyond a homography, enough for the nose to show."""
    calm = {"motion": TURN, "liveliness": 0.0}
    for species in (Species.FLAT_PRINT, Species.BORDERLESS_PRINT, Species.PHONE, Species.TABLET, Species.MONITOR):
        assert _off_plane(_marks(_scene(species, **calm))) < 1e-3
    assert _off_plane(_marks(_scene(Species.LIVE, **calm))) > 0.3


def test_flexing_print_and_video_of_a_turning_head_leave_the_plane() -> None:
    assert _off_plane(_marks(_scene(Species.FLEXING_PRINT, motion=TURN))) > 0.02
    assert _off_plane(_marks(_scene(Species.VIDEO_REPLAY, motion=TURN))) > 0.2


def test_walking_up_makes_the_face_grow_as_its_distance_shrinks() -> None:
    marks = _marks(_scene(Species.LIVE, motion=Motion(MotionKind.APPROACH, 0.3, distance=0.5), liveliness=0.0))
    apart = np.linalg.norm(marks[:, 1] - marks[:, 0], axis=1)
    assert apart[-1] / apart[0] == pytest.approx((0.8 - 0.083) / (0.5 - 0.083), rel=0.05)


def test_bent_sheet_keeps_lengths_along_the_paper() -> None:
    pose = Pose(rotate(10, 5, 0), np.array([0.0, 0.0, 0.5]))
    along = np.stack([np.linspace(-0.1, 0.1, 201), np.zeros(201)], axis=1)
    for curvature in (0.0, 4.0, 9.0, -6.0):
        steps = np.diff(Held(PAPER, pose, curvature).points(along), axis=0)
        assert np.linalg.norm(steps, axis=1).sum() == pytest.approx(0.2, rel=1e-4)
    ends = Held(PAPER, pose, 9.0).points(along[[0, -1]])
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(2 / 9 * np.sin(0.9), rel=1e-9)


@pytest.mark.parametrize("curvature", [-6.0, 0.0, 1e-4, 9.0])
def test_rays_meet_the_sheet_where_its_points_are(curvature: float) -> None:
    held = Held(PAPER, Pose(rotate(8, -5, 4), np.array([0.02, 0.01, 0.5])), curvature)
    flat = np.array([[-0.07, 0.05], [0.0, 0.0], [0.06, -0.1]])
    points = held.points(flat)
    slopes = (points[:, :2] / points[:, 2:]).astype(np.float32)
    for place, point, (x, y) in zip(flat, points, slopes, strict=True):
        along, down, met, normals, edge = held._meet(np.array([[x]]), np.array([[y]]), SMALL)
        assert (along[0, 0], down[0, 0]) == pytest.approx(tuple(place), abs=2e-4)
        assert met[:, 0, 0] == pytest.approx(point, abs=2e-4)
        assert np.linalg.norm(normals) == pytest.approx(1, abs=1e-4)
        assert float(normals[:, 0, 0] @ point) < 0
        assert edge == 1


def test_skin_and_paper_answer_the_display_and_a_screen_hardly_does() -> None:
    display = GateDisplay(share=0.2, centre_x=0.4)
    live, paper, screen = (
        _response(_scene(species, display=display)) for species in (Species.LIVE, Species.FLAT_PRINT, Species.TABLET)
    )
    assert live > 0.03
    assert paper > 0.03
    assert abs(screen) < 0.3 * live


def test_glass_mirrors_the_display_as_much_as_it_reflects() -> None:
    """A tablet tilted so that the display's mirror image lies on it."""
    ambient, display = Ambient(), GateDisplay(share=0.2)
    pose = Pose(rotate(0, 0, 0), np.array([0.0, 0.05, 0.35]))
    picture = Picture(np.zeros((4, 4, 3), np.float32), np.ones((4, 4), np.float32), np.zeros((5, 2)), 0.1)
    bare, coated = (Held(TABLET, pose, glass=glass).layer(picture, SMALL, ambient, display) for glass in (0.04, 0.004))
    scattered = Held(TABLET, pose, glass=0.0).layer(picture, SMALL, ambient, display).display
    np.testing.assert_allclose(bare.display - scattered, 10 * (coated.display - scattered), rtol=1e-3, atol=1e-3)
    assert bare.display.max() == pytest.approx(0.04 * display.luminance(ambient.lux), rel=0.05)


def test_more_display_light_moves_the_face_more_and_none_not_at_all() -> None:
    answers = [_response(_scene(Species.LIVE, display=GateDisplay(share=share))) for share in (0.0, 0.05, 0.2)]
    assert abs(answers[0]) < 0.01
    assert answers[2] > 2 * answers[1] > 0.01


@pytest.mark.parametrize("tone", [1, 4, 7, 10])
def test_display_colour_shows_on_every_skin_tone(tone: int) -> None:
    scene = _scene(Species.LIVE, tone=tone, display=GateDisplay(share=0.2))
    red, blue = _face_colours(scene, np.array([[255, 60, 60], [60, 60, 255]], np.uint8))
    assert red[2] / red[0] > 1.04 * blue[2] / blue[0]


def test_relit_replay_follows_the_display_by_its_lag() -> None:
    for lag in range(4):
        lit_by = plan_of_light(_scene(Species.RELIT_REPLAY, lag_frames=lag), PLAN)
        assert np.array_equal(lit_by[lag:], PLAN[: len(PLAN) - lag])
    scene = _scene(
        Species.RELIT_REPLAY, display=GateDisplay(share=0.3, centre_x=0.4), lag_frames=2, screen=Screen.INJECTED
    )
    plan = np.array([[60, 60, 255]] * 2 + [[255, 60, 60]] * 4, np.uint8)
    colours = _face_colours(scene, plan)
    ratio = colours[:, 2] / colours[:, 0]
    assert ratio[3] == pytest.approx(ratio[0], rel=0.05)
    assert ratio[5] > 1.05 * ratio[3]


@pytest.mark.parametrize("seed", range(5))
def test_wrong_sequence_has_the_same_colours_in_another_order(seed: int) -> None:
    other = plan_of_light(_scene(Species.WRONG_SEQUENCE, seed=seed), PLAN)
    assert sorted(map(tuple, other.tolist())) == sorted(map(tuple, PLAN.tolist()))
    assert np.mean((other != PLAN).any(axis=1)) >= 0.6


def test_wrong_sequence_may_be_given() -> None:
    recorded = tuple((int(c[0]), int(c[1]), int(c[2])) for c in PLAN[::-1])
    given = _scene(Species.WRONG_SEQUENCE, recorded=recorded)
    assert np.array_equal(plan_of_light(given, PLAN), PLAN[::-1])
    with pytest.raises(ValueError, match="too few"):
        plan_of_light(replace(given, recorded=recorded[:3]), PLAN)
    with pytest.raises(ValueError, match="one colour"):
        plan_of_light(_scene(Species.WRONG_SEQUENCE), PLAN[:4])


def test_video_of_another_day_is_lit_by_no_display() -> None:
    assert plan_of_light(_scene(Species.VIDEO_REPLAY), PLAN).max() == 0


def test_drawn_scenes_have_all_skin_tones_evenly_and_repeat() -> None:
    scenes = [draw_scene(Species.LIVE, seed) for seed in range(30)]
    assert sorted(scene.tone for scene in scenes) == sorted(list(range(1, 11)) * 3)
    assert scenes[7] == draw_scene(Species.LIVE, 7)
    assert all(0.03 <= scene.display.share <= 0.3 for scene in scenes)
    assert {scene.motion.kind for scene in scenes} == {MotionKind.NATURAL, MotionKind.TURN, MotionKind.APPROACH}
    assert draw_scene(Species.LIVE, 7, share=0.05).display.share == 0.05


def test_nuisance_leaves_the_rest_of_the_scene_alone() -> None:
    scene = draw_scene(Species.LIVE, 4, motion=MotionKind.TURN)
    for nuisance in Nuisance:
        changed = disturb(scene, nuisance)
        assert (changed.species, changed.subject, changed.tone, changed.seed) == (Species.LIVE, 4, 5, 4)
        assert nuisance in (Nuisance.NONE, Nuisance.GLASSES) or changed != scene


def test_dark_scene_is_noisier_and_blurred_one_softer() -> None:
    scene = _scene(Species.LIVE, motion=Motion(MotionKind.STILL), liveliness=0.0)

    def detail(nuisance: Nuisance) -> float:
        shots = render(disturb(scene, nuisance), PLAN[:1].repeat(2, axis=0))
        first, second = (shot.pixels.astype(float) for shot in shots)
        return float((first - second).std())

    assert detail(Nuisance.DARK) > 2 * detail(Nuisance.NONE)
    plain, soft = (next(iter(render(disturb(scene, n), PLAN[:1]))).pixels for n in (Nuisance.NONE, Nuisance.BLUR))
    assert cv2.Laplacian(soft, cv2.CV_64F).std() < 0.7 * cv2.Laplacian(plain, cv2.CV_64F).std()


@pytest.mark.parametrize(
    "wrong", [{"tone": 0}, {"tone": 11}, {"lag_frames": 4}, {"curvature": 13.0}, {"glass": 0.3}, {"seed": -1}]
)
def test_scene_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="scene"):
        Scene(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("plan", [np.zeros((0, 3), np.uint8), np.zeros((4, 3)), np.zeros(3, np.uint8)])
def test_plan_that_is_no_list_of_colours_is_refused(plan: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="plan"):
        next(iter(render(Scene(), plan)))


def test_face_network_finds_the_procedural_head_near_its_true_landmarks(engine: FaceEngine) -> None:
    for species, tone in ((Species.LIVE, 2), (Species.LIVE, 9), (Species.FLAT_PRINT, 5)):
        shot = next(iter(render(Scene(species=species, subject=SUBJECT, tone=tone), PLAN[:1])))
        face = locate(engine, Frame(shot.pixels))[0]
        found = np.array([(point.x, point.y) for point in face.landmarks])
        apart = float(np.linalg.norm(shot.landmarks[1] - shot.landmarks[0]))
        assert face.confidence > 0.5
        assert np.linalg.norm(found - shot.landmarks, axis=1).max() < 0.3 * apart


def test_simulator_knows_nothing_of_the_detectors() -> None:
    """No module of it imports anything of openstile; tests of detectors import the simulator, never the other way."""
    seen = set()
    for module in _reached("simulator") | _reached("presets"):
        for node in ast.walk(ast.parse((Path(__file__).parent / f"{module}.py").read_text())):
            if isinstance(node, ast.Import):
                seen |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                seen.add((node.module or "").split(".")[0])
    assert seen <= {"ast", "collections", "cv2", "dataclasses", "enum", "functools", "math", "numpy", "tests"}


def _reached(module: str) -> set[str]:
    """The simulator's modules that `module` imports, directly or not, and itself."""
    reached, unread = {module}, [module]
    while unread:
        tree = ast.parse((Path(__file__).parent / f"{unread.pop()}.py").read_text())
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        names = {name.split(".")[-1] for name in modules if name.startswith("tests.attacks.")}
        unread += names - reached
        reached |= names
    return reached


def test_example_of_the_document_runs(capsys: pytest.CaptureFixture[str]) -> None:
    document = Path(__file__).resolve().parents[2] / "docs" / "attack-simulator.md"
    (example,) = re.findall(r"```python\n(.*?)```", document.read_text(), flags=re.DOTALL)
    exec(compile(example, str(document), "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("(480, 640, 3) 0.0 (230, 150, 150)")
