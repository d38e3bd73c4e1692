"""The folder of keys: who may read it, what is in it, and what becomes of passes when keys change."""

import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.passes.key_workshop import GROUP, fault, issued, issuer_file, key_of
from tests.passes.pass_workshop import NOW

from openstile.passes import PassFault
from openstile.passes.keyfile import Role, decode_key
from openstile.passes.keys import Algorithm
from openstile.passes.keystate import KeyState
from openstile.passes.keystore import KeyStore
from openstile.terms import BadInputError
from openstile.terms.limits import KEY_DAYS_MAX, KEYS_MAX


def test_a_folder_that_does_not_exist_holds_no_keys(store: KeyStore) -> None:
    assert store.list_keys(now=NOW) == ()
    assert store.gate_keyring().gate_group_keys == ()
    with pytest.raises(BadInputError, match="issuer: has no key"):
        store.issuer_key(now=NOW)
    with pytest.raises(BadInputError, match=r"gate-group metro/north: has no key .*create one"):
        store.gate_group_public_key(GROUP, now=NOW)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_created_keys_issue_and_open(store: KeyStore, algorithm: Algorithm) -> None:
    made = store.create(Role.ISSUER, "metro", now=NOW, algorithm=algorithm)
    group = store.create(Role.GATE_GROUP, GROUP, now=NOW)
    assert (made.algorithm, group.algorithm) == (algorithm.value, "HPKE-0")
    assert (made.state, made.generation, made.has_private) == (KeyState.CURRENT, 1, True)
    assert store.list_keys(now=NOW) == (group, made)
    assert fault(store, issued(store)) is None


def test_files_are_for_their_owner_alone_whatever_the_umask(store: KeyStore) -> None:
    before = os.umask(0)
    try:
        store.create(Role.ISSUER, "metro", now=NOW)
        store.create(Role.GATE_GROUP, GROUP, now=NOW)
        store.revoke(key_of(store, Role.ISSUER).kid, now=NOW)
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    files = sorted(store.folder.iterdir())
    assert [path.name for path in files] == ["gate-group.metro.north.1.json", "issuer.metro.1.json"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666])
def test_key_file_that_others_can_use_is_refused(filled: KeyStore, mode: int) -> None:
    issuer_file(filled).chmod(mode)
    with pytest.raises(BadInputError, match="chmod go-rwx"):
        filled.list_keys(now=NOW)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o755, 0o710, 0o701])
def test_key_folder_that_others_can_use_is_refused(filled: KeyStore, mode: int) -> None:
    filled.folder.chmod(mode)
    for use in (
        lambda: filled.list_keys(now=NOW),
        filled.gate_keyring,
        lambda: filled.create(Role.ISSUER, "ferries", now=NOW),
    ):
        with pytest.raises(BadInputError, match="chmod go-rwx"):
            use()
    filled.folder.chmod(0o700)


def test_key_of_another_user_is_refused(filled: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(BadInputError, match="belongs to another user"):
        filled.list_keys(now=NOW)


def test_symbolic_links_are_refused(filled: KeyStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    issuer_file(filled).rename(outside)
    issuer_file(filled).symlink_to(outside)
    with pytest.raises(BadInputError, match="is a symbolic link"):
        filled.list_keys(now=NOW)
    linked = tmp_path / "linked"
    linked.symlink_to(filled.folder)
    with pytest.raises(BadInputError, match=r"is no regular file|is no folder for keys"):
        KeyStore(linked).list_keys(now=NOW)


def test_folders_pipes_and_files_in_the_wrong_place_are_refused(filled: KeyStore, tmp_path: Path) -> None:
    issuer_file(filled).unlink()
    issuer_file(filled).mkdir()
    with pytest.raises(BadInputError, match=r"is no regular file|is no folder for keys"):
        filled.list_keys(now=NOW)
    issuer_file(filled).rmdir()
    os.mkfifo(issuer_file(filled), 0o600)
    with pytest.raises(BadInputError, match=r"is no regular file|is no folder for keys"):
        filled.list_keys(now=NOW)
    file = tmp_path / "file"
    file.write_text("")
    file.chmod(0o600)
    with pytest.raises(BadInputError, match=r"is no regular file|is no folder for keys"):
        KeyStore(file).list_keys(now=NOW)


def test_a_key_file_under_another_name_is_refused(filled: KeyStore) -> None:
    issuer_file(filled).rename(filled.folder / "issuer.metro.2.json")
    with pytest.raises(BadInputError, match="rename it back"):
        filled.list_keys(now=NOW)


def test_half_written_and_other_files_are_passed_over(filled: KeyStore) -> None:
    (filled.folder / ".0123.part").write_text("half")
    (filled.folder / ".hidden.json").write_text("half")
    (filled.folder / "README").write_text("notes")
    assert len(filled.list_keys(now=NOW)) == 2


def test_a_second_key_of_a_name_is_made_by_rotating_only(filled: KeyStore) -> None:
    with pytest.raises(BadInputError, match="use rotate"):
        filled.create(Role.ISSUER, "metro", now=NOW)
    with pytest.raises(BadInputError, match="create one first"):
        filled.rotate(Role.ISSUER, "ferries", now=NOW)


@pytest.mark.parametrize(
    ("role", "name"),
    [(Role.ISSUER, "Metro"), (Role.ISSUER, "../x"), (Role.GATE_GROUP, "metro"), (Role.GATE_GROUP, "a/b/c")],
)
def test_names_that_could_leave_the_folder_or_mislead_are_refused(store: KeyStore, role: Role, name: str) -> None:
    with pytest.raises(BadInputError):
        store.create(role, name, now=NOW)
    assert not store.folder.exists()


@pytest.mark.parametrize("days", [0, KEY_DAYS_MAX + 1])
def test_life_of_a_key_at_one_past_its_limits_is_refused(store: KeyStore, days: int) -> None:
    with pytest.raises(BadInputError, match="a key lasts 1 to"):
        store.create(Role.ISSUER, "metro", now=NOW, valid_for=timedelta(days=days))
    assert store.create(Role.ISSUER, "metro", now=NOW, valid_for=timedelta(days=KEY_DAYS_MAX)).not_after > NOW


def test_passes_made_before_a_rotation_still_open_and_new_ones_use_the_new_key(filled: KeyStore) -> None:
    before = issued(filled)
    first = key_of(filled, Role.ISSUER)
    second = filled.rotate(Role.ISSUER, "metro", now=NOW)
    filled.rotate(Role.GATE_GROUP, GROUP, now=NOW)
    assert (second.generation, second.algorithm) == (2, first.algorithm)
    assert key_of(filled, Role.ISSUER, KeyState.PREVIOUS).kid == first.kid
    assert filled.issuer_key(now=NOW).public.kid.hex() == second.kid
    assert fault(filled, before) is None
    assert fault(filled, issued(filled)) is None


def test_an_es256_issuer_stays_es256(store: KeyStore) -> None:
    store.create(Role.ISSUER, "metro", now=NOW, algorithm=Algorithm.ES256)
    assert store.rotate(Role.ISSUER, "metro", now=NOW).algorithm == "ES256"


def test_what_a_revoked_issuer_key_signed_is_refused_from_then_on(filled: KeyStore) -> None:
    text = issued(filled)
    revoked = filled.revoke(key_of(filled, Role.ISSUER).kid, now=NOW)
    assert revoked.state is KeyState.REVOKED
    assert fault(filled, text) is PassFault.ISSUER_REVOKED
    with pytest.raises(BadInputError, match="its newest key is revoked; rotate it"):
        filled.issuer_key(now=NOW)
    assert filled.revoke(revoked.kid, now=NOW) == revoked
    filled.rotate(Role.ISSUER, "metro", now=NOW)
    assert fault(filled, issued(filled)) is None
    assert fault(filled, text) is PassFault.ISSUER_REVOKED


def test_a_revoked_gate_group_key_no_longer_opens(filled: KeyStore) -> None:
    text = issued(filled)
    filled.revoke(key_of(filled, Role.GATE_GROUP).kid, now=NOW)
    assert fault(filled, text) is PassFault.PASS_FOR_OTHER_GATES
    with pytest.raises(BadInputError, match="rotate it"):
        filled.gate_group_public_key(now=NOW)


def test_revoking_a_key_that_is_not_there_says_so(filled: KeyStore) -> None:
    with pytest.raises(BadInputError, match="list the keys"):
        filled.revoke("00" * 8, now=NOW)


def test_among_several_issuers_one_must_be_named(filled: KeyStore) -> None:
    filled.create(Role.ISSUER, "ferries", now=NOW)
    with pytest.raises(BadInputError, match="name one of ferries, metro"):
        filled.issuer_key(now=NOW)
    assert filled.issuer_key("ferries", now=NOW).public.name == "ferries"


def test_gate_and_issuer_apart_each_with_the_others_public_half(tmp_path: Path) -> None:
    office, gate = KeyStore(tmp_path / "office"), KeyStore(tmp_path / "gate")
    issuer = office.create(Role.ISSUER, "metro", now=NOW)
    group = gate.create(Role.GATE_GROUP, GROUP, now=NOW)
    for giver, taker, key in ((office, gate, issuer), (gate, office, group)):
        given = giver.export_public(key.kid)
        assert b"PRIVATE" not in given
        taken = taker.import_public(given, what="given", now=NOW)
        assert (taken.kid, taken.has_private) == (key.kid, False)
        assert taker.import_public(given, what="given", now=NOW) == taken
    text = issued(office)
    assert fault(gate, text) is None
    assert fault(office, text) is PassFault.PASS_FOR_OTHER_GATES
    with pytest.raises(BadInputError, match="sign where the private one is"):
        gate.issuer_key(now=NOW)
    with pytest.raises(BadInputError, match="rotate where the private one is"):
        gate.rotate(Role.ISSUER, "metro", now=NOW)

    office.revoke(issuer.kid, now=NOW)
    gate.import_public(office.export_public(issuer.kid), what="given", now=NOW)
    assert fault(gate, text) is PassFault.ISSUER_REVOKED


def test_import_never_takes_a_private_key_away_or_brings_one_or_undoes_a_revocation(filled: KeyStore) -> None:
    issuer = key_of(filled, Role.ISSUER)
    earlier = filled.export_public(issuer.kid)
    filled.import_public(earlier, what="given", now=NOW)
    assert key_of(filled, Role.ISSUER).has_private
    filled.revoke(issuer.kid, now=NOW)
    assert filled.import_public(earlier, what="given", now=NOW).state is KeyState.REVOKED
    other = KeyStore(filled.folder.parent / "other")
    assert not other.import_public(issuer_file(filled).read_bytes(), what="given", now=NOW).has_private


def test_import_of_another_key_under_the_same_name_changes_nothing(filled: KeyStore, tmp_path: Path) -> None:
    other = KeyStore(tmp_path / "other")
    foreign = other.create(Role.ISSUER, "metro", now=NOW)
    before = issuer_file(filled).read_bytes()
    with pytest.raises(BadInputError, match="own key is here already"):
        filled.import_public(other.export_public(foreign.kid), what="given", now=NOW)
    assert issuer_file(filled).read_bytes() == before
    assert not list(filled.folder.glob(".*"))


@pytest.mark.parametrize(("role", "name"), [(Role.GATE_GROUP, GROUP), (Role.ISSUER, "metro")])
def test_imported_key_of_a_later_generation_never_becomes_the_one_that_seals_or_signs(
    filled: KeyStore, tmp_path: Path, role: Role, name: str
) -> None:
    other = KeyStore(tmp_path / "other")
    other.create(role, name, now=NOW)
    later = other.rotate(role, name, now=NOW)
    before = filled.list_keys(now=NOW)
    with pytest.raises(BadInputError, match="own key is here already"):
        filled.import_public(other.export_public(later.kid), what="given", now=NOW)
    assert filled.list_keys(now=NOW) == before


def test_import_of_two_different_keys_under_one_name_and_generation_is_refused(tmp_path: Path) -> None:
    gate, offices = KeyStore(tmp_path / "gate"), [KeyStore(tmp_path / name) for name in ("one", "two")]
    first, second = (office.export_public(office.create(Role.ISSUER, "metro", now=NOW).kid) for office in offices)
    gate.import_public(first, what="given", now=NOW)
    with pytest.raises(BadInputError, match="is there already"):
        gate.import_public(second, what="given", now=NOW)
    assert len(gate.list_keys(now=NOW)) == 1


def test_import_beyond_the_limit_of_keys_is_refused_and_the_store_still_opens(filled: KeyStore, tmp_path: Path) -> None:
    other = KeyStore(tmp_path / "other")
    kids = [other.create(Role.ISSUER, f"issuer-{number}", now=NOW).kid for number in range(KEYS_MAX - 1)]
    for kid in kids[:-1]:
        filled.import_public(other.export_public(kid), what="given", now=NOW)
    with pytest.raises(BadInputError, match=f"more than {KEYS_MAX} keys"):
        filled.import_public(other.export_public(kids[-1]), what="given", now=NOW)
    assert len(filled.list_keys(now=NOW)) == KEYS_MAX


def test_disk_that_does_not_take_the_key_leaves_nothing_behind(
    filled: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = {path.name: path.read_bytes() for path in filled.folder.iterdir()}
    monkeypatch.setattr(os, "fsync", full)
    uses: list[Callable[[], object]] = [
        lambda: filled.rotate(Role.ISSUER, "metro", now=NOW),
        lambda: filled.revoke(key_of(filled, Role.ISSUER).kid, now=NOW),
    ]
    for use in uses:
        with pytest.raises(BadInputError, match="No space left on device; nothing was changed"):
            use()
    assert {path.name: path.read_bytes() for path in filled.folder.iterdir()} == before


def test_keys_at_the_limit_and_one_past_it(filled: KeyStore) -> None:
    for _ in range(KEYS_MAX - 2):
        filled.rotate(Role.ISSUER, "metro", now=NOW)
    assert len(filled.list_keys(now=NOW)) == KEYS_MAX
    with pytest.raises(BadInputError, match=f"more than {KEYS_MAX} keys"):
        filled.rotate(Role.ISSUER, "metro", now=NOW)
    assert len(filled.list_keys(now=NOW)) == KEYS_MAX


def test_nothing_shown_of_a_key_holds_its_private_half(filled: KeyStore) -> None:
    key = decode_key(issuer_file(filled).read_bytes(), what="sample")
    assert "private" not in repr(key)
    assert all("PRIVATE" not in repr(info) for info in filled.list_keys(now=NOW))
