"""Whether the office is alive, ready, and how it does: for machines that look after it."""

import hmac
from typing import Annotated, Literal

from fastapi import Depends, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from openstile.office.api.bodies import Told
from openstile.office.api.dependencies import OfficeDep
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.store.database import OfficeDatabaseError

router = new_router("health")
_METRICS_TOKEN = HTTPBearer(
    auto_error=False, scheme_name="metrics_token", description="What office.metrics_token_file holds."
)


class Health(Told):
    """The process answers."""

    status: Literal["ok"]


class Readiness(Told):
    """The office can do its work."""

    database: Literal["ok"]
    migrations: Literal["current"]


@router.get("/health")
def health() -> Health:
    """Whether the process answers. Asks nothing of the database."""
    return Health(status="ok")


@router.get("/ready", responses=declare("not-ready"))
def ready(office: OfficeDep) -> Readiness:
    """Whether the database answers and has the tables of this version."""
    try:
        with office.database.read() as connection:
            connection.execute(text("SELECT 1"))
            current = office.is_current(connection)
    except OfficeDatabaseError:
        raise ProblemError("not-ready", "the database does not answer") from None
    if not current:
        raise ProblemError("not-ready", "the database is of another version: openstile office migrate")
    return Readiness(database="ok", migrations="current")


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus' text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
def metrics(
    office: OfficeDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_METRICS_TOKEN)]
) -> Response:
    """Counters for Prometheus: of requests, jobs and events, of no rider. Closed until a token for it is set."""
    token = office.values.metrics_token
    told = "" if credentials is None else credentials.credentials
    if token is None or not hmac.compare_digest(token.encode(), told.encode()):
        raise ProblemError("unauthenticated", headers={"WWW-Authenticate": "Bearer"})
    return Response(office.metrics.text(), media_type=CONTENT_TYPE_LATEST)
