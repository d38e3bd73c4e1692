"""The COSE working group's published examples, by name, on the layer below the profile of a pass."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from openstile.passes import cose
from openstile.passes.cbor import CborError, encode
from openstile.passes.hpke import HpkeError, SoftwareKeyAgreement
from openstile.passes.keys import IssuerPublicKey, key_thumbprint
from openstile.passes.signing import Algorithm, SignatureWrongError
from openstile.terms import BadInputError

END = datetime(2100, 1, 1, tzinfo=UTC)
PLAINTEXT = b"hpke test payload"
EXTERNAL = {"default": b"", "external": b"external-aad"}
INFO = {"default": b"", "external": b"external-info"}
HPKE_0_CASES = [(aad, info) for aad in ("default", "external") for info in ("default", "external")]


def load(shared_data: Path, name: str) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((shared_data / "vectors" / f"{name}.json").read_text())
    return vector


def number(key: dict[str, str], name: str) -> bytes:
    if f"{name}_hex" in key:
        return bytes.fromhex(key[f"{name}_hex"])
    return base64.urlsafe_b64decode(key[name] + "==")


def public_key(vector: dict[str, Any]) -> IssuerPublicKey:
    key = vector["input"]["sign0"]["key"]
    if key["kty"] == "OKP":
        return IssuerPublicKey("example", Algorithm.EDDSA, number(key, "x"), END)
    return IssuerPublicKey("example", Algorithm.ES256, b"\x04" + number(key, "x") + number(key, "y"), END)


def verify(vector: dict[str, Any], data: bytes, *, tag: int | None = cose.SIGN1_TAG) -> bytes:
    """As a verifier does: parse, the key decides the algorithm, verify."""
    message = cose.decode_sign1(data, what="vector", tag=tag)
    key = public_key(vector)
    if {**message.unprotected, **message.protected}.get(cose.HEADER_ALG) != key.algorithm.number:
        raise cose.CoseError("vector: its algorithm is not the key's")
    external = bytes.fromhex(vector["input"]["sign0"].get("external", ""))
    key.verify(message=message.to_be_signed(external_aad=external), signature=message.signature)
    return message.payload


@pytest.mark.parametrize("name", ["ecdsa-sig-01", "eddsa-sig-01", "sign-pass-01", "sign-pass-02"])
def test_sign1_example_verifies(shared_data: Path, name: str) -> None:
    vector = load(shared_data, f"cose-sign1/{name}")
    message = cose.decode_sign1(bytes.fromhex(vector["output"]["cbor"]), what=name)
    external = bytes.fromhex(vector["input"]["sign0"].get("external", ""))
    assert message.to_be_signed(external_aad=external).hex() == vector["intermediates"]["ToBeSign_hex"].lower()
    assert verify(vector, bytes.fromhex(vector["output"]["cbor"])) == vector["input"]["plaintext"].encode()


def test_sign1_example_sign_pass_03_verifies_where_no_tag_is_expected(shared_data: Path) -> None:
    """RFC 9052 allows a message without tag where the context tells; a pass has its tag."""
    vector = load(shared_data, "cose-sign1/sign-pass-03")
    data = bytes.fromhex(vector["output"]["cbor"])
    assert verify(vector, data, tag=None) == vector["input"]["plaintext"].encode()
    with pytest.raises(CborError, match="does not begin with tag 18"):
        verify(vector, data)


@pytest.mark.parametrize(
    "name", ["sign-fail-01", "sign-fail-02", "sign-fail-03", "sign-fail-04", "sign-fail-06", "sign-fail-07"]
)
def test_sign1_example_that_must_fail_is_refused(shared_data: Path, name: str) -> None:
    vector = load(shared_data, f"cose-sign1/{name}")
    with pytest.raises((CborError, cose.CoseError, SignatureWrongError)):
        verify(vector, bytes.fromhex(vector["output"]["cbor"]))


@pytest.mark.parametrize("name", ["ecdsa-sig-02", "ecdsa-sig-03", "ecdsa-sig-04", "eddsa-sig-02"])
def test_sign1_example_of_an_algorithm_that_passes_do_not_use_is_refused(shared_data: Path, name: str) -> None:
    vector = load(shared_data, f"cose-sign1/{name}")
    with pytest.raises((BadInputError, cose.CoseError)):
        verify(vector, bytes.fromhex(vector["output"]["cbor"]))


def test_cwt_example_a3_signed_verifies(shared_data: Path) -> None:
    vector = load(shared_data, "cwt/A_3")
    payload = verify(vector, bytes.fromhex(vector["output"]["cbor"]))
    assert payload.hex() == vector["input"]["plaintext_hex"]
    assert cbor2.loads(payload)[4] == 1444064944


@pytest.mark.parametrize("name", ["A_4", "A_5", "A_6", "A_7"])
def test_cwt_example_that_is_not_signed_is_no_token(shared_data: Path, name: str) -> None:
    """MACed and symmetrically encrypted tokens (RFC 8392, appendices A.4 to A.7) have no place in a pass."""
    data = bytes.fromhex(load(shared_data, f"cwt/{name}")["output"]["cbor"])
    with pytest.raises((CborError, cose.CoseError)):
        cose.decode_sign1(data, what=name)
    with pytest.raises((CborError, cose.CoseError)):
        cose.open_encrypt0_hpke(
            message=cose.decode_encrypt0(data, what=name),
            recipient=SoftwareKeyAgreement(ec.derive_private_key(7, ec.SECP256R1())),
        )


def hpke_0_vector(shared_data: Path, aad: str, info: str) -> tuple[SoftwareKeyAgreement, bytes]:
    text = (shared_data / "vectors" / "cose-hpke-testvectors.txt").read_text()
    key = cbor2.loads(bytes.fromhex(re.search(r"^HPKE-0 COSE_Key: ([0-9a-f]+)", text, re.MULTILINE)[1]))  # type: ignore[index]
    title = f"HPKE-0 Encrypt0 with {aad} aad and {info} info"
    cipher = re.search(rf"^{title}\s+Ciphertext: ([0-9a-f]+)", text, re.MULTILINE)
    assert cipher is not None
    private = ec.derive_private_key(int.from_bytes(key[-4], "big"), ec.SECP256R1())
    agreement = SoftwareKeyAgreement(private)
    assert agreement.point == b"\x04" + key[-2] + key[-3]
    return agreement, bytes.fromhex(cipher[1])


@pytest.mark.parametrize(("aad", "info"), HPKE_0_CASES)
def test_cose_hpke_0_example_opens(shared_data: Path, aad: str, info: str) -> None:
    recipient, data = hpke_0_vector(shared_data, aad, info)
    message = cose.decode_encrypt0(data, what="vector")
    assert message.protected == {1: cose.ALG_HPKE_0}
    plaintext = cose.open_encrypt0_hpke(
        message=message, recipient=recipient, external_aad=EXTERNAL[aad], info=INFO[info]
    )
    assert plaintext == PLAINTEXT


@pytest.mark.parametrize(("aad", "info"), HPKE_0_CASES)
def test_cose_hpke_0_example_does_not_open_in_another_context(shared_data: Path, aad: str, info: str) -> None:
    recipient, data = hpke_0_vector(shared_data, aad, info)
    message = cose.decode_encrypt0(data, what="vector")
    for other_aad, other_info in HPKE_0_CASES:
        if (other_aad, other_info) != (aad, info):
            with pytest.raises(HpkeError):
                cose.open_encrypt0_hpke(
                    message=message, recipient=recipient, external_aad=EXTERNAL[other_aad], info=INFO[other_info]
                )


@pytest.mark.parametrize("suite", ["1", "2", "3", "4", "5", "6", "7"])
def test_cose_hpke_example_of_another_suite_is_refused(shared_data: Path, suite: str) -> None:
    recipient, _ = hpke_0_vector(shared_data, "default", "default")
    text = (shared_data / "vectors" / "cose-hpke-testvectors.txt").read_text()
    cipher = re.search(
        rf"^HPKE-{suite} Encrypt0 with default aad and default info\s+Ciphertext: ([0-9a-f]+)", text, re.MULTILINE
    )
    assert cipher is not None
    message = cose.decode_encrypt0(bytes.fromhex(cipher[1]), what="vector")
    with pytest.raises(cose.CoseError, match="not HPKE-0"):
        cose.open_encrypt0_hpke(message=message, recipient=recipient)


def test_cose_key_thumbprint_of_rfc9679_section_6() -> None:
    x = bytes.fromhex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d")
    y = bytes.fromhex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")
    expected = "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
    assert key_thumbprint({1: 2, -1: 1, -2: x, -3: y}).hex() == expected
    key = IssuerPublicKey("example", Algorithm.ES256, b"\x04" + x + y, END)
    assert key.kid.hex() == expected[:16]


@pytest.mark.parametrize(
    "value", [[], [b"", {}, b""], [b"", {}, b"", b"", b""], {}, 0, [b"", [], b"", b""], ["", {}, b"", b""]]
)
def test_what_is_not_a_sign1_is_refused(value: Any) -> None:
    with pytest.raises(cose.CoseError, match="not a COSE_Sign1"):
        cose.decode_sign1(encode(value, tag=18), what="sample")


@pytest.mark.parametrize("value", [[], [b"", {}], [b"", {}, b"", b""], {}, 0, [b"", [], b""], ["", {}, b""]])
def test_what_is_not_an_encrypt0_is_refused(value: Any) -> None:
    with pytest.raises(cose.CoseError, match="not a COSE_Encrypt0"):
        cose.decode_encrypt0(encode(value, tag=16), what="sample")


def test_an_empty_protected_header_is_an_empty_byte_string() -> None:
    data = cose.encode_sign1(protected={}, unprotected={}, payload=b"", sign=lambda _: bytes(64))
    assert cose.decode_sign1(data, what="sample").protected == {}
    assert data.startswith(bytes.fromhex("d28440"))


def test_a_sealed_message_without_encapsulated_key_is_refused() -> None:
    recipient = SoftwareKeyAgreement(ec.derive_private_key(7, ec.SECP256R1()))
    message = cose.decode_encrypt0(encode([encode({1: 35}), {}, bytes(20)], tag=16), what="sample")
    with pytest.raises(cose.CoseError, match="no encapsulated key"):
        cose.open_encrypt0_hpke(message=message, recipient=recipient)


def test_a_protected_header_that_is_no_map_is_refused() -> None:
    with pytest.raises(cose.CoseError, match="not a map"):
        cose.decode_sign1(encode([encode([]), {}, b"", b""], tag=18), what="sample")
