"""Pixels to comparison score: locate a face, judge it, make its template, compare it with one other."""

from openstile.face.compare import Comparison, compare
from openstile.face.engine import FaceEngine
from openstile.face.frame import Frame
from openstile.face.locate import LocatedFace, locate
from openstile.face.template import Template, extract_template

__all__ = [
    "Comparison",
    "FaceEngine",
    "Frame",
    "LocatedFace",
    "Template",
    "compare",
    "extract_template",
    "locate",
]
