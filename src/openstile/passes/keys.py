"""The two kinds of key: an issuer signs passes, a group of gates opens them. Public and private halves are apart.

A key is named in a pass by its id: the first eight bytes of its COSE Key Thumbprint (RFC 9679, SHA-256).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from openstile.passes.cbor import Cbor, CborKey, encode
from openstile.passes.claims import Audience, check_name
from openstile.passes.cose import ALG_EDDSA, ALG_ES256
from openstile.passes.hpke import (
    POINT_BYTES,
    HpkeError,
    KeyAgreement,
    SoftwareKeyAgreement,
    derive_key_pair,
    p256_public,
    point_of,
)
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import KEY_ID_BYTES, KEYS_MAX

SIGNATURE_BYTES = 64
"""Of Ed25519 (RFC 8032) and of ES256 as r || s (RFC 9053, section 2.1)."""
_COORDINATE_BYTES = 32


class SignatureWrongError(OpenstileError):
    """A signature is not this key's over this message."""


class Algorithm(Enum):
    """How an issuer signs. The key decides, never the message."""

    EDDSA = "EdDSA"
    ES256 = "ES256"

    @property
    def number(self) -> int:
        """In COSE headers (RFC 9053, section 2)."""
        return {Algorithm.EDDSA: ALG_EDDSA, Algorithm.ES256: ALG_ES256}[self]


class Signer(Protocol):
    """The one operation on an issuer's private key; a key in hardware needs to offer no more."""

    def sign(self, message: bytes) -> bytes:
        """A COSE signature of SIGNATURE_BYTES over `message`."""
        ...


@dataclass(frozen=True, slots=True)
class IssuerPublicKey:
    """What a gate needs of an issuer: its name, algorithm and public key (32 bytes of Ed25519 or a P-256 point)."""

    name: str
    algorithm: Algorithm
    public: bytes
    not_after: datetime
    kid: bytes = field(init=False)
    """The key's id, KEY_ID_BYTES."""

    def __post_init__(self) -> None:
        check_name(self.name, what="issuer")
        _check_not_after(self.not_after)
        if self.algorithm is Algorithm.EDDSA and len(self.public) != 32:
            raise BadInputError(f"issuer {self.name}: an Ed25519 key has 32 bytes, this has {len(self.public)}")
        if self.algorithm is Algorithm.ES256:
            _check_point(self.public, what=f"issuer {self.name}")
        key: dict[CborKey, Cbor] = {1: 1, -1: 6, -2: self.public}
        object.__setattr__(
            self, "kid", key_id(key if self.algorithm is Algorithm.EDDSA else _p256_cose_key(self.public))
        )

    def verify(self, *, message: bytes, signature: bytes) -> None:
        """Returns when `signature` is this key's over `message`, else raises SignatureWrongError."""
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureWrongError(f"signature: has {len(signature)} bytes, must have {SIGNATURE_BYTES}")
        try:
            if self.algorithm is Algorithm.EDDSA:
                _ed25519_public(self.public).verify(signature, message)
            else:
                r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                der = encode_dss_signature(r, s)
                _p256_public(self.public).verify(der, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise SignatureWrongError(f"signature: is not that of issuer {self.name}") from None


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """An issuer's key with its private half behind a Signer, never shown by repr."""

    public: IssuerPublicKey
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
        object.__setattr__(self, "kid", key_id(_p256_cose_key(self.point)))


@dataclass(frozen=True, slots=True)
class GateGroupKey:
    """A gate group's key with its private half behind a KeyAgreement, never shown by repr."""

    public: GateGroupPublicKey
    agreement: KeyAgreement = field(repr=False)


class SoftwareSigner:
    """An issuer's private key in memory: Ed25519 or P-256."""

    def __init__(self, private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self.private = private

    def sign(self, message: bytes) -> bytes:
        """A COSE signature of SIGNATURE_BYTES (RFC 9053, section 2)."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(message)
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def issuer_key_of(
    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, *, name: str, not_after: datetime
) -> IssuerKey:
    """The issuer key of a private key in memory; its type decides the algorithm."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        raw = private.public_key().public_bytes_raw()
        return IssuerKey(IssuerPublicKey(name, Algorithm.EDDSA, raw, not_after), SoftwareSigner(private))
    point = point_of(private.public_key())
    return IssuerKey(IssuerPublicKey(name, Algorithm.ES256, point, not_after), SoftwareSigner(private))


def generate_issuer_key(*, name: str, algorithm: Algorithm, not_after: datetime) -> IssuerKey:
    """A new issuer key from the operating system's randomness."""
    private = (
        ed25519.Ed25519PrivateKey.generate()
        if algorithm is Algorithm.EDDSA
        else ec.generate_private_key(ec.SECP256R1())
    )
    return issuer_key_of(private, name=name, not_after=not_after)


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


def key_thumbprint(cose_key: dict[CborKey, Cbor]) -> bytes:
    """SHA-256 over the deterministic encoding of a COSE_Key's required public parameters (RFC 9679, section 3)."""
    return hashlib.sha256(encode(cose_key)).digest()


def key_id(cose_key: dict[CborKey, Cbor]) -> bytes:
    """The first KEY_ID_BYTES of the thumbprint."""
    return key_thumbprint(cose_key)[:KEY_ID_BYTES]


@lru_cache(KEYS_MAX)
def _ed25519_public(raw: bytes) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(KEYS_MAX)
def _p256_public(point: bytes) -> ec.EllipticCurvePublicKey:
    """An issuer's key, parsed once: a gate uses few and always the same."""
    return p256_public(point)


def _p256_cose_key(point: bytes) -> dict[CborKey, Cbor]:
    x, y = point[1 : 1 + _COORDINATE_BYTES], point[1 + _COORDINATE_BYTES :]
    return {1: 2, -1: 1, -2: x, -3: y}


def _check_point(point: bytes, *, what: str) -> None:
    try:
        p256_public(point)
    except HpkeError as error:
        raise BadInputError(f"{what}: {error}, {POINT_BYTES} bytes") from None


def _check_not_after(not_after: datetime) -> None:
    if not_after.tzinfo is not UTC:
        raise BadInputError(f"key: its last day {not_after} is not in UTC")
