"""The fixed keys and the clock of the vectors, and the means to make passes that no issuer would."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.vectors.raw_cbor import Value, write

from openstile.passes import hpke
from openstile.passes.claims import Audience
from openstile.passes.keys import GateGroupKey, GateGroupPublicKey, IssuerPublicKey
from openstile.passes.signing import Algorithm
from openstile.passes.text import to_text

CLOCK = 1_772_353_800
"""2026-03-01T08:30:00Z."""
DAY = 86_400
KEYS_END = CLOCK + 1500 * DAY
SHORT_KEYS_END = CLOCK + 30 * DAY
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def drawn(seed: str, length: int = 32) -> bytes:
    """Bytes that look random and are the same each time."""
    return hashlib.shake_128(f"openstile vectors, {seed}".encode()).digest(length)


def at(seconds: int) -> datetime:
    """The instant of a time in a pass."""
    return datetime.fromtimestamp(seconds, UTC)


class Key(Protocol):
    """What signs: its id, its algorithm, and the signature of COSE over a message, the same each time."""

    @property
    def kid(self) -> bytes: ...
    @property
    def alg(self) -> int: ...
    def sign(self, message: bytes) -> bytes: ...


class EdIssuer:
    """An issuer's Ed25519 key."""

    alg = -8

    def __init__(self, seed: str, *, name: str = "metro", not_after: int = KEYS_END) -> None:
        self.secret = drawn(seed)
        self._private = ed25519.Ed25519PrivateKey.from_private_bytes(self.secret)
        self.public = IssuerPublicKey(
            name, Algorithm.EDDSA, self._private.public_key().public_bytes_raw(), at(not_after)
        )
        self.kid = self.public.kid

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


class P256Key:
    """A P-256 key, of an issuer or a holder, with the nonces of RFC 6979."""

    alg = -7

    def __init__(self, seed: str, *, name: str = "metro", not_after: int = KEYS_END) -> None:
        self._private = ec.derive_private_key(int.from_bytes(drawn(seed), "big") >> 1, ec.SECP256R1())
        self.secret = self._private.private_numbers().private_value.to_bytes(32, "big")
        self.point = hpke.point_of(self._private.public_key())
        self.public = IssuerPublicKey(name, Algorithm.ES256, self.point, at(not_after))
        self.kid = self.public.kid

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Group:
    """A gate group's key."""

    def __init__(self, seed: str, *, not_after: int = KEYS_END) -> None:
        private = hpke.derive_key_pair(drawn(seed))
        self.secret = private.private_numbers().private_value.to_bytes(32, "big")
        agreement = hpke.SoftwareKeyAgreement(private)
        public = GateGroupPublicKey(Audience("metro", "north"), agreement.point, at(not_after))
        self.key = GateGroupKey(public, agreement)
        self.point, self.kid, self.not_after = agreement.point, public.kid, not_after


METRO = EdIssuer("issuer metro")
METRO_ES256 = P256Key("issuer metro ES256")
FERRIES = EdIssuer("issuer ferries", name="ferries")
METRO_ENDING = EdIssuer("issuer metro, ends early", not_after=SHORT_KEYS_END)
METRO_REVOKED = EdIssuer("issuer metro, revoked")
UNKNOWN_ISSUER = EdIssuer("issuer that nobody knows")
ISSUERS: tuple[EdIssuer | P256Key, ...] = (METRO, METRO_ES256, FERRIES, METRO_ENDING, METRO_REVOKED)

NORTH = Group("gate group north")
NORTH_BEFORE = Group("gate group north, before")
NORTH_ENDING = Group("gate group north, ends early", not_after=SHORT_KEYS_END)
NORTH_RETIRED = Group("gate group north, retired and held")
NORTH_RETIRING = Group("gate group north, retired a second later")
NORTH_GONE = Group("gate group north, retired and gone")
SOUTH = Group("gate group south, not held")
GROUPS = (NORTH, NORTH_BEFORE, NORTH_ENDING, NORTH_RETIRED, NORTH_RETIRING)
RETIREMENTS = ((NORTH_RETIRED, CLOCK - DAY), (NORTH_GONE, CLOCK), (NORTH_RETIRING, CLOCK + 1))

HOLDER = P256Key("holder")
OTHER_HOLDER = P256Key("another holder")


def token(
    payload: bytes,
    *,
    key: Key = METRO,
    protected: Value | None = None,
    unprotected: Value | None = None,
    signature: bytes | None = None,
) -> bytes:
    """A tagged COSE_Sign1 in the form of a token."""
    written = write({1: key.alg, 4: key.kid} if protected is None else protected)
    signed = key.sign(write(["Signature1", written, b"", payload])) if signature is None else signature
    return b"\xd2" + write([written, unprotected if unprotected is not None else {}, payload, signed])


def proof(
    for_token: bytes,
    payload: Value,
    *,
    key: Key = HOLDER,
    protected: Value | None = None,
    unprotected: Value | None = None,
    external: bytes | None = None,
) -> bytes:
    """A tagged COSE_Sign1 in the form of a live proof."""
    written = write({1: -7} if protected is None else protected)
    bound = hashlib.sha256(for_token).digest() if external is None else external
    signed = key.sign(write(["Signature1", written, bound, write(payload)]))
    return b"\xd2" + write([written, unprotected if unprotected is not None else {}, write(payload), signed])


def seal(
    content: bytes,
    *,
    group: Group = NORTH,
    protected: Value | None = None,
    unprotected: dict[int | str, Value] | None = None,
    context: bytes = b"OS1:",
    info: bytes = b"",
) -> bytes:
    """A tagged COSE_Encrypt0 in the form of a pass. The ephemeral key is drawn from the content."""
    written = write({1: 35, 4: group.kid} if protected is None else protected)
    ephemeral = hashlib.sha256(b"ephemeral" + content).digest()
    aad = write(["Encrypt0", written, context])
    sealed = hpke.seal(recipient=group.point, plaintext=content, info=info, aad=aad, random=lambda _: ephemeral)
    headers: dict[int | str, Value] = {-4: sealed.enc, **(unprotected or {})}
    return b"\xd0" + write([written, headers, sealed.ciphertext])


def text(binary: bytes) -> str:
    """The text of a binary pass."""
    return to_text(binary)


def ring_as_json() -> dict[str, Any]:
    """What the gate of the vectors holds."""
    return {
        "gate_group_keys": [
            {"kid": group.kid.hex(), "d": group.secret.hex(), "point": group.point.hex(), "not_after": group.not_after}
            for group in GROUPS
        ],
        "retirements": [{"kid": group.kid.hex(), "at": moment} for group, moment in RETIREMENTS],
        "issuers": [
            {
                "name": issuer.public.name,
                "kid": issuer.kid.hex(),
                "algorithm": issuer.public.algorithm.value,
                "public": issuer.public.public.hex(),
                "not_after": int(issuer.public.not_after.timestamp()),
                "revoked": issuer is METRO_REVOKED,
            }
            for issuer in ISSUERS
        ],
    }


def secrets_as_json() -> dict[str, str]:
    """The private keys of those who made the vectors, for who wants to make more."""
    named: dict[str, EdIssuer | P256Key] = {
        "issuer metro": METRO,
        "issuer metro ES256": METRO_ES256,
        "issuer ferries": FERRIES,
        "issuer metro, ends early": METRO_ENDING,
        "issuer metro, revoked": METRO_REVOKED,
        "issuer that nobody knows": UNKNOWN_ISSUER,
        "holder": HOLDER,
        "another holder": OTHER_HOLDER,
    }
    return {name: key.secret.hex() for name, key in named.items()}
