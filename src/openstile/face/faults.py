"""Why a frame's face cannot be used. Codes only: what a person reads is written where it is shown."""

from enum import StrEnum


class FaceFault(StrEnum):
    """The closed set of reasons for which a frame does not lead to a template."""

    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    FACE_TOO_FAR = "face_too_far"
    FACE_CUT = "face_cut"
    FACE_TURNED = "face_turned"
    FACE_COVERED = "face_covered"
    FACE_BLURRED = "face_blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_FLAT = "too_flat"
    TOO_NOISY = "too_noisy"
