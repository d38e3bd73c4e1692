"""The network between gates and office: loses requests and answers, brings requests twice and late, breaks down."""

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from enum import Enum
from typing import Any, cast
from urllib.parse import urlsplit

import anyio.to_thread
from fastapi import FastAPI

from openstile.terms import OpenstileError
from simulation.clocks import TrueClock

Answer = tuple[int, Mapping[str, str], bytes]

_LATE_MAX = 20
_BUSY = 503


class WireError(OpenstileError):
    """No answer came."""


class Fault(Enum):
    """What can become of one request."""

    REQUEST_LOST = "request lost"
    HELD_BACK = "held back"
    """No answer in time; the request arrives later, or never."""
    DOUBLED = "doubled"
    ANSWER_LOST = "answer lost"


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the network is: chances, each for one request."""

    request_lost: float = 0.0
    answer_lost: float = 0.0
    doubled: float = 0.0
    held_back: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """A request as it was signed."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """Carries requests to the app in this process. `closed`: the office is out.

    `planned`: what becomes of the next requests, one by one. Those held back arrive by chance behind others, or when
    somebody calls `bring`.
    """

    app: FastAPI
    clock: TrueClock
    chance: random.Random
    weather: Weather = field(default_factory=Weather)
    closed: bool = False
    planned: list[set[Fault]] = field(default_factory=list)
    late: list[Held] = field(default_factory=list)
    asked: int = 0
    lost: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The office's answer. Raises WireError where the network loses it, or the request."""
        held = Held(method, url, dict(headers), body)
        if self.late and not self.closed and self.weather.held_back and self.chance.random() < 0.5:
            self.bring(self.chance.randrange(len(self.late)))
        planned = self.planned.pop(0) if self.planned else set()
        faults = {fault for fault, chance in self._chances() if fault in planned or self.chance.random() < chance}
        if self.closed or Fault.REQUEST_LOST in faults:
            self.lost += 1
            raise WireError("no answer")
        if Fault.HELD_BACK in faults and len(self.late) < _LATE_MAX:
            self.late.append(held)
            raise WireError("no answer in time")
        answer = self._send(held)
        if Fault.DOUBLED in faults:
            self._send(held)
        if Fault.ANSWER_LOST in faults:
            self.lost += 1
            raise WireError("no answer")
        return answer

    def bring(self, index: int, *, keep: bool = False) -> int:
        """A request that was held back arrives; with `keep` it will once more. Returns the status of its answer."""
        return self._send(self.late[index] if keep else self.late.pop(index))[0]

    def close(self) -> None:
        """Ends the loop that requests run in."""
        self._loop.close()

    def _chances(self) -> tuple[tuple[Fault, float], ...]:
        weather = self.weather
        return (
            (Fault.REQUEST_LOST, weather.request_lost),
            (Fault.HELD_BACK, weather.held_back),
            (Fault.DOUBLED, weather.doubled),
            (Fault.ANSWER_LOST, weather.answer_lost),
        )

    def _send(self, held: Held) -> Answer:
        self.asked += 1
        with _threads_inline():
            status, headers, body = self._loop.run_until_complete(_ask(self.app, held))
        if status >= 500 and status != _BUSY:
            raise AssertionError(f"the office answered {status} to {held.method} {held.url}")
        return status, headers | {"date": format_datetime(self.clock.now(), usegmt=True)}, body  # as the server adds it


async def _ask(app: FastAPI, held: Held) -> tuple[int, dict[str, str], bytes]:
    """One request by ASGI, as the server would bring it."""
    url = urlsplit(held.url)
    fields = {"host": url.netloc, "content-length": str(len(held.body))} | held.headers
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
        "method": held.method, "scheme": url.scheme, "path": url.path, "raw_path": url.path.encode("ascii"),
        "query_string": url.query.encode("ascii"), "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()],
        "client": ("192.0.2.1", 4711), "server": (url.hostname, 443), "state": {},
    }  # fmt: skip
    asked = [{"type": "http.request", "body": held.body, "more_body": False}]
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in said[0]["headers"]}
    return int(said[0]["status"]), headers, b"".join(message.get("body", b"") for message in said[1:])


@contextmanager
def _threads_inline() -> Iterator[None]:
    """One request at a time needs no threads: what would run in one runs where it is, at a tenth of the cost."""
    threaded = anyio.to_thread.run_sync

    async def run_here(work: Callable[..., Any], *arguments: Any, **_limits: Any) -> Any:
        return work(*arguments)

    anyio.to_thread.run_sync = cast(Any, run_here)
    try:
        yield
    finally:
        anyio.to_thread.run_sync = threaded
