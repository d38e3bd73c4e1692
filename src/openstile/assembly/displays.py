"""The display from its name in the settings, and how a rider declines its colours."""

import os
import select
import sys
import termios
from collections.abc import Callable
from typing import TextIO

from openstile.assembly.settings import GateTable
from openstile.crossing import Policy
from openstile.gate.display import ConsoleDisplay
from openstile.gate.display_light import LightDisplay
from openstile.gate.light_switch import GpioLightSwitch, LightSwitch, NoLightSwitch
from openstile.gate.messages import Language, LightNotice
from openstile.terms.errors import BadInputError

DECLINING_KEYS = b"xX"
_KEYS_AT_ONCE = 256


def check_display(gate: GateTable, stream: TextIO) -> None:
    """Raises BadInputError where the display that is set cannot be shown on `stream`."""
    if gate.display == "light" and not stream.isatty():
        raise BadInputError(
            "gate.display light: its output is no terminal; start the gate on the rider's screen, or set console"
        )


def display_of(gate: GateTable, stream: TextIO, *, switch: LightSwitch, policy: Callable[[], Policy]) -> ConsoleDisplay:
    """The display of these settings on `stream`. `policy`: that in force, which may want no colours."""
    language = Language(gate.language)
    if gate.display == "console":
        return ConsoleDisplay(stream, language=language)

    def wanted() -> bool:
        now = policy()
        return now.attack_mode != "off" and now.attack_flash == "on"

    return LightDisplay(
        stream,
        language=language,
        lag_frames=gate.display_lag_frames,
        light_ratio=gate.display_light_ratio or None,
        switch=switch,
        notice=_notice(gate.display_opt_out),
        wanted=wanted,
    )


def light_switch_of(gate: GateTable) -> LightSwitch:
    """How a rider declines the colours; nothing where the display has none. Raises BadInputError, LightSwitchError."""
    if gate.display != "light" or gate.display_opt_out == "none":
        return NoLightSwitch()
    if gate.display_opt_out == "console":
        if not sys.stdin.isatty():
            raise BadInputError(
                "gate.display_opt_out console: standard input is no terminal; set none or gpio:PIN, or start it on one"
            )
        return ConsoleLightSwitch(sys.stdin.fileno())
    return GpioLightSwitch(int(gate.display_opt_out.removeprefix("gpio:")))


class ConsoleLightSwitch:
    """The key X of the terminal `descriptor`, without Enter and unseen. Keys are noted when somebody asks, and no
    other key is looked at. Ctrl-C ends the gate as before.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._declined = descriptor, False
        self._before = termios.tcgetattr(descriptor)
        unbuffered = [*self._before]
        unbuffered[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, unbuffered)

    def declined(self) -> bool:
        """Whether X was typed."""
        typed = self._typed()
        self._declined = self._declined or any(key in typed for key in DECLINING_KEYS)
        return self._declined

    def forget(self) -> None:
        """What was typed until now was this rider's."""
        self._typed()
        self._declined = False

    def close(self) -> None:
        """The terminal as it was."""
        try:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
        except termios.error:
            return  # it has gone

    def _typed(self) -> bytes:
        try:
            ready, _, _ = select.select([self._descriptor], [], [], 0)
            return os.read(self._descriptor, _KEYS_AT_ONCE) if ready else b""
        except OSError:
            return b""


def _notice(opt_out: str) -> LightNotice:
    if opt_out == "none":
        return LightNotice.COLOURS
    return LightNotice.COLOURS_OR_KEY if opt_out == "console" else LightNotice.COLOURS_OR_BUTTON
