"""Signatures of COSE by two algorithms (RFC 9053, section 2), before there is any talk of whose key it is."""

from enum import Enum
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from openstile.passes.cbor import Cbor, CborKey
from openstile.passes.cose import ALG_EDDSA, ALG_ES256
from openstile.passes.hpke import p256_public, point_of
from openstile.terms import OpenstileError
from openstile.terms.limits import KEYS_MAX

SIGNATURE_BYTES = 64
"""Of Ed25519 (RFC 8032) and of ES256 as r || s (RFC 9053, section 2.1)."""
_COORDINATE_BYTES = 32

SigningPrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


class SignatureWrongError(OpenstileError):
    """A signature is not this key's over this message."""


class Algorithm(Enum):
    """How an issuer or an operator signs. The key decides, never the message."""

    EDDSA = "EdDSA"
    ES256 = "ES256"

    @property
    def number(self) -> int:
        """In COSE headers (RFC 9053, section 2)."""
        return {Algorithm.EDDSA: ALG_EDDSA, Algorithm.ES256: ALG_ES256}[self]


class Signer(Protocol):
    """The one operation on a private key that signs; a key in hardware needs to offer no more."""

    def sign(self, message: bytes) -> bytes:
        """A COSE signature of SIGNATURE_BYTES over `message`."""
        ...


class SoftwareSigner:
    """A private key that signs, in memory: Ed25519 or P-256."""

    def __init__(self, private: SigningPrivateKey) -> None:
        self.private = private

    def sign(self, message: bytes) -> bytes:
        """A COSE signature of SIGNATURE_BYTES (RFC 9053, section 2)."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(message)
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def generate_signing_key(algorithm: Algorithm) -> SigningPrivateKey:
    """A new private key from the operating system's randomness."""
    if algorithm is Algorithm.EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def signing_public(private: SigningPrivateKey) -> tuple[Algorithm, bytes]:
    """The algorithm of a private key and its public half: 32 bytes of Ed25519, or a P-256 point."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return Algorithm.EDDSA, private.public_key().public_bytes_raw()
    return Algorithm.ES256, point_of(private.public_key())


def verify_signature(*, algorithm: Algorithm, public: bytes, message: bytes, signature: bytes, whose: str) -> None:
    """Returns when `signature` is over `message` by the key `public`, else raises SignatureWrongError.

    `public` is 32 bytes of Ed25519 or a P-256 point, as `algorithm` says; `whose` names the key's owner in the error.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureWrongError(f"signature: has {len(signature)} bytes, must have {SIGNATURE_BYTES}")
    try:
        if algorithm is Algorithm.EDDSA:
            _ed25519_public(public).verify(signature, message)
        else:
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            _p256_public(public).verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise SignatureWrongError(f"signature: is not that of {whose}") from None


def p256_cose_key(point: bytes) -> dict[CborKey, Cbor]:
    """The required parameters of the COSE_Key of an uncompressed P-256 point (RFC 9053, section 7.1.1)."""
    x, y = point[1 : 1 + _COORDINATE_BYTES], point[1 + _COORDINATE_BYTES :]
    return {1: 2, -1: 1, -2: x, -3: y}


@lru_cache(KEYS_MAX)
def _ed25519_public(raw: bytes) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(KEYS_MAX)
def _p256_public(point: bytes) -> ec.EllipticCurvePublicKey:
    """A key that verifies, parsed once: a gate uses few and always the same."""
    return p256_public(point)
