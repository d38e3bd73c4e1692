"""All targets by name, and the module that each is in: a process that runs one imports no more than that module."""

from importlib import import_module

from fuzz.target import Target

GROUPS = (
    "fuzz.passes", "fuzz.trust", "fuzz.files", "fuzz.network", "fuzz.uplink", "fuzz.fares", "fuzz.pictures", "fuzz.lab",
)  # fmt: skip
PLANTED = "fuzz.planted"


def all_targets() -> dict[str, tuple[str, Target]]:
    """Module and target by name, in the order of the documentation."""
    return {target.name: (group, target) for group in GROUPS for target in targets_of(group)}


def targets_of(group: str) -> tuple[Target, ...]:
    """The targets of one module."""
    found: tuple[Target, ...] = import_module(group).TARGETS
    return found
