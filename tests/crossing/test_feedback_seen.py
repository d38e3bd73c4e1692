"""Every feedback code that a gate gives, asked for by pictures that were really spoilt, through a whole crossing."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.crossing.world import World

from openstile.crossing import Crossing
from openstile.crossing.advice import FEEDBACK_FRAMES
from openstile.face import FaceEngine, Frame, LocatedFace, locate
from openstile.face.faults import FaceFault
from openstile.face.feedback import FEEDBACK, Feedback
from openstile.face.images import read_image
from openstile.face.template import extract_reference
from openstile.lab.discard_changes import Change, lit, softened, unchanged
from openstile.lab.discard_conditions import CONDITIONS, Condition, Kind, present
from openstile.passes.reference import Reference, ReferenceKind

NAMED = {condition.name: condition for condition in CONDITIONS}


@pytest.fixture(scope="module")
def portrait(portraits: dict[str, Path], engine: FaceEngine) -> tuple[Frame, LocatedFace]:
    frame = read_image(portraits["president-3.jpg"])
    return frame, locate(engine, frame)[0]


def frame_like(portrait: tuple[Frame, LocatedFace], condition: Condition) -> Frame:
    return Frame(present(portrait[0].pixels, portrait[1], condition))


def crossed(
    engine: FaceEngine, portrait: tuple[Frame, LocatedFace], spoilt: Frame, *, then_good: bool = True
) -> tuple[list[Feedback], Crossing]:
    """What the owner of the portrait is told who shows `spoilt` a few times, then a good frame."""
    world = World()
    world.engine = engine  # type: ignore[assignment]
    reference = extract_reference(engine, *portrait)
    text = world.issue(Reference(ReferenceKind.FACE, engine.pack_id, reference.data)).text
    frames = [spoilt] * FEEDBACK_FRAMES + [frame_like(portrait, NAMED["clean"])] * then_good
    heard: list[Feedback] = []
    return heard, world.cross(text, iter(frames), tell=heard.append)


def made(change: Change, width: int = 112) -> Condition:
    return Condition(Kind.CLEAN, "made here", change, width)


SPOILT = {
    "a face far away": (NAMED["face of 32 pixels"], FaceFault.FACE_TOO_FAR),
    "cut by the border": (NAMED["cut 0.1 above the eyes"], FaceFault.FACE_CUT),
    "turned aside": (NAMED["turn 50"], FaceFault.FACE_TURNED),
    "leant to the side": (NAMED["lean -60"], FaceFault.FACE_TURNED),
    "little light": (made(lit(0.05)), FaceFault.TOO_DARK),
    "little light and a noisy sensor": (NAMED["noise 15 at light 0.25"], FaceFault.TOO_NOISY),
    "haze": (NAMED["contrast 0.06"], FaceFault.TOO_FLAT),
    "too much light": (made(lit(4)), FaceFault.TOO_BRIGHT),
    "out of focus": (NAMED["blur 3"], FaceFault.FACE_BLURRED),
    "in motion": (NAMED["motion 13"], FaceFault.FACE_BLURRED),
    "a soft lens far away": (made(softened(1.5, noise=2), 60), FaceFault.FACE_BLURRED),
    "a bar over the eyes": (NAMED["grey bar over the eyes"], FaceFault.FACE_COVERED),
    "a mask": (NAMED["blue mask with folds"], FaceFault.FACE_COVERED),
    "a hand before the mouth": (NAMED["hand before the mouth"], FaceFault.FACE_COVERED),
}


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_picture_asks_for_what_would_mend_it_and_a_good_one_opens(
    engine: FaceEngine, portrait: tuple[Frame, LocatedFace], name: str
) -> None:
    condition, fault = SPOILT[name]
    spoilt = frame_like(portrait, condition)
    told, crossing = crossed(engine, portrait, spoilt)
    assert (told, crossing.admitted) == ([FEEDBACK[fault]], True)
    _, alone = crossed(engine, portrait, spoilt, then_good=False)
    assert alone.reason is not None
    assert alone.reason.value == fault.value


def test_empty_view_and_two_riders_are_told_what_to_do(engine: FaceEngine, portrait: tuple[Frame, LocatedFace]) -> None:
    nobody = Frame(np.full((480, 640, 3), 110, np.uint8))
    assert crossed(engine, portrait, nobody)[0] == [Feedback.LOOK_AT_CAMERA]
    one = frame_like(portrait, made(unchanged)).pixels
    half = cv2.resize(one, (640, 640))[:480, 160:480]
    pair = Frame(np.ascontiguousarray(np.hstack([half, half])))
    assert crossed(engine, portrait, pair)[0] == [Feedback.ONE_AT_A_TIME]


def test_face_near_enough_for_a_small_camera_but_too_small_to_be_compared_is_asked_to_come_closer(
    engine: FaceEngine, portrait: tuple[Frame, LocatedFace]
) -> None:
    """A camera of 240 rows: the zone takes a face of 24 rows and more, the limit on the eyes asks for about 48."""
    wide = frame_like(portrait, made(unchanged, 36))
    centre = locate(engine, wide)[0].box.centre
    top, left = round(centre.y) - 120, round(centre.x) - 160
    small = Frame(np.ascontiguousarray(wide.pixels[top : top + 240, left : left + 320]))
    assert locate(engine, small)[0].box.height > 24
    assert crossed(engine, portrait, small)[0] == [Feedback.COME_CLOSER]


def test_no_code_of_a_fault_is_out_of_reach() -> None:
    reached = {fault for _, fault in SPOILT.values()} | {FaceFault.NO_FACE, FaceFault.TWO_FACES}
    assert reached == set(FaceFault)
