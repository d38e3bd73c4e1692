"""Operations that move money: the same request again moves none, and is answered as before.

@router.post("/v1/top-ups", status_code=201, response_model=TopUp,
             responses=declare(*MONEY_PROBLEMS, "insufficient-funds"))
def top_up(body: TopUpAsked, operation: OperationDep) -> Response:
    return operation.run(lambda connection: Answer(201, do_it(connection, key=operation.key)))
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from openstile.office.api.answers import problem_of
from openstile.office.api.dependencies import OfficeDep, PrincipalDep
from openstile.office.api.office import Office
from openstile.office.api.problems import MEDIA_TYPE, ProblemError
from openstile.office.staff.roles import principal_key
from openstile.office.staff.tokens import new_id
from openstile.office.store.repeats import (
    Attempt,
    InFlightError,
    ReusedError,
    StoredAnswer,
    claim,
    finish,
    give_back,
    key_hash,
)
from openstile.terms import OpenstileError
from openstile.terms.limits import IDEMPOTENCY_KEY_CHARS_MAX

MONEY_PROBLEMS: Final = ("idempotency-key-missing", "in-flight", "idempotency-key-reused")
"""What every operation of this kind may answer."""
REPLAYED_HEADER: Final = "Idempotency-Replayed"
_NEVER_KEPT: Final = (408, 429)

_Before = TypeVar("_Before")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers when it went well."""

    status: int
    body: BaseModel


class MoneyOperation:
    """One request with its Idempotency-Key."""

    def __init__(self, office: Office, request: Request, attempt: Attempt) -> None:
        self._office = office
        self._request = request
        self._attempt = attempt

    @property
    def key(self) -> str:
        """The request's name, 64 hexadecimal digits: the same whenever it is sent again. For ledger and providers."""
        return self._attempt.key_hash.hex()

    def run(self, work: Callable[[Connection], Answer]) -> Response:
        """Does `work` in one transaction with keeping its answer; or gives the answer that was given before.

        An error that is the client's (4xx) is kept as the answer too; after any other, the same request may come again.
        """
        return self.run_after(lambda: None, lambda connection, _nothing: work(connection))

    def run_after(self, before: Callable[[], _Before], work: Callable[[Connection, _Before], Answer]) -> Response:
        """As `run`, with something outside the database in front: it may be done twice, with the same `key`."""
        try:
            with self._office.database.write() as connection:
                answer = claim(connection, self._attempt, now=self._office.clock.now())
        except (InFlightError, ReusedError) as error:
            raise ProblemError(error.problem, str(error), headers=_wait(error)) from None
        if answer is not None:
            self._request.state.audit_due = False  # it is in the log from when it was done
            return _response(answer, replayed=True)
        try:
            told = before()
            with self._office.database.write() as connection:
                answer = _stored(work(connection, told))
                finish(connection, self._attempt, answer)
        except InFlightError as error:
            raise ProblemError(error.problem, str(error), headers=_wait(error)) from None
        except OpenstileError as error:
            return self._refused(error)
        except BaseException:
            self._give_back()
            raise
        return _response(answer, replayed=False)

    def _refused(self, error: OpenstileError) -> Response:
        problem = problem_of(error)
        if problem is None or problem.kind.status >= 500 or problem.kind.status in _NEVER_KEPT:
            self._give_back()
            raise error
        answer = StoredAnswer(problem.kind.status, MEDIA_TYPE, json.dumps(problem.document()).encode())
        with self._office.database.write() as connection:
            finish(connection, self._attempt, answer)
        return _response(answer, replayed=False)

    def _give_back(self) -> None:
        with self._office.database.write() as connection:
            give_back(connection, self._attempt)


def idempotent(
    office: OfficeDep,
    request: Request,
    principal: PrincipalDep,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=IDEMPOTENCY_KEY_CHARS_MAX,
            pattern=r"^[!-~]+$",
            description="Chosen anew for each request that moves money; the same request again brings the same key.",
        ),
    ] = None,
) -> MoneyOperation:
    """The dependency. Raises ProblemError (idempotency-key-missing)."""
    if not key:
        raise ProblemError("idempotency-key-missing")
    asked = f"{request.method}\0{request.url.path}\0{request.url.query}\0".encode()
    digest = hashlib.sha256(asked + request.state.body_sha256).digest()
    attempt = Attempt(key_hash(principal_key(principal), key), digest, new_id(office.random))
    return MoneyOperation(office, request, attempt)


OperationDep = Annotated[MoneyOperation, Depends(idempotent)]


def _stored(answer: Answer) -> StoredAnswer:
    return StoredAnswer(answer.status, "application/json", answer.body.model_dump_json().encode())


def _response(answer: StoredAnswer, *, replayed: bool) -> Response:
    headers = {REPLAYED_HEADER: "true"} if replayed else {}
    return Response(answer.body, status_code=answer.status, media_type=answer.media_type, headers=headers)


def _wait(error: OpenstileError) -> dict[str, str]:
    return {"Retry-After": "1"} if isinstance(error, InFlightError) else {}
