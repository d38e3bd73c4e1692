"""Every error as problem+json (RFC 9457): the closed list of kinds, and how an operation declares which it may answer.

`type` is urn:openstile:problem:NAME. docs/office.md lists them all; a test holds it to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from openstile.terms import OpenstileError

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:openstile:problem:"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of error: its name, the HTTP status it comes with, and its title."""

    name: str
    status: int
    title: str


_KINDS: Final = (
    ProblemKind("bad-request", 400, "The request cannot be read"),
    ProblemKind("bad-cursor", 400, "The cursor is none of ours"),
    ProblemKind("idempotency-key-missing", 400, "A request that moves money needs the header Idempotency-Key"),
    ProblemKind("bad-batch", 400, "The batch of taps is malformed"),
    ProblemKind("bad-webhook", 400, "The message of the payment provider is not signed as it must be"),
    ProblemKind("unauthenticated", 401, "There is no valid session"),
    ProblemKind("sign-in-failed", 401, "The sign-in was refused"),
    ProblemKind("bad-signature", 401, "The request is not signed as it must be"),
    ProblemKind("claim-refused", 401, "The claim token is not, or no longer, good for this gate"),
    ProblemKind("forbidden", 403, "The role does not suffice"),
    ProblemKind("gate-locked", 403, "The gate is locked"),
    ProblemKind("invitation-refused", 403, "The invitation is not, or no longer, good"),
    ProblemKind("not-found", 404, "There is nothing at this address"),
    ProblemKind("unknown-account", 404, "There is no such account"),
    ProblemKind("unknown-pass", 404, "There is no such pass"),
    ProblemKind("unknown-payment", 404, "There is no such payment"),
    ProblemKind("unknown-gate", 404, "There is no such gate"),
    ProblemKind("unknown-epoch", 404, "The gate has no such journal"),
    ProblemKind("unknown-staff", 404, "There is no such member of staff"),
    ProblemKind("method-not-allowed", 405, "This cannot be done at this address"),
    ProblemKind("too-slow", 408, "The request's body did not come in time"),
    ProblemKind("conflict", 409, "This cannot be done as things stand"),
    ProblemKind("in-flight", 409, "A request with this Idempotency-Key is being worked on"),
    ProblemKind("gap", 409, "Taps in front of the batch are missing"),
    ProblemKind("fork", 409, "The batch does not continue what is stored"),
    ProblemKind("pass-state", 409, "The pass cannot go to this state"),
    ProblemKind("insufficient-funds", 409, "The account does not hold enough"),
    ProblemKind("period-product", 409, "The period product cannot be sold or given back as asked"),
    ProblemKind("payment-state", 409, "The payment, or refund, does not allow this as it stands"),
    ProblemKind("too-large", 413, "The request's body is too large"),
    ProblemKind("unsupported-media-type", 415, "The body is not of the media type that is taken here"),
    ProblemKind("invalid-request", 422, "The request does not say what it must"),
    ProblemKind("idempotency-key-reused", 422, "The Idempotency-Key came with another request before"),
    ProblemKind("too-many-attempts", 429, "Too many sign-ins failed; wait"),
    ProblemKind("internal", 500, "Something failed that is not yours"),
    ProblemKind("unavailable", 503, "The office cannot answer now; try again"),
    ProblemKind("not-ready", 503, "The office is not ready"),
)
PROBLEMS: Final[Mapping[str, ProblemKind]] = {kind.name: kind for kind in _KINDS}
"""Every kind there is, by name."""
OF_STATUS: Final[Mapping[int, str]] = {
    400: "bad-request", 401: "unauthenticated", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    408: "too-slow", 409: "conflict", 413: "too-large", 415: "unsupported-media-type", 422: "invalid-request",
    429: "too-many-attempts", 503: "unavailable",
}  # fmt: skip
"""What a bare status becomes, as the framework raises them."""
ANYWHERE: Final = ("bad-request", "too-slow", "too-large", "invalid-request", "internal", "unavailable")
"""What every operation may answer."""


class ProblemError(OpenstileError):
    """An answer that is an error. `detail` is for who asked; it goes into no log. `more`: members beside RFC 9457's."""

    def __init__(
        self, name: str, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self.kind = PROBLEMS[name]
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more
        super().__init__(detail or self.kind.title)

    def document(self) -> dict[str, Any]:
        """The problem as JSON."""
        return problem_document(self.kind, self.detail, self.more)


def problem_document(kind: ProblemKind, detail: str | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """The members of RFC 9457, section 3.1, and what the kind adds."""
    told = {"type": TYPE_PREFIX + kind.name, "title": kind.title, "status": kind.status}
    return told | ({"detail": detail} if detail else {}) | dict(more)


class Fault(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(description="The part, as body.amount_minor")
    what: str


class Problem(BaseModel):
    """An error (RFC 9457). Some kinds have more members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(pattern=f"^{TYPE_PREFIX}[a-z-]+$")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str | None = None
    errors: list[Fault] | None = Field(default=None, description="Of invalid-request")


@dataclass(frozen=True, slots=True)
class _Declared:
    names: list[str] = field(default_factory=list)


def declare(*names: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that may answer these problems; those of ANYWHERE need not be named.

    Raises KeyError for a name that is no problem.
    """
    by_status: dict[int, _Declared] = {}
    for name in names:
        by_status.setdefault(PROBLEMS[name].status, _Declared()).names.append(name)
    return {status: _response(declared.names) for status, declared in sorted(by_status.items())}


def _response(names: list[str]) -> dict[str, Any]:
    told = "; ".join(f"`{TYPE_PREFIX}{name}`: {PROBLEMS[name].title}" for name in names)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": told, "content": {MEDIA_TYPE: {"schema": schema}}}
