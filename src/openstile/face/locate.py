"""Find the faces of a frame."""

from openstile.face.engine import FaceEngine
from openstile.face.frame import Frame
from openstile.face.located import Box, LocatedFace, Point
from openstile.terms.limits import FACES_PER_FRAME_MAX

__all__ = ["Box", "LocatedFace", "Point", "locate"]


def locate(engine: FaceEngine, frame: Frame) -> tuple[LocatedFace, ...]:
    """Faces in `frame`, the largest first, at most FACES_PER_FRAME_MAX; empty when there is none.

    The default pack finds faces from about 40 pixels of height at 640x480 (docs/model-packs.md has the measurements).
    """
    faces = sorted(engine.detect(frame.pixels), key=lambda face: face.box.area, reverse=True)
    return tuple(faces[:FACES_PER_FRAME_MAX])
