"""Keys in a real PKCS#11 token (SoftHSM2), from the folder of keys to a pass that opens."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.passes.key_workshop import GROUP, NAMES, fault, issued, key_of
from tests.passes.pass_workshop import NOW
from tests.passes.softhsm_workshop import new_token

from openstile.passes.hardware import HardwareError, HardwareKey, HardwareToken
from openstile.passes.hpke import open_sealed, seal
from openstile.passes.key_transport import private_bytes_of
from openstile.passes.keyfile import Role, decode_key
from openstile.passes.keys import Algorithm
from openstile.passes.keystate import KeyState
from openstile.passes.keystore import KeyStore
from openstile.terms import BadInputError


@pytest.fixture
def token(tmp_path: Path) -> HardwareToken:
    return new_token(tmp_path)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_keys_in_a_token_issue_and_open_and_no_file_holds_a_private_half(
    store: KeyStore, token: HardwareToken, algorithm: Algorithm
) -> None:
    issuer = store.create(Role.ISSUER, "metro", now=NOW, algorithm=algorithm, hardware=token)
    group = store.create(Role.GATE_GROUP, GROUP, now=NOW, hardware=token)
    assert [(info.has_private, info.token) for info in (issuer, group)] == [(True, token.token)] * 2
    assert fault(store, issued(store)) is None
    for path in store.folder.iterdir():
        assert "PRIVATE" not in path.read_text()
        assert json.loads(path.read_text())["pkcs11"]["token"] == token.token


def test_operator_and_gate_keys_in_a_token_sign_and_open(store: KeyStore, token: HardwareToken) -> None:
    store.create(Role.OPERATOR, "metro", now=NOW, hardware=token)
    store.create(Role.GATE, NAMES[Role.GATE], now=NOW, hardware=token)
    operator, gate = store.operator_key(now=NOW), store.transport_key()
    operator.public.verify(message=b"bundle", signature=operator.signer.sign(b"bundle"))
    sealed = seal(recipient=gate.public.point, plaintext=b"for one", info=b"i", aad=b"a", random=bytes)
    assert open_sealed(recipient=gate.agreement, sealed=sealed, info=b"i", aad=b"a") == b"for one"


def test_passes_open_through_a_rotation_from_files_into_a_token(filled: KeyStore, token: HardwareToken) -> None:
    before = issued(filled)
    later = NOW + timedelta(days=1)
    for role in (Role.ISSUER, Role.GATE_GROUP):
        made = filled.rotate(role, NAMES[role], now=NOW, active_from=later, hardware=token)
        assert (made.state, made.token) == (KeyState.NEXT, token.token)
    assert fault(filled, before, now=later) is None
    assert fault(filled, issued(filled, now=later), now=later) is None


def test_group_key_that_came_in_a_bundle_goes_into_the_token_and_not_into_a_file(
    filled: KeyStore, tmp_path: Path, token: HardwareToken
) -> None:
    gate = KeyStore(tmp_path / "gate")
    gate.import_public(filled.export_public(key_of(filled, Role.ISSUER).kid), what="given", now=NOW)
    (given,) = filled.gate_keyring().gate_group_keys
    taken = gate.add_gate_group_private(given, now=NOW, hardware=token)
    assert (taken.token, gate.add_gate_group_private(given, now=NOW)) == (token.token, taken)
    assert fault(gate, issued(filled)) is None
    stored = decode_key((gate.folder / "gate-group.metro.north.1.json").read_bytes(), what="sample")
    assert isinstance(stored.private, HardwareKey)
    (held,) = gate.gate_keyring().gate_group_keys
    with pytest.raises(BadInputError, match="is in hardware"):
        private_bytes_of(held)
    with pytest.raises(BadInputError, match="is in hardware already"):
        gate.add_gate_group_private(held, now=NOW)


def test_export_of_a_key_in_a_token_says_nothing_of_the_token(store: KeyStore, token: HardwareToken) -> None:
    info = store.create(Role.ISSUER, "metro", now=NOW, hardware=token)
    given = store.export_public(info.kid)
    assert b"pkcs11" not in given
    assert token.token.encode() not in given


def test_import_never_takes_the_word_of_others_for_where_a_private_half_is(
    store: KeyStore, tmp_path: Path, token: HardwareToken
) -> None:
    """A PKCS#11 module is code: a file that names one is read for its public half alone."""
    store.create(Role.ISSUER, "metro", now=NOW, hardware=token)
    given = (store.folder / "issuer.metro.1.json").read_bytes()
    other = KeyStore(tmp_path / "other")
    assert not other.import_public(given, what="given", now=NOW).has_private
    assert b"pkcs11" not in (other.folder / "issuer.metro.1.json").read_bytes()


def test_wrong_name_makes_no_key_in_the_token(store: KeyStore) -> None:
    absent = HardwareToken(Path("/nowhere/module.so"), "absent", Path("/nowhere/pin"))
    with pytest.raises(BadInputError, match="issuer"):
        store.create(Role.ISSUER, "No Name", now=NOW, hardware=absent)


def test_token_that_is_not_there_is_said_and_leaves_no_file(store: KeyStore, token: HardwareToken) -> None:
    absent = HardwareToken(token.module, "absent", token.pin_file)
    with pytest.raises(HardwareError, match="absent"):
        store.create(Role.ISSUER, "metro", now=NOW, hardware=absent)
    assert store.list_keys(now=NOW) == ()
