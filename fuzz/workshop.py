"""Fixed keys, clock and randomness, and quick ways to seal and to sign what a fuzzer made."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import cbor2
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openstile.passes import hpke
from openstile.passes.claims import Audience
from openstile.passes.holder import holder_key_of
from openstile.passes.keyring import GateKeyring, TrustedIssuer
from openstile.passes.keys import (
    GateGroupKey,
    GateGroupPublicKey,
    IssuerKey,
    OperatorKey,
    gate_group_key_of,
    gate_transport_key_of,
    issuer_key_of,
    operator_key_of,
)
from openstile.terms import GateId

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
KEYS_END = NOW + timedelta(days=1500)
AUDIENCE = Audience("metro", "north")
SALT = bytes(range(16))
FACE = bytes((7 * at + 3) % 256 for at in range(128))

_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", np.uint8)


def steady(seed: str) -> Callable[[int], bytes]:
    """Randomness that is the same in every run: never the same bytes twice, all from `seed`."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_128(f"{seed} {drawn}".encode()).digest(length)

    return draw


class RememberedAgreement:
    """A P-256 private key that remembers what it agreed with the one ephemeral key of this workshop.

    The curve is most of the cost of opening a seal and nothing of it is the parser's; other points are computed.
    """

    def __init__(self, private: ec.EllipticCurvePrivateKey, *, friend: bytes) -> None:
        self._real = hpke.SoftwareKeyAgreement(private)
        self.point = self._real.point
        self._friend = friend
        self._agreed = self._real.agree(friend)

    def agree(self, peer: bytes) -> bytes:
        """ECDH with `peer`."""
        return self._agreed if peer == self._friend else self._real.agree(peer)


@dataclass(frozen=True, slots=True)
class _Sealing:
    """The AES-128-GCM key and nonce of one HPKE context, and what stands around the ciphertext in a pass."""

    key: AESGCM
    nonce: bytes
    aad: bytes
    front: bytes


def _private(seed: str) -> ec.EllipticCurvePrivateKey:
    return hpke.derive_key_pair(steady(seed)(32))


EPHEMERAL = _private("ephemeral")
EPHEMERAL_POINT = hpke.point_of(EPHEMERAL.public_key())
GATE_PRIVATE = _private("gate")
_AGREEMENT = RememberedAgreement(GATE_PRIVATE, friend=EPHEMERAL_POINT)
GATE = GateGroupKey(GateGroupPublicKey(AUDIENCE, _AGREEMENT.point, KEYS_END), _AGREEMENT)
GROUP = gate_group_key_of(_private("group"), audience=AUDIENCE, not_after=KEYS_END)
TRANSPORT = gate_transport_key_of(_private("transport"), operator="metro", gate=GateId("north-1"), not_after=KEYS_END)
HOLDER = holder_key_of(_private("holder"))


def _ed25519(seed: str, name: str) -> IssuerKey:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(steady(seed)(32))
    return issuer_key_of(private, name=name, not_after=KEYS_END)


ISSUER = _ed25519("issuer", "metro")
OPERATOR = operator_key_of(
    ed25519.Ed25519PrivateKey.from_private_bytes(steady("operator")(32)), name="metro", not_after=KEYS_END
)
ISSUER_ES256 = issuer_key_of(_private("issuer es256"), name="metro", not_after=KEYS_END)
REVOKED = _ed25519("revoked", "metro")
STRANGER = _ed25519("stranger", "metro")
RING = GateKeyring(
    gate_group_keys=(GATE,),
    issuers=(
        TrustedIssuer(ISSUER.public),
        TrustedIssuer(ISSUER_ES256.public),
        TrustedIssuer(REVOKED.public, revoked=True),
    ),
)


def sealed(plaintext: bytes) -> bytes:
    """A binary pass: `plaintext` under a valid seal to the gate, written here anew on AES-GCM alone."""
    sealing = _sealing()
    ciphertext = sealing.key.encrypt(sealing.nonce, plaintext, sealing.aad)
    return sealing.front + cbor2.dumps(ciphertext)


def token_of(payload: bytes, *, key: IssuerKey | OperatorKey = ISSUER, kind: str | None = None) -> bytes:
    """The signed token of any payload, of a type or none, without asking whether it holds claims."""
    header = {1: key.public.algorithm.number, 4: key.public.kid}
    protected = cbor2.dumps(header if kind is None else {**header, 16: kind})
    signature = key.signer.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))


def text_of(data: bytes) -> str:
    """`OS1:` and the Base45 of `data` (RFC 9285), for any length."""
    whole = len(data) // 2 * 2
    pairs = np.frombuffer(data[:whole], ">u2").astype(np.uint32)
    digits = np.stack([pairs % 45, pairs // 45 % 45, pairs // 2025], axis=1).reshape(-1)
    last = [data[-1] % 45, data[-1] // 45] if len(data) % 2 else []
    body: bytes = _ALPHABET[np.concatenate([digits, np.array(last, np.uint32)])].tobytes()
    return "OS1:" + body.decode("ascii")


@cache
def _sealing() -> _Sealing:
    """RFC 9180, base mode, of EPHEMERAL to the gate, from the text of the RFC and not from the code under test."""
    dh = EPHEMERAL.exchange(ec.ECDH(), GATE_PRIVATE.public_key())
    kem, suite = b"KEM\x00\x10", b"HPKE\x00\x10\x00\x01\x00\x01"
    secret = _expand(kem, _extract(kem, b"", b"eae_prk", dh), b"shared_secret", EPHEMERAL_POINT + GATE.public.point, 32)
    context = b"\x00" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", b"")
    schedule = _extract(suite, secret, b"secret", b"")
    protected = cbor2.dumps({1: 35, 4: GATE.public.kid})
    return _Sealing(
        key=AESGCM(_expand(suite, schedule, b"key", context, 16)),
        nonce=_expand(suite, schedule, b"base_nonce", context, 12),
        aad=cbor2.dumps(["Encrypt0", protected, b"OS1:"]),
        front=b"\xd0\x83" + cbor2.dumps(protected) + cbor2.dumps({-4: EPHEMERAL_POINT}),
    )


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hmac.digest(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01", "sha256")[:length]
