"""The measures of a face as a table: each with its value and what was asked of it. For advice, errors and the lab."""

import math
from dataclasses import dataclass

from openstile.face.quality import Quality
from openstile.face.quality_limits import EVENNESS_MIN, EYES_OPEN_MIN, MOUTH_OPEN_MAX, QualityLimits


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure, what was asked of it, and whether falling short rejects the frame or only gives advice."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None
    rejects: bool = True

    @property
    def goodness(self) -> float:
        """How far inside what was asked, in the measure's own unit; below 0 outside. Finite."""
        inside = [self.value - self.at_least] if self.at_least is not None else []
        inside += [self.at_most - self.value] if self.at_most is not None else []
        return max(-1e9, min(1e9, *inside))

    @property
    def fits(self) -> bool:
        """Whether the value is what was asked for."""
        return self.goodness >= 0

    @property
    def wanted(self) -> str:
        """What was asked, for people."""
        if self.at_least is not None and self.at_most is not None:
            return f"{self.at_least:g} to {self.at_most:g}"
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"


def measured(quality: Quality, limits: QualityLimits) -> tuple[Measured, ...]:
    """All measures that were taken, in the order in which faults are looked for; advice last."""
    pose, detail = quality.pose, quality.detail
    placed = (
        Measured("eye_distance", pose.eye_distance, limits.eye_distance_min),
        Measured("visible", quality.visible, limits.visible_min),
        Measured("yaw", abs(pose.yaw), None, limits.yaw_max),
        Measured("pitch", min(pose.pitch, 1e9), limits.pitch_min, limits.pitch_max),
        Measured("roll", abs(pose.roll), None, limits.roll_max),
    )
    if detail is None:
        return tuple(one for one in placed if math.isfinite(one.value))
    return (
        *placed,
        Measured("bright_part", detail.bright_part, limits.bright_part_min),
        Measured("blown_out", detail.blown_out, None, limits.blown_out_max),
        Measured("dynamic_range", detail.dynamic_range, limits.dynamic_range_min),
        Measured("noise", detail.noise, None, limits.noise_max),
        Measured("sharpness", detail.sharpness, limits.sharpness_min),
        Measured("steadiness", detail.steadiness, limits.steadiness_min),
        Measured("eyes_seen", detail.eyes_seen, limits.eyes_seen_min),
        Measured("nose_seen", detail.nose_seen, limits.nose_seen_min),
        Measured("mouth_seen", detail.mouth_seen, limits.mouth_seen_min),
        Measured("evenness", detail.evenness, EVENNESS_MIN, rejects=False),
        Measured("eyes_open", detail.eyes_open, EYES_OPEN_MIN, rejects=False),
        Measured("mouth_open", detail.mouth_open, None, MOUTH_OPEN_MAX, rejects=False),
    )
