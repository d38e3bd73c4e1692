"""What becomes of an error that an operation raises: a problem, or, where nobody expected it, a bug."""

from collections.abc import Iterable
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from openstile.office.api.problems import MEDIA_TYPE, OF_STATUS, PROBLEMS, ProblemError
from openstile.office.store.database import OfficeDatabaseError
from openstile.terms import BadInputError, OpenstileError

_FAULTS_TOLD_MAX = 20

_log = structlog.get_logger("openstile.office")


def answer_errors(app: FastAPI, routes: Iterable[BaseRoute]) -> None:
    """Makes `app` answer every error as a problem. `routes`: all there are, for what a 405 says is allowed."""
    app.state.allowed = tuple(
        (route.path, route.path_regex, frozenset(route.methods or ()))
        for route in routes
        if isinstance(route, APIRoute)
    )
    app.add_exception_handler(OpenstileError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_framework)


def problem_response(problem: ProblemError) -> JSONResponse:
    """The answer that is this problem."""
    return JSONResponse(
        problem.document(), status_code=problem.kind.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def problem_of(error: OpenstileError) -> ProblemError | None:
    """The problem that an error of a room is: by its attribute `problem`, or by its kind. None for a bug."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, OfficeDatabaseError):
        return ProblemError("unavailable", headers={"Retry-After": "5"})
    name = getattr(error, "problem", None)
    if isinstance(name, str) and name in PROBLEMS:
        return ProblemError(name, str(error))
    return ProblemError("invalid-request", str(error)) if isinstance(error, BadInputError) else None


async def _of_ours(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, OfficeDatabaseError):  # the client is told to come again; whoever runs the office, why
        _log.error("database failed", kind=error.kind)
    problem = problem_of(error) if isinstance(error, OpenstileError) else None
    if problem is None:
        raise error
    return problem_response(problem)


async def _of_validation(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [_fault(one) for one in error.errors()[:_FAULTS_TOLD_MAX]]
    return problem_response(ProblemError("invalid-request", errors=faults))


def _fault(error: Any) -> dict[str, str]:
    """Where and what, without the value: it could be a secret that a log on the way keeps."""
    return {"where": ".".join(str(part) for part in error["loc"])[:200], "what": str(error["msg"])[:200]}


async def _of_framework(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    name = OF_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers |= _allowed(request)
    return problem_response(ProblemError(name, headers=headers))


def _allowed(request: Request) -> dict[str, str]:
    """What can be done at the address: of all its operations, not only of the first that the framework found."""
    path, routes = request.scope["path"], request.app.state.allowed
    found = [methods for known, _, methods in routes if known == path]
    found = found or [methods for _, regex, methods in routes if regex.match(path)]
    return {"Allow": ", ".join(sorted(frozenset().union(*found)))} if found else {}
