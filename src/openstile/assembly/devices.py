"""Real devices from their names in the settings: barrier, camera, PIN pad, and files that hold a pass."""

import os
import select
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

from openstile.face import Frame
from openstile.gate.barrier import Barrier, ConsoleBarrier
from openstile.passes.qr import read_qr
from openstile.terms.errors import BadInputError
from openstile.terms.limits import PASS_TEXT_CHARS_MAX, PIN_LINE_BYTES_MAX, PIN_WAIT_S_MAX

_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
PASS_SUFFIXES = _PICTURES | {".txt"}
"""Of files that may hold a pass."""


def barrier_of(name: str, *, open_ms: int, token_file: Path | None, announce: bool) -> Barrier:
    """The barrier called `console`, `http://…`, `https://…` or `gpio:PIN`. Raises `BadInputError`, `BarrierError`.

    The console barrier writes to standard error, so that standard output carries results alone; nothing when not
    `announce`.
    """
    if name == "console":
        return ConsoleBarrier(sys.stderr) if announce else SilentBarrier()
    if name.startswith(("http://", "https://")):
        from openstile.gate.barrier_http import HttpBarrier

        return HttpBarrier(name, open_ms=open_ms, token_file=token_file)
    if name.startswith("gpio:"):
        from openstile.gate.barrier_gpio import GpioBarrier

        pin = name.removeprefix("gpio:")
        if not (pin.isascii() and pin.isdigit() and len(pin) <= 3):
            raise BadInputError(f"barrier {name}: give the number of a pin, such as gpio:17")
        return GpioBarrier(int(pin), open_ms=open_ms)
    raise BadInputError(f"barrier {name}: give console, http://..., https://... or gpio:PIN")


def pin_pad_of(name: str) -> Callable[[], str | None]:
    """The PIN pad called `none` (nobody types) or `console` (typed unseen on the terminal). Raises `BadInputError`."""
    if name == "none":
        return lambda: None
    if name == "console":
        if not sys.stdin.isatty():
            raise BadInputError("PIN pad console: standard input is no terminal; give none, or start it on a terminal")
        return ConsolePinPad(sys.stdin.fileno())
    raise BadInputError(f"PIN pad {name}: give console or none")


class ConsolePinPad:
    """Asks for a PIN on the terminal `descriptor`, typed unseen; None when none came within `wait_s` seconds.

    What was typed before it was asked is thrown away: it is not this rider's.
    """

    def __init__(self, descriptor: int, *, wait_s: float = PIN_WAIT_S_MAX) -> None:
        self._descriptor = descriptor
        self._wait_s = wait_s

    def __call__(self) -> str | None:
        """The line that was typed, without its end."""
        try:
            before = termios.tcgetattr(self._descriptor)
            unseen = [*before]
            unseen[3] = (before[3] | termios.ICANON) & ~termios.ECHO  # a line, also where keys are read one by one
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, unseen)
            try:
                sys.stderr.write("PIN: ")
                sys.stderr.flush()
                return self._line()
            finally:
                termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, before)
                sys.stderr.write("\n")
        except (OSError, termios.error):
            return None

    def _line(self) -> str | None:
        ready, _, _ = select.select([self._descriptor], [], [], self._wait_s)
        if not ready:
            return None
        return os.read(self._descriptor, PIN_LINE_BYTES_MAX).decode("ascii", "replace").rstrip("\r\n") or None


def camera_of(name: str) -> Callable[[], AbstractContextManager[Iterator[Frame]]]:
    """What opens the camera, video file or folder of frames called `name`, as often as it is lost."""
    from openstile.face.sources import open_frames

    return lambda: closing(open_frames(name))


def read_presented(path: Path) -> str | bytes:
    """What the file at `path` presents to a gate: a text, or the QR code of a pass in a picture.

    Empty when a picture shows no pass, or several: the gate refuses that as it refuses any unreadable pass. Raises
    `BadInputError` when the file itself cannot be read. What the text says is not judged here.
    """
    if path.suffix.lower() in _PICTURES:
        from openstile.face.images import read_image

        texts = read_qr(read_image(path).pixels)
        return texts[0] if len(texts) == 1 else ""
    try:
        with path.open("rb") as file:
            data = file.read(PASS_TEXT_CHARS_MAX + 3)
    except OSError as error:
        raise BadInputError(f"pass {path}: {error.strerror}; give pass.txt or a picture of its QR code") from None
    if data.startswith(b"%PDF"):
        raise BadInputError(f"pass {path}: a PDF is for printing; give pass.png or pass.txt from the same folder")
    return data.removesuffix(b"\n").removesuffix(b"\r")


class SilentBarrier:
    """A barrier that says nothing, where machine-readable output is asked for."""

    def open(self, direction: object) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""
