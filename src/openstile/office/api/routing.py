"""Routers of the API: a body is taken in the declared media type only, and what staff change is in the audit log."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from openstile.office.api.problems import ProblemError, declare

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class UnrecordedActionError(RuntimeError):
    """A bug: an operation let staff change something and wrote nothing to the audit log."""


class OfficeRoute(APIRoute):
    """A route with the checks that no operation shall forget."""

    def get_route_handler(self) -> _Handler:
        """The handler, with a check in front (415) and one behind (audit)."""
        handler, takes_json = super().get_route_handler(), self.body_field is not None

        async def handle(request: Request) -> Response:
            if takes_json and not _is_json(request.headers.get("content-type", "")):
                raise ProblemError("unsupported-media-type", "send application/json")
            response = await handler(request)
            if getattr(request.state, "audit_due", False) and response.status_code < 400:
                raise UnrecordedActionError(self.name)
            return response

        return handle


def new_router(tag: str) -> APIRouter:
    """A router whose operations are listed under `tag`. Functions' names are the operationIds."""
    return APIRouter(tags=[tag], route_class=OfficeRoute, responses=declare("unsupported-media-type"))


def operation_id(route: APIRoute) -> str:
    """The operationId: the function's name."""
    return route.name


def _is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type
    return message.get_content_type() == "application/json" and bool(content_type)
