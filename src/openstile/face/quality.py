"""Judge a located face before it is made into a template: a bad picture costs a rider one more frame, not a false
result.

In the terms of ISO/IEC 29794-5. All measures but size and position are taken on an upright chip of the face, so that a
face's distance does not change their meaning. docs/quality.md says what each rests on, and which only give advice.
"""

from dataclasses import dataclass

from openstile.face.faults import FaceFault
from openstile.face.feedback import FEEDBACK, Feedback
from openstile.face.frame import Frame
from openstile.face.located import LocatedFace
from openstile.face.quality_chip import luminance_of, scales_of, visible_part
from openstile.face.quality_detail import measure_noise, measure_sharpness, measure_steadiness
from openstile.face.quality_light import measure_light
from openstile.face.quality_limits import EVENNESS_MIN, EYES_OPEN_MIN, MOUTH_OPEN_MAX, QualityLimits
from openstile.face.quality_parts import measure_parts
from openstile.face.quality_pose import Pose, measure_pose

__all__ = ["Detail", "Quality", "QualityLimits", "assess"]


@dataclass(frozen=True, slots=True)
class Detail:
    """The measures that need pixels, in the units of `QualityLimits`; the last three only give advice."""

    bright_part: float
    blown_out: float
    dynamic_range: float
    noise: float
    sharpness: float
    steadiness: float
    eyes_seen: float
    nose_seen: float
    mouth_seen: float
    evenness: float
    eyes_open: float
    mouth_open: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What `assess` measured, in the units of `QualityLimits`, and the first fault found, if any.

    detail is None for a face that is too small or cut.
    """

    pose: Pose
    visible: float
    detail: Detail | None = None
    fault: FaceFault | None = None

    @property
    def feedback(self) -> tuple[Feedback, ...]:
        """What a person can do about it: what the fault asks for first, then what is only advice."""
        detail = self.detail
        asked = () if self.fault is None else (FEEDBACK[self.fault],)
        if detail is None:
            return asked
        advice = (
            (Feedback.EVEN_LIGHT, detail.evenness < EVENNESS_MIN),
            (Feedback.OPEN_EYES, detail.eyes_open < EYES_OPEN_MIN and self.fault is not FaceFault.FACE_COVERED),
            (Feedback.CLOSE_MOUTH, detail.mouth_open > MOUTH_OPEN_MAX and self.fault is not FaceFault.FACE_COVERED),
        )
        return (*asked, *(code for code, given in advice if given))


def assess(frame: Frame, face: LocatedFace, *, limits: QualityLimits) -> Quality:
    """Measure `face` in `frame` and hold it against `limits`.

    Faults are looked for in this order: too far, cut, turned, too dark, too bright, too flat, too noisy, blurred,
    covered (noise hides blur, darkness hides both, and all of them hide what covers a face). A plain cover narrows the
    range of tones, haze does not hide one part of a face and leave another: then it is covered, not too flat.
    """
    pose, visible = measure_pose(face), visible_part(frame, face)
    if pose.eye_distance < limits.eye_distance_min:
        return Quality(pose, visible, fault=FaceFault.FACE_TOO_FAR)
    if visible < limits.visible_min:
        return Quality(pose, visible, fault=FaceFault.FACE_CUT)
    detail = _measure_detail(frame, face)
    fault = FaceFault.FACE_TURNED if _is_turned(pose, limits) else _fault_of_detail(detail, limits)
    return Quality(pose, visible, detail, fault)


def _measure_detail(frame: Frame, face: LocatedFace) -> Detail:
    luminance = luminance_of(frame, face)
    scales = scales_of(luminance)
    light, parts = measure_light(luminance), measure_parts(scales)
    return Detail(
        bright_part=light.bright_part,
        blown_out=light.blown_out,
        dynamic_range=light.dynamic_range,
        noise=measure_noise(luminance, contrast=light.bright_part - light.dark_part),
        sharpness=measure_sharpness(scales),
        steadiness=measure_steadiness(luminance),
        eyes_seen=parts.eyes_seen,
        nose_seen=parts.nose_seen,
        mouth_seen=parts.mouth_seen,
        evenness=light.evenness,
        eyes_open=parts.eyes_open,
        mouth_open=parts.mouth_open,
    )


def _is_turned(pose: Pose, limits: QualityLimits) -> bool:
    upright = abs(pose.roll) <= limits.roll_max and limits.pitch_min <= pose.pitch <= limits.pitch_max
    return not upright or abs(pose.yaw) > limits.yaw_max


def _fault_of_detail(detail: Detail, limits: QualityLimits) -> FaceFault | None:
    flat = detail.dynamic_range < limits.dynamic_range_min
    seen = (
        detail.eyes_seen >= limits.eyes_seen_min,
        detail.nose_seen >= limits.nose_seen_min,
        detail.mouth_seen >= limits.mouth_seen_min,
    )
    faults = (
        (detail.bright_part < limits.bright_part_min, FaceFault.TOO_DARK),
        (detail.blown_out > limits.blown_out_max, FaceFault.TOO_BRIGHT),
        (flat and any(seen) and not all(seen), FaceFault.FACE_COVERED),
        (flat, FaceFault.TOO_FLAT),
        (detail.noise > limits.noise_max, FaceFault.TOO_NOISY),
        (detail.sharpness < limits.sharpness_min, FaceFault.FACE_BLURRED),
        (detail.steadiness < limits.steadiness_min, FaceFault.FACE_BLURRED),
        (not all(seen), FaceFault.FACE_COVERED),
    )
    return next((fault for found, fault in faults if found), None)
