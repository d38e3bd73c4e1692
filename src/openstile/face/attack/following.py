"""Whether the face of one frame is the face of the frame before: so that what is checked is what is compared."""

import math

from openstile.face.located import LocatedFace

MOVE_MAX = 0.6
"""Eye distances between two frames: 4 cm in 40 ms is a metre a second."""
SCALE_MAX = 1.25
ROLL_MAX = 20.0
"""Degrees."""


def is_same_face(before: LocatedFace, after: LocatedFace) -> bool:
    """By place, size and roll alone; nothing of who it is. One that comes back after a frame without it is another; one
    that was exchanged in place is not noticed here, so the crossing compares the face at a clip's end as well.
    """
    eyes_before, eyes_after = _eyes(before), _eyes(after)
    if min(abs(eyes_before), abs(eyes_after)) == 0:
        return False
    turned = eyes_after / eyes_before
    moved = abs(_middle(after) - _middle(before)) / abs(eyes_before)
    steady = 1 / SCALE_MAX <= abs(turned) <= SCALE_MAX and moved <= MOVE_MAX
    return steady and abs(math.degrees(math.atan2(turned.imag, turned.real))) <= ROLL_MAX


def _eyes(face: LocatedFace) -> complex:
    left, right = face.landmarks[:2]
    return complex(right.x - left.x, right.y - left.y)


def _middle(face: LocatedFace) -> complex:
    return sum((complex(mark.x, mark.y) for mark in face.landmarks), 0j) / len(face.landmarks)
