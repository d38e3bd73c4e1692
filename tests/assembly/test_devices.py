"""The PIN pad of a terminal: unseen, of this rider only, and never waiting for ever."""

import io
import os
import select
import termios
import threading

import pytest

from openstile.assembly.devices import ConsolePinPad, pin_pad_of
from openstile.terms import BadInputError


def _typed_when_asked(keyboard: int, pad: int, typed: bytes) -> threading.Thread:
    """Types as soon as the terminal shows nothing of what is typed: then the pad has asked."""

    def wait_and_type() -> None:
        while termios.tcgetattr(pad)[3] & termios.ECHO:
            pass
        os.write(keyboard, typed)

    thread = threading.Thread(target=wait_and_type)
    thread.start()
    return thread


@pytest.mark.parametrize(("typed", "pin"), [(b"4711\n", "4711"), (b"\n", None), (b"\x04", None), (b"\xff\n", "\ufffd")])
def test_typed_line_is_the_pin(terminal: tuple[int, int], typed: bytes, pin: str | None) -> None:
    keyboard, pad = terminal
    typing = _typed_when_asked(keyboard, pad, typed)
    assert ConsolePinPad(pad, wait_s=10)() == pin
    typing.join()
    assert termios.tcgetattr(pad)[3] & termios.ECHO


def test_gate_does_not_wait_for_ever_for_a_pin(terminal: tuple[int, int]) -> None:
    assert ConsolePinPad(terminal[1], wait_s=0)() is None


def test_pin_that_was_typed_before_it_was_asked_is_not_this_riders(terminal: tuple[int, int]) -> None:
    keyboard, pad = terminal
    os.write(keyboard, b"4711\n")
    assert select.select([pad], [], [], 10)[0], "the line has come through"
    assert ConsolePinPad(pad, wait_s=0.05)() is None


def test_pin_is_not_shown(terminal: tuple[int, int]) -> None:
    keyboard, pad = terminal
    typing = _typed_when_asked(keyboard, pad, b"4711\n")
    ConsolePinPad(pad, wait_s=10)()
    typing.join()
    os.set_blocking(keyboard, False)
    with pytest.raises(BlockingIOError):
        os.read(keyboard, 100)


def test_console_pin_pad_without_a_terminal_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("4711\n"))
    with pytest.raises(BadInputError, match="no terminal"):
        pin_pad_of("console")
    assert pin_pad_of("none")() is None
