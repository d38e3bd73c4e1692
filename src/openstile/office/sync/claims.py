"""How a gate makes itself known: staff give it a token, and it brings its keys, once."""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from openstile.journal.requests import key_id
from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.store.gates import GATE_CLAIM
from openstile.office.sync.alarms import AlarmKind, NewId, raise_alarm
from openstile.office.sync.epochs import begin_epoch
from openstile.office.sync.faults import GATE_LOCKED, SyncError, SyncProblem
from openstile.office.sync.keys import add_key, is_known_key, retire_keys, signing_key
from openstile.office.sync.registry import GateState, read_gate, set_state
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import CLAIM_TOKEN_CHARS, CLAIM_TTL_S_MAX

_TOKEN_BYTES = 32
_REFUSED = SyncProblem("claim-refused", "The token is not, or no longer, good for this gate; ask staff for another")


@dataclass(frozen=True, slots=True)
class IssuedClaim:
    """A token for one gate: shown once, to whoever sets the gate up, and kept nowhere."""

    gate_id: GateId
    token: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """What a gate brings: its name, the token, its keys (32 bytes each, Ed25519), and its journal.

    The caller has checked that the request is signed with `uplink_key`.
    """

    gate_id: GateId
    token: str = field(repr=False)
    uplink_key: bytes
    journal_key: bytes
    epoch: bytes


@dataclass(frozen=True, slots=True)
class ClaimedGate:
    """A gate that is known from now on by the key of this name."""

    gate_id: GateId
    kid: str


def issue_claim(
    connection: Connection,
    *,
    gate_id: GateId,
    now: datetime,
    ttl: timedelta = timedelta(hours=1),
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> IssuedClaim:
    """A token with which the gate can be claimed once until `now` + `ttl`; tokens of it that were given out before are
    void. Raises SyncError for a gate that is locked or that there is not, BadInputError for a longer time.
    """
    if not timedelta(0) < ttl <= timedelta(seconds=CLAIM_TTL_S_MAX):
        raise BadInputError(f"claim: its time must be 1 to {CLAIM_TTL_S_MAX} seconds")
    if read_gate(connection, gate_id, lock=True).state is GateState.LOCKED:
        raise SyncError("conflict", f"gate {gate_id}: is locked; unlock it first")
    connection.execute(delete(GATE_CLAIM).where(GATE_CLAIM.c.gate_id == gate_id.value))
    secret = random(_TOKEN_BYTES)
    expires = instant_of(microseconds_of(now + ttl))
    connection.execute(
        insert(GATE_CLAIM).values(
            token_hash=sha256(secret).digest(), gate_id=gate_id.value, expires_us=microseconds_of(expires), used_by=None
        )
    )
    return IssuedClaim(gate_id, base64.b32encode(secret).rstrip(b"=").decode("ascii"), expires)


def use_claim(connection: Connection, claim: Claim, *, now: datetime, new_id: NewId) -> ClaimedGate | SyncProblem:
    """Admits the gate with its keys and its journal. A gate that was admitted before is so anew: its older keys end,
    and an alarm tells staff.

    Brought again by the gate whose key used it, the token says the same again: an answer may get lost.
    """
    # 1. The token is one of ours, for this gate, and in time. Nothing tells apart what is wrong with it.
    if _good_claim(connection, claim, now) is None:
        return _REFUSED
    gate = read_gate(connection, claim.gate_id, lock=True)
    row = _good_claim(connection, claim, now)  # again: it may have been used or made void meanwhile
    if row is None:
        return _REFUSED
    if gate.state is GateState.LOCKED:
        return GATE_LOCKED
    # 2. It is used for the first time, or by the same key again.
    kid = key_id(claim.uplink_key)
    if row.used_by is not None:
        is_current = row.used_by == kid and signing_key(connection, kid, now=now) is not None
        return ClaimedGate(claim.gate_id, kid) if is_current else _REFUSED
    if is_known_key(connection, kid):
        return SyncProblem("conflict", "This uplink key was in use before; make a new one")
    # 3. The journal is the gate's own, and not another one's by the same name.
    begun = begin_epoch(
        connection, gate_id=claim.gate_id, epoch=claim.epoch, journal_key=claim.journal_key, reason="claimed",
        after=None, now=now,
    )  # fmt: skip
    if isinstance(begun, SyncProblem):
        return begun
    # 4. The key is the only one from now on.
    add_key(connection, gate_id=claim.gate_id, public_key=claim.uplink_key, now=now)
    ended = retire_keys(connection, claim.gate_id, except_kid=kid, now=now)
    if gate.state is GateState.ADMITTED:
        raise_alarm(
            connection, gate_id=claim.gate_id, kind=AlarmKind.RECLAIMED, now=now, new_id=new_id,
            detail=f"The gate was claimed anew, and {ended} older keys of it ended.",
        )  # fmt: skip
    connection.execute(update(GATE_CLAIM).where(GATE_CLAIM.c.token_hash == row.token_hash).values(used_by=kid))
    set_state(connection, claim.gate_id, GateState.ADMITTED)
    return ClaimedGate(claim.gate_id, kid)


def purge_claims(connection: Connection, *, now: datetime) -> int:
    """Forgets tokens whose time is over; how many there were."""
    return connection.execute(delete(GATE_CLAIM).where(GATE_CLAIM.c.expires_us <= microseconds_of(now))).rowcount


def _good_claim(connection: Connection, claim: Claim, now: datetime) -> Row[Any] | None:
    return connection.execute(
        select(GATE_CLAIM).where(
            GATE_CLAIM.c.token_hash == _token_hash(claim.token),
            GATE_CLAIM.c.gate_id == claim.gate_id.value,
            GATE_CLAIM.c.expires_us > microseconds_of(now),
        )
    ).one_or_none()


def _token_hash(token: str) -> bytes:
    """The hash of a token's bytes; of nothing where it cannot be one of ours."""
    try:
        secret = base64.b32decode(token + "====") if len(token) == CLAIM_TOKEN_CHARS else b""
    except (binascii.Error, ValueError):
        secret = b""
    return sha256(secret).digest()
