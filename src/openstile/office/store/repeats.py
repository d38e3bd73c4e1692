"""Requests that move money, each done once however often it comes: who works on it, and the answer that was given.

An attempt first claims the key in a transaction of its own, with a lease. Its work and the answer are then written in
one transaction, which only the attempt that still holds the key can commit. So a process that dies in between has
done nothing, and after the lease the next request does the work; one that is merely slow finds its key taken, and
what it wanted to write is rolled back.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from openstile.journal.taps import microseconds_of
from openstile.office.store.people import IDEMPOTENCY
from openstile.terms import OpenstileError

LEASE: Final = timedelta(seconds=60)
"""How long an attempt may take before another one may begin."""
KEPT: Final = timedelta(hours=24)
"""How long an answer is kept; the same key after that is a new request."""


class InFlightError(OpenstileError):
    """Another attempt with this key is at work, or has taken over."""

    problem = "in-flight"


class ReusedError(OpenstileError):
    """The key came with another request before."""

    problem = "idempotency-key-reused"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was given."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a request. `key_hash` names the request: it is what a ledger or a payment provider is told."""

    key_hash: bytes
    request_hash: bytes
    number: str


def key_hash(principal: str, key: str) -> bytes:
    """The name of a request: of who asks and the key that this one chose. One principal's keys are not another's."""
    told = principal.encode()
    return hashlib.sha256(b"openstile idempotency v1\0" + len(told).to_bytes(2, "big") + told + key.encode()).digest()


def claim(connection: Connection, attempt: Attempt, *, now: datetime) -> StoredAnswer | None:
    """Takes the key for `attempt`, or gives the answer that was given. Raises InFlightError, ReusedError."""
    at = microseconds_of(now)
    if _inserted(connection, attempt, at):
        return None
    row = connection.execute(
        select(IDEMPOTENCY).where(IDEMPOTENCY.c.key_hash == attempt.key_hash).with_for_update()
    ).one_or_none()
    if row is None:  # another attempt gave the key back at this moment
        raise InFlightError("request: another attempt has just failed; send it again")
    if row.expires_us > at:
        answer = _standing(row, attempt, at)
        if answer is not None:
            return answer
    connection.execute(
        update(IDEMPOTENCY).where(IDEMPOTENCY.c.key_hash == attempt.key_hash).values(_fresh(attempt, at))
    )
    return None


def finish(connection: Connection, attempt: Attempt, answer: StoredAnswer) -> None:
    """Writes the answer, in the transaction of the work. Raises InFlightError when another attempt took over."""
    changed = connection.execute(
        update(IDEMPOTENCY)
        .where(*_held_by(attempt))
        .values(done=True, status=answer.status, media_type=answer.media_type, body=answer.body)
    )
    if changed.rowcount != 1:
        raise InFlightError("request: it took too long and another attempt has begun; ask again for its answer")


def give_back(connection: Connection, attempt: Attempt) -> None:
    """The attempt failed without an answer; the next one need not wait for the lease."""
    connection.execute(delete(IDEMPOTENCY).where(*_held_by(attempt)))


def _held_by(attempt: Attempt) -> tuple[Any, ...]:
    columns = IDEMPOTENCY.c
    return (columns.key_hash == attempt.key_hash, columns.attempt == attempt.number, columns.done.is_(False))


def _inserted(connection: Connection, attempt: Attempt, at: int) -> bool:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"key_hash": attempt.key_hash, **_fresh(attempt, at)}
    new = dialect.insert(IDEMPOTENCY).values(row).on_conflict_do_nothing().returning(IDEMPOTENCY.c.attempt)
    return connection.execute(new).one_or_none() is not None


def _fresh(attempt: Attempt, at: int) -> dict[str, Any]:
    return {
        "request_hash": attempt.request_hash,
        "attempt": attempt.number,
        "lease_us": at + LEASE // timedelta(microseconds=1),
        "done": False,
        "status": None,
        "media_type": None,
        "body": None,
        "expires_us": at + KEPT // timedelta(microseconds=1),
    }


def _standing(row: Row[Any], attempt: Attempt, at: int) -> StoredAnswer | None:
    """The answer in the row; None when the attempt that it is of has been given up."""
    if row.request_hash != attempt.request_hash:
        raise ReusedError("Idempotency-Key: came with another request before; take a new one for each request")
    if row.done:
        return StoredAnswer(row.status, row.media_type, row.body)
    if row.lease_us > at:
        raise InFlightError("request: it is being worked on; ask again in a moment")
    return None
