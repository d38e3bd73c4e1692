"""Opening the barrier: the interface, and a console. Over HTTP and by GPIO: `barrier_http`, `barrier_gpio`.

No barrier learns whose pass it was.
"""

from typing import Protocol, TextIO

from openstile.journal import Direction
from openstile.terms import OpenstileError


class BarrierError(OpenstileError):
    """The barrier was not opened, or nobody knows whether it was."""

    exit_code = 5


class Barrier(Protocol):
    """Opens for one person. Closing by itself is the barrier's own business: a dead gate must not hold it open."""

    def open(self, direction: Direction) -> None:
        """Open once in `direction`; returns when the barrier has taken the command. Raises BarrierError."""
        ...

    def close(self) -> None:
        """Let go of the device, and leave the barrier closed."""
        ...


class ConsoleBarrier:
    """Writes one line to a stream: for demonstrations and for the start of a deployment."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def open(self, direction: Direction) -> None:
        """Writes `barrier: open (in)`. Raises BarrierError when the stream cannot be written."""
        try:
            self._stream.write(f"barrier: open ({direction.value})\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise BarrierError(f"barrier: its console cannot be written: {error}; check where output goes") from error

    def close(self) -> None:
        """Does nothing: the stream belongs to whoever gave it."""
