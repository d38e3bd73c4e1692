"""Sign-ins that have begun: each has a challenge that is good for one answer, and for five minutes."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select

from openstile.journal.taps import microseconds_of
from openstile.office.staff.faults import SignInError
from openstile.office.store.database import Database
from openstile.office.store.people import CHALLENGE
from openstile.terms.limits import CHALLENGES_OPEN_MAX

CHALLENGE_KEPT = timedelta(minutes=5)


class Purpose(StrEnum):
    """What a challenge is for; it is good for nothing else."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Begun:
    """What must come back with the answer (`bound`), and of an OIDC sign-in what the ID token is held against."""

    bound: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    verifier: str | None = field(default=None, repr=False)


def begin(connection: Connection, challenge: bytes, purpose: Purpose, begun: Begun, *, now: datetime) -> None:
    """Remembers a challenge. Where too many are open, the oldest goes: who floods the office with them keeps nobody out
    who answers soon.
    """
    at = microseconds_of(now)
    connection.execute(delete(CHALLENGE).where(CHALLENGE.c.expires_us <= at))
    beyond = connection.execute(select(func.count()).select_from(CHALLENGE)).scalar_one() - CHALLENGES_OPEN_MAX + 1
    if beyond > 0:
        oldest = select(CHALLENGE.c.challenge_hash).order_by(CHALLENGE.c.expires_us).limit(beyond)
        connection.execute(delete(CHALLENGE).where(CHALLENGE.c.challenge_hash.in_(oldest)))
    row = {
        "challenge_hash": hashlib.sha256(challenge).digest(),
        "purpose": purpose.value,
        "bound_hash": _bound_hash(begun.bound),
        "nonce": begun.nonce,
        "verifier": begun.verifier,
        "expires_us": microseconds_of(now + CHALLENGE_KEPT),
    }
    connection.execute(insert(CHALLENGE), row)


def take(database: Database, challenge: bytes, purpose: Purpose, *, bound: str | None, now: datetime) -> Begun:
    """What was begun with this challenge, which from now on is used up, whatever becomes of the answer.

    Raises SignInError where there is none, it is over, or `bound` is not what it was begun with.
    """
    with database.write() as connection:
        row = connection.execute(
            delete(CHALLENGE)
            .where(CHALLENGE.c.challenge_hash == hashlib.sha256(challenge).digest())
            .returning(
                CHALLENGE.c.purpose, CHALLENGE.c.bound_hash, CHALLENGE.c.nonce, CHALLENGE.c.verifier,
                CHALLENGE.c.expires_us,
            )
        ).one_or_none()  # fmt: skip
    if row is None or row.purpose != purpose or row.expires_us <= microseconds_of(now):
        raise SignInError
    if row.bound_hash != _bound_hash(bound):
        raise SignInError
    return Begun(bound, row.nonce, row.verifier)


def _bound_hash(bound: str | None) -> bytes | None:
    return None if bound is None else hashlib.sha256(bound.encode()).digest()
