"""What a gate, and the desk, ask of a face before they use it. docs/quality.md has the evidence for each limit, and
docs/model-cards/cf-dual-1.md#threshold-sharpness_min (and so on) the line that says what it buys.

The evidence named here: 60 adults, neutral enrolled, smiling presented at a face width of 112 pixels unless another is
named, each condition simulated on the smiling photographs; FNMR with the default pack, cf-dual-1, at its threshold.
"""

import math
from dataclasses import dataclass, fields

from openstile.terms import BadInputError


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Limits of `assess`, each with what it buys."""

    eye_distance_min: float = 20.0
    """Pixels of the frame between the eyes; a face is about 2.15 times as wide. Sharp faces of a width of 40 and more
    cost no mated comparison; behind a soft lens with noise FNMR is 10 % at 50 (23 between the eyes), 20 % at 40."""
    visible_min: float = 0.97
    """Part of the face's ellipse that lies inside the frame. Cut a quarter of the eye distance above the eyes: all
    rejected, FNMR 57 %; a tenth above: all rejected, FNMR 90 %."""
    bright_part_min: float = 25.0
    """Luminance that the brightest twentieth of the face reaches (so a dark skin is not a dark picture). Sharp faces
    have 96..206; at 30 % of their light 28..61, FNMR 0; at 15 %, with only coarse steps left, 14..30, FNMR 12 %."""
    blown_out_max: float = 0.5
    """Part of the face at luminance 250 or more. 1.5 times overexposed: 0.05 (at most 0.49), FNMR 2 %; twice: 65 %
    rejected, FNMR 28 %, none of it among the others."""
    dynamic_range_min: float = 4.05
    """Entropy of the luminance in bits. Clean: 6.0 or more. A quarter of the contrast (haze): 4.1..5.1, FNMR 7 %; an
    eighth: 3.0..4.0, FNMR 75 %, all rejected; a sixteenth: 2.1..3.1, FNMR 100 %."""
    noise_max: float = 0.04
    """Deviation of the noise over the contrast of the face. Clean: at most 0.025. Noise of deviation 8 in full light:
    0.019 (at most 0.035), FNMR 0; of 15: 0.034, FNMR 22 %; of 15 at half of the light: 0.061, FNMR 90 %."""
    sharpness_min: float = 0.39
    """Fine detail over coarse detail. Sharp: 0.44 or more. Gaussian blur of sigma 1.5: 0.40, FNMR 2 %, one in three
    rejected; of sigma 2: 0.36, FNMR 3 %, 98 % rejected; of sigma 3: 0.31, FNMR 53 %, all rejected."""
    steadiness_min: float = 0.347
    """Fine over coarse detail in the direction that has least of it, of four. Sharp: 0.369 or more. Motion over 5
    pixels: 0.389, FNMR 0; over 9: 0.316, FNMR 7 %, all rejected; over 13: 0.288, FNMR 42 %, all rejected."""
    eyes_seen_min: float = 0.2
    """Upright edges at the eye that has more of them, over those of the face. Eyes open: 0.37 or more; behind a bar:
    FNMR 94 %, all rejected; behind dark glasses: FNMR 47 %, nine of ten rejected. A patch over one eye passes: 2 %."""
    nose_seen_min: float = 0.12
    """Upright edges at the nose. Seen: 0.31 or more, in one official portrait 0.215; under a plaster or a patch of the
    skin's colour: at most 0.12, FNMR 58 %; under a smaller grey patch: nine of ten rejected, FNMR 15 %."""
    mouth_seen_min: float = 0.13
    """Upright edges at the mouth. Seen: 0.17 or more; under plain or folded masks or a hand: at most 0.11, FNMR 27 to
    78 %, all rejected. A checked scarf (0.5 or more, FNMR 67 %) is not seen."""
    yaw_max: float = 0.25
    """Nose tip off the middle of the eyes, over the eye distance: 0.55 tan(yaw) for a nose of usual depth, so 0.25 is
    about 24 degrees. Frontal photographs: at most 0.13. Simulated turns of 20 degrees: 0.18 at most, FNMR 0; of 40:
    FNMR 15 %; of 50: FNMR 47 %, 56 of 60 rejected."""
    pitch_min: float = 0.45
    """Where the nose tip lies between the eyes (0) and the mouth (1). Frontal photographs: 0.50..0.64; small or soft
    ones 0.48..0.67. Simulated nods that are rejected: FNMR 94 %; most nods pass (docs/quality.md)."""
    pitch_max: float = 0.67
    """As `pitch_min`, for a head that looks down."""
    roll_max: float = 30.0
    """Degrees that the line of the eyes leans. Alignment turns the face upright; beyond 45 degrees landmarks become
    unreliable: leant by 90, FNMR 15 and 27 %."""

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise BadInputError(f"quality limits: {name} is {value}, must be a finite number of 0 or more")
        if self.pitch_min >= self.pitch_max:
            raise BadInputError("quality limits: pitch_min must be below pitch_max")


def stricter(one: QualityLimits, other: QualityLimits) -> QualityLimits:
    """Of each limit the stricter of two."""
    pairs = {field.name: (getattr(one, field.name), getattr(other, field.name)) for field in fields(QualityLimits)}
    return QualityLimits(**{name: (max if name.endswith("_min") else min)(pair) for name, pair in pairs.items()})


ENROLMENT_LIMITS = QualityLimits(
    eye_distance_min=40.0,
    visible_min=1.0,
    bright_part_min=50.0,
    blown_out_max=0.2,
    dynamic_range_min=5.0,
    noise_max=0.032,
    sharpness_min=0.42,
    steadiness_min=0.36,
    eyes_seen_min=0.25,
    nose_seen_min=0.14,
    mouth_seen_min=0.15,
    yaw_max=0.22,
    pitch_min=0.47,
    pitch_max=0.65,
    roll_max=20.0,
)
"""What the desk asks of a photograph, on top of what gates ask of a frame: a frame is one of many and gone at once, a
reference is compared at every journey. All 120 sharp photographs of the 60 adults pass; docs/quality.md ("Enrolment")
has what a worse reference costs."""
EVENNESS_MIN = 0.5
"""Below this light is called uneven, as advice: faces in even light have 0.72 or more, at half the light on one cheek
0.20..0.45. It rejects nobody: light from the side down to 3 % cost no comparison that a clean frame would not."""
EYES_OPEN_MIN = 0.2
"""Below this eyes are called closed, as advice. Real closed eyes were not at hand; painted lids are not them."""
MOUTH_OPEN_MAX = 0.14
"""Above this a mouth is called open, as advice: closed mouths have at most 0.131. It rejects nobody: smiling faces
match neutral ones."""
