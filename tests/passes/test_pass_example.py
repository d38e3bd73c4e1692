"""docs/pass-format.md is true: its worked example is what the code makes, its numbers and reasons are the code's."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from openstile.passes import GateKeyring, PassFault, open_pass
from openstile.passes.cbor import encode
from openstile.passes.claims import Assurance, Audience, Claims, Entitlement
from openstile.passes.claims_codec import encode_claims
from openstile.passes.envelope import commit
from openstile.passes.issue import seal, sign_token
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import derive_gate_group_key, issuer_key_of
from openstile.passes.reference import Reference, ReferenceClaim, ReferenceKind
from openstile.passes.text import to_text
from openstile.terms import PassId, limits

NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
EXPIRES = datetime(2027, 1, 1, tzinfo=UTC)
KEYS_END = datetime(2030, 1, 1, tzinfo=UTC)
AUDIENCE = Audience("metro", "north")
ISSUER_SECRET = bytes(range(0x20))
GATE_IKM = bytes(range(0x20, 0x40))
EPHEMERAL_IKM = bytes(range(0x40, 0x60))
SALT = bytes(range(0x60, 0x70))
PASS_ID = bytes(range(0x70, 0x80))
TEMPLATE = bytes(range(0x80, 0x100))

ISSUER = issuer_key_of(ed25519.Ed25519PrivateKey.from_private_bytes(ISSUER_SECRET), name="metro", not_after=KEYS_END)
GATE = derive_gate_group_key(GATE_IKM, audience=AUDIENCE, not_after=KEYS_END)
FACE = Reference(ReferenceKind.FACE, "centerface-dlib-1", TEMPLATE)
CLAIMS = Claims(
    issuer="metro",
    audience=AUDIENCE,
    not_before=NOT_BEFORE,
    expires=EXPIRES,
    pass_id=PassId(PASS_ID),
    entitlement=Entitlement("Annual", rider_category="student", zones=("1", "2")),
    assurance=Assurance.SUPERVISED,
    reference=ReferenceClaim(FACE.kind, FACE.pack_id, commit(salt=SALT, data=TEMPLATE)),
)
TOKEN = sign_token(issuer_key=ISSUER, claims=CLAIMS)
SEALED = seal(gate_group_key=GATE.public, token=TOKEN, salt=SALT, data=TEMPLATE, random=lambda _: EPHEMERAL_IKM)
TEXT = to_text(SEALED)
EXAMPLE = {
    "issuer key id": ISSUER.public.kid,
    "issuer public key": ISSUER.public.public,
    "gate-group key id": GATE.public.kid,
    "gate-group public key": GATE.public.point,
    "commitment": CLAIMS.reference.commitment,
    "claims": encode_claims(CLAIMS),
    "token": TOKEN,
    "sealed content": encode([TOKEN, SALT, TEMPLATE]),
    "pass": SEALED,
}


@pytest.fixture(scope="module")
def document() -> str:
    return (Path(__file__).resolve().parents[2] / "docs" / "pass-format.md").read_text(encoding="utf-8")


def test_every_value_of_the_worked_example_is_what_the_code_makes(document: str) -> None:
    blocks = dict(re.findall(r"^([a-z -]+) \(\d+ bytes\):\n\n```\n([0-9a-f\n]+)```", document, re.MULTILINE))
    assert {name: bytes.fromhex(block) for name, block in blocks.items()} == EXAMPLE
    for name, value in EXAMPLE.items():
        assert f"{name} ({len(value)} bytes):" in document


def test_the_text_of_the_worked_example_is_what_the_code_makes_and_opens(document: str) -> None:
    assert f"```\n{TEXT}\n```" in document
    assert f"{len(TEXT)} characters" in document
    opened = open_pass(
        presented=TEXT,
        keyring=GateKeyring((GATE,), (TrustedIssuer(ISSUER.public),)),
        audience=AUDIENCE,
        now=NOT_BEFORE + timedelta(days=1),
        clock_skew_s=0,
    )
    assert (opened.claims, opened.reference) == (CLAIMS, FACE)


def test_every_refusal_is_documented_and_no_other(document: str) -> None:
    section = document.split("## Refusals")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)`", section, re.MULTILINE)) == {fault.value for fault in PassFault}


def test_every_limit_in_the_document_is_that_of_the_code(document: str) -> None:
    section = document.split("## Limits")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \| ([\d,]+) \|", section, re.MULTILINE)
    assert len(rows) >= 15
    for name, number in rows:
        assert getattr(limits, name) == int(number.replace(",", "")), name
