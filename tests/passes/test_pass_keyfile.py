"""The content of a key file: what may stand in it, and what is refused with one clear error."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.passes.key_workshop import GROUP, issuer_file, key_of
from tests.passes.pass_workshop import NOW

from openstile.passes.hardware import HardwareKey, HardwareToken
from openstile.passes.keyfile import Role, StoredKey, decode_key, encode_key
from openstile.passes.keystore import KeyStore
from openstile.terms import BadInputError
from openstile.terms.limits import KEY_FILE_BYTES_MAX


def test_key_file_at_the_size_limit_and_one_past_it(filled: KeyStore) -> None:
    content = issuer_file(filled).read_bytes()
    issuer_file(filled).write_bytes(content + b" " * (KEY_FILE_BYTES_MAX - len(content)))
    filled.list_keys(now=NOW)
    issuer_file(filled).write_bytes(content + b" " * (KEY_FILE_BYTES_MAX - len(content) + 1))
    with pytest.raises(BadInputError, match=f"has more than {KEY_FILE_BYTES_MAX} bytes"):
        filled.list_keys(now=NOW)


def pem(label: str, body: str) -> str:
    return f"-----BEGIN {label} KEY-----\n{body}\n-----END {label} KEY-----\n"


OTHER_PUBLIC = pem("PUBLIC", "MCowBQYDK2VwAyEAuEtOFKf/0QAoH4kIVdLph+GbR/h9ZL8qScGh2550SmQ=")
X25519_PUBLIC = pem("PUBLIC", "MCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=")
X25519_PRIVATE = pem("PRIVATE", "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq")


@pytest.mark.parametrize(
    "change",
    [
        {"openstile_key": 2},
        {"role": "gate-group"},
        {"role": "king"},
        {"name": "Metro"},
        {"name": "ferries"},
        {"name": 7},
        {"algorithm": "ES256"},
        {"kid": "0011223344556677"},
        {"generation": 0},
        {"generation": True},
        {"generation": "1"},
        {"generation": 10**9},
        {"revoked": 0},
        {"created": "yesterday"},
        {"not_after": "0001-01-01T00:00:00+23:59"},
        {"not_after": None},
        {"public": "PEM"},
        {"public": 5},
        {"public": OTHER_PUBLIC},
        {"public": X25519_PUBLIC},
        {"private": "PEM"},
        {"private": None},
        {"private": X25519_PRIVATE},
        {"active_from": "2026-02-28T00:00:00+00:00"},
        {"active_from": "2099-01-01T00:00:00+00:00"},
        {"active_from": 7},
        {"retired_at": "2026-04-01T00:00:00+00:00"},
        {"pkcs11": {"module": "/lib/p11.so", "token": "gates", "id": "00", "pin_file": "/pin"}},
        {"note": "x"},
    ],
)
def test_malformed_key_file_is_refused_with_one_clear_error(filled: KeyStore, change: dict[str, Any]) -> None:
    content = json.loads(issuer_file(filled).read_text())
    issuer_file(filled).write_text(json.dumps({**content, **change}))
    with pytest.raises(BadInputError, match=str(issuer_file(filled))):
        filled.list_keys(now=NOW)


def test_private_key_of_another_public_key_is_refused(filled: KeyStore) -> None:
    content = json.loads(issuer_file(filled).read_text())
    filled.create(Role.ISSUER, "ferries", now=NOW)
    other = json.loads((filled.folder / "issuer.ferries.1.json").read_text())
    issuer_file(filled).write_text(json.dumps({**content, "private": other["private"]}))
    with pytest.raises(BadInputError, match="does not belong to its public key"):
        filled.list_keys(now=NOW)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 4000, b'{"a":' * 800, b"1e999"])
def test_file_that_is_no_key_is_refused(content: bytes) -> None:
    with pytest.raises(BadInputError, match="sample: is not a key file"):
        decode_key(content, what="sample")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 700), change=st.binary(min_size=1, max_size=3))
def test_changed_key_file_loads_or_gives_one_clear_error(filled: KeyStore, at: int, change: bytes) -> None:
    content = bytearray((filled.folder / "gate-group.metro.north.1.json").read_bytes())
    content[at : at + len(change)] = change
    outcome = "sample: is a key"
    try:
        decode_key(bytes(content), what="sample")
    except BadInputError as error:
        outcome = str(error)
    assert outcome.startswith("sample: ")


def test_file_of_before_there_were_times_still_loads(filled: KeyStore) -> None:
    content = json.loads(issuer_file(filled).read_text())
    assert not {"active_from", "retired_at", "pkcs11"} & set(content)
    key = decode_key(json.dumps(content).encode(), what="sample")
    assert (key.active_from, key.retired_at) == (key.created, None)


def test_times_are_in_the_file_only_where_they_say_something(filled: KeyStore) -> None:
    group = key_of(filled, Role.GATE_GROUP).kid
    later = filled.rotate(Role.GATE_GROUP, GROUP, now=NOW, active_from=NOW + timedelta(days=1))
    filled.retire(group, at=NOW + timedelta(days=9), now=NOW)
    first = json.loads((filled.folder / "gate-group.metro.north.1.json").read_text())
    second = json.loads((filled.folder / "gate-group.metro.north.2.json").read_text())
    assert (first["retired_at"], "active_from" in first) == ("2026-03-10T08:30:00+00:00", False)
    assert (second["active_from"], "retired_at" in second) == ("2026-03-02T08:30:00+00:00", False)
    assert later.active_from == NOW + timedelta(days=1)


def test_retirement_past_the_last_day_of_a_key_is_refused(filled: KeyStore) -> None:
    path = filled.folder / "gate-group.metro.north.1.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "retired_at": content["not_after"]}))
    filled.list_keys(now=NOW)
    path.write_text(json.dumps({**content, "retired_at": "2099-01-01T00:00:00+00:00"}))
    with pytest.raises(BadInputError, match="no later than its last day"):
        filled.list_keys(now=NOW)


def _in_token(filled: KeyStore, *, pin_file: str = "/home/pin") -> StoredKey:
    key = decode_key(issuer_file(filled).read_bytes(), what="sample")
    token = HardwareToken(Path("/lib/p11.so"), "gates", Path(pin_file))
    return StoredKey(key.public, 1, key.created, key.active_from, private=HardwareKey(token, b"\x01\xff"))


def test_key_in_a_token_is_named_in_its_file_and_holds_no_private_half(filled: KeyStore) -> None:
    key = _in_token(filled)
    written = encode_key(key, with_private=True)
    assert json.loads(written)["pkcs11"] == {
        "module": "/lib/p11.so", "token": "gates", "id": "01ff", "pin_file": "/home/pin"
    }  # fmt: skip
    assert b"PRIVATE" not in written
    assert decode_key(written, what="sample") == key
    assert "pkcs11" not in json.loads(encode_key(key, with_private=False))
    issuer_file(filled).write_bytes(written)
    info = key_of(filled, Role.ISSUER)
    assert (info.has_private, info.token) == (True, "gates")


@pytest.mark.parametrize(
    "change",
    [{"id": ""}, {"id": "xy"}, {"id": "00" * 300}, {"module": "p11.so"}, {"module": 7}, {"token": ""}, {"slot": "1"},
     {"pin_file": None}, {"token": "a\nb"}],
)  # fmt: skip
def test_malformed_word_on_a_token_is_refused(filled: KeyStore, change: dict[str, Any]) -> None:
    content = json.loads(encode_key(_in_token(filled), with_private=True))
    content["pkcs11"] |= change
    with pytest.raises(BadInputError, match="sample: is not a key file"):
        decode_key(json.dumps(content).encode(), what="sample")
    content["pkcs11"] = "gates"
    with pytest.raises(BadInputError, match="sample: is not a key file"):
        decode_key(json.dumps(content).encode(), what="sample")


def test_key_whose_file_could_not_be_read_again_is_not_written(filled: KeyStore) -> None:
    with pytest.raises(BadInputError, match="use shorter file names"):
        encode_key(_in_token(filled, pin_file="/" + "x" * KEY_FILE_BYTES_MAX), with_private=True)
