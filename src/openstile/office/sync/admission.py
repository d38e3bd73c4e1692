"""Who is asking: a signed request becomes a gate that may speak, or a refusal.

Not checked here, but before: the signature (openstile.journal.requests), with the key that `signing_key` gave.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from openstile.journal.requests import VerifiedRequest
from openstile.journal.taps import microseconds_of
from openstile.office.store.gates import GATE, GATE_KEY
from openstile.office.sync.faults import GATE_LOCKED, SyncProblem, bad_signature
from openstile.office.sync.nonces import take_nonce
from openstile.office.sync.registry import GateState
from openstile.terms import GateId


@dataclass(frozen=True, slots=True)
class AdmittedGate:
    """A gate whose request was signed with its valid key `kid`, for the first time."""

    gate_id: GateId
    kid: str


def admit_request(connection: Connection, verified: VerifiedRequest, *, now: datetime) -> AdmittedGate | SyncProblem:
    """The gate that signed, within the transaction that does what it asks for.

    The nonce is used up with it, also when the gate is then refused what it asks for.
    """
    # 1. The key is still valid: it may have ended since the signature was checked.
    row = connection.execute(
        select(GATE.c.gate_id, GATE.c.state)
        .join(GATE_KEY, GATE_KEY.c.gate_id == GATE.c.gate_id)
        .where(
            GATE_KEY.c.kid == verified.kid,
            or_(GATE_KEY.c.retired_us.is_(None), GATE_KEY.c.retired_us > microseconds_of(now)),
        )
    ).one_or_none()
    if row is None:
        return bad_signature("request: its key is not known, or not valid any more")
    # 2. The request is not one that was taken before.
    if not take_nonce(connection, kid=verified.kid, nonce=verified.nonce, expires=verified.expires, now=now):
        return bad_signature("request: it was taken already; sign a new one")
    # 3. Staff have not locked the gate.
    if row.state != GateState.ADMITTED.value:
        return GATE_LOCKED
    return AdmittedGate(GateId(row.gate_id), verified.kid)
