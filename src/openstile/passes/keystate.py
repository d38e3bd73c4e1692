"""What each key is used for at a given time, and what may be shown of it.

Of the keys of one role and name the highest generation that is active decides: new things are made with it, or with
none when it was revoked or retired. Going back to an older key by itself could mean going back to a stolen one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from openstile.passes.hardware import HardwareKey
from openstile.passes.keyfile import Role, StoredKey


class KeyState(Enum):
    """What a key is used for now."""

    NEXT = "next"
    """Gates accept it already; new things are made with it from a time to come."""
    CURRENT = "current"
    """New things are made with it."""
    PREVIOUS = "previous"
    """It opens or verifies what was made with it before."""
    RETIRED = "retired"
    """A gate group's: passes sealed to it are outdated, and gates ask for a new pass."""
    REVOKED = "revoked"
    """Nothing made with it is accepted."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key. `token`: the label of the token that holds its private half, None in a file."""

    role: Role
    name: str
    kid: str
    algorithm: str
    generation: int
    created: datetime
    active_from: datetime
    not_after: datetime
    state: KeyState
    retired_at: datetime | None
    has_private: bool
    token: str | None = None


def newest_active(keys: Sequence[StoredKey], *, now: datetime) -> StoredKey | None:
    """The key, of those of one role and name, that decides at `now`; None when the time of none has come."""
    active = [key for key in keys if _is_active(key, now)]
    return max(active, key=lambda key: key.generation, default=None)


def describe_keys(keys: Sequence[StoredKey], *, now: datetime) -> tuple[KeyInfo, ...]:
    """The keys, of any roles and names, in the order given, with their state at `now`."""
    by_name: dict[tuple[Role, str], list[StoredKey]] = {}
    for key in keys:
        by_name.setdefault((key.role, key.name), []).append(key)
    newest = {which: newest_active(named, now=now) for which, named in by_name.items()}
    return tuple(_info(key, _state(key, newest[key.role, key.name], now)) for key in keys)


def is_retired(key: StoredKey, *, now: datetime) -> bool:
    """Whether what is sealed to the key is outdated at `now`."""
    return key.retired_at is not None and key.retired_at <= now


def _is_active(key: StoredKey, now: datetime) -> bool:
    """A key that exists shows that the time it was made has come, also where this clock is a little behind."""
    return key.active_from <= max(now, key.created)


def _state(key: StoredKey, newest: StoredKey | None, now: datetime) -> KeyState:
    if key.revoked:
        return KeyState.REVOKED
    if is_retired(key, now=now):
        return KeyState.RETIRED
    if key is newest:
        return KeyState.CURRENT
    return KeyState.NEXT if newest is None or key.generation > newest.generation else KeyState.PREVIOUS


def _info(key: StoredKey, state: KeyState) -> KeyInfo:
    return KeyInfo(
        role=key.role,
        name=key.name,
        kid=key.public.kid.hex(),
        algorithm=key.algorithm,
        generation=key.generation,
        created=key.created,
        active_from=key.active_from,
        not_after=key.public.not_after,
        state=state,
        retired_at=key.retired_at,
        has_private=key.private is not None,
        token=key.private.token.token if isinstance(key.private, HardwareKey) else None,
    )
