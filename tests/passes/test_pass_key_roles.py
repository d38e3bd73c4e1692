"""Keys of operators and gates: each does its own work and no other's."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.passes.key_workshop import GROUP, fault, issued, key_of
from tests.passes.pass_workshop import GATE, ISSUER, KEYS_END, NOW, gate_key

from openstile.passes.claims import Audience
from openstile.passes.hpke import open_sealed, seal
from openstile.passes.keyfile import Role, decode_key
from openstile.passes.keymaking import KEY_DAYS
from openstile.passes.keys import (
    Algorithm,
    GateGroupKey,
    GateTransportPublicKey,
    IssuerPublicKey,
    OperatorPublicKey,
    generate_gate_transport_key,
    generate_operator_key,
)
from openstile.passes.keystate import KeyState
from openstile.passes.keystore import KeyStore
from openstile.passes.signing import SignatureWrongError
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import KEYS_MAX

GATE_NAME = "metro/north-1"


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_operator_key_signs_and_only_it_verifies(store: KeyStore, algorithm: Algorithm) -> None:
    store.create(Role.OPERATOR, "metro", now=NOW, algorithm=algorithm)
    key = store.operator_key("metro", now=NOW)
    assert store.operators() == (key.public,)
    signature = key.signer.sign(b"bundle")
    key.public.verify(message=b"bundle", signature=signature)
    other = generate_operator_key(name="metro", algorithm=algorithm, not_after=KEYS_END)
    with pytest.raises(SignatureWrongError, match="operator metro"):
        other.public.verify(message=b"bundle", signature=signature)


def test_operator_key_is_never_an_issuer_key_of_the_same_name(store: KeyStore) -> None:
    store.create(Role.OPERATOR, "metro", now=NOW)
    with pytest.raises(BadInputError, match="issuer: has no key"):
        store.issuer_key(now=NOW)
    assert store.gate_keyring().issuers == ()
    public = store.operator_key(now=NOW).public
    as_issuer: object = IssuerPublicKey(public.name, public.algorithm, public.public, public.not_after)
    assert not isinstance(as_issuer, OperatorPublicKey)
    assert public != as_issuer


def test_issuer_key_is_never_an_operator_key_of_the_same_name(filled: KeyStore) -> None:
    assert filled.operators() == ()
    with pytest.raises(BadInputError, match="operator: has no key"):
        filled.operator_key(now=NOW)


def test_revoked_operator_key_verifies_no_bundle(store: KeyStore) -> None:
    first = store.create(Role.OPERATOR, "metro", now=NOW)
    second = store.rotate(Role.OPERATOR, "metro", now=NOW)
    assert {key.kid.hex() for key in store.operators()} == {first.kid, second.kid}
    store.revoke(first.kid, now=NOW)
    assert [key.kid.hex() for key in store.operators()] == [second.kid]


def test_gate_key_opens_what_is_sealed_to_it_and_is_never_a_gate_group_key(store: KeyStore) -> None:
    made = store.create(Role.GATE, GATE_NAME, now=NOW)
    key = store.transport_key(GATE_NAME)
    assert (key.public.kid.hex(), key.public.name, str(key.public.gate)) == (made.kid, GATE_NAME, "north-1")
    sealed = seal(recipient=key.public.point, plaintext=b"for one", info=b"i", aad=b"a", random=lambda n: bytes(n))
    assert open_sealed(recipient=key.agreement, sealed=sealed, info=b"i", aad=b"a") == b"for one"
    assert store.gate_keyring().gate_group_keys == ()
    with pytest.raises(BadInputError, match="gate-group: has no key"):
        store.gate_group_public_key(now=NOW)
    stored = decode_key((store.folder / "gate.metro.north-1.1.json").read_bytes(), what="sample")
    assert stored.gate_group_key() is None
    assert (stored.issuer_key(), stored.operator_key()) == (None, None)
    assert isinstance(stored.public, GateTransportPublicKey)


def test_gate_group_key_is_never_a_gates_own(filled: KeyStore) -> None:
    assert filled.transport_keys() == ()
    with pytest.raises(BadInputError, match="has no key of its own"):
        filled.transport_key()


def test_file_of_a_gates_key_that_is_relabelled_as_a_gate_groups_is_refused(store: KeyStore) -> None:
    store.create(Role.GATE, "metro/north", now=NOW)
    path = store.folder / "gate.metro.north.1.json"
    text = path.read_text().replace('"role": "gate"', '"role": "gate-group"')
    path.write_text(text)
    with pytest.raises(BadInputError, match="rename it back"):
        store.list_keys(now=NOW)


def test_what_was_sealed_to_a_gates_previous_key_still_opens_until_it_is_revoked(store: KeyStore) -> None:
    first = store.create(Role.GATE, GATE_NAME, now=NOW)
    second = store.rotate(Role.GATE, GATE_NAME, now=NOW)
    assert [key.public.kid.hex() for key in store.transport_keys(GATE_NAME)] == [second.kid, first.kid]
    assert store.transport_key().public.kid.hex() == second.kid
    store.revoke(first.kid, now=NOW)
    assert [key.public.kid.hex() for key in store.transport_keys()] == [second.kid]


@pytest.mark.parametrize("name", ["north-1", "metro/", "/north-1", "metro/North", "metro/a/b", "../x/y", ""])
def test_gate_without_an_operator_or_with_a_wrong_name_is_refused(store: KeyStore, name: str) -> None:
    with pytest.raises(BadInputError):
        store.create(Role.GATE, name, now=NOW)
    assert not store.folder.exists()


def test_keys_of_all_roles_travel_by_export_and_import(store: KeyStore, tmp_path: Path) -> None:
    names = {Role.ISSUER: "metro", Role.GATE_GROUP: GROUP, Role.OPERATOR: "metro", Role.GATE: GATE_NAME}
    made = {store.create(role, name, now=NOW).kid for role, name in names.items()}
    other = KeyStore(tmp_path / "other")
    for kid in made:
        given = store.export_public(kid)
        assert b"PRIVATE" not in given
        assert not other.import_public(given, what="given", now=NOW).has_private
    assert {info.kid for info in other.list_keys(now=NOW)} == made
    assert [key.public for key in other.public_keys(Role.GATE)] == [store.transport_key().public]
    assert other.operators() == store.operators()
    with pytest.raises(BadInputError, match="sign where the private one is"):
        other.operator_key(now=NOW)


def test_public_keys_hold_no_private_half(filled: KeyStore) -> None:
    (group,) = filled.public_keys(Role.GATE_GROUP, GROUP)
    assert (group.private, group.gate_group_key()) == (None, None)
    assert filled.public_keys(Role.GATE_GROUP, "metro/south") == ()


def test_group_key_that_came_in_a_bundle_opens_and_its_generation_follows(filled: KeyStore, tmp_path: Path) -> None:
    office, gate = filled, KeyStore(tmp_path / "gate")
    gate.import_public(office.export_public(key_of(office, Role.ISSUER).kid), what="given", now=NOW)
    given = office.gate_keyring().gate_group_keys[0]
    text = issued(office)
    assert fault(gate, text) is not None
    first = gate.add_gate_group_private(given, now=NOW)
    assert (first.generation, first.has_private, first.state) == (1, True, KeyState.CURRENT)
    assert fault(gate, text) is None
    assert gate.add_gate_group_private(given, now=NOW) == first
    office.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    second = gate.add_gate_group_private(office.gate_keyring().gate_group_keys[1], now=NOW)
    assert (second.generation, second.state) == (2, KeyState.CURRENT)
    assert fault(gate, text) is None
    assert fault(gate, issued(office)) is None


def test_group_key_joins_the_public_half_that_is_here_with_its_state(filled: KeyStore, tmp_path: Path) -> None:
    gate, group = KeyStore(tmp_path / "gate"), key_of(filled, Role.GATE_GROUP)
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    filled.retire(group.kid, at=NOW + timedelta(days=3), now=NOW)
    gate.import_public(filled.export_public(group.kid), what="given", now=NOW)
    given = next(key for key in filled.gate_keyring().gate_group_keys if key.public.kid.hex() == group.kid)
    joined = gate.add_gate_group_private(given, now=NOW)
    assert (joined.has_private, joined.retired_at) == (True, NOW + timedelta(days=3))


def test_group_key_that_differs_from_the_one_of_its_id_is_refused(store: KeyStore) -> None:
    store.add_gate_group_private(GATE, now=NOW)
    before = store.list_keys(now=NOW)
    for public in (replace(GATE.public, audience=Audience("metro", "south")),
                   replace(GATE.public, not_after=KEYS_END - timedelta(days=1))):  # fmt: skip
        with pytest.raises(BadInputError, match="is not the one of this id here"):
            store.add_gate_group_private(GateGroupKey(public, GATE.agreement), now=NOW)
    assert store.list_keys(now=NOW) == before


def test_group_key_beyond_the_limit_of_keys_is_refused(store: KeyStore) -> None:
    for number in range(KEYS_MAX):
        store.add_gate_group_private(gate_key(f"gate {number}"), now=NOW)
    with pytest.raises(BadInputError, match=f"more than {KEYS_MAX} keys"):
        store.add_gate_group_private(gate_key("one more"), now=NOW)


def test_no_repr_of_a_key_shows_its_private_half() -> None:
    gate = generate_gate_transport_key(operator="metro", gate=GateId("north-1"), not_after=KEYS_END)
    operator = generate_operator_key(name="metro", algorithm=Algorithm.EDDSA, not_after=KEYS_END)
    for key in (gate, operator, ISSUER, GATE):
        assert "signer" not in repr(key)
        assert "agreement" not in repr(key)


def test_key_lasts_longer_than_the_longest_pass(store: KeyStore) -> None:
    assert store.create(Role.OPERATOR, "metro", now=NOW).not_after == NOW + timedelta(days=KEY_DAYS)
