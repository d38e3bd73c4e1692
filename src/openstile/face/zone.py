"""Choose the rider: the nearest face in the middle of the view, if it is clear who that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from openstile.face.engine import FaceEngine
from openstile.face.faults import FaceFault
from openstile.face.frame import Frame
from openstile.face.locate import locate
from openstile.face.located import LocatedFace
from openstile.terms import BadInputError


@dataclass(frozen=True, slots=True)
class CaptureZone:
    """Where in the frame a rider stands, as fractions of the frame's width and height (0 is left and top).

    A face belongs to the zone when the middle of its box lies inside. `face_height_min` is the smallest height of a
    face, as a fraction of the frame's height, that counts as standing at the gate: people behind are smaller. A second
    face in the zone whose height is at least `second_face_ratio` of the first one's is a second rider.
    """

    left: float = 0.15
    top: float = 0.0
    right: float = 0.85
    bottom: float = 1.0
    face_height_min: float = 0.1
    second_face_ratio: float = 0.6

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise BadInputError("capture zone: needs 0 <= left < right <= 1 and 0 <= top < bottom <= 1")
        if not 0 <= self.face_height_min < 1:
            raise BadInputError(f"capture zone: face_height_min {self.face_height_min} is outside 0..1")
        if not 0 < self.second_face_ratio <= 1:
            raise BadInputError(f"capture zone: second_face_ratio {self.second_face_ratio} is outside 0..1")


def locate_rider(engine: FaceEngine, frame: Frame, zone: CaptureZone) -> LocatedFace | FaceFault:
    """The rider in `frame`: faces are located, and `choose_rider` takes one or says why there is none."""
    return choose_rider(locate(engine, frame), frame_width=frame.width, frame_height=frame.height, zone=zone)


def choose_rider(
    faces: Sequence[LocatedFace], *, frame_width: int, frame_height: int, zone: CaptureZone
) -> LocatedFace | FaceFault:
    """The one face of the rider, or why there is none: NO_FACE, FACE_TOO_FAR or TWO_FACES.

    Only places and sizes are looked at; no face other than the returned one is ever made into a template.
    """
    inside = [face for face in faces if _is_inside(face, frame_width, frame_height, zone)]
    if not inside:
        return FaceFault.NO_FACE
    inside.sort(key=lambda face: face.box.height, reverse=True)
    nearest = inside[0]
    if nearest.box.height < zone.face_height_min * frame_height:
        return FaceFault.FACE_TOO_FAR
    if len(inside) > 1 and inside[1].box.height >= zone.second_face_ratio * nearest.box.height:
        return FaceFault.TWO_FACES
    return nearest


def _is_inside(face: LocatedFace, width: int, height: int, zone: CaptureZone) -> bool:
    centre = face.box.centre
    return zone.left <= centre.x / width <= zone.right and zone.top <= centre.y / height <= zone.bottom
