"""Hybrid public key encryption, RFC 9180: base mode, single shot, one suite.

DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM: what COSE calls HPKE-0. Written on the primitives of `cryptography`
because its own HPKE takes no additional authenticated data. P-256, because a TPM, a PKCS#11 device and every browser
have it.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openstile.terms import OpenstileError

POINT_BYTES = 65
"""An uncompressed P-256 point: 0x04, x, y (RFC 9180, section 7.1.1)."""
TAG_BYTES = 16

_KEM_SUITE = b"KEM" + (0x0010).to_bytes(2, "big")
_SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0010, 0x0001, 0x0001))
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class HpkeError(OpenstileError):
    """A point is not on the curve, or a ciphertext does not open."""


class KeyAgreement(Protocol):
    """The one operation on a recipient's private key; a key in hardware needs to offer no more."""

    @property
    def point(self) -> bytes:
        """The public key, POINT_BYTES."""
        ...

    def agree(self, peer: bytes) -> bytes:
        """ECDH with `peer`, a P-256 point of POINT_BYTES: the x coordinate, 32 bytes. Raises HpkeError."""
        ...


class SoftwareKeyAgreement:
    """A P-256 private key in memory."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        if private.curve.name != "secp256r1":
            raise HpkeError(f"key: is on {private.curve.name}, must be on P-256")
        self.private = private
        self.point = point_of(private.public_key())

    def agree(self, peer: bytes) -> bytes:
        """ECDH: the x coordinate, 32 bytes. Raises HpkeError when `peer` is not a point of the curve."""
        return self.private.exchange(ec.ECDH(), p256_public(peer))


@dataclass(frozen=True, slots=True)
class Sealed:
    """The encapsulated key (POINT_BYTES) and the ciphertext with its tag."""

    enc: bytes
    ciphertext: bytes


def seal(*, recipient: bytes, plaintext: bytes, info: bytes, aad: bytes, random: Callable[[int], bytes]) -> Sealed:
    """Encrypts to the P-256 point `recipient` (RFC 9180, section 6.1); the ephemeral key comes from `random(32)`."""
    public = p256_public(recipient)
    ephemeral = derive_key_pair(random(32))
    enc = point_of(ephemeral.public_key())
    key, nonce = _schedule(_shared(ephemeral.exchange(ec.ECDH(), public), enc + recipient), info)
    return Sealed(enc, AESGCM(key).encrypt(nonce, plaintext, aad))


def open_sealed(*, recipient: KeyAgreement, sealed: Sealed, info: bytes, aad: bytes) -> bytes:
    """The plaintext (RFC 9180, section 6.1). Raises HpkeError when it was changed or is meant for another key."""
    dh = recipient.agree(sealed.enc)
    key, nonce = _schedule(_shared(dh, sealed.enc + recipient.point), info)
    if len(sealed.ciphertext) < TAG_BYTES:
        raise HpkeError("ciphertext: is shorter than its tag")
    try:
        return AESGCM(key).decrypt(nonce, sealed.ciphertext, aad)
    except InvalidTag:
        raise HpkeError("ciphertext: does not open with this key") from None


def derive_key_pair(ikm: bytes) -> ec.EllipticCurvePrivateKey:
    """DeriveKeyPair for P-256 (RFC 9180, section 7.1.3): a private key from at least 32 bytes of key material."""
    if len(ikm) < 32:
        raise HpkeError(f"key material: has {len(ikm)} bytes, needs 32 or more")
    prk = _extract(_KEM_SUITE, b"", b"dkp_prk", ikm)
    for counter in range(256):
        scalar = int.from_bytes(_expand(_KEM_SUITE, prk, b"candidate", bytes([counter]), 32), "big")
        if 0 < scalar < _P256_ORDER:
            return ec.derive_private_key(scalar, ec.SECP256R1())
    raise HpkeError("key material: gives no key")  # pragma: no cover (probability 2**-8192)


def p256_public(point: bytes) -> ec.EllipticCurvePublicKey:
    """The public key of an uncompressed point that lies on the curve (RFC 9180, section 7.1.4). Raises HpkeError."""
    if len(point) != POINT_BYTES or point[0] != 0x04:
        raise HpkeError("point: is not an uncompressed P-256 point")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise HpkeError("point: does not lie on P-256") from None


def point_of(public: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point, POINT_BYTES."""
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _shared(dh: bytes, kem_context: bytes) -> bytes:
    """ExtractAndExpand (RFC 9180, section 4.1)."""
    return _expand(_KEM_SUITE, _extract(_KEM_SUITE, b"", b"eae_prk", dh), b"shared_secret", kem_context, 32)


def _schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of the first message in base mode (RFC 9180, section 5.1)."""
    mode_base = b"\x00"
    context = mode_base + _NO_PSK_ID_HASH + _extract(_SUITE, b"", b"info_hash", info)
    secret = _extract(_SUITE, shared, b"secret", b"")
    return _expand(_SUITE, secret, b"key", context, 16), _expand(_SUITE, secret, b"base_nonce", context, 12)


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    """LabeledExtract (RFC 9180, section 4)."""
    return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand (RFC 9180, section 4) for at most the 32 bytes of one HKDF block."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]


_NO_PSK_ID_HASH = _extract(_SUITE, b"", b"psk_id_hash", b"")
