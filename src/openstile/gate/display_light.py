"""A display in colours: a terminal that fills the screen in front of the rider, texts included."""

from typing import TextIO

from openstile.face.attack.stimulus import Colour
from openstile.gate.display import ConsoleDisplay
from openstile.gate.messages import Language
from openstile.terms import BadInputError

_CLEAR = "\x1b[2J\x1b[H"


class LightDisplay(ConsoleDisplay):
    """The console display, and the light that flash detectors need (face.attack.kit.FlashLight), by 24-bit colours
    of the terminal (ISO/IEC 8613-6). For a screen of the gate's own that shows nothing else.

    lag_frames: the camera's frames between a colour and the first frame exposed in it, 0 to 10.
    A stream that fails is not ready again.
    """

    def __init__(self, stream: TextIO, *, language: Language = Language.EN, lag_frames: int = 0) -> None:
        super().__init__(stream, language=language)
        if not 0 <= lag_frames <= 10:
            raise BadInputError(f"display: lag_frames {lag_frames} is outside 0..10")
        self._stream, self._lag_frames, self._works = stream, lag_frames, True

    @property
    def lag_frames(self) -> int:
        """As given: measured when the gate was set up."""
        return self._lag_frames

    def ready(self) -> bool:
        """Whether the stream took everything so far."""
        return self._works

    def show(self, colour: Colour) -> None:
        """Fill the screen with `colour`."""
        red, green, blue = colour
        self._write(f"\x1b[48;2;{red};{green};{blue}m{_CLEAR}")

    def rest(self) -> None:
        """An empty screen for the next text."""
        self._write(f"\x1b[0m{_CLEAR}")

    def light_ratio(self) -> float | None:
        """A terminal has no light meter."""
        return None

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._works = False
