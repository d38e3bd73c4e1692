"""Around every request: the body's limit, headers of every answer, and no error that says more than it must."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openstile.office.api.problems import MEDIA_TYPE, ProblemError
from openstile.office.observe.logs import where_of
from openstile.terms.limits import BATCH_BYTES_MAX, REQUEST_BYTES_MAX

BODY_WAIT_S = 30.0
"""How long a body may take to come: at the largest batch that is 140 kbit/s."""
BODY_LIMITS: Mapping[str, int] = {"/v1/gate/batches": BATCH_BYTES_MAX}
"""Paths that take more than REQUEST_BYTES_MAX."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
_log = structlog.get_logger("openstile.office")


class BoundedBody:
    """Reads the body before anything else looks at it, up to the limit, whatever Content-Length says.

    `scope["state"]["body_sha256"]` is then the SHA-256 of it.
    """

    def __init__(self, app: ASGIApp, wait_s: float = BODY_WAIT_S) -> None:
        self._app = app
        self._wait_s = wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except ProblemError as problem:
            await send_problem(problem, send)
            return
        if body is None:
            return
        scope.setdefault("state", {})["body_sha256"] = hashlib.sha256(body).digest()
        given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return given.pop() if given else await receive()

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        limit = BODY_LIMITS.get(scope["path"], REQUEST_BYTES_MAX)
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and (len(told) > 12 or int(told) > limit):
            raise _too_large(limit)
        try:
            async with asyncio.timeout(self._wait_s):
                return await _whole(receive, limit)
        except TimeoutError:
            raise ProblemError("too-slow", headers={"Connection": "close"}) from None


async def _whole(receive: Receive, limit: int) -> bytes | None:
    """The body; None where the client went away."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit: int) -> ProblemError:
    return ProblemError("too-large", f"a body has at most {limit} bytes here", headers={"Connection": "close"})


class SafeAnswers:
    """Sets headers that every answer has, and makes `internal` of an error that nobody expected.

    Such an error is logged by its type and place: its message could hold what a rider sent.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = _HEADERS | ({"strict-transport-security": "max-age=31536000"} if is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_safely(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        try:
            await self._app(scope, receive, send_safely)
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            _log.error("bug", error=type(error).__name__, where=where_of(error))
            if not begun:
                await send_problem(ProblemError("internal"), send_safely)


async def send_problem(problem: ProblemError, send: Send) -> None:
    """Answers with `problem`, where no response object can."""
    body = json.dumps(problem.document()).encode()
    headers: list[Any] = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.kind.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
