"""docs/pass-format.md is true: its worked example is what the code makes, its numbers and reasons are the code's."""

import hashlib
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.passes.pass_diagnostic import Shown, diagnostic, show_encrypt0, show_sign1

from openstile.passes import GateKeyring, OpenedPass, PassFault, hpke, open_pass
from openstile.passes.cbor import decode, encode
from openstile.passes.claims import Assurance, Audience, Claims, Entitlement
from openstile.passes.claims_codec import encode_claims
from openstile.passes.cose import encode_sign1
from openstile.passes.envelope import commit
from openstile.passes.holder import HolderKey, HolderPublicKey
from openstile.passes.hpke import derive_key_pair, point_of
from openstile.passes.issue import seal, sign_token
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import derive_gate_group_key, issuer_key_of
from openstile.passes.live import WalletPass, show_live, write_proof
from openstile.passes.reference import Reference, ReferenceClaim, ReferenceKind
from openstile.passes.status_list import STATUS_LIST_TYPE, StatusList, read_status_list
from openstile.passes.text import from_text, to_text
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


class SteadySigner:
    """ES256 with the nonce of RFC 6979: the same signature each time."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


HOLDER_PRIVATE = derive_key_pair(bytes(range(0xA0, 0xC0)))
HOLDER = HolderKey(HolderPublicKey(point_of(HOLDER_PRIVATE.public_key())), SteadySigner(HOLDER_PRIVATE))
SHOWN_AT = datetime(2026, 1, 2, tzinfo=UTC)
LIVE_TOKEN = sign_token(issuer_key=ISSUER, claims=replace(CLAIMS, holder=HOLDER.public))
PROOF = write_proof(holder=HOLDER, token=LIVE_TOKEN, now=SHOWN_AT)
LIVE_TEXT = show_live(
    wallet=WalletPass(LIVE_TOKEN, SALT, TEMPLATE, GATE.public),
    holder=HOLDER,
    now=SHOWN_AT,
    random=lambda _: bytes(range(0xC0, 0xE0)),
)
STATUS_URI = "https://metro.example/status/1"
STATUS_BITS = bytes.fromhex("b9a3")
STORED = bytes.fromhex("7801" + "010200fdff") + STATUS_BITS + zlib.adler32(STATUS_BITS).to_bytes(4, "big")
"""ZLIB with a stored block: the same bytes by every library."""
STATUS_TOKEN = encode_sign1(
    protected={1: -8, 4: ISSUER.public.kid, 16: STATUS_LIST_TYPE},
    unprotected={},
    payload=encode(
        {2: STATUS_URI, 4: 1767312000, 6: 1767225600, 65533: {"bits": 1, "lst": STORED}, 65534: 43200},
    ),
    sign=ISSUER.signer.sign,
)
DH = GATE.agreement.agree(point_of(derive_key_pair(EPHEMERAL_IKM).public_key()))
SHARED = hpke._shared(DH, point_of(derive_key_pair(EPHEMERAL_IKM).public_key()) + GATE.public.point)
KEY, NONCE = hpke._schedule(SHARED, b"")
EXAMPLE = {
    "issuer key id": ISSUER.public.kid,
    "issuer public key": ISSUER.public.public,
    "gate-group key id": GATE.public.kid,
    "gate-group public key": GATE.public.point,
    "commitment": CLAIMS.reference.commitment,
    "claims": encode_claims(CLAIMS),
    "token": TOKEN,
    "sealed content": encode([TOKEN, SALT, TEMPLATE]),
    "dh": DH,
    "shared secret": SHARED,
    "key": KEY,
    "nonce": NONCE,
    "additional data": encode(["Encrypt0", encode({1: 35, 4: GATE.public.kid}), b"OS1:"]),
    "pass": SEALED,
    "holder public key": HOLDER.public.point,
    "token that names a holder": LIVE_TOKEN,
    "proof": PROOF,
    "what the holder signed": encode(
        ["Signature1", encode({1: -7}), hashlib.sha256(LIVE_TOKEN).digest(), encode({6: 1767312000})]
    ),
    "live pass": from_text(LIVE_TEXT),
    "status list": STATUS_TOKEN,
}
DIAGNOSTICS: dict[str, Shown] = {
    "pass": show_encrypt0(SEALED),
    "token": show_sign1(TOKEN),
    "sealed content": decode(encode([TOKEN, SALT, TEMPLATE]), what="content"),
    "token that names a holder": show_sign1(LIVE_TOKEN),
    "proof": show_sign1(PROOF),
    "status list": show_sign1(STATUS_TOKEN),
}
RING = GateKeyring((GATE,), (TrustedIssuer(ISSUER.public),))


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
    opened = _opened(TEXT)
    assert (opened.claims, opened.reference, opened.live) == (CLAIMS, FACE, False)


def test_the_live_code_of_the_worked_example_is_what_the_code_makes_and_opens(document: str) -> None:
    assert f"```\n{LIVE_TEXT}\n```" in document
    assert f"{len(LIVE_TEXT)} characters" in document
    opened = _opened(LIVE_TEXT)
    assert (opened.claims.holder, opened.reference, opened.live) == (HOLDER.public, FACE, True)


def test_the_status_list_of_the_worked_example_reads(document: str) -> None:
    read = read_status_list(STATUS_TOKEN, issuers=RING.issuers, now=SHOWN_AT)
    made = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert read == StatusList(STATUS_URI, "metro", *made, 43200, STATUS_BITS)
    withdrawn = ", ".join(str(index) for index in range(read.entries) if read.is_set(index))
    assert f"withdrawn are the indices {withdrawn}." in " ".join(document.split())


def test_every_layer_is_shown_in_diagnostic_notation(document: str) -> None:
    for name, value in DIAGNOSTICS.items():
        assert f"{name} in diagnostic notation:\n\n```\n{diagnostic(value)}\n```" in document, name


def test_every_number_of_the_structures_is_in_the_table_of_numbers(document: str) -> None:
    table = document.split("## Numbers")[1].split("\n## ")[0]
    numbers = set(re.findall(r"-?\d+", " ".join(row.split("|")[2] for row in table.splitlines() if row.count("|") > 3)))
    used = {1, 2, 3, 4, 5, 6, 7, 8, 16, 18, 35, -1, -2, -3, -4, -7, -8, 65533, 65534, 65535, -65537}
    assert {str(number) for number in used} <= numbers


def _opened(text: str) -> OpenedPass:
    return open_pass(presented=text, keyring=RING, audience=AUDIENCE, now=SHOWN_AT, clock_skew_s=0)


def test_every_refusal_is_documented_and_no_other(document: str) -> None:
    section = document.split("## Refusals")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)`", section, re.MULTILINE)) == {fault.value for fault in PassFault}


def test_every_limit_in_the_document_is_that_of_the_code(document: str) -> None:
    section = document.split("## Limits")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([A-Z_0-9]+)` \| ([\d,]+) \|", section, re.MULTILINE)
    assert len(rows) >= 15
    for name, number in rows:
        assert getattr(limits, name) == int(number.replace(",", "")), name


def test_library_example_shows_a_pass_live() -> None:
    example = re.findall(
        r"```python\n(.*?)```",
        (Path(__file__).resolve().parents[2] / "docs" / "library.md").read_text(),
        flags=re.DOTALL,
    )[1]
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout == "season True\n"
