"""Every answer of the API that is an error is a problem, and says nothing it must not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.types import Message
from tests.office.office_world import OfficeWorld, problem_name

from openstile.office.api.app import api_document
from openstile.office.api.bodies import Body, ShortText
from openstile.office.api.dependencies import AgentDep
from openstile.office.api.middleware import BODY_LIMITS, BoundedBody
from openstile.office.api.routing import new_router
from openstile.office.staff.roles import Role
from openstile.terms import BadInputError
from openstile.terms.limits import BATCH_BYTES_MAX, REQUEST_BYTES_MAX


class _Note(Body):
    text: ShortText
    count: int = 0


def _add_probes(app: FastAPI) -> None:
    router = new_router("probe")

    @router.post("/probe/notes")
    def take(note: _Note) -> int:
        return len(note.text)

    @router.get("/probe/bug")
    def bug() -> int:
        raise ZeroDivisionError("secret-4711")

    @router.get("/probe/input")
    def bad_input() -> int:
        raise BadInputError("number: is too small; take a larger one")

    @router.post("/probe/unrecorded")
    def unrecorded(_staff: AgentDep) -> int:
        return 1

    app.include_router(router)


def test_unknown_address_and_method_are_problems(world: OfficeWorld) -> None:
    assert problem_name(world.ask("GET", "/nothing")) == "not-found"
    answer = world.ask("PATCH", "/health")
    assert (problem_name(answer), answer.headers["allow"]) == ("method-not-allowed", "GET")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"text": 7}', "body.text"),
        (b'{"text": "x", "count": "1"}', "body.count"),
        (b'{"text": "x", "count": 1.5}', "body.count"),
        (b'{"text": "x", "more": 1}', "body.more"),
        (b'{"text": ""}', "body.text"),
        (b'{"text": "a\\u0000b"}', "body.text"),
        (b'{"text": "\\ud800"}', "body.text"),
        (b"{}", "body.text"),
        (b"{", "body.1"),
        (b"", "body"),
        (b"[]", "body"),
    ],
)
def test_body_that_does_not_say_what_it_must_is_named_without_its_values(
    world: OfficeWorld, body: bytes, where: str
) -> None:
    _add_probes(world.app)
    answer = world.ask("POST", "/probe/notes", content=body, headers={"Content-Type": "application/json"})
    assert problem_name(answer) == "invalid-request"
    assert answer.json()["errors"][0]["where"] == where


@pytest.mark.parametrize("body", [b"[" * 30_000, b'{"text": "\xff"}', b'{"count": ' + b"9" * 5000 + b"}"])
def test_body_that_no_parser_takes_is_a_bad_request(world: OfficeWorld, body: bytes) -> None:
    _add_probes(world.app)
    answer = world.ask("POST", "/probe/notes", content=body, headers={"Content-Type": "application/json"})
    assert problem_name(answer) == "bad-request"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_body_of_another_media_type_is_refused(world: OfficeWorld, media_type: str) -> None:
    _add_probes(world.app)
    answer = world.ask("POST", "/probe/notes", content=b'{"text": "x"}', headers={"Content-Type": media_type})
    assert problem_name(answer) == "unsupported-media-type"


def test_body_at_the_limit_is_taken_and_one_past_it_refused_before_it_is_read(world: OfficeWorld) -> None:
    _add_probes(world.app)
    head, tail = b'{"text": "x"', b"}"
    fits = head + b" " * (REQUEST_BYTES_MAX - len(head) - len(tail)) + tail
    json = {"Content-Type": "application/json"}
    assert world.ask("POST", "/probe/notes", content=fits, headers=json).status_code == 200
    assert problem_name(world.ask("POST", "/probe/notes", content=fits + b" ", headers=json)) == "too-large"

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(REQUEST_BYTES_MAX // 1000 + 1):
            yield b" " * 1000

    assert problem_name(world.ask("POST", "/probe/notes", content=chunks(), headers=json)) == "too-large"


def test_batch_may_be_larger_than_other_bodies_and_has_a_limit_too(world: OfficeWorld) -> None:
    batch = {"Content-Type": "application/vnd.openstile.batch"}
    fits = world.ask("POST", "/v1/gate/batches", content=bytes(BATCH_BYTES_MAX), headers=batch)
    assert problem_name(fits) == "bad-signature"
    larger = world.ask("POST", "/v1/gate/batches", content=bytes(BATCH_BYTES_MAX + 1), headers=batch)
    assert problem_name(larger) == "too-large"
    assert set(BODY_LIMITS) <= set(api_document()["paths"])


def test_body_that_does_not_come_is_not_waited_for(world: OfficeWorld) -> None:
    app = BoundedBody(world.app, wait_s=0.01)
    sent: list[Message] = []

    async def never() -> Message:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/sessions", "headers": []}
    asyncio.run(app(scope, never, send))
    assert sent[0]["status"] == 408


def test_bug_is_answered_without_a_word_of_what_it_was(world: OfficeWorld) -> None:
    _add_probes(world.app)
    answer = world.ask("GET", "/probe/bug")
    assert problem_name(answer) == "internal"
    assert set(answer.json()) == {"type", "title", "status"}


def test_input_that_a_room_refuses_is_told_as_it_says(world: OfficeWorld) -> None:
    _add_probes(world.app)
    answer = world.ask("GET", "/probe/input")
    assert problem_name(answer) == "invalid-request"
    assert answer.json()["detail"] == "number: is too small; take a larger one"


def test_staff_action_that_is_not_in_the_audit_log_is_a_bug(world: OfficeWorld) -> None:
    _add_probes(world.app)
    assert problem_name(world.ask("POST", "/probe/unrecorded", as_=world.staff(Role.AGENT))) == "internal"


def test_every_answer_has_the_headers_of_a_careful_server(world: OfficeWorld) -> None:
    for path in ("/health", "/nothing"):
        headers = world.ask("GET", path, headers={"Origin": "https://evil.example"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert headers["strict-transport-security"] == "max-age=31536000"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
