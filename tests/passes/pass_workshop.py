"""Fixed keys, clock and randomness, and the means to build passes that no issuer would: for tests of the pass."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from openstile.passes import GateKeyring, OpenedPass, PassFault, PassRefusedError, issue_pass, open_pass
from openstile.passes.cbor import Cbor, CborKey, decode, encode
from openstile.passes.claims import Assurance, Audience, Claims, Entitlement
from openstile.passes.claims_codec import encode_claims
from openstile.passes.cose import Header, encode_encrypt0_hpke, encode_sign1
from openstile.passes.envelope import SEAL_CONTEXT, commit
from openstile.passes.issue import IssuedPass
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import GateGroupKey, IssuerKey, derive_gate_group_key, issuer_key_of
from openstile.passes.reference import Reference, ReferenceClaim, ReferenceKind
from openstile.passes.text import to_text
from openstile.terms import PassId

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
KEYS_END = NOW + timedelta(days=1500)
AUDIENCE = Audience("metro", "north")
SALT = bytes(range(16))
FACE = Reference(ReferenceKind.FACE, "centerface-dlib-1", bytes((7 * at + 3) % 256 for at in range(128)))


def steady(seed: str) -> Callable[[int], bytes]:
    """Randomness that is the same in every run: never the same bytes twice, all from `seed`."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_128(f"{seed} {drawn}".encode()).digest(length)

    return draw


def issuer_key(seed: str, *, name: str = "metro", es256: bool = False, not_after: datetime = KEYS_END) -> IssuerKey:
    secret = steady(seed)(32)
    if es256:
        private = ec.derive_private_key(int.from_bytes(secret, "big") >> 1, ec.SECP256R1())
        return issuer_key_of(private, name=name, not_after=not_after)
    return issuer_key_of(ed25519.Ed25519PrivateKey.from_private_bytes(secret), name=name, not_after=not_after)


def gate_key(seed: str, *, audience: Audience = AUDIENCE, not_after: datetime = KEYS_END) -> GateGroupKey:
    return derive_gate_group_key(steady(seed)(32), audience=audience, not_after=not_after)


ISSUER = issuer_key("issuer")
ISSUER_ES256 = issuer_key("issuer es256", es256=True)
STRANGER = issuer_key("stranger")
OTHER_ISSUER = issuer_key("other issuer", name="ferries")
REVOKED = issuer_key("revoked")
GATE = gate_key("gate")
GATE_BEFORE = gate_key("gate before")
OTHER_GATE = gate_key("other gate", audience=Audience("metro", "south"))
RING = GateKeyring(
    gate_group_keys=(GATE, GATE_BEFORE),
    issuers=(
        TrustedIssuer(ISSUER.public),
        TrustedIssuer(ISSUER_ES256.public),
        TrustedIssuer(OTHER_ISSUER.public),
        TrustedIssuer(REVOKED.public, revoked=True),
    ),
)


def issue(
    *,
    issuer: IssuerKey = ISSUER,
    gate: GateGroupKey = GATE,
    reference: Reference = FACE,
    days: int = 365,
    entitlement: Entitlement | None = None,
    seed: str = "pass",
) -> IssuedPass:
    return issue_pass(
        issuer_key=issuer,
        gate_group_key=gate.public,
        entitlement=entitlement or Entitlement("Annual", rider_category="student", zones=("1", "2")),
        assurance=Assurance.SUPERVISED,
        reference=reference,
        now=NOW,
        valid_for=timedelta(days=days),
        random=steady(seed),
    )


def opened(presented: str | bytes, *, ring: GateKeyring = RING, now: datetime = NOW, skew: int = 0) -> OpenedPass:
    return open_pass(presented=presented, keyring=ring, audience=AUDIENCE, now=now, clock_skew_s=skew)


def fault_of(
    presented: str | bytes, *, ring: GateKeyring = RING, now: datetime = NOW, skew: int = 0
) -> PassFault | None:
    """Why the pass is refused; None when it is not."""
    try:
        opened(presented, ring=ring, now=now, skew=skew)
    except PassRefusedError as refusal:
        return refusal.fault
    return None


CLAIMS = Claims(
    issuer="metro",
    audience=AUDIENCE,
    not_before=NOW,
    expires=NOW + timedelta(days=365),
    pass_id=PassId(bytes(range(16, 32))),
    entitlement=Entitlement("Annual"),
    assurance=Assurance.SELF_ENROLLED,
    reference=ReferenceClaim(FACE.kind, FACE.pack_id, commit(salt=SALT, data=FACE.data)),
)


def claims_map(claims: Claims = CLAIMS) -> dict[CborKey, Cbor]:
    value = decode(encode_claims(claims), what="claims")
    assert isinstance(value, dict)
    return value


def claims_with(**changes: object) -> bytes:
    return encode_claims(replace(CLAIMS, **changes))  # type: ignore[arg-type]


def token(
    payload: bytes | None = None,
    *,
    key: IssuerKey = ISSUER,
    protected: Header | None = None,
    unprotected: Header | None = None,
    sign: Callable[[bytes], bytes] | None = None,
) -> bytes:
    return encode_sign1(
        protected={1: key.public.algorithm.number, 4: key.public.kid} if protected is None else protected,
        unprotected=unprotected or {},
        payload=encode_claims(CLAIMS) if payload is None else payload,
        sign=sign or key.signer.sign,
    )


def sealed(
    plaintext: bytes,
    *,
    gate: GateGroupKey = GATE,
    protected: Header | None = None,
    unprotected: Header | None = None,
    context: bytes = SEAL_CONTEXT,
) -> bytes:
    return encode_encrypt0_hpke(
        protected={1: 35, 4: gate.public.kid} if protected is None else protected,
        unprotected=unprotected or {},
        plaintext=plaintext,
        recipient=gate.public.point,
        random=steady("seal"),
        external_aad=context,
    )


def pass_of(token_bytes: bytes, *, salt: bytes = SALT, data: bytes = FACE.data) -> str:
    """The text of a pass with this token, salt and data under a valid seal."""
    return to_text(sealed(encode([token_bytes, salt, data])))
