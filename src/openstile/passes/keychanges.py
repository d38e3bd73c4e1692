"""How a key may change once it is made: revoked for good, retired at a time, told anew by an import. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from openstile.passes.keyfile import Role, StoredKey
from openstile.passes.keystate import is_retired
from openstile.terms import BadInputError


def revoked(key: StoredKey, *, now: datetime) -> StoredKey:
    """The key, revoked. One whose time had not come yet never gets it, so that it does not stop the one before it."""
    waits = key.active_from > max(now, key.created)
    return replace(key, revoked=True, active_from=key.public.not_after if waits else key.active_from)


def retired(key: StoredKey, *, at: datetime) -> StoredKey:
    """The gate-group key, retired from `at` on, in whole seconds, or from its last day where that is earlier."""
    return replace(key, retired_at=min(at.astimezone(UTC).replace(microsecond=0), key.public.not_after))


def retired_by(key: StoredKey, *, at: datetime) -> StoredKey:
    """The gate-group key, retired from `at` on or from where it was to retire before, whichever is earlier."""
    return retired(key, at=at if key.retired_at is None else min(at, key.retired_at))


def check_retirement(keys: Sequence[StoredKey], key: StoredKey, *, at: datetime | None, now: datetime) -> None:
    """Refuses, with BadInputError, what `KeyStore.retire` does not do. `keys` are those of the same role and name."""
    which = f"key {key.public.kid.hex()}"
    if key.role is not Role.GATE_GROUP:
        raise BadInputError(
            f"{which}: is {_a(key.role)} key; only gate-group keys retire: rotate this one, or revoke it"
        )
    if key.revoked:
        raise BadInputError(f"{which}: is revoked; passes sealed to it do not open any more")
    if is_retired(key, now=now):
        raise BadInputError(f"{which}: retired on {key.retired_at:%Y-%m-%d %H:%M} UTC; there is no way back")
    if at is None:
        return
    if at > key.public.not_after:
        raise BadInputError(f"{which}: lasts until {key.public.not_after:%Y-%m-%d}; retire it by then")
    if not any(_takes_over(other, key, at=max(at, now)) for other in keys):
        raise BadInputError(f"{which}: no newer key would be there by then to seal passes to; rotate first")


def with_news(known: StoredKey, imported: StoredKey, *, now: datetime) -> StoredKey:
    """What is known of a key, with the revocation and the retirement that came with an import: never back."""
    told = known
    if imported.revoked and not known.revoked:
        told = revoked(told, now=now)
    if imported.retired_at is not None:
        told = retired_by(told, at=imported.retired_at)
    return told


def _takes_over(other: StoredKey, key: StoredKey, *, at: datetime) -> bool:
    newer = other.generation > key.generation and not other.revoked and not is_retired(other, now=at)
    return newer and other.active_from <= at


def _a(role: Role) -> str:
    return f"an {role.value}" if role in (Role.ISSUER, Role.OPERATOR) else f"a {role.value}"
