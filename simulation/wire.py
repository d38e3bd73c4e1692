"""The network between gates and office: loses requests and answers, brings requests twice and late, breaks down."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime

import httpx
from fastapi import FastAPI

from openstile.terms import OpenstileError
from simulation.clocks import TrueClock

_LATE_MAX = 20


class WireError(OpenstileError):
    """No answer came."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the network is: chances, each for one request."""

    request_lost: float = 0.0
    answer_lost: float = 0.0
    doubled: float = 0.0
    held_back: float = 0.0


@dataclass(frozen=True, slots=True)
class _Held:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Wire:
    """Carries requests to the app in this process. `closed`: the office is out."""

    app: FastAPI
    clock: TrueClock
    chance: random.Random
    weather: Weather = field(default_factory=Weather)
    closed: bool = False
    asked: int = 0
    lost: int = 0
    _late: list[_Held] = field(default_factory=list)
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The office's answer. Raises WireError where the network loses it, or the request."""
        held = _Held(method, url, dict(headers), body)
        self._bring_late()
        if self.closed or self.chance.random() < self.weather.request_lost:
            self.lost += 1
            raise WireError("no answer")
        if self.chance.random() < self.weather.held_back and len(self._late) < _LATE_MAX:
            self._late.append(held)
            raise WireError("no answer in time")
        answer = self._send(held)
        if self.chance.random() < self.weather.doubled:
            self._send(held)
        if self.chance.random() < self.weather.answer_lost:
            self.lost += 1
            raise WireError("no answer")
        return answer

    def close(self) -> None:
        """Ends the loop that requests run in."""
        self._runner.close()

    def _bring_late(self) -> None:
        """Requests that were held back arrive after others, or never."""
        if self._late and not self.closed and self.chance.random() < 0.5:
            self._send(self._late.pop(self.chance.randrange(len(self._late))))

    def _send(self, held: _Held) -> tuple[int, Mapping[str, str], bytes]:
        self.asked += 1
        return self._runner.run(self._ask(held))

    async def _ask(self, held: _Held) -> tuple[int, Mapping[str, str], bytes]:
        transport = httpx.ASGITransport(self.app, client=("192.0.2.1", 4711))
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.request(held.method, held.url, headers=held.headers, content=held.body)
        if answer.status_code >= 500 and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            raise AssertionError(f"the office answered {answer.status_code} to {held.method} {held.url}")
        date = {"date": format_datetime(self.clock.now(), usegmt=True)}  # as the server adds it
        return answer.status_code, dict(answer.headers) | date, answer.content
