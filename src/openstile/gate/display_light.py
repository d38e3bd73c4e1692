"""A display in colours: a terminal that fills the screen in front of the rider, texts included."""

import math
from collections.abc import Callable
from typing import TextIO

from openstile.crossing.reasons import Reason
from openstile.face.attack.stimulus import Colour
from openstile.gate.display import ConsoleDisplay
from openstile.gate.light_switch import LightSwitch, NoLightSwitch
from openstile.gate.messages import GateState, Language, LightNotice, state_message
from openstile.terms import BadInputError

_CLEAR = "\x1b[2J\x1b[H"


class LightDisplay(ConsoleDisplay):
    """The console display, and the light that flash detectors need (face.attack.kit.FlashLight), by 24-bit colours
    of the terminal (ISO/IEC 8613-6). For a screen of the gate's own that shows nothing else.

    lag_frames: the camera's frames between a colour and the first frame exposed in it, 0 to 10. light_ratio: the
    display's light, all white, over the ambient light, as a light meter or `openstile gate --measure-light` found it;
    None: not measured. switch: how a rider declines the colours. wanted: whether the policy wants them, which only
    changes what the display says. A stream that fails is not ready again.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        language: Language = Language.EN,
        lag_frames: int = 0,
        light_ratio: float | None = None,
        switch: LightSwitch | None = None,
        notice: LightNotice = LightNotice.COLOURS,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(stream, language=language)
        if not 0 <= lag_frames <= 10:
            raise BadInputError(f"display: lag_frames {lag_frames} is outside 0..10")
        if light_ratio is not None and not (math.isfinite(light_ratio) and light_ratio > 0):
            raise BadInputError(f"display: light_ratio {light_ratio} must be above 0")
        self._stream, self._lag_frames, self._light_ratio, self._works = stream, lag_frames, light_ratio, True
        self._switch: LightSwitch = switch or NoLightSwitch()
        self._notice, self._wanted = notice, wanted

    @property
    def lag_frames(self) -> int:
        """As given: measured when the gate was set up."""
        return self._lag_frames

    def ready(self) -> bool:
        """Whether the stream took everything so far, and the rider has not declined."""
        return self._works and not self._switch.declined()

    def show(self, colour: Colour) -> None:
        """Fill the screen with `colour`."""
        red, green, blue = colour
        self._write(f"\x1b[48;2;{red};{green};{blue}m{_CLEAR}")

    def rest(self) -> None:
        """An empty screen for the next text."""
        self._write(f"\x1b[0m{_CLEAR}")

    def light_ratio(self) -> float | None:
        """As given: a terminal has no light meter."""
        return self._light_ratio

    def show_state(self, state: GateState) -> None:
        """As the console does. Before a rider comes it says what the screen will do, and how to decline it."""
        if state is GateState.ADMITTED:
            self._switch.forget()
        self._show(state_message(state, self._language, self._notice_in(state)))

    def show_reason(self, reason: Reason) -> None:
        """As the console does; the crossing is over."""
        self._switch.forget()
        super().show_reason(reason)

    def _notice_in(self, state: GateState) -> LightNotice | None:
        if not self._wanted():
            return None
        if state is GateState.LOOK and self._switch.declined():
            return LightNotice.DECLINED
        return self._notice if state is GateState.IDLE else None

    def _write(self, text: str) -> None:
        self._shown = None  # what it said is gone from the screen
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._works = False
