"""Every limit that ships, where it is set, and the line of a report that shows what it buys.

A limit's anchor in a report and in a model card is `threshold-NAME`, its line another anchor of the same report. A test
walks the limits in the code and finds each of them here, so that none is shipped without its line.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from openstile.face import quality_limits
from openstile.face.attack import thresholds as attack_thresholds
from openstile.face.packs.shelf import shipped_manifests
from openstile.face.quality_limits import ENROLMENT_LIMITS, QualityLimits
from openstile.face.zone import CaptureZone

_DETECTOR = ("confidence_min", "overlap_max")
ADVICE = ("EVENNESS_MIN", "EYES_OPEN_MIN", "MOUTH_OPEN_MAX")
"""Limits of `face.quality_limits` below or above which a rider is advised, and never rejected."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit. `line`: the anchor of the report's line that justifies it; None where this report has no such line.

    `kind`: "distance", "quality", "enrolment", "advice", "zone", "detector" or "attack", for the words of the link.
    """

    name: str
    kind: str
    value: float
    home: str
    line: str | None


def shipped_thresholds(
    *,
    distance_max: float,
    quality: QualityLimits,
    zone: CaptureZone,
    pack_id: str,
    measures: tuple[str, ...],
    attacks: bool = False,
) -> tuple[Threshold, ...]:
    """The limits in use. `measures`: those that the report's section on quality has a line for; `attacks`: whether it
    has a section on attacks. The detector's limits are told of packs that ship with Openstile.
    """

    def shown(limit: str, prefix: str = "quality") -> str | None:
        return f"{prefix}-{measure_of(limit)}" if measure_of(limit) in measures else None

    gate, desk = _numbers(quality), _numbers(ENROLMENT_LIMITS)
    advice = {name.lower(): float(getattr(quality_limits, name)) for name in ADVICE}
    detectors = {each.pack_id: each.detector for each in shipped_manifests()}
    detector = {} if pack_id not in detectors else {n: float(getattr(detectors[pack_id], n)) for n in _DETECTOR}
    attack = {
        n.lower(): float(v) for n, v in vars(attack_thresholds).items() if n.isupper() and isinstance(v, int | float)
    }
    limits, manifest = "openstile.face.quality_limits", "the pack's manifest"
    return (
        Threshold("distance_max", "distance", distance_max, f"{manifest}: comparison.distance_max", "fmr"),
        *(Threshold(n, "quality", v, f"{limits}: QualityLimits.{n}", shown(n)) for n, v in gate.items()),
        *(Threshold(n, "advice", v, f"{limits}: {n.upper()}", shown(n)) for n, v in advice.items()),
        *(
            Threshold(f"enrolment_{n}", "enrolment", v, f"{limits}: ENROLMENT_LIMITS.{n}", shown(n, "enrolment"))
            for n, v in desk.items()
        ),
        *(
            Threshold(f"zone_{n}", "zone", v, f"openstile.face.zone: CaptureZone.{n}", "fta")
            for n, v in _numbers(zone).items()
        ),
        *(Threshold(f"detector_{n}", "detector", v, f"{manifest}: detector.{n}", "fta") for n, v in detector.items()),
        *(
            Threshold(n, "attack", v, f"openstile.face.attack.thresholds: {n.upper()}", "attacks" if attacks else None)
            for n, v in attack.items()
        ),
    )


def measure_of(limit: str) -> str:
    """The measure that a limit of quality is of: `sharpness` of `sharpness_min` and of `enrolment_sharpness_min`."""
    return limit.removeprefix("enrolment_").removesuffix("_min").removesuffix("_max")


def thresholds_json(thresholds: tuple[Threshold, ...]) -> list[dict[str, Any]]:
    """As JSON values."""
    return [asdict(threshold) for threshold in thresholds]


def _is_limit(name: str, value: object) -> bool:
    return name.isupper() and not name.startswith("_") and isinstance(value, int | float)


def _numbers(limits: QualityLimits | CaptureZone) -> Mapping[str, float]:
    return {field.name: float(getattr(limits, field.name)) for field in fields(limits)}
