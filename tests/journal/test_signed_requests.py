"""Signed requests (RFC 9421): one form is accepted, and everything that was not signed so is refused."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms
from tests.journal.sample import GATE

from openstile.journal import GateKey
from openstile.journal.requests import (
    RequestSignatureError,
    VerifiedRequest,
    key_id,
    sign_key_proof,
    sign_request,
    verify_key_proof,
    verify_request,
)
from openstile.terms import GateId
from openstile.terms.limits import REQUEST_AGE_S_MAX, REQUEST_AHEAD_S_MAX, SIGNATURE_HEADERS_CHARS_MAX

_NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
_URL = "https://office.example/v1/gate/batches?a=b"
_NONCE = "07" * 16
_BODY = b"taps"
_KEY = GateKey.generate()


def _signed(
    *, key: GateKey = _KEY, method: str = "POST", url: str = _URL, body: bytes = _BODY, now: datetime = _NOW
) -> dict[str, str]:
    return sign_request(
        key=key, method=method, url=url, headers={"Content-Type": "x/y"}, body=body, now=now, nonce=_NONCE
    )


def _verified(headers: Mapping[str, str], **changes: Any) -> VerifiedRequest:
    keys = {key_id(_KEY.public_key): _KEY.public_key}
    request: dict[str, Any] = {"method": "POST", "url": _URL, "body": _BODY, "public_key_of": keys.get, "now": _NOW}
    return verify_request(headers=headers, **(request | changes))


def test_request_is_verified_as_it_was_signed() -> None:
    headers = _signed()
    assert headers["Content-Type"] == "x/y"
    assert _verified(headers) == VerifiedRequest(
        key_id(_KEY.public_key), _NONCE, _NOW + timedelta(seconds=REQUEST_AGE_S_MAX)
    )


def test_request_has_the_documented_form_and_signature() -> None:
    headers = _signed()
    kid = hashlib.sha256(_KEY.public_key).hexdigest()[:32]
    created = int(_NOW.timestamp())
    parameters = (
        f'("@method" "@authority" "@path" "@query" "content-digest");created={created};keyid="{kid}";alg="ed25519";'
        f'expires={created + 300};nonce="{_NONCE}";tag="openstile-gate"'
    )
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(_BODY).digest()).decode()}:"
    base = (
        '"@method": POST\n"@authority": office.example\n"@path": /v1/gate/batches\n"@query": ?a=b\n'
        f'"content-digest": {digest}\n"@signature-params": {parameters}'
    )
    signature = base64.b64encode(_KEY.sign(base.encode())).decode()
    assert headers["Signature-Input"] == f"gate={parameters}"
    assert headers["Content-Digest"] == digest
    assert headers["Signature"] == f"gate=:{signature}:"


def test_signatures_are_those_of_rfc_9421() -> None:
    """Appendix B.2.6 with B.1.4's key: the same library, key and algorithm give the signature that stands there."""
    pem = (
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n"
        b"-----END PRIVATE KEY-----\n"
    )
    private = load_pem_private_key(pem, password=None)
    assert isinstance(private, Ed25519PrivateKey)
    base = (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n"@authority": example.com\n'
        '"content-type": application/json\n"content-length": 18\n'
        '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )
    expected = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    assert base64.b64encode(GateKey(private).sign(base.encode())).decode() == expected


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", "https://office.example/v1/gate/position?epoch=aa", b""),
        ("GET", "https://office.example", b""),
        ("POST", "https://office.example/v1/gate/keys", b""),
        ("POST", "http://127.0.0.1:8123/v1/gate/keys", b"{}"),
        ("POST", "http://[::1]:8123/v1/gate/keys", b"{}"),
    ],
)
def test_requests_of_all_kinds_are_verified(method: str, url: str, body: bytes) -> None:
    headers = _signed(method=method, url=url, body=body)
    _verified(headers, method=method, url=url, body=body)
    assert ("Content-Digest" in headers) == (method == "POST")


def test_port_of_the_scheme_and_case_of_the_host_do_not_matter() -> None:
    headers = _signed(url="https://Office.Example:443/v1")
    _verified(headers, url="https://office.example/v1")
    _verified(headers, url="http://office.example/v1")  # behind a proxy that ends TLS


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "PUT"},
        {"url": "https://other.example/v1/gate/batches?a=b"},
        {"url": "https://office.example:8443/v1/gate/batches?a=b"},
        {"url": "https://office.example/v1/gate/keys?a=b"},
        {"url": "https://office.example/v1/gate/batches?a=c"},
        {"url": "https://office.example/v1/gate/batches"},
        {"url": "https://office.example/v1/gate/batches%3Fa=b"},
        {"url": "/v1/gate/batches?a=b"},
        {"url": "https://office.example/v1/gate/bätches"},
        {"body": b"tapt"},
        {"body": b""},
        {"body": _BODY + b"\0"},
    ],
)
def test_request_that_was_changed_on_its_way_is_refused(changes: dict[str, Any]) -> None:
    headers = _signed()
    with pytest.raises(RequestSignatureError):
        _verified(headers, **changes)


def test_body_put_to_a_request_without_one_is_refused() -> None:
    headers = _signed(method="GET", body=b"")
    with pytest.raises(RequestSignatureError, match="not covered"):
        _verified(headers, method="GET", body=b"x")
    with pytest.raises(RequestSignatureError, match="not covered"):
        _verified(headers | {"Content-Digest": _signed()["Content-Digest"]}, method="GET", body=_BODY)


def test_request_re_signed_with_another_key_is_refused() -> None:
    other = GateKey.generate()
    headers = _signed(key=other)
    with pytest.raises(RequestSignatureError, match="key is not known"):
        _verified(headers)
    named = {name: value.replace(key_id(other.public_key), key_id(_KEY.public_key)) for name, value in headers.items()}
    with pytest.raises(RequestSignatureError, match="did not sign"):
        _verified(named)


def test_key_that_is_not_valid_any_more_is_refused() -> None:
    with pytest.raises(RequestSignatureError, match="not valid any more"):
        _verified(_signed(), public_key_of=lambda kid: None)


@pytest.mark.parametrize("public_key", [b"", b"short", bytes(33), b"\xff" * 32])
def test_key_that_is_none_is_refused(public_key: bytes) -> None:
    with pytest.raises(RequestSignatureError):
        _verified(_signed(), public_key_of=lambda kid: public_key)


@pytest.mark.parametrize(
    ("later_s", "accepted"),
    [
        (0, True),
        (REQUEST_AGE_S_MAX - 1, True),
        (REQUEST_AGE_S_MAX, False),
        (86_400, False),
        (-REQUEST_AHEAD_S_MAX, True),
        (-REQUEST_AHEAD_S_MAX - 1, False),
    ],
)
def test_request_is_valid_for_minutes_only(later_s: int, *, accepted: bool) -> None:
    headers, now = _signed(), _NOW + timedelta(seconds=later_s)
    if accepted:
        _verified(headers, now=now)
        return
    with pytest.raises(RequestSignatureError, match="expired" if later_s > 0 else "in the future"):
        _verified(headers, now=now)


class _AnyKey(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id: str) -> bytes:
        from cryptography.hazmat.primitives import serialization as s

        pem: bytes = _KEY._private.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
        return pem


class _Message:
    def __init__(self, headers: dict[str, str]) -> None:
        self.method, self.url, self.headers = "POST", _URL, headers


def _by_the_library(headers: dict[str, str], **changes: Any) -> dict[str, str]:
    """Signed with the gate's own key in any form that the library makes."""
    form: dict[str, Any] = {
        "key_id": key_id(_KEY.public_key),
        "created": _NOW,
        "expires": _NOW + timedelta(seconds=REQUEST_AGE_S_MAX),
        "nonce": _NONCE,
        "label": "gate",
        "tag": "openstile-gate",
        "covered_component_ids": ("@method", "@authority", "@path", "@query"),
        "body": _BODY,
    }
    message = _Message(headers)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_AnyKey())
    signer.sign(message, **(form | changes))
    return message.headers


def test_form_that_the_library_makes_is_the_one() -> None:
    assert _by_the_library({"Content-Type": "x/y"}) == _signed()


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "other"},
        {"label": "pyhms"},
        {"tag": "other"},
        {"tag": None},
        {"nonce": None},
        {"nonce": "short"},
        {"nonce": "0" * 64},
        {"expires": None},
        {"expires": _NOW + timedelta(seconds=REQUEST_AGE_S_MAX + 1)},
        {"expires": _NOW},
        {"include_alg": False},
        {"key_id": ""},
        {"key_id": "../../key"},
        {"covered_component_ids": ()},
        {"covered_component_ids": ("@method", "@authority", "@path")},
        {"covered_component_ids": ("@method", "@path", "@authority", "@query")},
        {"covered_component_ids": ("@method", "@authority", "@path", "@query", "content-type")},
        {"covered_component_ids": ("@method", "@target-uri")},
        {"covered_component_ids": ("@method", "@authority", "@path", "@query", '"content-digest";key="sha-256"')},
        {"body": None},
    ],
)
def test_request_signed_by_the_gate_in_another_form_is_refused(changes: dict[str, Any]) -> None:
    headers = _by_the_library({"Content-Type": "x/y"}, **changes)
    with pytest.raises(RequestSignatureError):
        _verified(headers)


@pytest.mark.parametrize("name", ["Signature-Input", "Signature", "Content-Digest"])
def test_request_without_one_of_its_fields_is_refused(name: str) -> None:
    headers = _signed()
    del headers[name]
    with pytest.raises(RequestSignatureError):
        _verified(headers)


class _Lines(dict[str, str]):
    """Header fields of which a name may come twice, as a server shows them."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        super().__init__(lines)
        self._lines = lines

    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        return iter(self._lines)


@pytest.mark.parametrize("name", ["Signature-Input", "Signature", "Content-Digest"])
@pytest.mark.parametrize("spell", [str, str.lower, str.upper])
def test_request_with_a_field_twice_is_refused(name: str, spell: Callable[[str], str]) -> None:
    lines = list(_signed().items())
    with pytest.raises(RequestSignatureError, match="two signatures"):
        _verified(_Lines([*lines, (spell(name), dict(lines)[name])]))


def test_request_with_two_signatures_is_refused() -> None:
    one, other = _signed(), _by_the_library({}, label="other")
    both = {name: f"{one[name]}, {other[name]}" for name in ("Signature-Input", "Signature")}
    with pytest.raises(RequestSignatureError):
        _verified(one | both)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("Signature-Input", "gate=", "gate=  "),
        ("Signature-Input", "gate=", "Gate="),
        ("Signature-Input", 'alg="ed25519"', 'alg="hmac-sha256"'),
        ("Signature-Input", 'alg="ed25519"', 'alg="none"'),
        ("Signature-Input", ";created=", ";created=0"),
        ("Signature-Input", ";created=", ";created=-"),
        ("Signature-Input", ';tag="', ';more="1";tag="'),
        ("Signature-Input", '"@query"', '"@query";req'),
        ("Signature-Input", '"@query"', '"@query" "@query"'),
        ("Signature", "gate=:", "gate=::"),
        ("Signature", "gate=:", "other=:"),
        ("Signature", "==:", ":"),
        ("Signature", "==:", "==:;a=1"),
        ("Content-Digest", "sha-256", "sha-512"),
        ("Content-Digest", "sha-256=", "md5=:AAAA:, sha-256="),
    ],
)
def test_request_with_a_field_spelled_otherwise_is_refused(name: str, old: str, new: str) -> None:
    headers = _signed()
    assert old in headers[name]
    headers[name] = headers[name].replace(old, new, 1)
    with pytest.raises(RequestSignatureError):
        _verified(headers)


def test_digest_in_other_letters_than_the_signed_ones_is_refused() -> None:
    headers = _signed()
    headers["Content-Digest"] = headers["Content-Digest"].replace("sha-256=", "sha-256= ")
    with pytest.raises(RequestSignatureError, match="not the one that was signed"):
        _verified(headers)


def test_signature_fields_that_are_too_long_are_refused_unread() -> None:
    headers = _signed()
    headers["Signature"] += " " * SIGNATURE_HEADERS_CHARS_MAX
    with pytest.raises(RequestSignatureError, match="too long"):
        _verified(headers)


def test_nonce_is_given_on_for_the_caller_to_remember() -> None:
    """The same request verifies twice: only who remembers its nonce sees the replay."""
    headers = _signed()
    assert _verified(headers).nonce == _verified(headers).nonce == _NONCE


def test_address_that_cannot_be_signed_is_one_clear_line() -> None:
    with pytest.raises(RequestSignatureError, match="look at the office's address"):
        _signed(url="https://büro.example/v1")
    with pytest.raises(RequestSignatureError):
        _signed(method="post")


def test_new_key_proves_that_it_follows_the_old_one() -> None:
    new_key, old_kid = GateKey.generate(), key_id(_KEY.public_key)
    proof = sign_key_proof(new_key=new_key, gate=GATE, old_kid=old_kid)
    message = b"openstile uplink key v1\0\x00\x07north-1" + bytes.fromhex(old_kid)
    assert proof == new_key.sign(message)
    public_key = new_key.public_key
    assert verify_key_proof(public_key=public_key, proof=proof, gate=GATE, old_kid=old_kid) == key_id(public_key)


@pytest.mark.parametrize(
    "changes",
    [
        {"gate": GateId("south-9")},
        {"old_kid": "00" * 16},
        {"proof": bytes(64)},
        {"proof": b""},
        {"public_key": _KEY.public_key},
        {"public_key": b""},
    ],
)
def test_proof_of_something_else_is_refused(changes: dict[str, Any]) -> None:
    new_key, old_kid = GateKey.generate(), key_id(_KEY.public_key)
    proof = sign_key_proof(new_key=new_key, gate=GATE, old_kid=old_kid)
    right: dict[str, Any] = {"public_key": new_key.public_key, "proof": proof, "gate": GATE, "old_kid": old_kid}
    with pytest.raises(RequestSignatureError):
        verify_key_proof(**(right | changes))
