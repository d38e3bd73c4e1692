"""Pose from five landmarks: how far the head is turned, nods or leans, and how large it is."""

import math
from dataclasses import dataclass

from openstile.face.located import LocatedFace


@dataclass(frozen=True, slots=True)
class Pose:
    """eye_distance: pixels of the frame. yaw: the nose tip's way off the middle of the eyes, in eye distances, to the
    right of the picture positive. pitch: where the nose tip lies between eyes (0) and mouth (1). roll: degrees that the
    line of the eyes leans, clockwise positive.
    """

    eye_distance: float
    yaw: float
    pitch: float
    roll: float


def measure_pose(face: LocatedFace) -> Pose:
    """The pose of `face`; yaw and pitch are infinite where its landmarks make no face."""
    left, right, nose, mouth_left, mouth_right = (complex(p.x, p.y) for p in face.landmarks)
    eyes = right - left
    distance = abs(eyes)
    if distance == 0:
        return Pose(0.0, math.inf, math.inf, 0.0)
    middle = (left + right) / 2
    along = (nose - middle) / eyes  # real: to the right in eye distances; imaginary: down
    mouth = ((mouth_left + mouth_right) / 2 - middle) / eyes
    pitch = along.imag / mouth.imag if mouth.imag > 0 else math.inf
    return Pose(distance, along.real, pitch, math.degrees(math.atan2(eyes.imag, eyes.real)))
