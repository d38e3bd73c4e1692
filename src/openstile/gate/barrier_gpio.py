"""Opening the barrier by a GPIO pin."""

import importlib
import warnings
from typing import Any

from openstile.gate.barrier import BarrierError
from openstile.journal import Direction


class GpioBarrier:
    """Raises one pin for `open_ms` milliseconds, in the background. Needs the extra `gpio` (gpiozero).

    A process killed meanwhile may leave the pin raised: drive the barrier through a relay with a timer of its own.
    """

    def __init__(self, pin: int, *, open_ms: int) -> None:
        """Raises BarrierError when gpiozero is missing or the machine has no such pin."""
        try:
            gpiozero: Any = importlib.import_module("gpiozero")
        except ImportError as error:
            raise BarrierError(f"barrier gpio:{pin}: needs gpiozero; install openstile with its extra gpio") from error
        self._pin = pin
        self._errors: tuple[type[Exception], ...] = (gpiozero.GPIOZeroError, OSError, ValueError)
        self._open_s = open_ms / 1000
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", gpiozero.GPIOZeroWarning)
                self._device = gpiozero.DigitalOutputDevice(pin)
        except self._errors as error:
            raise BarrierError(f"barrier gpio:{pin}: this machine cannot drive the pin ({error})") from error

    def open(self, direction: Direction) -> None:
        """Raises the pin and returns at once; one pin opens both directions. Raises BarrierError."""
        try:
            self._device.on()  # here, because what fails in the background is seen by nobody
            self._device.blink(on_time=self._open_s, off_time=0, n=1, background=True)
        except self._errors as error:
            raise BarrierError(
                f"barrier gpio:{self._pin}: cannot be raised to let anyone {direction}: {error}"
            ) from error

    def close(self) -> None:
        """Lowers the pin and frees it."""
        if not self._device.closed:
            self._device.off()
        self._device.close()
