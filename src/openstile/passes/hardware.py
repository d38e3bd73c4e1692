"""Keys in hardware: made or put into a PKCS#11 token, used there, never read out (OASIS PKCS #11 version 2.40 and 3.0).

Needs the optional extra `hardware` (python-pkcs11) and a PKCS#11 module, such as SoftHSM's. Every error of a token is a
HardwareError, never a refused pass.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from openstile.passes.hardware_making import make_key_pair, put_agreement_key
from openstile.passes.hardware_session import HardwareError, HardwareToken, OpenToken, use_token
from openstile.passes.hpke import p256_public, point_of
from openstile.passes.signing import SIGNATURE_BYTES, Algorithm
from openstile.terms import BadInputError
from openstile.terms.limits import HARDWARE_KEY_ID_BYTES_MAX

if TYPE_CHECKING:
    from pkcs11 import PrivateKey

__all__ = [
    "HardwareError",
    "HardwareKey",
    "HardwareKeyAgreement",
    "HardwareSigner",
    "HardwareToken",
    "generate_hardware_agreement_key",
    "generate_hardware_signing_key",
    "import_agreement_key",
]

_NEW_ID_BYTES = 16
_SHARED_BYTES = 32
_GENERATOR = point_of(ec.derive_private_key(1, ec.SECP256R1()).public_key())


@dataclass(frozen=True, slots=True)
class HardwareKey:
    """A private key in a token, named by its CKA_ID of 1 to HARDWARE_KEY_ID_BYTES_MAX bytes."""

    token: HardwareToken
    id: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.id) <= HARDWARE_KEY_ID_BYTES_MAX:
            raise BadInputError(f"key in hardware: its id is not 1 to {HARDWARE_KEY_ID_BYTES_MAX} bytes")


class HardwareSigner:
    """An issuer's (or operator's) private key in a token: openstile.passes.signing.Signer."""

    def __init__(self, key: HardwareKey, algorithm: Algorithm) -> None:
        self.key = key
        self.algorithm = algorithm

    def sign(self, message: bytes) -> bytes:
        """A COSE signature of SIGNATURE_BYTES (RFC 9053, section 2). Raises HardwareError."""
        data = message if self.algorithm is Algorithm.EDDSA else hashlib.sha256(message).digest()
        return use_token(self.key.token, partial(self._sign, data))

    def _sign(self, data: bytes, opened: OpenToken) -> bytes:
        from pkcs11 import Mechanism, SignMixin

        private = opened.find(self.key.id, self.algorithm, self._accept)
        assert isinstance(private, SignMixin)
        mechanism = Mechanism.EDDSA if self.algorithm is Algorithm.EDDSA else Mechanism.ECDSA
        signature = private.sign(data, mechanism=mechanism)
        if len(signature) != SIGNATURE_BYTES:
            raise HardwareError(f"{_name(self.key)}: signs with {len(signature)} bytes; it is of another kind")
        return signature

    def _accept(self, private: "PrivateKey") -> None:
        from pkcs11 import KeyType, SignMixin

        needed = KeyType.EC_EDWARDS if self.algorithm is Algorithm.EDDSA else KeyType.EC
        if private.key_type is not needed or not isinstance(private, SignMixin):
            raise HardwareError(f"{_name(self.key)}: is no key for {self.algorithm.value}; use the token that holds it")


class HardwareKeyAgreement:
    """A gate group's (or gate's) private key in a token: openstile.passes.hpke.KeyAgreement."""

    def __init__(self, key: HardwareKey, point: bytes) -> None:
        self.key = key
        self.point = point

    def agree(self, peer: bytes) -> bytes:
        """ECDH: the x coordinate, 32 bytes. `peer` is checked before the token sees it (RFC 9180, section 7.1.4).

        Raises HpkeError when it is not a point of the curve, HardwareError when the token cannot be used.
        """
        p256_public(peer)
        return use_token(self.key.token, partial(self._agree, peer))

    def _agree(self, peer: bytes, opened: OpenToken) -> bytes:
        return _derive(opened.find(self.key.id, self.point, self._accept), peer)

    def _accept(self, private: "PrivateKey") -> None:
        """With the curve's generator for a peer the token gives the x coordinate of its own public point."""
        from pkcs11 import DeriveMixin, KeyType

        if private.key_type is not KeyType.EC or not isinstance(private, DeriveMixin):
            raise HardwareError(f"{_name(self.key)}: is no key for opening passes; use the token that holds it")
        if _derive(private, _GENERATOR) != self.point[1 : 1 + _SHARED_BYTES]:
            raise HardwareError(f"{_name(self.key)}: is not the one of this public key; use the token that holds it")


def generate_hardware_signing_key(
    token: HardwareToken, *, algorithm: Algorithm, random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[HardwareKey, bytes]:
    """A new key in `token` that can only sign, and its public half: 32 bytes of Ed25519 or a P-256 point.

    `random` gives the key's id; the key itself comes from the token. Raises HardwareError.
    """
    key = HardwareKey(token, random(_NEW_ID_BYTES))
    return key, use_token(token, partial(make_key_pair, key.id, algorithm))


def generate_hardware_agreement_key(
    token: HardwareToken, *, random: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[HardwareKey, bytes]:
    """A new P-256 key in `token` that can only agree on secrets, and its point, POINT_BYTES.

    `random` gives the key's id; the key itself comes from the token. Raises HardwareError.
    """
    key = HardwareKey(token, random(_NEW_ID_BYTES))
    return key, use_token(token, partial(make_key_pair, key.id, None))


def import_agreement_key(
    token: HardwareToken,
    private: ec.EllipticCurvePrivateKey,
    *,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> HardwareKey:
    """Puts a P-256 key that came from elsewhere into `token`, from where it cannot be read any more.

    Whoever had it before still has it. Raises BadInputError when it is on another curve, HardwareError.
    """
    if private.curve.name != "secp256r1":
        raise BadInputError(f"key: is on {private.curve.name}, must be on P-256")
    key = HardwareKey(token, random(_NEW_ID_BYTES))
    scalar = private.private_numbers().private_value.to_bytes(_SHARED_BYTES, "big")
    use_token(token, partial(put_agreement_key, key.id, scalar))
    return key


def _derive(private: "PrivateKey", peer: bytes) -> bytes:
    """ECDH with no key derivation function: a secret of the session alone, read and destroyed."""
    from pkcs11 import KDF, Attribute, DeriveMixin, KeyType, Mechanism, MechanismFlag

    assert isinstance(private, DeriveMixin)
    secret = private.derive_key(
        KeyType.GENERIC_SECRET,
        8 * _SHARED_BYTES,
        store=False,
        capabilities=MechanismFlag(0),
        mechanism=Mechanism.ECDH1_DERIVE,
        mechanism_param=(KDF.NULL, None, peer),
        template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True},
    )
    try:
        shared = bytes(secret[Attribute.VALUE])
    finally:
        secret.destroy()
    if len(shared) != _SHARED_BYTES:
        raise HardwareError(f"token: agrees on {len(shared)} bytes, must be {_SHARED_BYTES}; use another token")
    return shared


def _name(key: HardwareKey) -> str:
    return f"token {key.token.token}: key {key.id.hex()}"
