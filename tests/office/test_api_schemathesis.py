"""The API against its own document: requests made from the document find no 5xx and no answer that it does not declare.

Every operation of every part of the API is in it by being in the document.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.office.office_world import OfficeWorld, TurnedClock
from tests.office.rider_world import furnish

from openstile.assembly.office import open_office
from openstile.assembly.wire import Installation
from openstile.office.api.app import api_document
from openstile.office.staff.roles import Role, StaffMember

_EXAMPLES = 5
_NOT_CHECKED = (
    schemathesis.checks.positive_data_acceptance,  # an id or an invitation of the right form is mostly unknown
    schemathesis.checks.negative_data_rejection,  # a header or query that no operation reads is ignored
)


class _Served:
    """The app under test; while tests are collected there is no office yet, and this answers with the document."""

    def __init__(self) -> None:
        described = FastAPI(openapi_url=None)
        described.get("/openapi.json")(api_document)
        self.app: ASGIApp = described

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self.app(scope, receive, send)


_APP = _Served()


@schemathesis.serializer("application/vnd.openstile.batch")
def _batches(context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OfficeWorld, dict[Role, StaffMember]]]:
    """A whole office as the assembly makes it, and an operator and an auditor of it."""
    home = furnish(tmp_path_factory.mktemp("home"))
    with open_office(Installation.open(home, clock=TurnedClock())) as opened:
        world = OfficeWorld.around(opened.office)
        _APP.app = world.app
        yield world, {role: world.staff(role) for role in (Role.OPERATOR, Role.AUDITOR)}


@schemathesis.openapi.from_asgi("/openapi.json", _APP).parametrize()
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_the_document_says(case: Any, served: tuple[OfficeWorld, dict[Role, StaffMember]]) -> None:
    world, members = served
    world.release_brake()
    if re.fullmatch("[0-9a-f]{32}", str((case.path_parameters or {}).get("account_id", ""))):
        world.sign_in_again(members[Role.OPERATOR])
        opened = world.ask("POST", "/v1/accounts", as_=members[Role.OPERATOR], json={})
        case.path_parameters["account_id"] = opened.json()["account_id"]  # else no request would meet an account
    token = world.sign_in_again(members[Role.AUDITOR if case.path == "/v1/audit" else Role.OPERATOR])  # some sign out
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=list(_NOT_CHECKED))
