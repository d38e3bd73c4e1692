"""Keys that sign a gate's requests (uplink keys): which are valid when, their change and their end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from openstile.journal.requests import RequestSignatureError, key_id, verify_key_proof
from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.store.gates import GATE_KEY
from openstile.office.sync.faults import SyncError, SyncProblem, bad_signature
from openstile.office.sync.registry import read_gate
from openstile.terms import GateId
from openstile.terms.limits import GATE_KEYS_MAX, KEY_OVERLAP_S


@dataclass(frozen=True, slots=True)
class UplinkKey:
    """A key that signs a gate's requests, from `added` on until `retired` (aware UTC; None: no end is known)."""

    kid: str
    added: datetime
    retired: datetime | None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key (32 bytes, Ed25519) that signs a gate's requests now."""

    gate_id: GateId
    public_key: bytes


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A gate's new key, valid at once, and until when its old one is (aware UTC)."""

    kid: str
    old_until: datetime


def signing_key(connection: Connection, kid: str, *, now: datetime) -> SigningKey | None:
    """The key of this name, None when there is none that may sign now."""
    chosen = select(GATE_KEY.c.gate_id, GATE_KEY.c.public_key).where(GATE_KEY.c.kid == kid, _valid(now))
    row = connection.execute(chosen).one_or_none()
    return None if row is None else SigningKey(GateId(row.gate_id), row.public_key)


def keys_of(connection: Connection, gate_id: GateId) -> tuple[UplinkKey, ...]:
    """All keys that the gate has had, oldest first. Raises SyncError for a gate that there is not."""
    read_gate(connection, gate_id)
    return tuple(_key_of(row) for row in _rows(connection, gate_id))


def is_known_key(connection: Connection, kid: str) -> bool:
    """Whether a key of this name is, or was, some gate's."""
    return connection.execute(select(GATE_KEY.c.kid).where(GATE_KEY.c.kid == kid)).first() is not None


def add_key(connection: Connection, *, gate_id: GateId, public_key: bytes, now: datetime) -> None:
    """Lets a key that is not known yet sign for the gate from now on."""
    values = {"kid": key_id(public_key), "gate_id": gate_id.value, "public_key": public_key}
    connection.execute(insert(GATE_KEY).values(**values, added_us=microseconds_of(now), retired_us=None))


def change_key(
    connection: Connection, *, gate_id: GateId, old_kid: str, public_key: bytes, proof: bytes, now: datetime
) -> KeyChange | SyncProblem:
    """A new key beside the one that signs this request, which ends KEY_OVERLAP_S later.

    Asked again with the same two keys, says the same again: an answer may get lost.
    """
    read_gate(connection, gate_id, lock=True)
    try:
        kid = verify_key_proof(public_key=public_key, proof=proof, gate=gate_id, old_kid=old_kid)
    except RequestSignatureError as error:
        return bad_signature(str(error))
    valid = {row.kid: row for row in _rows(connection, gate_id) if _is_valid(row, now)}
    if old_kid not in valid:
        return bad_signature("request: its key is not known, or not valid any more")
    until = now + timedelta(seconds=KEY_OVERLAP_S)
    if valid[old_kid].retired_us is not None:
        until = min(until, instant_of(valid[old_kid].retired_us))
    if kid in valid and kid != old_kid and valid[old_kid].retired_us is not None:
        return KeyChange(kid, until)
    if len(valid) >= GATE_KEYS_MAX:
        return SyncProblem("conflict", f"The gate has {len(valid)} valid keys; wait until the older ones end")
    if is_known_key(connection, kid):
        return SyncProblem("conflict", "This key was in use before; make a new one")
    add_key(connection, gate_id=gate_id, public_key=public_key, now=now)
    _retire(connection, GATE_KEY.c.kid == old_kid, at=until)
    return KeyChange(kid, until)


def revoke_key(connection: Connection, gate_id: GateId, kid: str, *, now: datetime) -> UplinkKey:
    """The key signs nothing from now on. Raises SyncError when the gate has no such key."""
    read_gate(connection, gate_id, lock=True)
    _retire(connection, GATE_KEY.c.gate_id == gate_id.value, GATE_KEY.c.kid == kid, at=now)
    for row in _rows(connection, gate_id):
        if row.kid == kid:
            return _key_of(row)
    raise SyncError("not-found", "key: the gate has none of this name; look at the name")


def retire_keys(connection: Connection, gate_id: GateId, *, except_kid: str, now: datetime) -> int:
    """Ends all other keys of the gate; how many were valid."""
    return _retire(connection, GATE_KEY.c.gate_id == gate_id.value, GATE_KEY.c.kid != except_kid, at=now)


def _retire(connection: Connection, *which: ColumnElement[bool], at: datetime) -> int:
    """No key that has ended is given a later end."""
    at_us = microseconds_of(at)
    later = or_(GATE_KEY.c.retired_us.is_(None), GATE_KEY.c.retired_us > at_us)
    return connection.execute(update(GATE_KEY).where(*which, later).values(retired_us=at_us)).rowcount


def _rows(connection: Connection, gate_id: GateId) -> list[Row[Any]]:
    chosen = select(GATE_KEY).where(GATE_KEY.c.gate_id == gate_id.value).order_by(GATE_KEY.c.added_us, GATE_KEY.c.kid)
    return list(connection.execute(chosen))


def _valid(now: datetime) -> ColumnElement[bool]:
    return or_(GATE_KEY.c.retired_us.is_(None), GATE_KEY.c.retired_us > microseconds_of(now))


def _is_valid(row: Row[Any], now: datetime) -> bool:
    return row.retired_us is None or row.retired_us > microseconds_of(now)


def _key_of(row: Row[Any]) -> UplinkKey:
    return UplinkKey(row.kid, instant_of(row.added_us), None if row.retired_us is None else instant_of(row.retired_us))
