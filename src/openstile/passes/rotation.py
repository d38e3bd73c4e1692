"""What a change of keys will do, said before it is done: plans as values, from what is known of keys and passes. Pure.

`openstile keys rotate`, `retire` and `revoke` show one of these and ask; the KeyStore then does it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from openstile.passes import rotation_words as words
from openstile.passes.keyfile import Role
from openstile.passes.keystate import KeyInfo, KeyState
from openstile.passes.usage import KeyUsage
from openstile.terms import BadInputError
from openstile.terms.limits import KEY_GRACE_DAYS_MAX, KEY_OVERLAP_HOURS_MAX

_GONE = (KeyState.REVOKED, KeyState.RETIRED)


class Change(Enum):
    """Of what kind a change of keys is."""

    ROTATION = "rotation"
    """In time: gates learn the new key before it is used."""
    EMERGENCY = "emergency"
    """The keys before are in other hands."""
    RETIREMENT = "retirement"
    REVOCATION = "revocation"


@dataclass(frozen=True, slots=True)
class KeyFate:
    """What becomes of one key, and from when on.

    `passes`: how many that riders can use depend on it; None where this is not known, or where no pass depends on keys
    of this role. `last_expires`: when the last of them ends.
    """

    key: KeyInfo
    becomes: KeyState
    at: datetime
    passes: int | None
    last_expires: datetime | None


@dataclass(frozen=True, slots=True)
class RotationPlan:
    """A change of the keys of one role and name. `active_from`: of the new key, None where none is made."""

    change: Change
    role: Role
    name: str
    fates: tuple[KeyFate, ...]
    active_from: datetime | None
    sentences: tuple[str, ...]
    """What will happen to which passes, and what gates need in which order."""


def plan_rotation(
    infos: Iterable[KeyInfo],
    usage: Sequence[KeyUsage],
    *,
    role: Role,
    name: str,
    now: datetime,
    overlap: timedelta,
) -> RotationPlan:
    """A new key that takes over after `overlap`. Raises BadInputError when that is out of range."""
    if not timedelta(0) <= overlap <= timedelta(hours=KEY_OVERLAP_HOURS_MAX):
        raise BadInputError(f"overlap: is not 0 to {KEY_OVERLAP_HOURS_MAX} hours")
    active_from = now + overlap
    replaced = [KeyState.CURRENT] if overlap else [KeyState.CURRENT, KeyState.NEXT]
    fates = tuple(
        _fate(info, usage, becomes=KeyState.PREVIOUS, at=active_from)
        for info in _of(infos, role, name)
        if info.state in replaced
    )
    sentences = words.of_rotation(role, _ids(fates), _passes(role, fates), active_from if overlap else None)
    return RotationPlan(Change.ROTATION, role, name, fates, active_from, sentences)


def plan_emergency(
    infos: Iterable[KeyInfo],
    usage: Sequence[KeyUsage],
    *,
    role: Role,
    name: str,
    now: datetime,
    grace: timedelta,
) -> RotationPlan:
    """A new key at once, because those before are in other hands. A gate group's retire after `grace`, others now.

    Raises BadInputError when `grace` is out of range.
    """
    if not timedelta(0) <= grace <= timedelta(days=KEY_GRACE_DAYS_MAX):
        raise BadInputError(f"grace: is not 0 to {KEY_GRACE_DAYS_MAX} days")
    fates = []
    for info in _of(infos, role, name):
        if info.state in _GONE:
            continue
        if role is Role.GATE_GROUP:
            at = min(now + grace, info.not_after, info.retired_at or info.not_after)
            fates.append(_fate(info, usage, becomes=KeyState.RETIRED, at=at))
        else:
            fates.append(_fate(info, usage, becomes=KeyState.REVOKED, at=now))
    passes = _passes(role, fates)
    until = max((fate.at for fate in fates), default=now)
    sentences = words.of_emergency(role, _ids(fates), passes, until if until > now else None)
    return RotationPlan(Change.EMERGENCY, role, name, tuple(fates), now, sentences)


def plan_retirement(
    infos: Iterable[KeyInfo], usage: Sequence[KeyUsage], *, kid: str, at: datetime | None, now: datetime
) -> RotationPlan:
    """Passes sealed to a gate-group key are outdated from `at` on; None: its retirement is taken back."""
    info = _of_kid(infos, kid)
    becomes = info.state if at is None else KeyState.RETIRED
    fate = _fate(info, usage, becomes=becomes, at=now if at is None else max(at, now))
    if at is None:
        sentences = words.of_no_retirement(kid, info.retired_at)
    else:
        sentences = words.of_retirement(kid, _passes(info.role, [fate]), at if at > now else None)
    return RotationPlan(Change.RETIREMENT, info.role, info.name, (fate,), None, sentences)


def plan_revocation(infos: Iterable[KeyInfo], usage: Sequence[KeyUsage], *, kid: str, now: datetime) -> RotationPlan:
    """Nothing made with a key is accepted from now on."""
    infos = tuple(infos)
    info = _of_kid(infos, kid)
    if info.state is KeyState.REVOKED:
        sentences: tuple[str, ...] = (f"Key {kid} is revoked already: nothing changes.",)
        return RotationPlan(Change.REVOCATION, info.role, info.name, (), None, sentences)
    fate = _fate(info, usage, becomes=KeyState.REVOKED, at=now)
    others = [other for other in _of(infos, info.role, info.name) if other.kid != kid and other.state not in _GONE]
    waiting = next((other.active_from for other in others if other.state is KeyState.NEXT), None)
    sentences = words.of_revocation(
        info.role,
        kid,
        _passes(info.role, [fate]),
        others=tuple(other.kid for other in others),
        leaves_none=info.state is KeyState.CURRENT,
        next_from=waiting,
    )
    return RotationPlan(Change.REVOCATION, info.role, info.name, (fate,), None, sentences)


def _of(infos: Iterable[KeyInfo], role: Role, name: str) -> tuple[KeyInfo, ...]:
    return tuple(info for info in infos if (info.role, info.name) == (role, name))


def _of_kid(infos: Iterable[KeyInfo], kid: str) -> KeyInfo:
    found = next((info for info in infos if info.kid == kid), None)
    if found is None:
        raise BadInputError(f"key {kid[:32]!r}: is not here; list the keys to see their ids")
    return found


def _fate(info: KeyInfo, usage: Sequence[KeyUsage], *, becomes: KeyState, at: datetime) -> KeyFate:
    used = next((use for use in usage if (use.role, use.kid) == (info.role.value, info.kid)), None)
    counted = bool(usage) and info.role in (Role.ISSUER, Role.GATE_GROUP)
    none_of_them = 0 if counted else None
    return KeyFate(info, becomes, at, used.passes if used else none_of_them, used.last_expires if used else None)


def _ids(fates: Iterable[KeyFate]) -> tuple[str, ...]:
    return tuple(fate.key.kid for fate in fates)


def _passes(role: Role, fates: Sequence[KeyFate]) -> words.Passes:
    counts = [fate.passes for fate in fates if fate.passes is not None]
    ends = [fate.last_expires for fate in fates if fate.last_expires is not None]
    known = role in (Role.ISSUER, Role.GATE_GROUP) and len(counts) == len(fates)
    return words.Passes(sum(counts) if known else None, max(ends, default=None))
