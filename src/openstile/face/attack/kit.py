"""What a gate has for telling a living face from an attack. Detectors are made anew for each crossing."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from openstile.face.attack.evidence import Detector, Evidence
from openstile.face.attack.flash import flash_detectors
from openstile.face.attack.parallax import Parallax
from openstile.face.attack.stimulus import Colour, RandomBytes


@runtime_checkable
class FlashLight(Protocol):
    """A display in colours that lights the rider's face. One that fails must not stop the gate: it logs, and from then
    on is not `ready`.
    """

    @property
    def lag_frames(self) -> int:
        """Frames of the camera between showing a colour and the first frame that was exposed in it, 0 to 10. Measured
        when a gate is set up: a relay's delay counts on top of it.
        """
        ...

    def ready(self) -> bool:
        """Whether it may flash now: False when it does not work or the rider has opted out."""
        ...

    def show(self, colour: Colour) -> None:
        """Fill the display with `colour` until the next call."""
        ...

    def rest(self) -> None:
        """Back to the display's texts."""
        ...

    def light_ratio(self) -> float | None:
        """The display's light, all white, over the ambient light, on a face before the gate; None where nothing
        measures it.
        """
        ...


@dataclass(frozen=True, slots=True)
class AttackKit:
    """light: None for a gate without a display in colours; then parallax is the only detector of the house's own.
    extra: makes the deployer's detectors (a context network, a depth camera), one each. count: told each detector's
    evidence of each clip, and nothing else.
    """

    light: FlashLight | None = None
    extra: tuple[Callable[[], Detector], ...] = ()
    random: RandomBytes = secrets.token_bytes
    count: Callable[[Evidence], None] = lambda evidence: None

    def flashes(self, *, wanted: bool) -> bool:
        """Whether there is a display that may flash now."""
        return wanted and self.light is not None and self.light.ready()

    def make_detectors(self, *, flash: bool) -> tuple[Detector, ...]:
        """New detectors for one crossing."""
        own: tuple[Detector, ...] = (Parallax(), *flash_detectors()) if flash else (Parallax(),)
        return (*own, *(make() for make in self.extra))
