"""The two layers of a pass, each in the one form that version 1 allows: the seal and, inside it, the signed token.

The profile lives here: which headers there are (exactly these, so an unknown `crit` is refused like any other header),
which algorithms, which lengths.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from openstile.passes.cbor import decode, encode
from openstile.passes.cose import (
    ALG_EDDSA,
    ALG_ES256,
    ALG_HPKE_0,
    HEADER_ALG,
    HEADER_EK,
    HEADER_KID,
    CoseError,
    Encrypt0,
    Header,
    Sign1,
    decode_encrypt0,
    decode_sign1,
    encode_encrypt0_hpke,
    encode_sign1,
    open_encrypt0_hpke,
)
from openstile.passes.hpke import POINT_BYTES, TAG_BYTES
from openstile.passes.keys import GateGroupKey, GateGroupPublicKey, IssuerKey
from openstile.passes.signing import SIGNATURE_BYTES
from openstile.passes.text import PREFIX_BYTES
from openstile.terms.limits import KEY_ID_BYTES, REFERENCE_BYTES_MIN, SALT_BYTES, TEMPLATE_BYTES_MAX

SEAL_CONTEXT = PREFIX_BYTES
"""External data that the seal authenticates: a pass sealed under one version's prefix opens under no other."""


class ProfileError(CoseError):
    """A COSE message that is well formed but not of the form that a pass has."""


@dataclass(frozen=True, slots=True)
class SealedPass:
    """The outer layer, parsed. `kid` names the gate-group key that it claims to be sealed to."""

    kid: bytes
    message: Encrypt0


@dataclass(frozen=True, slots=True)
class SealedContent:
    """What was under the seal: the signed token, the salt and the data of the reference. Nothing is verified yet.

    `proof` is there in the live form only (openstile.passes.live).
    """

    token: bytes
    salt: bytes = field(repr=False)
    data: bytes = field(repr=False)
    proof: bytes | None = None


@dataclass(frozen=True, slots=True)
class SignedToken:
    """The inner layer, parsed. `kid` and `algorithm` are what it claims about its signature."""

    kid: bytes
    algorithm: int
    message: Sign1


def commit(*, salt: bytes, data: bytes) -> bytes:
    """The commitment to reference data that an issuer signs: SHA-256(salt || data), with a random salt of SALT_BYTES.

    The salt's length is fixed, so the split is unambiguous; its 128 random bits keep the data from being guessed.
    """
    if len(salt) != SALT_BYTES:
        raise ProfileError(f"salt: has {len(salt)} bytes, must have {SALT_BYTES}")
    return hashlib.sha256(salt + data).digest()


def write_seal(*, key: GateGroupPublicKey, content: SealedContent, random: Callable[[int], bytes]) -> bytes:
    """Seals a signed token and its reference to a gate group: the binary pass."""
    return encode_encrypt0_hpke(
        protected={HEADER_ALG: ALG_HPKE_0, HEADER_KID: key.kid},
        unprotected={},
        plaintext=encode([content.token, content.salt, content.data, *([content.proof] if content.proof else [])]),
        recipient=key.point,
        random=random,
        external_aad=SEAL_CONTEXT,
    )


def read_seal(data: bytes) -> SealedPass:
    """Parses a binary pass. Raises CborError or CoseError for any form but the one that `write_seal` writes."""
    message = decode_encrypt0(data, what="pass")
    kid = message.protected.get(HEADER_KID)
    if set(message.protected) != {HEADER_ALG, HEADER_KID} or message.protected[HEADER_ALG] != ALG_HPKE_0:
        raise ProfileError("pass: its protected header is not {alg: HPKE-0, kid}")
    if not isinstance(kid, bytes) or len(kid) != KEY_ID_BYTES:
        raise ProfileError(f"pass: its key id does not have {KEY_ID_BYTES} bytes")
    enc = message.unprotected.get(HEADER_EK)
    if set(message.unprotected) != {HEADER_EK} or not isinstance(enc, bytes) or len(enc) != POINT_BYTES:
        raise ProfileError(f"pass: its unprotected header is not {{ek}} with {POINT_BYTES} bytes")
    if len(message.ciphertext) <= TAG_BYTES:
        raise ProfileError("pass: nothing is sealed in it")
    return SealedPass(kid, message)


def open_seal(*, sealed: SealedPass, key: GateGroupKey) -> bytes:
    """The sealed bytes. Raises HpkeError when anything was changed since sealing."""
    return open_encrypt0_hpke(message=sealed.message, recipient=key.agreement, external_aad=SEAL_CONTEXT)


def read_content(plaintext: bytes) -> SealedContent:
    """Parses what was sealed. Raises CborError or ProfileError."""
    match decode(plaintext, what="sealed content"):
        case [bytes() as token, bytes() as salt, bytes() as data]:
            proof = None
        case [bytes() as token, bytes() as salt, bytes() as data, bytes() as proof]:
            pass
        case _:
            raise ProfileError("sealed content: is not [token, salt, reference data], or that with a live proof")
    if len(salt) != SALT_BYTES:
        raise ProfileError(f"sealed content: its salt does not have {SALT_BYTES} bytes")
    if not REFERENCE_BYTES_MIN <= len(data) <= TEMPLATE_BYTES_MAX:
        raise ProfileError(
            f"sealed content: its reference does not have {REFERENCE_BYTES_MIN} to {TEMPLATE_BYTES_MAX} bytes"
        )
    return SealedContent(token, salt, data, proof)


def write_token(*, key: IssuerKey, payload: bytes) -> bytes:
    """Signs a claims set: the signed token."""
    protected: Header = {HEADER_ALG: key.public.algorithm.number, HEADER_KID: key.public.kid}
    return encode_sign1(protected=protected, unprotected={}, payload=payload, sign=key.signer.sign)


def read_token(token: bytes) -> SignedToken:
    """Parses a signed token. Raises CborError or CoseError for any form but the one that `write_token` writes."""
    message = decode_sign1(token, what="token")
    kid, algorithm = message.protected.get(HEADER_KID), message.protected.get(HEADER_ALG)
    if set(message.protected) != {HEADER_ALG, HEADER_KID} or message.unprotected:
        raise ProfileError("token: its headers are not {alg, kid}, both protected")
    if algorithm not in (ALG_EDDSA, ALG_ES256) or not isinstance(algorithm, int):
        raise ProfileError("token: its algorithm is neither EdDSA nor ES256")
    if not isinstance(kid, bytes) or len(kid) != KEY_ID_BYTES:
        raise ProfileError(f"token: its key id does not have {KEY_ID_BYTES} bytes")
    if len(message.signature) != SIGNATURE_BYTES:
        raise ProfileError(f"token: its signature does not have {SIGNATURE_BYTES} bytes")
    return SignedToken(kid, algorithm, message)
