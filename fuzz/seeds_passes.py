"""Seeds of the pass: valid ones of every kind, and others that one rule keeps from being so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache

import cbor2

from fuzz.workshop import (
    AUDIENCE,
    FACE,
    GATE,
    HOLDER,
    ISSUER,
    ISSUER_ES256,
    NOW,
    REVOKED,
    SALT,
    STRANGER,
    sealed,
    token_of,
)
from openstile.passes.cbor import Cbor, encode
from openstile.passes.claims import Assurance, Audience, Claims, Entitlement, StatusReference
from openstile.passes.claims_codec import encode_claims
from openstile.passes.envelope import commit
from openstile.passes.live import write_proof
from openstile.passes.reference import ReferenceClaim, ReferenceKind
from openstile.terms import PassId

PIN = bytes(range(100, 132))


@cache
def claims_issued() -> tuple[tuple[Claims, bytes], ...]:
    """Claims that a fixed issuer signs, each with the reference data that it commits to."""
    face = ReferenceClaim(ReferenceKind.FACE, "centerface-dlib-1", commit(salt=SALT, data=FACE))
    pin = ReferenceClaim(ReferenceKind.PIN, None, commit(salt=SALT, data=PIN))
    plain = Claims(
        issuer="metro",
        audience=AUDIENCE,
        not_before=NOW,
        expires=NOW + timedelta(days=365),
        pass_id=PassId(bytes(range(16, 32))),
        entitlement=Entitlement("Annual"),
        assurance=Assurance.SELF_ENROLLED,
        reference=face,
    )
    full = replace(
        plain,
        entitlement=Entitlement("Jahreskarte Süd", "student", ("1", "2"), NOW, NOW + timedelta(days=30)),
        assurance=Assurance.SUPERVISED,
        status=StatusReference("https://metro.example/status/1", 4711),
    )
    live = replace(plain, holder=HOLDER.public)
    return ((plain, FACE), (full, FACE), (replace(plain, reference=pin), PIN), (live, FACE))


def payloads() -> tuple[bytes, ...]:
    """Claims sets: the issued ones, and others that are refused."""
    plain, _ = claims_issued()[0]
    later, past = NOW + timedelta(days=1), NOW - timedelta(days=9)
    odd = (
        replace(plain, audience=Audience("metro", "south")),
        replace(plain, issuer="ferries"),
        replace(plain, not_before=later),
        replace(plain, not_before=past, expires=past + timedelta(days=1)),
    )
    good = encode_claims(plain)
    changed: list[Cbor] = [_without(good, key) for key in (1, 4, -65537)]
    versions: Cbor = {**_decoded(good), -65537: {1: 2}}
    unknown: Cbor = {**_decoded(good), 99: "unknown"}
    return (
        *(encode_claims(claims) for claims, _ in claims_issued()),
        *(encode_claims(claims) for claims in odd),
        *(encode(value) for value in (*changed, versions, unknown)),
    )


def tokens() -> tuple[bytes, ...]:
    """Signed tokens: by each key, and with headers that no token may have."""
    payload = encode_claims(claims_issued()[0][0])
    valid = [token_of(payload, key=key) for key in (ISSUER, ISSUER_ES256, REVOKED, STRANGER)]
    protected, _, _, signature = cbor2.loads(valid[0]).value
    confused = encode({1: -7, 4: ISSUER.public.kid})
    critical = encode({1: -8, 2: ["new"], 4: ISSUER.public.kid})
    shapes: tuple[Cbor, ...] = (
        [confused, {}, payload, signature],
        [critical, {}, payload, signature],
        [b"", {1: -8, 4: ISSUER.public.kid}, payload, signature],
        [protected, {}, payload, signature[:-1]],
        [protected, {}, payload],
    )
    return (*valid, *(encode(shape, tag=18) for shape in shapes), encode([protected, {}, payload, signature]))


def contents() -> tuple[bytes, ...]:
    """What can lie under a seal."""
    return tuple(_contents())


def _contents() -> Iterator[bytes]:
    for claims, data in claims_issued():
        yield encode([token_of(encode_claims(claims)), SALT, data])
    for token in tokens():
        yield encode([token, SALT, FACE])
    good = tokens()[0]
    shapes: tuple[Cbor, ...] = (
        [good, SALT[:-1], FACE],
        [good, SALT, FACE[:8]],
        [good, SALT, PIN],
        [good, SALT],
        {1: good},
    )
    yield from (encode(shape) for shape in (*shapes, good))


def live_contents() -> tuple[bytes, ...]:
    """Live forms: fresh, too old, too early, of another token, with no proof where one stands, with one too many."""
    live, plain = (token_of(encode_claims(claims_issued()[at][0])) for at in (3, 0))
    proofs = [write_proof(holder=HOLDER, token=live, now=NOW + timedelta(seconds=late)) for late in (0, -60, 60)]
    shapes: list[Cbor] = [[live, SALT, FACE, proof] for proof in (*proofs, b"", b"\xa0")]
    shapes += [[plain, SALT, FACE, proofs[0]], [live, SALT, FACE, *proofs]]
    return tuple(encode(shape) for shape in shapes)


def proofs() -> tuple[bytes, ...]:
    """Proofs of a holder, and messages that are none."""
    token = token_of(encode_claims(claims_issued()[3][0]))
    good = write_proof(holder=HOLDER, token=token, now=NOW)
    protected, _, payload, signature = cbor2.loads(good).value
    shapes: tuple[Cbor, ...] = (
        [b"", {1: -7}, payload, signature],
        [protected, {}, encode({6: 2**40}), signature],
        [protected, {}, encode({6: 1, 7: 1}), signature],
        [protected, {}, payload, signature[1:]],
    )
    return (good, *(encode(shape, tag=18) for shape in shapes))


def binary_passes() -> tuple[bytes, ...]:
    """Sealed passes, and outer layers that no pass may have."""
    good = sealed(contents()[0])
    protected, header, ciphertext = cbor2.loads(good).value
    unprotected: dict[int | str, Cbor] = dict(header)
    shapes: tuple[Cbor, ...] = (
        [encode({1: 35, 4: bytes(8)}), unprotected, ciphertext],
        [encode({1: 3, 4: GATE.public.kid}), unprotected, ciphertext],
        [encode({1: 35, 2: [1], 4: GATE.public.kid}), unprotected, ciphertext],
        [protected, {**unprotected, 4: b""}, ciphertext],
        [protected, {-4: bytes(65)}, ciphertext],
        [protected, unprotected, ciphertext[:16]],
        [protected, unprotected, bytes([ciphertext[0] ^ 1]) + ciphertext[1:]],
    )
    return (
        *(sealed(content) for content in (*contents(), *live_contents()[:2])),
        *(encode(shape, tag=16) for shape in shapes),
        encode(shapes[0]),
        good + b"\0",
    )


def _decoded(payload: bytes) -> dict[int | str, Cbor]:
    decoded: dict[int | str, Cbor] = cbor2.loads(payload)
    return decoded


def _without(payload: bytes, key: int) -> Cbor:
    return {name: value for name, value in _decoded(payload).items() if name != key}
