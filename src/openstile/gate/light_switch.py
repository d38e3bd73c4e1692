"""How a rider says that the display shall not change its colours for them: a key or a button at the lane."""

import importlib
import threading
import warnings
from typing import Any, Protocol

from openstile.terms import OpenstileError


class LightSwitchError(OpenstileError):
    """The button does not work."""

    exit_code = 5


class LightSwitch(Protocol):
    """Holds for one crossing: it is asked before and while colours are shown, and forgets when the crossing is over.
    Nothing is recorded of it. One that fails must not stop the gate.
    """

    def declined(self) -> bool:
        """Whether a rider wants no colours, since the last crossing was over."""
        ...

    def forget(self) -> None:
        """The crossing is over."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


class NoLightSwitch:
    """A lane without one."""

    def declined(self) -> bool:
        """Nobody can say so."""
        return False

    def forget(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class GpioLightSwitch:
    """A button between a pin and ground. Needs the extra `gpio` (gpiozero), whose thread notes the press."""

    def __init__(self, pin: int) -> None:
        """Raises LightSwitchError when gpiozero is missing or the machine has no such pin."""
        try:
            gpiozero: Any = importlib.import_module("gpiozero")
        except ImportError as error:
            raise LightSwitchError(
                f"button gpio:{pin}: needs gpiozero; install openstile with its extra gpio"
            ) from error
        self._pressed = threading.Event()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", gpiozero.GPIOZeroWarning)
                self._button = gpiozero.Button(pin)
        except (gpiozero.GPIOZeroError, OSError, ValueError) as error:
            raise LightSwitchError(f"button gpio:{pin}: this machine cannot read the pin ({error})") from error
        self._button.when_pressed = self._pressed.set

    def declined(self) -> bool:
        """Whether it was pressed."""
        return self._pressed.is_set()

    def forget(self) -> None:
        """The next press counts again."""
        self._pressed.clear()

    def close(self) -> None:
        """Frees the pin."""
        self._button.close()
