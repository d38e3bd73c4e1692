"""Every limit that a gate ships with, where it is set, and the line of a report that shows what it buys.

A test walks the limits in the code and finds each of them here, so that none is shipped without its line.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from openstile.face.attack import thresholds as attack_thresholds
from openstile.face.quality import QualityLimits


@dataclass(frozen=True, slots=True)
class Threshold:
    """One limit. `line`: the anchor of the report's line that justifies it; None where this report has no such line.

    `kind`: "distance", "quality" or "attack", for the words of the link.
    """

    name: str
    kind: str
    value: float
    home: str
    line: str | None


def shipped_thresholds(
    *, distance_max: float, quality: QualityLimits, measures: tuple[str, ...], attacks: bool = False
) -> tuple[Threshold, ...]:
    """The limits in use. `measures`: those that the report's section on quality has a line for; `attacks`: whether it
    has a section on attacks.
    """
    found = [Threshold("distance_max", "distance", distance_max, "the pack's manifest: comparison.distance_max", "fmr")]
    for field in fields(quality):
        value = getattr(quality, field.name)
        line = f"quality-{measure_of(field.name)}" if measure_of(field.name) in measures else None
        home = f"openstile.face.quality: QualityLimits.{field.name}"
        found.append(Threshold(field.name, "quality", value, home, line))
    for name, value in vars(attack_thresholds).items():
        if name.isupper() and isinstance(value, int | float):
            home = f"openstile.face.attack.thresholds: {name}"
            found.append(Threshold(name.lower(), "attack", float(value), home, "attacks" if attacks else None))
    return tuple(found)


def measure_of(limit: str) -> str:
    """The measure that a limit of `QualityLimits` is of: `sharpness` of `sharpness_min`."""
    return limit.removesuffix("_min").removesuffix("_max")


def thresholds_json(thresholds: tuple[Threshold, ...]) -> list[dict[str, Any]]:
    """As JSON values."""
    return [asdict(threshold) for threshold in thresholds]
