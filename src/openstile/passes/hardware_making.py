"""Making a key in a PKCS#11 token, or putting one there: sensitive, not extractable, for one use, not to be changed."""

from typing import TYPE_CHECKING

from openstile.passes.hardware_session import HardwareError, OpenToken, writable
from openstile.passes.hpke import POINT_BYTES, HpkeError, p256_public
from openstile.passes.signing import Algorithm

if TYPE_CHECKING:
    from pkcs11 import Attribute, Session

_P256 = bytes.fromhex("06082a8648ce3d030107")
"""CKA_EC_PARAMS: the DER of OID 1.2.840.10045.3.1.7 (RFC 5480, section 2.1.1.1)."""
_ED25519 = b"\x13\x0cedwards25519"
"""CKA_EC_PARAMS: the DER of a PrintableString (PKCS #11 version 3.0, section 2.3.10)."""
_ED25519_BYTES = 32
_OCTET_STRING = b"\x04"


def make_key_pair(key_id: bytes, algorithm: Algorithm | None, opened: OpenToken) -> bytes:
    """A new pair named `key_id`, for signing with `algorithm` or (None) for ECDH on P-256; its public half.

    Raises HardwareError.
    """
    from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag

    edwards = algorithm is Algorithm.EDDSA
    maker = Mechanism.EC_EDWARDS_KEY_PAIR_GEN if edwards else Mechanism.EC_KEY_PAIR_GEN
    _check_offers(opened, algorithm, maker)

    def make(session: "Session") -> bytes:
        parameters = session.create_domain_parameters(
            KeyType.EC_EDWARDS if edwards else KeyType.EC,
            {Attribute.EC_PARAMS: _ED25519 if edwards else _P256},
            local=True,
        )
        public, _ = parameters.generate_keypair(
            id=key_id,
            label=_label(signs=algorithm is not None),
            store=True,
            capabilities=MechanismFlag(0),
            mechanism=maker,
            private_template=_guarded(signs=algorithm is not None),
        )
        return bytes(public[Attribute.EC_POINT])

    return _public(writable(opened, make), opened, edwards=edwards)


def put_agreement_key(key_id: bytes, scalar: bytes, opened: OpenToken) -> None:
    """A P-256 key of a private scalar (32 bytes, big-endian) as `key_id`, for ECDH. Raises HardwareError."""
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

    _check_offers(opened, None, Mechanism.ECDH1_DERIVE)
    template = {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.KEY_TYPE: KeyType.EC,
        Attribute.TOKEN: True,
        Attribute.ID: key_id,
        Attribute.LABEL: _label(signs=False),
        Attribute.EC_PARAMS: _P256,
        Attribute.VALUE: scalar,
        **_guarded(signs=False),
    }
    writable(opened, lambda session: session.create_object(template))


def _guarded(*, signs: bool) -> "dict[Attribute, bool]":
    """Every use is named: SoftHSM, for one, allows those that are not."""
    from pkcs11 import Attribute

    return {
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.MODIFIABLE: False,
        Attribute.SIGN: signs,
        Attribute.SIGN_RECOVER: False,
        Attribute.DERIVE: not signs,
        Attribute.DECRYPT: False,
        Attribute.UNWRAP: False,
    }


def _check_offers(opened: OpenToken, algorithm: Algorithm | None, maker: int) -> None:
    from pkcs11 import Mechanism

    uses = {Algorithm.EDDSA: Mechanism.EDDSA, Algorithm.ES256: Mechanism.ECDSA, None: Mechanism.ECDH1_DERIVE}
    if opened.offers(uses[algorithm]) and opened.offers(maker):
        return
    missing = "ECDH on P-256" if algorithm is None else algorithm.value
    instead = "use ES256 or another token" if algorithm is Algorithm.EDDSA else "use another token"
    raise HardwareError(f"token {opened.label}: does not offer {missing}; {instead}")


def _label(*, signs: bool) -> str:
    return "openstile signing" if signs else "openstile agreement"


def _public(found: bytes, opened: OpenToken, *, edwards: bool) -> bytes:
    """CKA_EC_POINT is the DER of an OCTET STRING; some tokens give its content alone."""
    length = _ED25519_BYTES if edwards else POINT_BYTES
    public = found.removeprefix(_OCTET_STRING + bytes([length])) if len(found) == length + 2 else found
    try:
        if len(public) != length:
            raise HpkeError("point: has another length")
        if not edwards:
            p256_public(public)
    except HpkeError:
        raise HardwareError(f"token {opened.label}: gave a public key that is none; use another token") from None
    return public
