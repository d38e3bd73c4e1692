"""Requests that a gate signed (RFC 9421): who sent them, and what they ask for, in one transaction with their nonce."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy import Connection

from openstile.journal.requests import RequestSignatureError, VerifiedRequest, key_id, verify_request
from openstile.office.api.dependencies import OfficeDep
from openstile.office.api.office import Office
from openstile.office.api.problems import ProblemError
from openstile.office.sync import AdmittedGate, SyncProblem, admit_request
from openstile.office.sync.keys import SigningKey, signing_key
from openstile.terms import GateId

_Done = TypeVar("_Done")

GATE_PROBLEMS = ("bad-signature", "gate-locked")
"""What every operation of a gate may answer."""


async def whole_body(request: Request) -> bytes:
    """The body's bytes, as they were signed."""
    return await request.body()


BodyDep = Annotated[bytes, Depends(whole_body)]


def verified_by(
    request: Request, body: bytes, office: Office, key_of: Callable[[str], bytes | None]
) -> VerifiedRequest:
    """Who signed the request, under the address that the office is seen at. Raises ProblemError (bad-signature)."""
    path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    try:
        return verify_request(
            method=request.method,
            url=office.values.public_url.rstrip("/") + path + (f"?{query}" if query else ""),
            headers=request.headers,
            body=body,
            public_key_of=key_of,
            now=office.clock.now(),
        )
    except RequestSignatureError as error:
        raise ProblemError("bad-signature", str(error)) from None


def signed_with(request: Request, body: bytes, office: Office, public_key: bytes) -> None:
    """Checks that the request is signed with this key, which the office does not know yet."""
    kid = key_id(public_key)
    verified_by(request, body, office, lambda named: public_key if named == kid else None)


@dataclass(frozen=True, slots=True)
class GateRequest:
    """A request with the valid signature of a key that some gate has."""

    office: Office
    gate_id: GateId
    verified: VerifiedRequest
    body: bytes

    def run(self, work: Callable[[Connection, AdmittedGate, datetime], _Done | SyncProblem]) -> _Done:
        """Admits the gate, uses up the nonce and does `work`, in one transaction; what is answered is durable.

        A refusal is committed too, and then raised as ProblemError.
        """
        now = self.office.clock.now()
        with self.office.database.write() as connection:
            gate = admit_request(connection, self.verified, now=now)
            done = gate if isinstance(gate, SyncProblem) else work(connection, gate, now)
        return answered(done)


def answered(done: _Done | SyncProblem) -> _Done:
    """What was done. Raises ProblemError where it was refused."""
    if isinstance(done, SyncProblem):
        more: dict[str, Any] = dict(done.more)
        raise ProblemError(done.name, done.detail, **more)
    return done


def gate_request(request: Request, office: OfficeDep, body: BodyDep) -> GateRequest:
    """The dependency. Looks the key up and lets go of the database before it verifies."""

    found: list[SigningKey] = []

    def key_of(kid: str) -> bytes | None:
        with office.database.read() as connection:
            key = signing_key(connection, kid, now=office.clock.now())
        if key is None:
            return None
        found.append(key)
        return key.public_key

    verified = verified_by(request, body, office, key_of)
    return GateRequest(office, found[-1].gate_id, verified, body)


GateDep = Annotated[GateRequest, Depends(gate_request)]
