"""What a person in front of the camera can do about a frame that cannot be used. Codes only, as for faults."""

from enum import StrEnum, unique

from openstile.face.faults import FaceFault


@unique
class Feedback(StrEnum):
    """The closed set of live feedback codes (docs/refusals.md, "While the gate looks")."""

    LOOK_AT_CAMERA = "look_at_camera"
    ONE_AT_A_TIME = "one_at_a_time"
    COME_CLOSER = "come_closer"
    MOVE_TO_MIDDLE = "move_to_middle"
    LOOK_STRAIGHT = "look_straight"
    UNCOVER_FACE = "uncover_face"
    HOLD_STILL = "hold_still"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    EVEN_LIGHT = "even_light"
    OPEN_EYES = "open_eyes"
    CLOSE_MOUTH = "close_mouth"


FEEDBACK: dict[FaceFault, Feedback] = {
    FaceFault.NO_FACE: Feedback.LOOK_AT_CAMERA,
    FaceFault.TWO_FACES: Feedback.ONE_AT_A_TIME,
    FaceFault.FACE_TOO_FAR: Feedback.COME_CLOSER,
    FaceFault.FACE_CUT: Feedback.MOVE_TO_MIDDLE,
    FaceFault.FACE_TURNED: Feedback.LOOK_STRAIGHT,
    FaceFault.FACE_COVERED: Feedback.UNCOVER_FACE,
    FaceFault.FACE_BLURRED: Feedback.HOLD_STILL,
    FaceFault.TOO_DARK: Feedback.MORE_LIGHT,
    FaceFault.TOO_BRIGHT: Feedback.LESS_LIGHT,
    FaceFault.TOO_FLAT: Feedback.MORE_LIGHT,
    FaceFault.TOO_NOISY: Feedback.MORE_LIGHT,
}
"""What each fault asks for. Closed over the faults; a test compares."""
