"""One span, one line of the log and one count for each request: by the route's template, never by its path."""

import time

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openstile.office.observe.metrics import Metrics

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/health", "/ready", "/metrics"})
UNMATCHED = "unmatched"

_log = structlog.get_logger("openstile.office")
_tracer = trace.get_tracer("openstile.office")


class Observing:
    """Around everything else. Takes no trace context from the client: whoever sends requests joins no trace of ours."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        status = 499  # as long as nothing was answered: the client went away

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        self._metrics.in_flight.inc()
        with _tracer.start_as_current_span(method, context=Context(), kind=SpanKind.SERVER) as span:
            try:
                await self._app(scope, receive, send_noting)
            finally:
                self._metrics.in_flight.dec()
                route, seconds = route_of(scope), time.perf_counter() - begun
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                self._note(method, route, status, seconds)

    def _note(self, method: str, route: str, status: int, seconds: float) -> None:
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_seconds.labels(method, route).observe(seconds)
        if route not in _QUIET or status >= 400:
            _log.info("request", method=method, route=route, status=status, duration_ms=round(seconds * 1000, 1))


def route_of(scope: Scope) -> str:
    """The template of the route that took the request, as /v1/passes/{pass_id}."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else UNMATCHED
