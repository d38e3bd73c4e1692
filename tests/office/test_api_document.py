"""The API's document: complete, the one in docs/, and every problem is explained."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from openstile.office.api.app import ROUTERS, api_document
from openstile.office.api.problems import PROBLEMS, declare

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return api_document()


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]


def test_document_in_the_docs_is_this_one(document: dict[str, Any]) -> None:
    written = json.loads((_DOCS / "openapi.json").read_text())
    assert written == json.loads(json.dumps(document)), "run: openstile office openapi > docs/openapi.json"


def test_every_operation_has_an_id_a_tag_and_its_problems(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    operations = _operations(document)
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(set(ids)) == len(ids)
    for method, path, operation in operations:
        responses = operation["responses"]
        assert operation["tags"], path
        assert operation["summary"], path
        assert {"400", "413", "422", "500", "503"} <= set(responses), (method, path)
        if operation.get("security") and path != "/metrics":
            assert {"401"} <= set(responses), (method, path)
        if "requestBody" in operation:
            assert "415" in responses, (method, path)
        for status, response in responses.items():
            assert response["description"], (method, path, status)
            if int(status) >= 400:
                assert set(response["content"]) == {"application/problem+json"}, (method, path, status)


def test_bodies_are_closed(document: dict[str, Any]) -> None:
    open_ones = {"Problem", "Fault", "Attestation", "Assertion", "NewPasskey", "UsedPasskey"}
    for name, schema in document["components"]["schemas"].items():
        if schema.get("type") == "object" and name not in open_ones:
            assert schema.get("additionalProperties") is not None, name


def test_every_problem_is_in_the_guide_with_its_status() -> None:
    guide = (_DOCS / "office.md").read_text()
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", guide, re.MULTILINE))
    assert told == {name: str(kind.status) for name, kind in PROBLEMS.items()}


def test_problem_that_does_not_exist_cannot_be_declared() -> None:
    with pytest.raises(KeyError):
        declare("no-such-problem")


def test_every_operation_of_every_router_is_in_the_document(document: dict[str, Any]) -> None:
    assert len(_operations(document)) == sum(len(router.routes) for router in ROUTERS)
