"""COSE_Sign1 and COSE_Encrypt0 (RFC 9052), below the profile of a pass.

This layer knows the structures and what is authenticated; which headers, keys and algorithms a pass may use is the
envelope's matter (openstile.passes.envelope). Messages carry their tag: 18 for COSE_Sign1, 16 for COSE_Encrypt0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from openstile.passes import hpke
from openstile.passes.cbor import Cbor, CborKey, decode, encode, encode_strings
from openstile.terms import OpenstileError
from openstile.terms.limits import PASS_BYTES_MAX

SIGN1_TAG = 18
ENCRYPT0_TAG = 16
HEADER_ALG = 1
HEADER_KID = 4
HEADER_TYP = 16
"""What kind of message this is, as a media type (RFC 9596): messages of other kinds by the same key are not it."""
HEADER_EK = -4
"""The encapsulated key of HPKE (draft-ietf-cose-hpke)."""
ALG_EDDSA = -8
ALG_ES256 = -7
ALG_HPKE_0 = 35
"""Integrated encryption with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM (draft-ietf-cose-hpke)."""

Header = dict[CborKey, Cbor]
_HEADERS_KEPT = 64


class CoseError(OpenstileError):
    """A message is not the COSE structure that it should be."""


@dataclass(frozen=True, slots=True)
class Sign1:
    """A parsed COSE_Sign1 (RFC 9052, section 4.2). Nothing of it is verified."""

    protected_bytes: bytes
    protected: Header
    unprotected: Header
    payload: bytes
    signature: bytes

    def to_be_signed(self, *, external_aad: bytes = b"") -> bytes:
        """The Sig_structure (RFC 9052, section 4.4): what the signature is over."""
        return _sig_structure(self.protected_bytes, self.payload, external_aad)


@dataclass(frozen=True, slots=True)
class Encrypt0:
    """A parsed COSE_Encrypt0 (RFC 9052, section 5.2). Nothing of it is authenticated."""

    protected_bytes: bytes
    protected: Header
    unprotected: Header
    ciphertext: bytes

    def additional_data(self, *, external_aad: bytes = b"") -> bytes:
        """The Enc_structure (RFC 9052, section 5.3): what the encryption authenticates besides the text."""
        return _enc_structure(self.protected_bytes, external_aad)


def encode_sign1(
    *, protected: Header, unprotected: Header, payload: bytes, sign: Callable[[bytes], bytes], external_aad: bytes = b""
) -> bytes:
    """A tagged COSE_Sign1 over `payload`, signed by `sign`, which gets the Sig_structure."""
    protected_bytes = _encode_protected(protected)
    signature = sign(_sig_structure(protected_bytes, payload, external_aad))
    return encode([protected_bytes, unprotected, payload, signature], tag=SIGN1_TAG)


def decode_sign1(data: bytes, *, what: str, tag: int | None = SIGN1_TAG, bytes_max: int = PASS_BYTES_MAX) -> Sign1:
    """Parses a COSE_Sign1 in strict CBOR, tagged unless `tag` is None. Raises CborError or CoseError."""
    match decode(data, what=what, tag=tag, bytes_max=bytes_max):
        case [bytes() as written, dict() as unprotected, bytes() as payload, bytes() as signature]:
            protected_bytes, protected = _decode_protected(written, what=what)
            return Sign1(protected_bytes, protected, unprotected, payload, signature)
        case _:
            raise CoseError(f"{what}: is not a COSE_Sign1")


def encode_encrypt0_hpke(
    *,
    protected: Header,
    unprotected: Header,
    plaintext: bytes,
    recipient: bytes,
    random: Callable[[int], bytes],
    external_aad: bytes = b"",
    info: bytes = b"",
) -> bytes:
    """A tagged COSE_Encrypt0 sealed by HPKE-0 to the P-256 point `recipient` (draft-ietf-cose-hpke, section 3.1).

    `protected` must name the algorithm; the encapsulated key is added to the unprotected header.
    """
    protected_bytes = _encode_protected(protected)
    aad = _enc_structure(protected_bytes, external_aad)
    sealed = hpke.seal(recipient=recipient, plaintext=plaintext, info=info, aad=aad, random=random)
    return encode([protected_bytes, {**unprotected, HEADER_EK: sealed.enc}, sealed.ciphertext], tag=ENCRYPT0_TAG)


def decode_encrypt0(data: bytes, *, what: str) -> Encrypt0:
    """Parses a tagged COSE_Encrypt0 in strict CBOR. Raises CborError or CoseError."""
    match decode(data, what=what, tag=ENCRYPT0_TAG):
        case [bytes() as written, dict() as unprotected, bytes() as ciphertext]:
            protected_bytes, protected = _decode_protected(written, what=what)
            return Encrypt0(protected_bytes, protected, unprotected, ciphertext)
        case _:
            raise CoseError(f"{what}: is not a COSE_Encrypt0")


def open_encrypt0_hpke(
    *, message: Encrypt0, recipient: hpke.KeyAgreement, external_aad: bytes = b"", info: bytes = b""
) -> bytes:
    """The plaintext of an HPKE-0 message. Raises CoseError for another algorithm, HpkeError when it does not open."""
    if message.protected.get(HEADER_ALG) != ALG_HPKE_0:
        raise CoseError("sealed message: its algorithm is not HPKE-0")
    enc = message.unprotected.get(HEADER_EK)
    if not isinstance(enc, bytes):
        raise CoseError("sealed message: has no encapsulated key")
    aad = message.additional_data(external_aad=external_aad)
    return hpke.open_sealed(recipient=recipient, sealed=hpke.Sealed(enc, message.ciphertext), info=info, aad=aad)


def _sig_structure(protected_bytes: bytes, payload: bytes, external_aad: bytes) -> bytes:
    return encode_strings("Signature1", protected_bytes, external_aad, payload)


def _enc_structure(protected_bytes: bytes, external_aad: bytes) -> bytes:
    return encode_strings("Encrypt0", protected_bytes, external_aad)


def _encode_protected(header: Mapping[CborKey, Cbor]) -> bytes:
    """An empty header is an empty byte string (RFC 9052, section 3)."""
    return encode(dict(header)) if header else b""


def _decode_protected(data: bytes, *, what: str) -> tuple[bytes, Header]:
    """The bytes that are authenticated, and the header. An empty map counts as nothing (RFC 9052, section 3)."""
    if not data:
        return b"", {}
    header = dict(_decode_header(data, what))
    return (data, header) if header else (b"", {})


@lru_cache(maxsize=_HEADERS_KEPT)
def _decode_header(data: bytes, what: str) -> tuple[tuple[CborKey, Cbor], ...]:
    """The entries of a protected header: it names an algorithm and a key, so a gate sees few, again and again."""
    header = decode(data, what=f"{what}, protected header")
    if not isinstance(header, dict):
        raise CoseError(f"{what}: its protected header is not a map")
    return tuple(header.items())
