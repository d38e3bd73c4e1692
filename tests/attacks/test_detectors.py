"""Each detector on signals whose truth is plain, at the edge and one past it."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.attacks.signals import dots, face_at, light_of, pixels_to_face, seen

from openstile.face import Frame
from openstile.face.attack import Verdict
from openstile.face.attack.context import ContextDetector, ContextInput, ContextNetwork
from openstile.face.attack.demodulate import Response, demodulate
from openstile.face.attack.depth import DepthFrame, PlanarDepth
from openstile.face.attack.flash import FlashResponse, FlashShape, fit_shape, flash_detectors, response_score
from openstile.face.attack.following import is_same_face
from openstile.face.attack.grid import ON_FACE
from openstile.face.attack.parallax import Parallax, ParallaxFit, fit_parallax
from openstile.face.attack.shape import depth
from openstile.face.attack.stimulus import Colour, make_stimulus
from openstile.face.attack.thresholds import (
    FLASH_HOLLOWS_MIN,
    FLASH_LAG_MAX,
    FLASH_MATCH_MIN,
    FLASH_RELIEF_MIN,
    FLASH_SHAPE_MIN,
    LIGHT_RATIO_MIN,
    PARALLAX_ATTACK_MAX,
    PARALLAX_LIVE_MIN,
    PARALLAX_MOTION_MIN,
)
from openstile.face.packs import PackError
from openstile.terms import BadInputError

GREY = Frame(np.full((480, 640, 3), 128, np.uint8))


def plan(seed: int) -> tuple[Colour, ...]:
    return make_stimulus(np.random.default_rng(seed).bytes).colours


def moved(points: np.ndarray, *, yaw: float, nearer: float, error: float = 0.1) -> ParallaxFit:
    rng = np.random.default_rng(5)
    first = seen(points)
    steps = np.linspace(0, 1, 20)[1:]
    later = [seen(points, yaw=yaw * at, away=0.5 - nearer * at) for at in steps]
    noisy = [places + rng.normal(0, error, places.shape).astype(np.float32) for places in later]
    fit = fit_parallax(first, noisy, pixels_to_face())
    assert fit is not None
    return fit


@pytest.mark.parametrize(("yaw", "nearer"), [(12.0, 0.0), (0.0, 0.12), (6.0, 0.1)])
def test_head_that_moves_shows_depth_and_a_sheet_does_not(yaw: float, nearer: float) -> None:
    rng = np.random.default_rng(1)
    assert moved(dots(rng, flat=False), yaw=yaw, nearer=nearer).f_ratio > PARALLAX_LIVE_MIN
    assert moved(dots(rng, flat=True), yaw=yaw, nearer=nearer).f_ratio < PARALLAX_ATTACK_MAX


def test_head_that_keeps_still_shows_nothing() -> None:
    fit = moved(dots(np.random.default_rng(1), flat=False), yaw=0.0, nearer=0.0)
    assert fit.f_ratio < PARALLAX_LIVE_MIN
    assert fit.motion < PARALLAX_MOTION_MIN


def test_few_wild_corners_do_not_make_a_sheet_a_head() -> None:
    points = dots(np.random.default_rng(1), flat=True)
    points[:4, 2] -= 0.04
    assert moved(points, yaw=10.0, nearer=0.1).f_ratio < PARALLAX_LIVE_MIN


def test_parallax_of_a_clip_without_corners_is_inconclusive() -> None:
    detector = Parallax()
    detector.begin(None, None)
    for _ in range(20):
        detector.see(GREY, face_at(), None)
    assert detector.evidence().verdict is Verdict.INCONCLUSIVE
    assert detector.evidence().score is None


def response(seed: int = 1, *, share: float = 0.1, head: bool = True, other: int | None = None) -> Response:
    shown = plan(seed)
    answered = None if other is None else plan(other)
    light = light_of(np.random.default_rng(seed), shown, share=share, head=head, answered=answered)
    found = demodulate(light, shown, ON_FACE)
    assert found is not None
    return found


@pytest.mark.parametrize("share", [0.03, 0.1, 0.5])
def test_face_answers_the_colours_shown_as_strongly_as_the_display_shines(share: float) -> None:
    found = response(share=share)
    assert response_score(found, share) > FLASH_MATCH_MIN
    assert abs(found.lag) < FLASH_LAG_MAX
    assert found.gain / share == pytest.approx(0.75, abs=0.25)


@pytest.mark.parametrize("albedo", [0.03, 0.1, 0.6])
def test_response_over_the_mean_does_not_depend_on_the_skin(albedo: float) -> None:
    shown = plan(3)
    light = light_of(np.random.default_rng(3), shown, share=0.1, head=True, albedo=albedo)
    found = demodulate(light, shown, ON_FACE)
    assert found is not None
    assert found.gain == pytest.approx(response(3).gain, rel=0.1)
    assert response_score(found, 0.1) > FLASH_MATCH_MIN


def test_recording_in_the_light_of_another_plan_is_refused() -> None:
    scores = [response_score(response(seed, other=seed + 1000), 0.1) for seed in range(60)]
    assert sum(score >= FLASH_MATCH_MIN for score in scores) <= 1
    assert np.median(scores) < 0.5


@pytest.mark.parametrize("late", [1, 2, 3])
def test_relay_that_answers_frames_late_is_refused(late: int) -> None:
    shown = plan(7)
    answered = (shown[0],) * late + shown[:-late]
    found = demodulate(
        light_of(np.random.default_rng(7), shown, share=0.1, head=True, answered=answered), shown, ON_FACE
    )
    assert found is not None
    assert found.lag == pytest.approx(late, abs=0.4)
    assert response_score(found, 0.1) == 0


@pytest.mark.parametrize("share", [0.02, 0.4])
def test_answer_too_weak_or_too_strong_for_the_display_is_refused(share: float) -> None:
    assert response_score(response(share=share), 0.1) > FLASH_MATCH_MIN if 0.3 < share / 0.1 < 2.6 else True
    assert response_score(response(share=0.02), 0.1) == 0
    assert response_score(response(share=0.5), 0.1) == 0


def test_answer_of_a_head_has_its_shape_and_that_of_a_sheet_has_none() -> None:
    head, sheet = fit_shape(response(head=True)), fit_shape(response(head=False))
    assert head is not None
    assert sheet is not None
    assert head.f_ratio > FLASH_SHAPE_MIN
    assert head.relief > FLASH_RELIEF_MIN / 2
    assert sheet.f_ratio < FLASH_SHAPE_MIN
    assert sheet.relief < 0.1 * FLASH_RELIEF_MIN


@pytest.mark.parametrize(("hollows", "alive"), [(2.0, True), (0.0, False), (-2.0, False)])
def test_face_whose_hollows_answer_no_more_than_the_rest_is_refused(hollows: float, alive: bool) -> None:
    shown = plan(1)
    light = light_of(np.random.default_rng(1), shown, share=0.1, head=True, hollows=hollows)
    found = demodulate(light, shown, ON_FACE)
    assert found is not None
    fit = fit_shape(found)
    assert fit is not None
    assert (fit.score >= 1) is alive
    assert (fit.hollows >= FLASH_HOLLOWS_MIN) is alive


@pytest.mark.parametrize(("noise", "verdict"), [(0.002, Verdict.LIVE), (0.2, Verdict.INCONCLUSIVE)])
def test_flash_detectors_abstain_where_the_answer_drowns_in_noise(noise: float, verdict: Verdict) -> None:
    assert flash_verdicts(0.1, 0.1, noise=noise)[0] is verdict


def test_recording_in_another_light_is_no_noise_to_abstain_from() -> None:
    found, honest = response(3, other=1003), response(3)
    assert found.error < 2 * honest.error


def flash_verdicts(
    share: float, ratio: float | None, frames: int = 20, noise: float = 0.0006
) -> tuple[Verdict, Verdict]:
    shown = plan(1)
    detectors = flash_detectors()
    rng = np.random.default_rng(1)
    light = light_of(rng, shown, share=share, head=True, noise=noise)
    for detector in detectors:
        detector.begin(None, ratio)
    record = detectors[0]._record
    record.light, record.shown = list(light[:frames]), list(shown[:frames])
    return detectors[0].evidence().verdict, detectors[1].evidence().verdict


def test_flash_detectors_abstain_in_sunlight() -> None:
    unsure = (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert flash_verdicts(0.1, 0.99 * LIGHT_RATIO_MIN) == unsure
    assert flash_verdicts(0.1, 0.1)[0] is Verdict.LIVE


def test_gate_that_measures_no_light_abstains_where_the_answer_is_as_weak_as_in_sunlight() -> None:
    assert flash_verdicts(0.005, None) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert flash_verdicts(0.1, None)[0] is Verdict.LIVE


def test_flash_detectors_abstain_without_a_stimulus_or_with_too_little_of_it() -> None:
    assert flash_verdicts(0.1, 0.1, frames=15) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert flash_verdicts(0.1, 0.1, frames=0) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


def test_flash_detectors_keep_no_frame_after_their_evidence() -> None:
    first, second = flash_detectors()
    for detector in (first, second):
        detector.begin(None, 0.1)
        detector.see(GREY, face_at(), (100, 180, 100))
    assert len(first._record.light) == 1
    first.evidence()
    assert first._record._last is None
    assert isinstance(first, FlashResponse)
    assert isinstance(second, FlashShape)


def test_face_is_followed_by_place_size_and_roll() -> None:
    assert is_same_face(face_at(), face_at(left=340))
    assert not is_same_face(face_at(), face_at(left=320 + 0.7 * 70))
    assert not is_same_face(face_at(), face_at(eyes=90))
    assert not is_same_face(face_at(eyes=0.0001), face_at(eyes=70))


class Ranged:
    """A depth camera before which a surface stands: z(x, y) of the generic face's coordinates, in millimetres."""

    def __init__(self, relief: str) -> None:
        self.relief = relief

    def depth_of(self, frame: Frame) -> DepthFrame | None:
        if self.relief == "none":
            return None
        y, x = np.mgrid[0:480, 0:640]
        x, y = (x - 320) / 70, (y - 200) / 70
        z = {"face": 63 * depth(x, y), "sheet": 5 * x, "bent": -12.0 * x * x + 3 * y}[self.relief]
        noise = np.random.default_rng(1).normal(0, 0.8, z.shape)
        return DepthFrame((500 - z + noise).astype(np.float32))


@pytest.mark.parametrize(
    ("relief", "verdict"),
    [("face", Verdict.LIVE), ("sheet", Verdict.ATTACK), ("bent", Verdict.INCONCLUSIVE), ("none", Verdict.INCONCLUSIVE)],
)
def test_depth_camera_refuses_a_flat_face_whatever_its_picture_shows(relief: str, verdict: Verdict) -> None:
    detector = PlanarDepth(Ranged(relief))
    detector.begin(None, None)
    for _ in range(3):
        detector.see(GREY, face_at(), None)
    assert detector.evidence().verdict is verdict


def brightness_network() -> bytes:
    """A tiny network: two numbers, of which the second grows with the mean of the picture."""
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "weights"], ["answer"]),
    ]
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [2], [0.0, 0.1])
    graph = helper.make_graph(
        nodes, "brightness",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [2])], [weights],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


WANTS = ContextInput(source="picture", result="answer", side=32, attack_index=1, attack_min=0.9)


@pytest.mark.parametrize(("level", "verdict"), [(0, Verdict.INCONCLUSIVE), (255, Verdict.ATTACK)])
def test_context_network_denies_or_says_nothing(level: int, verdict: Verdict) -> None:
    detector = ContextDetector(ContextNetwork(brightness_network(), WANTS), attack_min=WANTS.attack_min)
    detector.begin(None, None)
    for _ in range(3):
        detector.see(Frame(np.full((480, 640, 3), level, np.uint8)), face_at(), None)
    evidence = detector.evidence()
    assert (evidence.verdict, evidence.physical) == (verdict, False)
    detector.begin(None, None)
    assert detector.evidence().verdict is Verdict.INCONCLUSIVE


def test_context_network_that_is_damaged_or_does_not_fit_is_refused() -> None:
    with pytest.raises(PackError):
        ContextNetwork(b"no network", WANTS)
    with pytest.raises(PackError, match="the manifest names"):
        ContextNetwork(brightness_network(), ContextInput("picture", "other", 32, 1, 0.9))
    with pytest.raises(BadInputError, match="side"):
        ContextInput("picture", "answer", 8, 1, 0.9)
    with pytest.raises(BadInputError, match="attack_min"):
        ContextInput("picture", "answer", 32, 1, 0.0)
