"""Detectors of presentation attacks that the settings add to our own, and what all of them are in words."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from openstile.assembly.settings import Settings
from openstile.crossing import Policy
from openstile.terms.errors import BadInputError
from openstile.terms.limits import MODEL_FILE_BYTES_MAX

if TYPE_CHECKING:
    from openstile.face.attack import Detector
    from openstile.face.attack.context import ContextNetwork


class AddedDetectors:
    """The deployer's context network, if one is set: loaded once, when first needed."""

    def __init__(self, settings: Settings, home: Path) -> None:
        self._settings, self._home = settings, home

    def load(self) -> None:
        """Now, before a rider comes. Raises BadInputError, PackError where it cannot be used."""
        _ = self._network

    def makers(self) -> tuple[Callable[[], "Detector"], ...]:
        """What makes one of each for a crossing."""
        wants = self._settings.context.wants()
        if wants is None:
            return ()
        attack_min = wants.attack_min

        def make() -> "Detector":
            from openstile.face.attack.context import ContextDetector

            network = self._network
            assert network is not None, "the settings name a network"
            return ContextDetector(network, attack_min=attack_min)

        return (make,)

    @cached_property
    def _network(self) -> "ContextNetwork | None":
        from openstile.face.attack.context import ContextNetwork

        table, wants = self._settings.context, self._settings.context.wants()
        if wants is None:
            return None
        model = _read(self._home / table.network)
        found = hashlib.sha256(model).hexdigest()
        if found != table.sha256:
            raise BadInputError(
                f"context.network {table.network}: its SHA-256 is {found}, not that of context.sha256; "
                "it is another file, or damaged"
            )
        return ContextNetwork(model, wants)


def detectors_in_words(settings: Settings, policy: Policy) -> str:
    """Which detectors a gate of these settings runs, and what for."""
    if policy.attack_mode == "off":
        return "off: no detector runs (policy.attack_mode)"
    lit = settings.gate.display == "light" and policy.attack_flash == "on"
    names = ["parallax", *(["flash_response", "flash_shape"] if lit else [])]
    names += ["context"] if settings.context.network else []
    said = [f"{policy.attack_mode}: {', '.join(names)}"]
    if not lit:
        said.append("parallax is the only detector of our own, for no display lights the rider")
    elif settings.gate.display_light_ratio == 0:
        said.append("gate.display_light_ratio is not measured")
    silent = [name for name in names if name in policy.attack_monitored]
    if silent and policy.attack_mode == "enforce":
        said.append(f"only counted: {', '.join(silent)}")
    return "; ".join(said)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            model = file.read(MODEL_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BadInputError(f"context.network {path}: {error.strerror}; name an ONNX file that you can read") from None
    if len(model) > MODEL_FILE_BYTES_MAX:
        raise BadInputError(f"context.network {path}: is larger than {MODEL_FILE_BYTES_MAX} bytes")
    return model
