"""RFC 9180 for the one suite of a pass: published vectors, an independent implementation, and what must not open."""

import json
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey
from tests.passes.pass_workshop import GATE, OTHER_GATE, steady

from openstile.passes import hpke

RECIPIENT = GATE.agreement
PEER_SUITE = CipherSuite.new(KEMId.DHKEM_P256_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES128_GCM)


def rfc9180_vectors() -> list[dict[str, Any]]:
    path = Path(cryptography_vectors.__file__).parent / "HPKE" / "test-vectors.json"
    suite = {"mode": 0, "kem_id": 16, "kdf_id": 1, "aead_id": 1}
    return [vector for vector in json.loads(path.read_text()) if suite.items() <= vector.items()]


VECTORS = rfc9180_vectors()


def test_rfc9180_has_the_vector_of_our_suite() -> None:
    assert len(VECTORS) == 1
    assert len(VECTORS[0]["encryptions"]) > 0


@pytest.mark.parametrize("vector", VECTORS, ids=lambda _: "A.3.1-base-P256-SHA256-AES128GCM")
def test_rfc9180_vector_seals_and_opens(vector: dict[str, Any]) -> None:
    recipient = hpke.SoftwareKeyAgreement(hpke.derive_key_pair(bytes.fromhex(vector["ikmR"])))
    assert recipient.point.hex() == vector["pkRm"]
    assert f"{recipient.private.private_numbers().private_value:064x}" == vector["skRm"]
    first = vector["encryptions"][0]
    info, aad, plaintext = (bytes.fromhex(text) for text in (vector["info"], first["aad"], first["pt"]))
    sealed = hpke.seal(
        recipient=recipient.point,
        plaintext=plaintext,
        info=info,
        aad=aad,
        random=lambda _: bytes.fromhex(vector["ikmE"]),
    )
    assert (sealed.enc.hex(), sealed.ciphertext.hex()) == (vector["enc"], first["ct"])
    assert hpke.open_sealed(recipient=recipient, sealed=sealed, info=info, aad=aad) == plaintext


@given(plaintext=st.binary(max_size=300), info=st.binary(max_size=40), aad=st.binary(max_size=40))
def test_pyhpke_opens_what_we_seal_and_we_open_what_it_seals(plaintext: bytes, info: bytes, aad: bytes) -> None:
    private = RECIPIENT.private  # type: ignore[attr-defined]
    sealed = hpke.seal(recipient=RECIPIENT.point, plaintext=plaintext, info=info, aad=aad, random=steady("peer"))
    peer_key = KEMKey.from_pyca_cryptography_key(private)
    assert (
        PEER_SUITE.create_recipient_context(sealed.enc, peer_key, info=info).open(sealed.ciphertext, aad=aad)
        == plaintext
    )

    enc, sender = PEER_SUITE.create_sender_context(KEMKey.from_pyca_cryptography_key(private.public_key()), info=info)
    theirs = hpke.Sealed(enc, sender.seal(plaintext, aad=aad))
    assert hpke.open_sealed(recipient=RECIPIENT, sealed=theirs, info=info, aad=aad) == plaintext


SEALED = hpke.seal(recipient=RECIPIENT.point, plaintext=b"text", info=b"info", aad=b"aad", random=steady("seal"))


@pytest.mark.parametrize(
    ("recipient", "sealed", "info", "aad"),
    [
        (OTHER_GATE.agreement, SEALED, b"info", b"aad"),
        (RECIPIENT, SEALED, b"other", b"aad"),
        (RECIPIENT, SEALED, b"info", b"other"),
        (RECIPIENT, hpke.Sealed(SEALED.enc, SEALED.ciphertext[:-1]), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(SEALED.enc, b"\x00" * 15), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(SEALED.enc, b""), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(OTHER_GATE.public.point, SEALED.ciphertext), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(SEALED.enc[:-1], SEALED.ciphertext), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(SEALED.enc[:-1] + b"\x00", SEALED.ciphertext), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(bytes(65), SEALED.ciphertext), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(b"\x04" + bytes(64), SEALED.ciphertext), b"info", b"aad"),
        (RECIPIENT, hpke.Sealed(b"\x04" + b"\xff" * 64, SEALED.ciphertext), b"info", b"aad"),
    ],
)
def test_what_is_changed_or_for_another_key_does_not_open(
    recipient: hpke.KeyAgreement, sealed: hpke.Sealed, info: bytes, aad: bytes
) -> None:
    with pytest.raises(hpke.HpkeError):
        hpke.open_sealed(recipient=recipient, sealed=sealed, info=info, aad=aad)


def test_compressed_and_hybrid_points_are_refused() -> None:
    public = hpke.p256_public(GATE.public.point)
    compressed = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    for point in (compressed, b"\x06" + GATE.public.point[1:], b"\x07" + GATE.public.point[1:], b""):
        with pytest.raises(hpke.HpkeError, match="not an uncompressed"):
            hpke.p256_public(point)


def test_short_key_material_and_another_curve_are_refused() -> None:
    with pytest.raises(hpke.HpkeError, match="31 bytes"):
        hpke.derive_key_pair(bytes(31))
    with pytest.raises(hpke.HpkeError, match="must be on P-256"):
        hpke.SoftwareKeyAgreement(ec.derive_private_key(7, ec.SECP384R1()))
