"""The kinds of key, each a type of its own, public and private halves apart: none can stand in for another.

An issuer signs passes, a group of gates opens them; an operator signs what gates are told, and one gate receives with
its transport key what is for it alone. A key is named by its id: the first eight bytes of its COSE Key Thumbprint
(RFC 9679, SHA-256).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric import ec

from openstile.passes.cbor import Cbor, CborKey, encode
from openstile.passes.claims import Audience, check_name
from openstile.passes.hpke import (
    POINT_BYTES,
    HpkeError,
    KeyAgreement,
    SoftwareKeyAgreement,
    derive_key_pair,
    p256_public,
)
from openstile.passes.signing import Algorithm as Algorithm
from openstile.passes.signing import Signer as Signer
from openstile.passes.signing import (
    SigningPrivateKey,
    generate_signing_key,
    p256_cose_key,
    signing_public,
    verify_signature,
)
from openstile.passes.signing import SoftwareSigner as SoftwareSigner
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import KEY_ID_BYTES


@dataclass(frozen=True, slots=True)
class _SigningPublicKey:
    """A name, an algorithm and a public key (32 bytes of Ed25519 or a P-256 point)."""

    name: str
    algorithm: Algorithm
    public: bytes
    not_after: datetime
    kid: bytes = field(init=False)
    """The key's id, KEY_ID_BYTES."""

    _whose: ClassVar[str]

    def __post_init__(self) -> None:
        what = f"{self._whose} {self.name}"
        check_name(self.name, what=self._whose)
        _check_not_after(self.not_after)
        if self.algorithm is Algorithm.EDDSA and len(self.public) != 32:
            raise BadInputError(f"{what}: an Ed25519 key has 32 bytes, this has {len(self.public)}")
        if self.algorithm is Algorithm.ES256:
            _check_point(self.public, what=what)
        key: dict[CborKey, Cbor] = {1: 1, -1: 6, -2: self.public}
        object.__setattr__(
            self, "kid", key_id(key if self.algorithm is Algorithm.EDDSA else p256_cose_key(self.public))
        )

    def verify(self, *, message: bytes, signature: bytes) -> None:
        """Returns when `signature` is this key's over `message`, else raises SignatureWrongError."""
        verify_signature(
            algorithm=self.algorithm,
            public=self.public,
            message=message,
            signature=signature,
            whose=f"{self._whose} {self.name}",
        )


class IssuerPublicKey(_SigningPublicKey):
    """What a gate needs of an issuer: with it passes are verified, and nothing else."""

    __slots__ = ()
    _whose = "issuer"


class OperatorPublicKey(_SigningPublicKey):
    """What a gate needs of its operator: with it the bundles that it is given are verified, and never a pass."""

    __slots__ = ()
    _whose = "operator"


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """An issuer's key with its private half behind a Signer, never shown by repr."""

    public: IssuerPublicKey
    signer: Signer = field(repr=False)


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """An operator's key with its private half behind a Signer, never shown by repr."""

    public: OperatorPublicKey
    signer: Signer = field(repr=False)


@dataclass(frozen=True, slots=True)
class GateGroupPublicKey:
    """What passes are sealed to: the gates it stands for, a P-256 point, and the time after which no pass may last."""

    audience: Audience
    point: bytes
    not_after: datetime
    kid: bytes = field(init=False)
    """The key's id, KEY_ID_BYTES."""

    def __post_init__(self) -> None:
        _check_not_after(self.not_after)
        _check_point(self.point, what=f"gate group {self.audience}")
        object.__setattr__(self, "kid", key_id(p256_cose_key(self.point)))


@dataclass(frozen=True, slots=True)
class GateGroupKey:
    """A gate group's key with its private half behind a KeyAgreement, never shown by repr."""

    public: GateGroupPublicKey
    agreement: KeyAgreement = field(repr=False)


@dataclass(frozen=True, slots=True)
class GateTransportPublicKey:
    """What is for one gate alone is sealed to this P-256 point; no pass ever is."""

    operator: str
    gate: GateId
    point: bytes
    not_after: datetime
    kid: bytes = field(init=False)
    """The key's id, KEY_ID_BYTES."""

    def __post_init__(self) -> None:
        check_name(self.operator, what="operator")
        _check_not_after(self.not_after)
        _check_point(self.point, what=f"gate {self.name}")
        object.__setattr__(self, "kid", key_id(p256_cose_key(self.point)))

    @property
    def name(self) -> str:
        """`operator/gate`."""
        return f"{self.operator}/{self.gate}"


@dataclass(frozen=True, slots=True)
class GateTransportKey:
    """A gate's own key with its private half behind a KeyAgreement, never shown by repr."""

    public: GateTransportPublicKey
    agreement: KeyAgreement = field(repr=False)


def issuer_key_of(private: SigningPrivateKey, *, name: str, not_after: datetime) -> IssuerKey:
    """The issuer key of a private key in memory; its type decides the algorithm."""
    algorithm, public = signing_public(private)
    return IssuerKey(IssuerPublicKey(name, algorithm, public, not_after), SoftwareSigner(private))


def operator_key_of(private: SigningPrivateKey, *, name: str, not_after: datetime) -> OperatorKey:
    """The operator key of a private key in memory; its type decides the algorithm."""
    algorithm, public = signing_public(private)
    return OperatorKey(OperatorPublicKey(name, algorithm, public, not_after), SoftwareSigner(private))


def generate_issuer_key(*, name: str, algorithm: Algorithm, not_after: datetime) -> IssuerKey:
    """A new issuer key from the operating system's randomness."""
    return issuer_key_of(generate_signing_key(algorithm), name=name, not_after=not_after)


def generate_operator_key(*, name: str, algorithm: Algorithm, not_after: datetime) -> OperatorKey:
    """A new operator key from the operating system's randomness."""
    return operator_key_of(generate_signing_key(algorithm), name=name, not_after=not_after)


def gate_group_key_of(private: ec.EllipticCurvePrivateKey, *, audience: Audience, not_after: datetime) -> GateGroupKey:
    """The gate-group key of a P-256 private key in memory."""
    agreement = SoftwareKeyAgreement(private)
    return GateGroupKey(GateGroupPublicKey(audience, agreement.point, not_after), agreement)


def generate_gate_group_key(*, audience: Audience, not_after: datetime) -> GateGroupKey:
    """A new gate-group key from the operating system's randomness."""
    return gate_group_key_of(ec.generate_private_key(ec.SECP256R1()), audience=audience, not_after=not_after)


def derive_gate_group_key(ikm: bytes, *, audience: Audience, not_after: datetime) -> GateGroupKey:
    """The gate-group key of at least 32 secret bytes (RFC 9180, section 7.1.3)."""
    return gate_group_key_of(derive_key_pair(ikm), audience=audience, not_after=not_after)


def gate_transport_key_of(
    private: ec.EllipticCurvePrivateKey, *, operator: str, gate: GateId, not_after: datetime
) -> GateTransportKey:
    """The transport key, of one gate, of a P-256 private key in memory."""
    agreement = SoftwareKeyAgreement(private)
    return GateTransportKey(GateTransportPublicKey(operator, gate, agreement.point, not_after), agreement)


def generate_gate_transport_key(*, operator: str, gate: GateId, not_after: datetime) -> GateTransportKey:
    """A new transport key from the operating system's randomness."""
    private = ec.generate_private_key(ec.SECP256R1())
    return gate_transport_key_of(private, operator=operator, gate=gate, not_after=not_after)


def key_thumbprint(cose_key: dict[CborKey, Cbor]) -> bytes:
    """SHA-256 over the deterministic encoding of a COSE_Key's required public parameters (RFC 9679, section 3)."""
    return hashlib.sha256(encode(cose_key)).digest()


def key_id(cose_key: dict[CborKey, Cbor]) -> bytes:
    """The first KEY_ID_BYTES of the thumbprint."""
    return key_thumbprint(cose_key)[:KEY_ID_BYTES]


def _check_point(point: bytes, *, what: str) -> None:
    try:
        p256_public(point)
    except HpkeError as error:
        raise BadInputError(f"{what}: {error}, {POINT_BYTES} bytes") from None


def _check_not_after(not_after: datetime) -> None:
    if not_after.tzinfo is not UTC:
        raise BadInputError(f"key: its last day {not_after} is not in UTC")
