"""What an operator tells its gates: frozen values that check themselves (docs/trust-bundle.md).

A bundle says the whole truth each time: what is not in it is no longer so. It is signed in openstile.trust.signed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openstile.passes.claims import Audience, Entitlement, check_instant
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import GateGroupPublicKey, OperatorPublicKey
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import (
    BUNDLE_DAYS_MAX,
    BUNDLE_GROUP_KEYS_MAX,
    BUNDLE_LISTS_MAX,
    BUNDLE_OPERATORS_MAX,
    BUNDLE_PRODUCTS_MAX,
    BUNDLE_SEALED_KEYS_MAX,
    BUNDLE_SEQUENCE_MAX,
    BUNDLE_SETTING_CHARS_MAX,
    BUNDLE_SETTINGS_MAX,
    KEYS_MAX,
)
from openstile.trust.sealed import SealedGroupKey

_SETTING_KEY = re.compile(r"(?:policy|zone|quality)\.[a-z][a-z_]{0,39}")


class BundleError(OpenstileError):
    """A trust bundle that this gate does not accept: damaged, forged, old, expired, or for other gates."""

    exit_code = 7


@dataclass(frozen=True, slots=True)
class Product:
    """A product that opens these gates. `live`: only from a phone, never printed."""

    name: str
    live: bool = False

    def __post_init__(self) -> None:
        Entitlement(self.name)  # the same rule as for the product in a pass


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A key that passes may be sealed to. From `retired_at` on passes sealed to it are outdated."""

    key: GateGroupPublicKey
    retired_at: datetime | None = None

    def __post_init__(self) -> None:
        check_instant(self.key.not_after, what="key's end")
        if self.retired_at is not None:
            check_instant(self.retired_at, what="retired at")

    def is_retired(self, now: datetime) -> bool:
        """Whether passes sealed to it are outdated at `now`."""
        return self.retired_at is not None and self.retired_at <= now


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a gate, as an environment variable would hold it: `policy.passback_s` and `300`."""

    key: str
    value: str

    def __post_init__(self) -> None:
        if not _SETTING_KEY.fullmatch(self.key):
            raise BadInputError(f"setting {self.key[:80]!r}: only those of policy, zone and quality go into a bundle")
        if len(self.value) > BUNDLE_SETTING_CHARS_MAX or not self.value.isprintable():
            raise BadInputError(f"setting {self.key}: use at most {BUNDLE_SETTING_CHARS_MAX} printable characters")


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that the gates of one group are told. Times are whole seconds; `made` <= accepted < `expires`.

    `operators` are the keys that may sign the next bundle. `settings` are in the order of their keys, whatever they
    were given in. `sealed_keys` are gate-group private keys, each for one gate.
    """

    audience: Audience
    sequence: int
    made: datetime
    expires: datetime
    operators: tuple[OperatorPublicKey, ...]
    issuers: tuple[TrustedIssuer, ...]
    group_keys: tuple[GroupKey, ...]
    status_lists: tuple[bytes, ...] = field(default=(), repr=False)
    settings: tuple[Setting, ...] = ()
    products: tuple[Product, ...] = ()
    sealed_keys: tuple[SealedGroupKey, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.sequence <= BUNDLE_SEQUENCE_MAX:
            raise BadInputError(f"sequence {self.sequence}: is not 1 to {BUNDLE_SEQUENCE_MAX}")
        check_instant(self.made, what="made")
        check_instant(self.expires, what="expires")
        if not timedelta(0) < self.expires - self.made <= timedelta(days=BUNDLE_DAYS_MAX):
            raise BadInputError(f"bundle: from {self.made} to {self.expires}, use 1 second to {BUNDLE_DAYS_MAX} days")
        _check_each("operator keys", (key.kid for key in self.operators), BUNDLE_OPERATORS_MAX, least=1)
        _check_each("issuer keys", (issuer.key.kid for issuer in self.issuers), KEYS_MAX, least=1)
        _check_each("gate-group keys", (listed.key.kid for listed in self.group_keys), BUNDLE_GROUP_KEYS_MAX, least=1)
        _check_each("status lists", self.status_lists, BUNDLE_LISTS_MAX)
        _check_each("settings", (setting.key for setting in self.settings), BUNDLE_SETTINGS_MAX)
        _check_each("products", (product.name for product in self.products), BUNDLE_PRODUCTS_MAX)
        sealed = ((key.gate_kid, key.group_kid) for key in self.sealed_keys)
        _check_each("sealed keys", sealed, BUNDLE_SEALED_KEYS_MAX)
        self._check_one_owner()
        object.__setattr__(self, "settings", tuple(sorted(self.settings, key=lambda setting: setting.key)))

    def _check_one_owner(self) -> None:
        if any(key.name != self.audience.operator for key in self.operators):
            raise BadInputError(f"operator keys: one is not of operator {self.audience.operator}")
        for key in (*self.operators, *(issuer.key for issuer in self.issuers)):
            check_instant(key.not_after, what="key's end")
        if any(listed.key.audience != self.audience for listed in self.group_keys):
            raise BadInputError(f"gate-group keys: one is not of {self.audience}")
        listed_kids = {listed.key.kid for listed in self.group_keys}
        if any(sealed.group_kid not in listed_kids for sealed in self.sealed_keys):
            raise BadInputError("sealed keys: one is not of a gate-group key that the bundle lists")

    @property
    def overrides(self) -> dict[str, str]:
        """The settings as key to value."""
        return {setting.key: setting.value for setting in self.settings}

    def group_key(self, kid: bytes) -> GroupKey | None:
        """The gate-group key of this id, or None: these gates no longer use it."""
        return next((listed for listed in self.group_keys if listed.key.kid == kid), None)

    def is_old(self, now: datetime) -> bool:
        """Whether it expired while in use: it goes on working, and the gate says that it is not told anything new."""
        return now >= self.expires


def _check_each(what: str, values: Iterable[object], count_max: int, *, least: int = 0) -> None:
    listed = list(values)
    if not least <= len(listed) <= count_max or len(set(listed)) != len(listed):
        raise BadInputError(f"{what}: has {len(listed)}, a bundle has {least} to {count_max}, each once")
