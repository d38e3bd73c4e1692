"""docs/trust-bundle.md is true: its worked example is what the code makes, its numbers are the code's."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.passes.pass_diagnostic import diagnostic, show_sign1
from tests.passes.test_pass_example import AUDIENCE, EPHEMERAL_IKM, GATE, ISSUER, KEYS_END, STATUS_TOKEN

from openstile.passes.cbor import encode_strings
from openstile.passes.hpke import derive_key_pair
from openstile.passes.key_transport import private_bytes_of
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import gate_transport_key_of, operator_key_of
from openstile.terms import GateId, limits
from openstile.trust import Bundle, open_group_key, read_bundle, seal_group_key, sign_bundle
from openstile.trust.bundle import GroupKey, Product, Setting
from openstile.trust.bundle_codec import SEALED_KEYS, encode_bundle

MADE = datetime(2026, 1, 1, tzinfo=UTC)
OPERATOR = operator_key_of(
    ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(0xE0, 0x100))), name="metro", not_after=KEYS_END
)
TRANSPORT = gate_transport_key_of(
    derive_key_pair(bytes(range(0x80, 0xA0))), operator="metro", gate=GateId("north-1"), not_after=KEYS_END
)
SEALED = seal_group_key(gate=TRANSPORT.public, group_key=GATE, sequence=7, random=lambda _: EPHEMERAL_IKM)
BUNDLE = Bundle(
    audience=AUDIENCE,
    sequence=7,
    made=MADE,
    expires=datetime(2026, 1, 31, tzinfo=UTC),
    operators=(OPERATOR.public,),
    issuers=(TrustedIssuer(ISSUER.public),),
    group_keys=(GroupKey(GATE.public),),
    status_lists=(STATUS_TOKEN,),
    settings=(Setting("policy.passback_s", "60"),),
    products=(Product("Annual"), Product("Day", live=True)),
    sealed_keys=(SEALED,),
)
SIGNED = sign_bundle(operator_key=OPERATOR, bundle=BUNDLE)
EXAMPLE = {
    "operator public key": OPERATOR.public.public,
    "operator key id": OPERATOR.public.kid,
    "gate public key": TRANSPORT.public.point,
    "gate key id": TRANSPORT.public.kid,
    "gate-group private key": private_bytes_of(GATE),
    "additional data of the sealed key": encode_strings("metro/north", "7", GATE.public.kid),
    "content": encode_bundle(BUNDLE),
    "bundle": SIGNED,
}


@pytest.fixture(scope="module")
def document() -> str:
    return (Path(__file__).resolve().parents[2] / "docs" / "trust-bundle.md").read_text(encoding="utf-8")


def test_every_value_of_the_bundle_example_is_what_the_code_makes(document: str) -> None:
    blocks = dict(re.findall(r"^([a-z -]+) \(\d+ bytes\):\n\n```\n([0-9a-f\n]+)```", document, re.MULTILINE))
    assert {name: bytes.fromhex(block) for name, block in blocks.items()} == EXAMPLE
    for name, value in EXAMPLE.items():
        assert f"{name} ({len(value)} bytes):" in document


def test_bundle_example_is_shown_in_diagnostic_notation_and_reads(document: str) -> None:
    assert f"```\n{diagnostic(show_sign1(SIGNED))}\n```" in document
    assert read_bundle(SIGNED, operators=(OPERATOR.public,), audience=AUDIENCE, now=MADE) == BUNDLE
    opened = open_group_key(sealed=SEALED, gate_key=TRANSPORT, listed=GATE.public, sequence=7)
    assert private_bytes_of(opened) == private_bytes_of(GATE)


def test_every_limit_of_a_bundle_is_in_the_document(document: str) -> None:
    section = document.split("## Limits")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `([A-Z_0-9]+)` \| ([\d,]+) \|", section, re.MULTILINE))
    assert {name for name in vars(limits) if name.startswith("BUNDLE_")} <= rows.keys()
    for name, number in rows.items():
        assert getattr(limits, name) == int(number.replace(",", "")), name


def test_every_entry_of_a_bundle_is_in_the_document(document: str) -> None:
    cddl = document.split("bundle-content = {")[1].split("\n}")[0]
    assert [int(number) for number in re.findall(r"^  (\d+):", cddl, re.MULTILINE)] == [*range(1, SEALED_KEYS + 1)]
