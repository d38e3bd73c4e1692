"""What is done to photographs before they are presented: simulated faults of light, lens, sensor and rider.

Each is made by arithmetic on a good photograph, in the frame a gate would get (640 x 480 pixels or more, the face 112
pixels wide unless the condition is about distance). Simulated faults are not the real ones: no rider blinked, wore a
mask or stood in the sun for these figures.
"""

from dataclasses import dataclass
from enum import StrEnum, unique

import cv2
import numpy as np

from openstile.face.located import LocatedFace, Point
from openstile.lab.discard_changes import (
    Change,
    Pixels,
    blurred,
    flattened,
    leant,
    lit,
    lit_from_side,
    moved,
    raised,
    softened,
    turned,
    unchanged,
)
from openstile.lab.discard_covers import bar, glasses_like, hand, lids_shut, mask_like, painted, pleated, scarf

FACE_WIDTH_PIXELS = 112
_FRAME_WIDTH, _FRAME_HEIGHT = 640, 480


@unique
class Kind(StrEnum):
    """What a condition spoils."""

    CLEAN = "clean"
    BLUR = "blur"
    MOTION = "motion"
    NOISE = "noise"
    DARK = "dark"
    BRIGHT = "bright"
    SIDE_LIGHT = "side light"
    FLAT = "low contrast"
    DISTANCE = "distance"
    CUT = "cut"
    LEAN = "lean"
    TURN = "turn"
    NOD = "nod"
    EYES_COVERED = "eyes covered"
    MOUTH_COVERED = "mouth covered"
    NOSE_COVERED = "nose covered"
    LIDS = "lids painted shut"


@dataclass(frozen=True, slots=True)
class Condition:
    """One simulated fault at one strength; `change` takes pixels and where the face is in them."""

    kind: Kind
    name: str
    change: Change
    face_width: int = FACE_WIDTH_PIXELS


def present(pixels: Pixels, face: LocatedFace, condition: Condition) -> Pixels:
    """The photograph as a gate's frame: scaled to the condition's face width, filled up to 640 x 480, spoilt.

    pixels: (height, width, 3) uint8 BGR, unspoilt; face: where the face is in them.
    """
    scale = condition.face_width / face.box.width
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=interpolation)
    more_y, more_x = max(0, _FRAME_HEIGHT - picture.shape[0]), max(0, _FRAME_WIDTH - picture.shape[1])
    top, left = more_y // 2, more_x // 2
    filled = cv2.copyMakeBorder(picture, top, more_y - top, left, more_x - left, cv2.BORDER_REPLICATE)
    marks = tuple(Point((p.x + 0.5) * scale - 0.5 + left, (p.y + 0.5) * scale - 0.5 + top) for p in face.landmarks)
    return condition.change(np.asarray(filled, np.uint8), LocatedFace(face.box, marks, face.confidence))


MEANT_FOR: dict[str, tuple[Kind, ...]] = {
    "eye_distance": (Kind.DISTANCE,),
    "visible": (Kind.CUT,),
    "yaw": (Kind.TURN,),
    "pitch": (Kind.NOD,),
    "roll": (Kind.LEAN,),
    "bright_part": (Kind.DARK,),
    "blown_out": (Kind.BRIGHT,),
    "dynamic_range": (Kind.FLAT,),
    "noise": (Kind.NOISE,),
    "sharpness": (Kind.BLUR,),
    "steadiness": (Kind.MOTION,),
    "eyes_seen": (Kind.EYES_COVERED,),
    "nose_seen": (Kind.NOSE_COVERED,),
    "mouth_seen": (Kind.MOUTH_COVERED,),
    "evenness": (Kind.SIDE_LIGHT,),
    "eyes_open": (Kind.LIDS,),
}
"""Which faults each measure is meant to see (`openstile.face.quality_table`). Open mouths come with smiling faces."""

_GREY, _BLACK, _BLUE, _WHITE, _SKIN = (128, 128, 128), (20, 20, 20), (190, 160, 120), (225, 225, 225), (120, 150, 190)

CONDITIONS: tuple[Condition, ...] = (
    Condition(Kind.CLEAN, "clean", unchanged),
    *(Condition(Kind.BLUR, f"blur {sigma:g}", blurred(sigma)) for sigma in (1, 1.5, 2, 2.5, 3, 4)),
    *(Condition(Kind.MOTION, f"motion {length}", moved(length)) for length in (5, 9, 13, 17)),
    *(Condition(Kind.MOTION, f"motion {length} down", moved(length, down=True)) for length in (9, 13)),
    *(
        Condition(Kind.NOISE, f"noise {noise} at light {light:g}", lit(light, noise=noise))
        for light, noise in ((1, 8), (1, 15), (1, 30), (0.5, 15), (0.25, 8), (0.25, 15))
    ),
    *(Condition(Kind.DARK, f"light {light:g}", lit(light)) for light in (0.3, 0.15, 0.08, 0.04)),
    *(Condition(Kind.DARK, f"noise 3 at light {light:g}", lit(light, noise=3)) for light in (0.3, 0.15, 0.08)),
    *(Condition(Kind.BRIGHT, f"light {light:g}", lit(light)) for light in (1.5, 2, 2.5, 3, 4)),
    *(
        Condition(Kind.SIDE_LIGHT, f"side light {darkest:g}", lit_from_side(darkest))
        for darkest in (0.5, 0.25, 0.1, 0.03)
    ),
    *(Condition(Kind.FLAT, f"contrast {contrast:g}", flattened(contrast)) for contrast in (0.5, 0.25, 0.12, 0.06)),
    *(Condition(Kind.DISTANCE, f"face of {width} pixels", unchanged, width) for width in (80, 60, 50, 40, 32, 26, 20)),
    *(
        Condition(Kind.DISTANCE, f"face of {width} pixels, soft lens", softened(0.7, noise=4), width)
        for width in (112, 80, 60, 50, 40, 32, 26)
    ),
    *(Condition(Kind.CUT, f"cut {share:g} above the eyes", raised(share)) for share in (0.5, 0.25, 0.1)),
    *(
        Condition(Kind.LEAN, f"lean {degrees}", leant(degrees))
        for degrees in (-90, -60, -45, -30, -15, 15, 30, 45, 60, 90)
    ),
    *(Condition(Kind.TURN, f"turn {degrees}", turned(degrees)) for degrees in (10, 20, 30, 40, 50)),
    *(
        Condition(Kind.NOD, f"nod {degrees}", turned(degrees, down=True))
        for degrees in (-40, -30, -20, -10, 10, 20, 30, 40)
    ),
    Condition(Kind.EYES_COVERED, "grey bar over the eyes", painted(bar(-0.3, 0.25), _GREY)),
    Condition(Kind.EYES_COVERED, "black bar over the eyes", painted(bar(-0.3, 0.25), _BLACK)),
    Condition(Kind.EYES_COVERED, "dark glasses", painted(glasses_like, _BLACK)),
    Condition(Kind.EYES_COVERED, "patch over one eye", painted(bar(-0.3, 0.25, 0.1, 0.9), _GREY)),
    Condition(Kind.MOUTH_COVERED, "blue mask", painted(mask_like, _BLUE)),
    Condition(Kind.MOUTH_COVERED, "white mask", painted(mask_like, _WHITE)),
    Condition(Kind.MOUTH_COVERED, "black mask", painted(mask_like, _BLACK)),
    Condition(Kind.MOUTH_COVERED, "skin-coloured mask", painted(mask_like, _SKIN)),
    Condition(Kind.MOUTH_COVERED, "blue mask with folds", pleated(_BLUE)),
    Condition(Kind.MOUTH_COVERED, "white mask with folds", pleated(_WHITE)),
    Condition(Kind.MOUTH_COVERED, "black mask with folds", pleated((45, 45, 45))),
    Condition(Kind.MOUTH_COVERED, "checked scarf", scarf),
    Condition(Kind.MOUTH_COVERED, "hand before the mouth", hand),
    Condition(Kind.MOUTH_COVERED, "grey bar over the mouth", painted(bar(0.85, 1.35, -0.6, 0.6), _GREY)),
    Condition(Kind.NOSE_COVERED, "grey patch over the nose", painted(bar(0.2, 0.75, -0.35, 0.35), _GREY)),
    Condition(Kind.NOSE_COVERED, "white plaster over the nose", painted(bar(0.1, 0.75, -0.5, 0.5), _WHITE)),
    Condition(Kind.NOSE_COVERED, "skin-coloured patch over the nose", painted(bar(0.1, 0.8, -0.6, 0.6), _SKIN)),
    Condition(Kind.LIDS, "lids painted shut", lids_shut),
)
