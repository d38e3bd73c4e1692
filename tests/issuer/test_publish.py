"""From the register to a published list: what it says, that it only goes forward, and who may read it."""

import os
import stat
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.issuer.office import ENTRIES, URI, fill, made, pass_id
from tests.passes.pass_workshop import ISSUER, KEYS_END, NOW, REVOKED, RING, STRANGER

from openstile.issuer import PassRegister, PassState, build_status_token, publish
from openstile.issuer.publish import list_file_name, says_the_same
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import IssuerKey
from openstile.passes.status_list import StatusList, pack_bits, read_status_list, sign_status_list
from openstile.terms import BadInputError


def _built(register: PassRegister, *, now: datetime = NOW, uri: str = URI, days: int = 7) -> bytes:
    return build_status_token(
        register, issuer_key=ISSUER, uri=uri, entries=ENTRIES, now=now, valid_for=timedelta(days=days), ttl_s=300
    )


def _read(token: bytes) -> StatusList:
    return read_status_list(token, issuers=RING.issuers)


def _signed(uri: str, at: datetime, *, key: IssuerKey = ISSUER) -> bytes:
    return sign_status_list(
        issuer_key=key, uri=uri, bits=bytes(8), issued_at=at, expires=at + timedelta(days=7), ttl_s=300
    )


def test_list_says_who_is_withdrawn_and_when_it_was_made(register: PassRegister) -> None:
    ids = [*fill(register, range(2000))]
    register.set_states(ids[100:120], PassState.REVOKED, at=NOW)
    register.set_states(ids[1990:], PassState.SUSPENDED, at=NOW)
    status_list = _read(_built(register, now=NOW + timedelta(microseconds=900)))
    assert (status_list.uri, status_list.issuer, status_list.ttl_s) == (URI, "metro", 300)
    assert (status_list.issued_at, status_list.expires) == (NOW, NOW + timedelta(days=7))
    assert status_list.entries == ENTRIES
    assert {index for index in range(ENTRIES) if status_list.is_set(index)} == {*range(100, 120), *range(1990, 2000)}


def test_reinstated_pass_is_clear_again(register: PassRegister) -> None:
    register.add(made(1))
    register.set_state(pass_id(1), PassState.SUSPENDED, at=NOW)
    assert _read(_built(register)).is_set(1)
    register.set_state(pass_id(1), PassState.VALID, at=NOW)
    assert not _read(_built(register)).is_set(1)


def test_list_without_passes_has_all_its_entries_clear(register: PassRegister) -> None:
    assert _read(_built(register)).bits == bytes(ENTRIES // 8)


def test_each_list_is_later_than_the_one_before(register: PassRegister) -> None:
    times = [_read(_built(register, now=now)).issued_at for now in (NOW, NOW, NOW - timedelta(seconds=30))]
    assert [int((at - NOW).total_seconds()) for at in times] == [0, 1, 2]


def test_clock_behind_the_last_list_is_refused_and_nothing_is_noted(register: PassRegister) -> None:
    _built(register, now=NOW + timedelta(days=1))
    with pytest.raises(BadInputError, match=r"clock: says 2026-03-01 08:30:00 UTC.*2026-03-02.*set the clock right"):
        _built(register)
    assert _read(_built(register, now=NOW + timedelta(days=2))).issued_at == NOW + timedelta(days=2)


def test_clock_behind_one_list_does_not_hold_up_another(register: PassRegister) -> None:
    _built(register, now=NOW + timedelta(days=1))
    assert _read(_built(register, uri=f"{URI}-b")).issued_at == NOW


def test_list_ends_with_its_key_at_the_latest(register: PassRegister) -> None:
    token = _built(register, now=KEYS_END - timedelta(days=2))
    assert _read(token).expires == KEYS_END


def test_building_forgets_what_ended_more_than_a_week_ago(register: PassRegister) -> None:
    register.add_all([made(1, days=10), made(2, days=11)])
    register.set_states([pass_id(1), pass_id(2)], PassState.REVOKED, at=NOW)
    status_list = _read(_built(register, now=NOW + timedelta(days=17, seconds=1)))
    assert (status_list.is_set(1), status_list.is_set(2)) == (False, True)
    assert (register.get(pass_id(1)), register.get(pass_id(2)) is not None) == (None, True)
    with pytest.raises(BadInputError, match="randomness"):
        register.reserve_index(URI, entries=ENTRIES, now=NOW, randbelow=lambda _: 1)


def test_whether_a_built_list_still_says_what_is_so(register: PassRegister) -> None:
    assert says_the_same(_read(_signed(f"{URI}-unused", NOW)), register)
    fill(register, range(10))
    built = _read(_built(register))
    assert says_the_same(built, register)
    register.set_state(pass_id(3), PassState.SUSPENDED, at=NOW)
    assert not says_the_same(built, register)
    register.set_state(pass_id(3), PassState.VALID, at=NOW)
    assert says_the_same(built, register)
    register.reserve_index(URI, entries=2 * ENTRIES, now=NOW)
    assert not says_the_same(built, register), "the list has grown"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://passes.example.org/status/1", "1.cwt"),
        ("https://passes.example.org/metro-2026.cwt", "metro-2026.cwt"),
        ("https://passes.example.org/a/b?v=1", "b.cwt"),
    ],
)
def test_file_is_named_by_the_last_part_of_the_address(uri: str, name: str) -> None:
    assert list_file_name(uri) == name


@pytest.mark.parametrize("last", ["", "/", "/status/", "/..", "/.hidden", "/a%2Fb", "/a;b", "/" + "x" * 101])
def test_address_that_names_no_file_is_refused(last: str) -> None:
    with pytest.raises(BadInputError, match="last part of its address"):
        list_file_name(f"https://passes.example.org{last}")


def test_published_list_is_readable_by_all_and_whole(register: PassRegister, tmp_path: Path) -> None:
    token = _built(register)
    before = os.umask(0o077)
    try:
        path = publish(token, tmp_path / "www" / "status", issuers=RING.issuers)
    finally:
        os.umask(before)
    assert path == tmp_path / "www" / "status" / "1.cwt"
    assert path.read_bytes() == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [*path.parent.iterdir()] == [path]


def test_same_list_again_is_left_as_it_is(register: PassRegister, tmp_path: Path) -> None:
    token = _built(register)
    first = publish(token, tmp_path, issuers=RING.issuers).stat()
    second = publish(token, tmp_path, issuers=RING.issuers).stat()
    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)


def test_newer_list_is_never_replaced_by_an_older_one(register: PassRegister, tmp_path: Path) -> None:
    old, new = _built(register), _built(register, now=NOW + timedelta(hours=1))
    publish(old, tmp_path, issuers=RING.issuers)
    path = publish(new, tmp_path, issuers=RING.issuers)
    with pytest.raises(BadInputError, match="gates refuse what is not newer"):
        publish(old, tmp_path, issuers=RING.issuers)
    assert path.read_bytes() == new


def test_other_list_of_the_same_second_is_refused(tmp_path: Path) -> None:
    publish(_signed(URI, NOW), tmp_path, issuers=RING.issuers)
    other = sign_status_list(
        issuer_key=ISSUER, uri=URI, bits=pack_bits(entries=64, indices=[1]), issued_at=NOW,
        expires=NOW + timedelta(days=7), ttl_s=300,
    )  # fmt: skip
    with pytest.raises(BadInputError, match="not newer"):
        publish(other, tmp_path, issuers=RING.issuers)


def test_list_of_another_address_is_not_overwritten(tmp_path: Path) -> None:
    publish(_signed("https://a.example.org/1", NOW), tmp_path, issuers=RING.issuers)
    with pytest.raises(BadInputError, match=r"is the list of https://a\.example\.org/1"):
        publish(_signed("https://b.example.org/1", NOW + timedelta(days=1)), tmp_path, issuers=RING.issuers)


@pytest.mark.parametrize("key", [STRANGER, REVOKED], ids=["unknown key", "revoked key"])
def test_list_that_gates_refuse_anyway_is_replaced_however_new(tmp_path: Path, key: IssuerKey) -> None:
    everyone = (*RING.issuers, TrustedIssuer(STRANGER.public))
    if key is STRANGER:
        publish(_signed(URI, NOW + timedelta(days=300), key=key), tmp_path, issuers=everyone)
    else:
        (tmp_path / "1.cwt").write_bytes(_signed(URI, NOW + timedelta(days=300), key=key))
    path = publish(_signed(URI, NOW), tmp_path, issuers=RING.issuers)
    assert path.read_bytes() == _signed(URI, NOW)


@pytest.mark.parametrize("junk", [b"", b"\xd2", b"x" * 100_000])
def test_junk_under_the_name_of_the_list_is_replaced(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "1.cwt").write_bytes(junk)
    assert publish(_signed(URI, NOW), tmp_path, issuers=RING.issuers).read_bytes() == _signed(URI, NOW)


def test_pipe_or_folder_under_the_name_of_the_list_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.cwt")
    with pytest.raises(BadInputError, match="ordinary file"):
        publish(_signed(URI, NOW), tmp_path, issuers=RING.issuers)
    (tmp_path / "other" / "1.cwt").mkdir(parents=True)
    with pytest.raises(BadInputError, match=r"1\.cwt"):
        publish(_signed(URI, NOW), tmp_path / "other", issuers=RING.issuers)


def test_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "www").write_text("x")
    with pytest.raises(BadInputError, match="give another folder"):
        publish(_signed(URI, NOW), tmp_path / "www", issuers=RING.issuers)


def test_publishers_at_once_leave_the_newest(register: PassRegister, tmp_path: Path) -> None:
    tokens = [_built(register, now=NOW + timedelta(minutes=minute)) for minute in range(16)]

    def put(token: bytes) -> None:
        with suppress(BadInputError):  # a newer one was there already
            publish(token, tmp_path / "www", issuers=RING.issuers)

    threads = [threading.Thread(target=put, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "www" / "1.cwt").read_bytes() == tokens[-1]
    assert len([*(tmp_path / "www").iterdir()]) == 1
