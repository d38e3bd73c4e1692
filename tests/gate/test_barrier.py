"""Barriers against a real HTTP server, a real stream and gpiozero's own simulated pins."""

import io
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from openstile.gate.barrier import BarrierError, ConsoleBarrier
from openstile.gate.barrier_gpio import GpioBarrier
from openstile.gate.barrier_http import HttpBarrier
from openstile.journal import Direction
from openstile.terms import BadInputError


def test_console_barrier_writes_one_line() -> None:
    stream = io.StringIO()
    ConsoleBarrier(stream).open(Direction.OUT)
    assert stream.getvalue() == "barrier: open (out)\n"


def test_console_barrier_without_a_console_says_so() -> None:
    stream = io.StringIO()
    stream.close()
    with pytest.raises(BarrierError, match="console"):
        ConsoleBarrier(stream).open(Direction.IN)


@dataclass
class _Controller:
    """A barrier controller on this machine: remembers what it was told, answers `status`, may keep silent."""

    status: int = 204
    silent: threading.Event | None = None
    told: list[tuple[str, dict[str, object], str | None]] = field(default_factory=list)
    url: str = ""


@contextmanager
def _running(controller: _Controller) -> Iterator[_Controller]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            controller.told.append((self.path, body, self.headers["Authorization"]))
            if controller.silent is not None:
                controller.silent.wait(10)
            self.send_response(controller.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    controller.url = f"http://127.0.0.1:{server.server_port}/lane/1"
    try:
        yield controller
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _barrier(url: str, *, timeout_s: float = 5.0, token_file: Path | None = None) -> Iterator[HttpBarrier]:
    barrier = HttpBarrier(url, open_ms=3000, timeout_s=timeout_s, token_file=token_file)
    try:
        yield barrier
    finally:
        barrier.close()


def test_http_barrier_is_told_direction_and_time_and_nothing_of_the_pass(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    with _running(_Controller()) as controller, _barrier(controller.url, token_file=token) as barrier:
        barrier.open(Direction.IN)
        barrier.open(Direction.OUT)
    assert controller.told == [
        ("/lane/1", {"direction": "in", "open_ms": 3000}, "Bearer s3cret"),
        ("/lane/1", {"direction": "out", "open_ms": 3000}, "Bearer s3cret"),
    ]


@pytest.mark.parametrize("status", [302, 401, 404, 500, 503])
def test_http_barrier_that_answers_otherwise_is_not_open(status: int) -> None:
    with (
        _running(_Controller(status)) as controller,
        _barrier(controller.url) as barrier,
        pytest.raises(BarrierError, match=f"answered {status}"),
    ):
        barrier.open(Direction.IN)
    assert len(controller.told) == 1


def test_http_barrier_that_keeps_silent_is_given_up_in_time() -> None:
    silent = threading.Event()
    with _running(_Controller(silent=silent)) as controller, _barrier(controller.url, timeout_s=0.2) as barrier:
        began = time.monotonic()
        with pytest.raises(BarrierError, match="in time"):
            barrier.open(Direction.IN)
        assert time.monotonic() - began < 5
        silent.set()


def test_http_barrier_that_is_off_is_one_clear_line() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with (
            _barrier(f"http://127.0.0.1:{unused.getsockname()[1]}/") as barrier,
            pytest.raises(BarrierError, match="cannot be reached"),
        ):
            barrier.open(Direction.IN)


def test_http_barrier_takes_no_proxy_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with _running(_Controller()) as controller, _barrier(controller.url) as barrier:
        barrier.open(Direction.IN)
    assert len(controller.told) == 1


@pytest.mark.parametrize(
    "url",
    ["", "gate", "ftp://gate/", "http://", "http://[::1", "http://user:word@gate/", "http://a..b/", "http://xn--/",
     "http://a b/", f"http://{'a' * 64}/", "http://gate:0/", "http://gate:65536/"],
)  # fmt: skip
def test_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(BadInputError, match="barrier"):
        HttpBarrier(url, open_ms=1000)


@pytest.mark.parametrize("url", ["http://gate/", "http://192.168.1.9/"])
def test_token_is_not_sent_in_the_clear_over_a_network(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadInputError, match="use https"):
        HttpBarrier(url, open_ms=1000, token_file=tmp_path / "token")


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        (b"token", 0o644, "others can read it"),
        (b"", 0o600, "one line"),
        (b"two words", 0o600, "one line"),
        (b"two\nlines", 0o600, "one line"),
        (b"\xff", 0o600, "ASCII"),
        (b"x" * 5000, 0o600, "one line"),
    ],
)
def test_token_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, mode: int, complaint: str) -> None:
    token = tmp_path / "token"
    token.write_bytes(content)
    token.chmod(mode)
    with pytest.raises(BadInputError, match=complaint):
        HttpBarrier("https://gate/", open_ms=1000, token_file=token)


def test_absent_token_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        HttpBarrier("http://localhost/", open_ms=1000, token_file=tmp_path / "none")


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    gpiozero = pytest.importorskip("gpiozero")
    factory = pytest.importorskip("gpiozero.pins.mock").MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    yield factory
    factory.reset()


def test_gpio_barrier_raises_its_pin_for_the_time_and_lowers_it(pins: object) -> None:
    barrier = GpioBarrier(17, open_ms=50)
    pin = pins.pin(17)  # type: ignore[attr-defined]
    assert pin.state == 0
    barrier.open(Direction.IN)
    barrier._device._blink_thread.join(5)
    states = [bool(state.state) for state in pin.states]
    raised_s = next(after.timestamp for before, after in pairwise(pin.states) if before.state)
    assert states[-2:] == [True, False]
    assert raised_s >= 0.05
    barrier.close()


def test_gpio_barrier_opens_again_while_it_is_open(pins: object) -> None:
    barrier = GpioBarrier(4, open_ms=60_000)
    barrier.open(Direction.IN)
    barrier.open(Direction.OUT)
    barrier.close()
    assert not pins.pin(4).state  # type: ignore[attr-defined]
    with pytest.raises(BarrierError, match="gpio:4"):
        barrier.open(Direction.IN)


def test_gpio_barrier_on_a_taken_pin_is_one_clear_line(pins: object) -> None:
    first = GpioBarrier(4, open_ms=1000)
    with pytest.raises(BarrierError, match="cannot drive the pin"):
        GpioBarrier(4, open_ms=1000)
    first.close()


def test_gpio_barrier_on_a_machine_without_pins_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    gpiozero = pytest.importorskip("gpiozero")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "native")
    with pytest.raises(BarrierError, match="cannot drive the pin"):
        GpioBarrier(999, open_ms=1000)


def test_gpio_barrier_without_gpiozero_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(BarrierError, match="extra gpio"):
        GpioBarrier(17, open_ms=1000)
