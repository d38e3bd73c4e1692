"""The app: every room's operations, one way to answer errors, and nothing that is not asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI

from openstile import __version__
from openstile.office.api import (
    accounts,
    gate_staff,
    gates,
    health,
    journeys,
    ledger,
    oidc,
    passes,
    passkeys,
    payments,
    periods,
    sessions,
    staff,
)
from openstile.office.api.answers import answer_errors
from openstile.office.api.document import describe
from openstile.office.api.middleware import BoundedBody, SafeAnswers
from openstile.office.api.office import Office
from openstile.office.api.routing import operation_id
from openstile.office.observe.requests import Observing

_THREADS = 16
"""Operations that run at one time: as many as the pool has connections (store.database)."""

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    sessions.router,
    passkeys.router,
    oidc.router,
    staff.router,
    gate_staff.router,
    gates.router,
    accounts.router,
    passes.router,
    periods.router,
    journeys.router,
    payments.router,
    ledger.router,
)
"""The operations of every part of the API, in the order of the document. A new module adds its router here."""


def create_app(office: Office) -> FastAPI:
    """The API of `office`. No pages of documentation, no other origins, no state of its own."""
    app = _operations()
    app.state.office = office
    answer_errors(app, [route for router in ROUTERS for route in router.routes])
    app.add_middleware(BoundedBody)
    app.add_middleware(SafeAnswers, is_https=office.values.public_url.startswith("https:"))
    app.add_middleware(Observing, metrics=office.metrics)
    return app


def api_document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the API: docs/openapi.json."""
    return describe(_operations())


def _operations() -> FastAPI:
    app = FastAPI(
        title="Openstile office",
        summary="Taps in, journeys priced, money right, trips forgotten.",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        separate_input_output_schemas=False,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its spans would hold paths: observe.requests
    )
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = _THREADS
    yield
