"""Making one key, in memory or in a token, ready to be written to its file."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from openstile.passes.claims import Audience, check_name
from openstile.passes.hardware import (
    HardwareKey,
    HardwareToken,
    generate_hardware_agreement_key,
    generate_hardware_signing_key,
)
from openstile.passes.hpke import point_of
from openstile.passes.keyfile import PrivateKey, PublicKey, Role, StoredKey, parse_gate_name
from openstile.passes.keys import (
    GateGroupPublicKey,
    GateTransportPublicKey,
    IssuerPublicKey,
    OperatorPublicKey,
)
from openstile.passes.signing import Algorithm, generate_signing_key, signing_public
from openstile.terms import BadInputError
from openstile.terms.limits import KEY_DAYS_MAX

KEY_DAYS = 5 * 366
"""How long a key lasts unless said otherwise: two years beyond the longest pass, so that rotation is never urgent."""


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """The key that is wanted. `algorithm` counts for roles that sign; used at once unless `active_from` says later."""

    role: Role
    name: str
    algorithm: Algorithm = Algorithm.EDDSA
    active_from: datetime | None = None
    valid_for: timedelta = timedelta(days=KEY_DAYS)
    hardware: HardwareToken | None = None

    def __post_init__(self) -> None:
        if not timedelta(days=1) <= self.valid_for <= timedelta(days=KEY_DAYS_MAX):
            raise BadInputError(f"{self.role.value} {self.name}: a key lasts 1 to {KEY_DAYS_MAX} days")


def make_key(order: KeyOrder, *, generation: int, now: datetime) -> StoredKey:
    """A new key from the randomness of the operating system, or of the token. Raises BadInputError, HardwareError."""
    _check_name(order)
    created = now.astimezone(UTC).replace(microsecond=0)
    active_from = (order.active_from or created).astimezone(UTC).replace(microsecond=0)
    private, raw = _signing_pair(order) if order.role in (Role.ISSUER, Role.OPERATOR) else _sealing_pair(order)
    public = _public(order, raw, created + order.valid_for)
    return StoredKey(public, generation, created, max(active_from, created), private)


def _check_name(order: KeyOrder) -> None:
    """Before a key is made in a token that could then not be written down: its name must be one."""
    if order.role is Role.GATE_GROUP:
        Audience.parse(order.name)
    elif order.role is Role.GATE:
        parse_gate_name(order.name)
    else:
        check_name(order.name, what=order.role.value)


def _signing_pair(order: KeyOrder) -> tuple[PrivateKey | HardwareKey, bytes]:
    if order.hardware is not None:
        return generate_hardware_signing_key(order.hardware, algorithm=order.algorithm)
    private = generate_signing_key(order.algorithm)
    return private, signing_public(private)[1]


def _sealing_pair(order: KeyOrder) -> tuple[PrivateKey | HardwareKey, bytes]:
    if order.hardware is not None:
        return generate_hardware_agreement_key(order.hardware)
    private = ec.generate_private_key(ec.SECP256R1())
    return private, point_of(private.public_key())


def _public(order: KeyOrder, raw: bytes, not_after: datetime) -> PublicKey:
    match order.role:
        case Role.ISSUER:
            return IssuerPublicKey(order.name, order.algorithm, raw, not_after)
        case Role.OPERATOR:
            return OperatorPublicKey(order.name, order.algorithm, raw, not_after)
        case Role.GATE_GROUP:
            return GateGroupPublicKey(Audience.parse(order.name), raw, not_after)
        case Role.GATE:
            return GateTransportPublicKey(*parse_gate_name(order.name), raw, not_after)
