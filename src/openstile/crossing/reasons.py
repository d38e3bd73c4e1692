"""Why a crossing was refused: a closed set. docs/refusals.md says what the rider sees and may do next."""

from enum import StrEnum, unique


@unique
class Reason(StrEnum):
    """The one reason that a refusal carries. Adding one means documenting it; a test compares."""

    # The pass, before any frame is read.
    PASS_UNREADABLE = "pass_unreadable"
    PASS_VERSION_UNKNOWN = "pass_version_unknown"
    PASS_FOR_OTHER_GATES = "pass_for_other_gates"
    PASS_DAMAGED = "pass_damaged"
    PASS_FORGED = "pass_forged"
    ISSUER_UNKNOWN = "issuer_unknown"
    ISSUER_REVOKED = "issuer_revoked"
    PASS_OUTDATED = "pass_outdated"
    PASS_EXPIRED = "pass_expired"
    PASS_NOT_YET_VALID = "pass_not_yet_valid"
    LIVE_CODE_EXPIRED = "live_code_expired"

    # What the gate's policy and memory say of a valid pass, still before any frame is read.
    CLOCK_UNSURE = "clock_unsure"
    PASS_REVOKED = "pass_revoked"
    STATUS_UNKNOWN = "status_unknown"
    PRODUCT_NOT_ACCEPTED = "product_not_accepted"
    LIVE_CODE_NEEDED = "live_code_needed"
    REFERENCE_NOT_SUPPORTED = "reference_not_supported"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    USED_RECENTLY = "used_recently"

    # The rider.
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
    FACE_DOES_NOT_MATCH = "face_does_not_match"
    ATTACK_SUSPECTED = "attack_suspected"
    LIVENESS_UNSURE = "liveness_unsure"
    PIN_MISSING = "pin_missing"
    PIN_WRONG = "pin_wrong"

    # The gate itself.
    KEYS_UNAVAILABLE = "keys_unavailable"
    CAMERA_LOST = "camera_lost"
    JOURNAL_UNAVAILABLE = "journal_unavailable"
    BARRIER_UNAVAILABLE = "barrier_unavailable"


RIDER_FAILED = frozenset(
    {Reason.FACE_DOES_NOT_MATCH, Reason.ATTACK_SUSPECTED, Reason.LIVENESS_UNSURE, Reason.PIN_WRONG}
)
"""Reasons that count as a failed attempt of a pass: somebody was compared with it and was not its owner, or was not
seen to be a living face. So nobody may try a picture until chance lets it through."""
