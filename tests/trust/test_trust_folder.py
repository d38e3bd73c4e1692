"""A gate goes forwards only: through crashes, lost files, clocks set back and two writers at once."""

import errno
import multiprocessing
import stat
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.passes.pass_workshop import AUDIENCE, GATE, ISSUER, ISSUER_ES256, NOW, OTHER_ISSUER, gate_key, issuer_key
from tests.trust.trust_workshop import (
    OPERATOR,
    OPERATOR_ES256,
    SUCCESSOR,
    THIEF,
    TRUSTED,
    URI,
    bundle,
    signed,
    status_token,
)

from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import OperatorPublicKey
from openstile.passes.status_list import StatusListError
from openstile.terms import BadInputError
from openstile.terms.files import write_whole
from openstile.trust import Bundle, BundleError, TrustError, TrustFolder
from openstile.trust.bundle import GroupKey

NEXT = replace(bundle(), sequence=8, sealed_keys=())


@pytest.fixture
def folder(tmp_path: Path) -> TrustFolder:
    return TrustFolder(tmp_path / "trust")


def accept(folder: TrustFolder, data: bytes, *, pinned: OperatorPublicKey = OPERATOR.public, **more: object) -> Bundle:
    return folder.accept_bundle(
        data,
        **{"operators": (pinned,), "audience": AUDIENCE, "now": NOW, **more},  # type: ignore[arg-type]
    )


def issued(folder: TrustFolder) -> list[int]:
    """Minutes from NOW at which the lists in use were made."""
    lists = folder.status_lists(TRUSTED)
    return [round((made.issued_at - NOW).total_seconds() / 60) for made in lists]


def _cbor_files(folder: TrustFolder) -> list[Path]:
    return sorted(folder.folder.glob("*.cbor"))


def test_nothing_is_told_before_the_first_bundle(folder: TrustFolder) -> None:
    assert (folder.bundle(), folder.status_lists(TRUSTED), folder.fingerprint(), folder.etag(URI)) == (
        None,
        (),
        "",
        None,
    )
    assert not folder.folder.exists()


def test_accepted_bundle_is_kept_for_its_owner_only_with_its_lists(folder: TrustFolder) -> None:
    made = accept(folder, signed())
    again = TrustFolder(folder.folder)
    assert again.bundle() == made == bundle()
    assert [(each.uri, each.issuer, each.is_set(3)) for each in again.status_lists(TRUSTED)] == [(URI, "metro", True)]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700


def test_same_bytes_again_are_fine_and_change_nothing(folder: TrustFolder) -> None:
    accept(folder, signed())
    before = folder.fingerprint()
    assert accept(folder, signed()) == bundle()
    assert accept(folder, signed(), now=bundle().expires + timedelta(days=9)) == bundle()
    assert accept(folder, signed(), now=NOW - timedelta(days=900)) == bundle()
    assert folder.fingerprint() == before


@pytest.mark.parametrize("sequence", [1, 6, 7])
def test_older_bundle_or_other_bytes_of_the_same_sequence_are_refused(folder: TrustFolder, sequence: int) -> None:
    accept(folder, signed())
    other = replace(bundle(), sequence=sequence, made=NOW + timedelta(seconds=5), sealed_keys=())
    with pytest.raises(BundleError, match="never go back"):
        accept(folder, signed(other))
    with pytest.raises(BundleError, match="never go back"):
        folder.check_bundle(signed(other), operators=(OPERATOR.public,), audience=AUDIENCE, now=NOW)
    assert folder.bundle() == bundle()


def test_clock_set_back_opens_no_way_back(folder: TrustFolder) -> None:
    yesterday = NOW - timedelta(days=1)
    old = replace(bundle(), sequence=6, made=yesterday, status_lists=(), sealed_keys=())
    accept(folder, signed())
    with pytest.raises(BundleError, match="never go back"):
        accept(folder, signed(old), now=yesterday)


def test_checking_changes_nothing(folder: TrustFolder) -> None:
    assert folder.check_bundle(signed(), operators=(OPERATOR.public,), audience=AUDIENCE, now=NOW) == bundle()
    assert not folder.folder.exists()


def test_bundle_that_expires_while_in_use_stays_in_use(folder: TrustFolder) -> None:
    accept(folder, signed())
    kept = TrustFolder(folder.folder).bundle()
    assert kept is not None
    assert kept.is_old(bundle().expires)


def test_the_last_bundle_says_who_signs_the_next(folder: TrustFolder) -> None:
    accept(folder, signed(operators=(OPERATOR.public, SUCCESSOR.public)))
    accept(folder, signed(replace(NEXT, operators=(SUCCESSOR.public,)), key=SUCCESSOR))
    back = replace(NEXT, sequence=9)
    with pytest.raises(BundleError, match="may not tell"):
        accept(folder, signed(back))
    assert accept(folder, signed(back, key=SUCCESSOR)).sequence == 9


def test_pinned_key_counts_no_more_once_a_bundle_left_it_out_also_when_that_bundle_is_lost(folder: TrustFolder) -> None:
    accept(folder, signed(operators=(SUCCESSOR.public,)))
    for path in _cbor_files(folder):
        path.unlink()
    with pytest.raises(BundleError, match="may not tell"):
        accept(folder, signed(NEXT))
    assert accept(folder, signed(NEXT, key=SUCCESSOR)).sequence == 8


def test_revoked_operator_key_signs_nothing_whoever_names_it(folder: TrustFolder) -> None:
    with pytest.raises(BundleError, match="may not tell"):
        accept(folder, signed(), revoked=(OPERATOR.public.kid,))
    accept(folder, signed(operators=(OPERATOR.public, OPERATOR_ES256.public)))
    with pytest.raises(BundleError, match="may not tell"):
        accept(folder, signed(NEXT), revoked=(OPERATOR.public.kid,))
    assert accept(folder, signed(NEXT, key=OPERATOR_ES256), revoked=(OPERATOR.public.kid,)).sequence == 8


def test_key_that_was_never_named_signs_nothing(folder: TrustFolder) -> None:
    accept(folder, signed())
    with pytest.raises(BundleError, match="may not tell"):
        accept(folder, signed(NEXT, key=THIEF), pinned=THIEF.public)


def test_bundle_that_what_comes_before_it_refuses_is_not_taken(folder: TrustFolder) -> None:
    accept(folder, signed())

    def refuse(made: Bundle) -> None:
        assert folder.bundle() == bundle()
        raise BadInputError(f"no room for the keys of {made.sequence}")

    with pytest.raises(BadInputError, match="no room"):
        accept(folder, signed(NEXT), before=refuse)
    assert folder.bundle() == bundle()


def test_list_never_goes_back_and_equal_times_need_equal_bytes(folder: TrustFolder) -> None:
    newer = status_token(minutes=5)
    assert folder.accept_status_list(newer, issuers=TRUSTED, now=NOW).issuer == "metro"
    assert folder.accept_status_list(newer, issuers=TRUSTED, now=NOW).issuer == "metro"
    for token in (status_token(minutes=4), status_token(minutes=5, withdrawn=())):
        with pytest.raises(TrustError, match="never goes back"):
            folder.accept_status_list(token, issuers=TRUSTED, now=NOW)
    folder.accept_status_list(status_token(minutes=6), issuers=TRUSTED, now=NOW)
    assert issued(folder) == [6]
    assert len(_cbor_files(folder)) == 1


def test_lost_or_damaged_list_comes_back_only_as_it_was_or_newer(folder: TrustFolder) -> None:
    token = status_token(minutes=5)
    folder.accept_status_list(token, issuers=TRUSTED, now=NOW)
    folder.keep_etag(token, '"five"')
    (path,) = _cbor_files(folder)
    for damage in (path.unlink, lambda: path.write_bytes(status_token(minutes=1))):
        damage()
        assert (issued(folder), folder.etag(URI)) == ([], None)
        with pytest.raises(TrustError):
            folder.accept_status_list(status_token(minutes=1), issuers=TRUSTED, now=NOW)
        folder.accept_status_list(token, issuers=TRUSTED, now=NOW)
        assert (issued(folder), folder.etag(URI)) == ([5], '"five"')


def test_older_list_in_a_newer_bundle_is_passed_over(folder: TrustFolder) -> None:
    folder.accept_status_list(status_token(minutes=5), issuers=TRUSTED, now=NOW)
    accept(folder, signed())
    assert issued(folder) == [5]
    accept(folder, signed(replace(NEXT, status_lists=(status_token(minutes=7), status_token(minutes=6)))))
    assert issued(folder) == [7]


def test_list_of_a_stranger_or_of_a_revoked_issuer_spoils_the_bundle_and_is_no_list(folder: TrustFolder) -> None:
    with pytest.raises(BundleError, match="a list in it"):
        accept(folder, signed(status_lists=(status_token(key=OTHER_ISSUER),)))
    with pytest.raises(StatusListError):
        folder.accept_status_list(status_token(key=OTHER_ISSUER), issuers=TRUSTED, now=NOW)
    assert folder.bundle() is None


def test_lists_of_an_issuer_that_is_revoked_later_count_no_more(folder: TrustFolder) -> None:
    accept(folder, signed())
    assert folder.status_lists((TrustedIssuer(ISSUER.public, revoked=True),)) == ()
    assert folder.status_lists(()) == ()


def test_one_issuer_cannot_raise_the_floor_of_anothers_list(folder: TrustFolder) -> None:
    both = (*TRUSTED, TrustedIssuer(OTHER_ISSUER.public))
    folder.accept_status_list(status_token(minutes=9, key=OTHER_ISSUER), issuers=both, now=NOW)
    folder.accept_status_list(status_token(minutes=1), issuers=both, now=NOW)
    assert sorted((each.issuer, each.issued_at) for each in folder.status_lists(both)) == [
        ("ferries", NOW + timedelta(minutes=9)), ("metro", NOW + timedelta(minutes=1)),
    ]  # fmt: skip


def test_floor_outlives_the_rotation_of_the_issuers_key(folder: TrustFolder) -> None:
    folder.accept_status_list(status_token(minutes=5), issuers=TRUSTED, now=NOW)
    with pytest.raises(TrustError):
        folder.accept_status_list(status_token(minutes=4, key=ISSUER_ES256), issuers=TRUSTED, now=NOW)


class FailingDisk:
    """Writes `good` files, then fails as a full disk does: half-way, with what was written before left there."""

    def __init__(self, good: int) -> None:
        self.good = good

    def __call__(self, path: Path, data: bytes, *, replacing: bool) -> None:
        if self.good == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.good -= 1
        write_whole(path, data, replacing=replacing)


@pytest.mark.parametrize("good", [0, 1, 2, 3])
def test_crash_at_any_write_of_the_first_bundle_leaves_a_gate_that_takes_it_the_next_time(
    tmp_path: Path, good: int
) -> None:
    with pytest.raises(BadInputError, match="No space left"):
        accept(TrustFolder(tmp_path / "trust", write=FailingDisk(good)), signed())
    after = TrustFolder(tmp_path / "trust")
    assert after.bundle() is None
    assert accept(after, signed()) == bundle()
    assert len(_cbor_files(after)) == 2


@pytest.mark.parametrize("good", [0, 1, 2])
def test_crash_between_the_writes_leaves_the_old_in_use_and_no_way_back(folder: TrustFolder, good: int) -> None:
    """After the contents and before the floors: the new is not in use, the old still is, older stays refused."""
    accept(folder, signed())
    newer = signed(replace(NEXT, status_lists=(status_token(minutes=3),)))
    with pytest.raises(BadInputError, match="No space left"):
        accept(TrustFolder(folder.folder, write=FailingDisk(good)), newer)
    after = TrustFolder(folder.folder)
    assert (after.bundle(), issued(after)) == (bundle(), [0])
    with pytest.raises(BundleError, match="never go back"):
        accept(after, signed(replace(NEXT, sequence=6)))
    assert accept(after, newer).sequence == 8
    assert (issued(after), len(_cbor_files(after))) == ([3], 2)


def test_crash_after_the_floors_leaves_the_new_in_use_and_no_way_back(
    folder: TrustFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends after the floors were replaced and before the old contents were swept away."""
    accept(folder, signed())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            accept(TrustFolder(folder.folder, write=_plain_write), signed(NEXT))
    after = TrustFolder(folder.folder)
    assert after.bundle() == NEXT
    with pytest.raises(BundleError, match="never go back"):
        accept(after, signed())
    assert accept(after, signed(NEXT)) == NEXT
    assert len(_cbor_files(after)) == 2


def _plain_write(path: Path, data: bytes, *, replacing: bool) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.chmod(0o600)
    part.replace(path)


def test_lost_bundle_is_said_and_only_it_or_a_newer_one_comes_back(folder: TrustFolder) -> None:
    accept(folder, signed())
    for path in _cbor_files(folder):
        path.unlink()
    with pytest.raises(TrustError, match="apply it again"):
        folder.bundle()
    with pytest.raises(BundleError, match="never go back"):
        accept(folder, signed(replace(NEXT, sequence=7)))
    assert accept(folder, signed(), now=bundle().expires) == bundle() == folder.bundle()


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{}", b"[]", b"null", b'{"openstile_floors": 2, "bundle": null, "lists": []}',
     b'{"openstile_floors": 1, "bundle": {"sequence": 0}, "lists": []}',
     b'{"openstile_floors": 1, "bundle": 7, "lists": []}', b'{"openstile_floors": 1, "bundle": null, "lists": {}}',
     b'{"openstile_floors": 1, "bundle": {"sequence": 0, "sha256": "", "operators": []}, "lists": []}',
     b'{"openstile_floors": 1, "bundle": null, "lists": [[1, "https://x.example", 1, "zz"]]}',
     b'{"openstile_floors": 1, "bundle": null, "lists": [["metro", "https://x.example", 1.5, "zz"]]}',
     b'{"openstile_floors": 1, "bundle": null, "lists": [["metro", "https://x.example", 1, "zz"]]}',
     b'{"openstile_floors": 1, "bundle": null, "lists": [["metro"]]}',
     b'{"openstile_floors": 1, "bundle": null, "lists": [["a", "b", 1, "' + b"0" * 64 + b'"], ["a", "b", 2, "'
     + b"0" * 64 + b'"]]}', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_floors_that_are_lost_or_damaged_open_no_way_back(folder: TrustFolder, content: bytes | None) -> None:
    accept(folder, signed())
    path = folder.folder / "floors.json"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(TrustError, match=r"floors\.json"):
        folder.bundle()
    with pytest.raises(TrustError, match=r"floors\.json"):
        accept(folder, signed(replace(NEXT, sequence=1)))


@pytest.mark.parametrize("name", ["floors.json", ""])
def test_what_others_can_change_is_not_believed(folder: TrustFolder, name: str) -> None:
    accept(folder, signed())
    (folder.folder / name).chmod(0o777)
    with pytest.raises(BadInputError, match="others can change it"):
        folder.bundle()


def test_link_in_place_of_the_floors_is_not_followed(folder: TrustFolder, tmp_path: Path) -> None:
    accept(folder, signed())
    path = folder.folder / "floors.json"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInputError, match="cannot be read"):
        folder.bundle()


def test_folder_in_place_of_the_floors_is_refused(folder: TrustFolder) -> None:
    accept(folder, signed())
    (folder.folder / "floors.json").unlink()
    (folder.folder / "floors.json").mkdir()
    with pytest.raises(BadInputError, match="is not what belongs there"):
        folder.bundle()


def test_disk_that_takes_no_etag_says_so(folder: TrustFolder) -> None:
    token = status_token()
    folder.accept_status_list(token, issuers=TRUSTED, now=NOW)
    with pytest.raises(BadInputError, match=r"etags\.json: cannot be written"):
        TrustFolder(folder.folder, write=FailingDisk(0)).keep_etag(token, '"x"')
    (folder.folder / "etags.json").write_text("[]")
    assert folder.etag(URI) is None


def test_fingerprint_changes_with_what_is_in_use_and_only_then(folder: TrustFolder) -> None:
    seen = [folder.fingerprint()]
    accept(folder, signed())
    seen.append(folder.fingerprint())
    newer = status_token(minutes=2)
    folder.accept_status_list(newer, issuers=TRUSTED, now=NOW)
    seen.append(folder.fingerprint())
    folder.keep_etag(newer, '"x"')
    assert folder.fingerprint() == seen[-1]
    assert len(set(seen)) == 3


@pytest.mark.parametrize("etag", ["", "a\r\nHost: x", "x" * 257, "é", "a\x00"])
def test_etag_that_could_break_a_request_is_not_kept(folder: TrustFolder, etag: str) -> None:
    token = status_token()
    folder.accept_status_list(token, issuers=TRUSTED, now=NOW)
    folder.keep_etag(token, '"good"')
    assert folder.etag(URI) == '"good"'
    folder.keep_etag(token, etag)
    assert folder.etag(URI) is None


def test_etag_belongs_to_the_bytes_in_use_alone(folder: TrustFolder) -> None:
    token, newer = status_token(), status_token(minutes=1)
    folder.accept_status_list(token, issuers=TRUSTED, now=NOW)
    folder.keep_etag(token, 'W/"one"')
    folder.keep_etag(newer, '"two"')
    assert (folder.etag(URI), folder.etag("https://other.example/1")) == ('W/"one"', None)
    folder.accept_status_list(newer, issuers=TRUSTED, now=NOW)
    assert folder.etag(URI) is None
    (folder.folder / "etags.json").write_bytes(b"[1")
    assert folder.etag(URI) is None
    folder.keep_etag(newer, '"two"')
    assert folder.etag(URI) == '"two"'


def _bundle_of(sequence: int) -> bytes:
    lists = (status_token(minutes=sequence % 9),)
    return signed(replace(bundle(), sequence=sequence, status_lists=lists, sealed_keys=()))


def _apply_all(folder: Path, data: list[bytes]) -> None:
    for each in data:
        with suppress(BundleError):  # the other writer was faster
            accept(TrustFolder(folder), each)


def test_readers_always_find_a_whole_bundle_while_two_processes_write(folder: TrustFolder) -> None:
    accept(folder, _bundle_of(1))
    made = [_bundle_of(sequence) for sequence in range(2, 26)]
    process = multiprocessing.get_context("spawn").Process(target=_apply_all, args=(folder.folder, made))
    thread = threading.Thread(target=_apply_all, args=(folder.folder, made))
    process.start()
    thread.start()
    seen = [1]
    while process.is_alive() or thread.is_alive():
        found = folder.bundle()
        assert found is not None
        assert len(folder.status_lists(TRUSTED)) == 1
        seen.append(found.sequence)
    thread.join()
    process.join()
    assert process.exitcode == 0
    assert seen == sorted(seen)
    final = folder.bundle()
    assert final is not None
    assert final.sequence == 25


def test_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "trust").write_text("a file")
    with pytest.raises(BadInputError):
        accept(TrustFolder(tmp_path / "trust"), signed())


def test_addresses_without_end_are_refused(folder: TrustFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openstile.trust.floors.TRUST_LISTS_MAX", 2)
    for at in range(2):
        folder.accept_status_list(status_token(uri=f"{URI}{at}"), issuers=TRUSTED, now=NOW)
    with pytest.raises(TrustError, match="more than 2 addresses"):
        folder.accept_status_list(status_token(uri=f"{URI}3"), issuers=TRUSTED, now=NOW)
    folder.accept_status_list(status_token(uri=f"{URI}1", minutes=1), issuers=TRUSTED, now=NOW)


def test_key_rings_of_old_and_new_keys_may_ride_in_one_bundle(folder: TrustFolder) -> None:
    keys = tuple(GroupKey(gate_key(f"many {at}").public) for at in range(16))
    issuers = tuple(TrustedIssuer(issuer_key(f"many {at}").public) for at in range(64))
    made = replace(bundle(), group_keys=keys, issuers=issuers, status_lists=(), sealed_keys=())
    assert accept(folder, signed(made)) == made
    assert GATE.public.kid not in {listed.key.kid for listed in keys}
    assert (folder.folder / "floors.json").stat().st_size < 4096
