"""A data set that can be counted by hand: flat pictures whose greyness is the face."""

from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.crossing import Policy
from openstile.face import LocatedFace
from openstile.face.engine import ChipGeometry, TemplatePart
from openstile.face.located import Box, Point
from openstile.face.quality import QualityLimits
from openstile.lab.capture import Apparatus

SIDE = 64
LANDMARKS = (Point(22, 26), Point(42, 26), Point(32, 36), Point(24, 46), Point(40, 46))
ANYTHING = QualityLimits(**{field.name: 0.0 if field.name.endswith("_min") else 1e9 for field in fields(QualityLimits)})
"""No face is refused, whatever is measured."""
BLACK_IS_NO_FACE = 2


class GreyEngine:
    """Takes each picture for one face in its middle and its greyness for the face: distance 0.01 a grey level."""

    pack_id = "grey-1"
    distance_max = 0.105
    dimensions = 16
    parts = (TemplatePart(ChipGeometry(SIDE, LANDMARKS), 16, 1.27 * 2),)
    """Steps of 0.02: two grey levels."""

    def detect(self, pixels: NDArray[np.uint8]) -> list[LocatedFace]:
        if pixels.max() <= BLACK_IS_NO_FACE:
            return []
        return [LocatedFace(Box(16, 16, 32, 40), LANDMARKS, 0.9)]

    def embed(self, part: int, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert part == 0
        embedding = np.zeros(16, np.float32)
        embedding[0] = np.rint(chip.mean()) / 100
        return embedding


GREY = Apparatus(GreyEngine, Policy(quality=ANYTHING))


def write_picture(path: Path, grey: int) -> None:
    """A flat picture; JPEG and PNG by the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((SIDE, SIDE, 3), grey, np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 100])


def write_people(folder: Path, people: list[tuple[str, str, str, int, int]]) -> Path:
    """People as (id, gender, ethnicity, grey when neutral, grey when smiling)."""
    lines = ["subject,gender,ethnicity"]
    for name, gender, ethnicity, neutral, smiling in people:
        lines.append(f"{name},{gender},{ethnicity}")
        write_picture(folder / "neutral" / f"{name}.jpg", neutral)
        write_picture(folder / "smiling" / f"{name}.jpg", smiling)
    (folder / "subjects.csv").write_text("\n".join(lines) + "\n")
    return folder


FOUR = [
    ("a", "female", "white", 50, 54),  # mated at 0.04
    ("b", "female", "black", 100, 130),  # mated at 0.30: a false non-match
    ("c", "male", "black", 134, 136),  # 0.04 and 0.06 from b smiling: false matches
    ("d", "male", "NA", 200, 0),  # no face found when smiling
]
