"""What a gate holds: its groups' keys and the issuers it trusts. With it a gate can open and verify, never sign."""

from dataclasses import dataclass
from datetime import datetime

from openstile.passes.keys import GateGroupKey, IssuerPublicKey
from openstile.terms import BadInputError
from openstile.terms.limits import KEYS_MAX


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer's public key, and whether what it signed is refused."""

    key: IssuerPublicKey
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Retirement:
    """From `at` on, passes sealed to the gate-group key `kid` are outdated: their riders need new ones."""

    kid: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class GateKeyring:
    """The keys of one gate. At most KEYS_MAX of each kind; every key id once.

    `retirements` may name keys that are no longer here.
    """

    gate_group_keys: tuple[GateGroupKey, ...]
    issuers: tuple[TrustedIssuer, ...]
    retirements: tuple[Retirement, ...] = ()

    def __post_init__(self) -> None:
        gate_kids = {key.public.kid for key in self.gate_group_keys}
        issuer_kids = {issuer.key.kid for issuer in self.issuers}
        if len(gate_kids) != len(self.gate_group_keys) or len(issuer_kids) != len(self.issuers):
            raise BadInputError("key ring: holds a key twice; remove one")
        if len(gate_kids) > KEYS_MAX or len(issuer_kids) > KEYS_MAX:
            raise BadInputError(f"key ring: holds more than {KEYS_MAX} keys of a kind; remove those no pass uses")

    def gate_group_key(self, kid: bytes) -> GateGroupKey | None:
        """The key of this id, or None: then the pass is for other gates."""
        return next((key for key in self.gate_group_keys if key.public.kid == kid), None)

    def is_retired(self, kid: bytes, now: datetime) -> bool:
        """Whether passes sealed to the gate-group key `kid` are outdated at `now`."""
        return any(retirement.kid == kid and retirement.at <= now for retirement in self.retirements)

    def issuer(self, kid: bytes) -> TrustedIssuer | None:
        """The issuer whose key has this id, or None: then it is unknown here."""
        return next((issuer for issuer in self.issuers if issuer.key.kid == kid), None)
