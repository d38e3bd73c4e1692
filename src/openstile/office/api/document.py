"""The OpenAPI 3.1 document of the API: complete, also in what may go wrong."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from openstile.office.api.problems import ANYWHERE, Problem, declare

_METHODS = ("get", "post", "put", "patch", "delete")


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _document(app)
    return app.openapi_schema


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes,
        openapi_version="3.1.0", tags=app.openapi_tags,
    )  # fmt: skip
    for path in document["paths"].values():
        for method in _METHODS:
            if method in path:
                _complete(path[method], method)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for left_over in ("HTTPValidationError", "ValidationError"):
        schemas.pop(left_over, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _complete(operation: dict[str, Any], method: str) -> None:
    """Adds the problems that any operation of this kind may answer."""
    names = list(ANYWHERE)
    if operation.get("security"):
        names += ["unauthenticated", "forbidden"]
    if "requestBody" not in operation:
        operation["responses"].pop("415", None)
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    for status, response in declare(*names).items():
        known = responses.get(str(status))
        if known is None:
            responses[str(status)] = response
        else:
            known["description"] += "; " + response["description"]
    operation["responses"] = dict(sorted(responses.items()))
