"""The register: what it keeps, what it refuses, what it forgets."""

import os
import sqlite3
import stat
import threading
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from tests.issuer.office import ENTRIES, URI, fill, made, pass_id
from tests.passes.pass_workshop import GATE, GATE_BEFORE, ISSUER, ISSUER_ES256, NOW

from openstile.issuer import PassRegister, PassState, RegisteredPass, RegisterError
from openstile.issuer.connection import BUSY_MS
from openstile.terms import BadInputError

LATER = NOW + timedelta(hours=1)
KNOWN_COLUMNS = {
    "pass": {"pass_id", "product", "issuer_kid", "group_kid", "token_sha256", "not_before", "expires", "list",
             "list_index", "state", "changed_at"},
    "status_list": {"id", "uri", "entries", "taken", "issued_at"},
    "held_index": {"list", "list_index", "until"},
    "state_change": {"number", "pass_id", "state", "at"},
    "forgetting": {"only_row", "ended_before"},
}  # fmt: skip
"""Everything that is kept. No rider, no name, no contact, no face: a column more needs a reason and this line."""


def _raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_register_keeps_nothing_of_a_rider(register: PassRegister, register_path: Path) -> None:
    fill(register, range(3))
    connection = _raw(register_path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})")} for table in tables}
    connection.close()
    assert found == KNOWN_COLUMNS


def test_files_are_for_their_owner_only(register: PassRegister, register_path: Path) -> None:
    fill(register, range(3))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in register_path.parent.iterdir()}
    assert modes == {f"register.db{suffix}": 0o600 for suffix in ("", "-wal", "-shm")}
    assert stat.S_IMODE(register_path.parent.stat().st_mode) == 0o700


def test_folder_that_others_can_enter_is_refused(register_path: Path) -> None:
    register_path.parent.mkdir(mode=0o750)
    with pytest.raises(RegisterError, match="chmod 700"):
        PassRegister.open(register_path)


def test_pass_comes_back_as_it_was_added(register: PassRegister, register_path: Path) -> None:
    unlisted = made(2, uri=None)
    register.add(made(1))
    register.add(unlisted)
    register.close()
    with PassRegister.open(register_path) as again:
        assert again.get(pass_id(1)) == made(1)
        assert again.get(pass_id(2)) == unlisted
        assert again.get(pass_id(3)) is None
        assert again.counts() == {PassState.VALID: 2, PassState.SUSPENDED: 0, PassState.REVOKED: 0}


@pytest.mark.parametrize("again", [made(1, index=9), made(2, index=1)], ids=["same id", "same index"])
def test_second_pass_of_one_id_or_index_is_refused(register: PassRegister, again: RegisteredPass) -> None:
    register.add(made(1))
    with pytest.raises(BadInputError, match="already"):
        register.add(again)
    assert register.get(pass_id(1)) == made(1)
    assert register.counts()[PassState.VALID] == 1


def test_many_passes_are_added_all_or_none(register: PassRegister) -> None:
    with pytest.raises(BadInputError):
        register.add_all([made(1), made(2), made(1)])
    assert register.passes() == ()
    assert register.add_all(made(number) for number in range(2000)) == 2000
    assert register.counts()[PassState.VALID] == 2000


def test_reserved_index_is_random_unused_and_below_the_size(register: PassRegister) -> None:
    fill(register, range(100))
    seen = [register.reserve_index(URI, entries=ENTRIES, now=NOW) for _ in range(200)]
    assert len(set(seen)) == 200
    assert all(100 <= index < ENTRIES for index in seen)
    assert seen != sorted(seen)
    assert max(seen) - min(seen) > ENTRIES // 2


def test_index_in_use_or_held_is_drawn_again(register: PassRegister) -> None:
    register.add(made(5))
    draws = iter([5, 5, 7, 7, 5, 8])
    first = register.reserve_index(URI, entries=ENTRIES, now=NOW, randbelow=lambda _: next(draws))
    second = register.reserve_index(URI, entries=ENTRIES, now=NOW, randbelow=lambda _: next(draws))
    assert (first, second) == (7, 8)


def test_source_of_randomness_that_gives_one_number_is_refused(register: PassRegister) -> None:
    register.add(made(5))
    with pytest.raises(BadInputError, match="randomness"):
        register.reserve_index(URI, entries=ENTRIES, now=NOW, randbelow=lambda _: 5)


def test_list_that_is_nine_tenths_full_takes_no_more_and_says_what_to_do(register: PassRegister) -> None:
    fill(register, range(920))
    register.reserve_index(URI, entries=1024, now=NOW)
    with pytest.raises(BadInputError, match=r"921 of its 1024 entries .* issuer.status_list_uri to a new address"):
        register.reserve_index(URI, entries=1024, now=NOW)
    assert register.reserve_index(URI, entries=2048, now=NOW) < 2048, "a list may grow"
    assert register.reserve_index(f"{URI}-b", entries=1024, now=NOW) < 1024


def test_index_that_was_reserved_is_taken_by_its_pass_and_counts_once(register: PassRegister) -> None:
    index = register.reserve_index(URI, entries=3, now=NOW)
    register.add(made(1, index=index))
    other = register.reserve_index(URI, entries=3, now=NOW)
    register.add(made(2, index=other))
    with pytest.raises(BadInputError, match="2 of its 3"):
        register.reserve_index(URI, entries=3, now=NOW)


def test_reserved_index_without_a_pass_becomes_free_after_its_time(register: PassRegister) -> None:
    for _ in range(2):
        register.reserve_index(URI, entries=3, now=NOW)
    register.forget_expired(NOW + timedelta(days=6), held_until=NOW + timedelta(days=36))
    with pytest.raises(BadInputError):
        register.reserve_index(URI, entries=3, now=NOW)
    register.forget_expired(NOW + timedelta(days=7), held_until=NOW + timedelta(days=37))
    register.reserve_index(URI, entries=3, now=NOW)


def test_states_and_their_times_are_noted(register: PassRegister) -> None:
    register.add(made(1))
    for hours, state in enumerate((PassState.SUSPENDED, PassState.VALID, PassState.REVOKED), start=1):
        changed = register.set_state(pass_id(1), state, at=NOW + timedelta(hours=hours))
        assert (changed.state, changed.changed_at) == (state, NOW + timedelta(hours=hours))
        assert changed.withdrawn == (state is not PassState.VALID)
    assert [(change.state, change.at.hour) for change in register.changes(pass_id(1))] == [
        (PassState.SUSPENDED, 9), (PassState.VALID, 10), (PassState.REVOKED, 11)
    ]  # fmt: skip


def test_same_state_again_changes_nothing(register: PassRegister) -> None:
    register.add(made(1))
    register.set_state(pass_id(1), PassState.REVOKED, at=NOW)
    assert register.set_state(pass_id(1), PassState.REVOKED, at=LATER).changed_at == NOW
    assert len(register.changes(pass_id(1))) == 1


@pytest.mark.parametrize("state", [PassState.VALID, PassState.SUSPENDED])
def test_revoked_is_final(register: PassRegister, register_path: Path, state: PassState) -> None:
    register.add(made(1))
    register.set_state(pass_id(1), PassState.REVOKED, at=NOW)
    with pytest.raises(BadInputError, match="that is final; issue the rider a new pass"):
        register.set_state(pass_id(1), state, at=LATER)
    connection = _raw(register_path)
    with pytest.raises(sqlite3.IntegrityError, match="revoked is final"):
        connection.execute("UPDATE pass SET state = ?, changed_at = 5", (state.value,))
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pass SET product = 'other'",
        "UPDATE pass SET list_index = list_index + 1",
        "UPDATE pass SET list = NULL, list_index = NULL",
        "UPDATE pass SET expires = expires - 1",
        "UPDATE pass SET changed_at = 5",
        "DELETE FROM pass",
        "INSERT OR REPLACE INTO pass SELECT pass_id, 'other', issuer_kid, group_kid, token_sha256, not_before,"
        " expires, list, list_index, 'valid', NULL FROM pass",
        "UPDATE state_change SET at = 1",
        "DELETE FROM state_change",
        "DELETE FROM status_list",
        "UPDATE status_list SET entries = 1",
        "UPDATE status_list SET issued_at = NULL",
        "UPDATE status_list SET issued_at = issued_at - 1",
        "UPDATE status_list SET issued_at = issued_at",
        "UPDATE status_list SET uri = 'https://other.example.org/1'",
        "UPDATE forgetting SET ended_before = ended_before - 1",
        "INSERT INTO held_index SELECT list, list_index, 1 FROM pass",
        "INSERT INTO held_index SELECT id, entries, 1 FROM status_list",
    ],
)
def test_database_itself_refuses_what_must_not_be(register: PassRegister, register_path: Path, statement: str) -> None:
    register.add(made(1))
    register.set_state(pass_id(1), PassState.SUSPENDED, at=NOW)
    register.forget_expired(NOW, held_until=NOW)
    with register.begin_list(URI, entries=ENTRIES, issued_at=NOW):
        pass
    connection = _raw(register_path)
    connection.execute("PRAGMA recursive_triggers = ON")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()


def test_pass_without_a_list_cannot_be_withdrawn_and_the_message_says_what_can(register: PassRegister) -> None:
    register.add(made(1, uri=None))
    with pytest.raises(BadInputError, match=r"names no status list.*2027-03-01.*keys revoke.*issuer.status_list_uri"):
        register.set_state(pass_id(1), PassState.REVOKED, at=NOW)


def test_states_of_many_change_all_or_none(register: PassRegister) -> None:
    ids = [*fill(register, range(5))]
    with pytest.raises(BadInputError, match="not in the register"):
        register.set_states([*ids, pass_id(99)], PassState.REVOKED, at=NOW)
    assert register.counts()[PassState.REVOKED] == 0
    assert {changed.state for changed in register.set_states(ids, PassState.REVOKED, at=NOW)} == {PassState.REVOKED}


def test_withdrawn_indices_are_those_of_suspended_and_revoked_passes_of_that_list(register: PassRegister) -> None:
    ids = [*fill(register, range(50))]
    register.add(made(60, uri=f"{URI}-b", index=3))
    register.set_states(ids[10:13], PassState.REVOKED, at=NOW)
    register.set_states([ids[2], ids[30], pass_id(60)], PassState.SUSPENDED, at=NOW)
    register.set_state(ids[30], PassState.VALID, at=LATER)
    assert list(register.withdrawn_indices(URI)) == [2, 10, 11, 12]
    assert list(register.withdrawn_indices(f"{URI}-b")) == [3]
    assert list(register.withdrawn_indices(f"{URI}-c")) == []
    assert register.lists() == (URI, f"{URI}-b")


def test_withdrawn_indices_stream_from_their_index(register: PassRegister, register_path: Path) -> None:
    connection = _raw(register_path)
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT list_index FROM pass WHERE state <> 'valid' AND list = 1 ORDER BY list_index"
    ).fetchall()
    connection.close()
    assert [row[3] for row in plan] == ["SEARCH pass USING COVERING INDEX pass_withdrawn (list=?)"]


def test_usage_counts_by_key_what_has_not_ended(register: PassRegister) -> None:
    def days(number: int) -> datetime:
        return NOW + timedelta(days=number)

    first, second = ISSUER.public.kid, ISSUER_ES256.public.kid
    before, current = GATE_BEFORE.public.kid, GATE.public.kid
    register.add(made(1, issuer_kid=first, group_kid=before, days=10))
    register.add(made(2, issuer_kid=first, group_kid=current, days=20))
    register.add(made(3, issuer_kid=second, group_kid=current, days=30))
    register.add(made(4, issuer_kid=second, group_kid=current, days=40))
    register.add(made(5, issuer_kid=second, group_kid=current, days=50))
    register.set_state(pass_id(4), PassState.SUSPENDED, at=NOW)
    register.set_state(pass_id(5), PassState.REVOKED, at=NOW)
    usage = {(used.role, used.kid): (used.passes, used.last_expires) for used in register.usage(now=days(10))}
    assert usage == {
        ("issuer", first.hex()): (1, days(20)),
        ("issuer", second.hex()): (1, days(40)),
        ("gate-group", before.hex()): (0, None),
        ("gate-group", current.hex()): (2, days(40)),
    }


def test_ended_passes_are_forgotten_with_what_was_noted_of_them(register: PassRegister, register_path: Path) -> None:
    register.add_all([made(1, days=10), made(2, days=11), made(3, days=12)])
    register.set_state(pass_id(1), PassState.REVOKED, at=NOW)
    held = NOW + timedelta(days=60)
    assert register.forget_expired(NOW + timedelta(days=10), held_until=held) == 0, "ends then, not before"
    assert register.forget_expired(NOW + timedelta(days=10, seconds=1), held_until=held) == 1
    assert (register.get(pass_id(1)), register.changes(pass_id(1))) == (None, ())
    assert register.forget_expired(NOW + timedelta(days=20), held_until=held, at_most=1) == 1
    assert {registered.pass_id for registered in register.passes()} == {pass_id(3)}
    register.close()
    assert pass_id(1).value not in register_path.read_bytes(), "not in a free page either"


def test_index_of_a_withdrawn_pass_is_given_to_no_other_while_old_lists_may_show_it(register: PassRegister) -> None:
    register.add_all([made(1, days=10), made(2, days=10)])
    register.set_state(pass_id(1), PassState.REVOKED, at=NOW)
    ended, held = NOW + timedelta(days=20), NOW + timedelta(days=50)
    assert register.forget_expired(ended, held_until=held) == 2

    def draw() -> int:
        draws = iter([1, 2, 1, 3])
        return register.reserve_index(URI, entries=ENTRIES, now=ended, randbelow=lambda _: next(draws))

    assert draw() == 2
    register.forget_expired(held, held_until=held)
    assert draw() == 1


def test_state_of_lists_goes_on_by_a_second_at_least(register: PassRegister) -> None:
    issued = []
    for at in (NOW, NOW, NOW - timedelta(days=1), NOW + timedelta(hours=1)):
        with register.begin_list(URI, entries=8, issued_at=at) as snapshot:
            issued.append((snapshot.issued_at - NOW).total_seconds())
    assert issued == [0, 1, 2, 3600]


def test_list_that_was_not_finished_is_not_noted(register: PassRegister) -> None:
    with pytest.raises(KeyError), register.begin_list(URI, entries=8, issued_at=NOW):
        raise KeyError
    with register.begin_list(URI, entries=8, issued_at=NOW) as snapshot:
        assert snapshot.issued_at == NOW


def test_passes_are_shown_by_state_and_up_to_a_limit(register: PassRegister) -> None:
    ids = [*fill(register, range(20))]
    register.set_states(ids[:3], PassState.SUSPENDED, at=NOW)
    register.set_states(ids[3:5], PassState.REVOKED, at=NOW)
    assert [len(register.passes(state=state)) for state in (*PassState, None)] == [15, 3, 2, 20]
    shown = [registered.pass_id.value for registered in register.passes(limit=7)]
    assert shown == sorted(one.value for one in ids)[:7]
    for limit in (0, 10_001):
        with pytest.raises(BadInputError, match="limit"):
            register.passes(limit=limit)


def test_pass_is_found_by_the_beginning_of_its_id(register: PassRegister) -> None:
    fill(register, range(30))
    for digits in (8, 9, 31, 32):
        (found,) = register.beginning(str(pass_id(7))[:digits])
        assert found.pass_id == pass_id(7)
    assert len(register.beginning("", limit=40)) == 30
    assert register.beginning("0" * 32) == ()


def test_several_processes_take_turns(register: PassRegister, register_path: Path) -> None:
    indices: list[int] = []

    def issue(worker: int) -> None:
        with PassRegister.open(register_path) as own:
            for number in range(20):
                index = own.reserve_index(URI, entries=2000, now=NOW)
                own.add(made(worker * 100 + number, index=index))
                indices.append(index)

    threads = [threading.Thread(target=issue, args=(worker,)) for worker in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(indices)) == 100
    assert register.counts()[PassState.VALID] == 100


def test_register_that_is_written_for_long_is_said(
    register: PassRegister, register_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openstile.issuer.connection.BUSY_MS", 10)
    assert BUSY_MS >= 1000
    other = _raw(register_path)
    other.execute("BEGIN IMMEDIATE")
    with PassRegister.open(register_path) as waiting, pytest.raises(RegisterError, match="another process"):
        waiting.add(made(1))
    other.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_file_that_is_no_register_is_refused(register_path: Path, content: bytes) -> None:
    register_path.parent.mkdir(mode=0o700)
    register_path.write_bytes(content)
    with pytest.raises(RegisterError, match=str(register_path)):
        PassRegister.open(register_path)
    assert register_path.read_bytes() == content


def test_other_programs_database_and_newer_register_are_refused(register_path: Path) -> None:
    register_path.parent.mkdir(mode=0o700)
    connection = _raw(register_path)
    connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(RegisterError, match="another program's"):
        PassRegister.open(register_path)
    connection.execute("DROP TABLE theirs")
    PassRegister.open(register_path).close()
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(RegisterError, match="has format 9"):
        PassRegister.open(register_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_said(register_path: Path) -> None:
    register_path.parent.mkdir(mode=0o500)
    with pytest.raises(RegisterError, match="permissions"):
        PassRegister.open(register_path)


def test_damaged_page_is_said(register: PassRegister, register_path: Path) -> None:
    fill(register, range(2000))
    register.close()
    data = bytearray(register_path.read_bytes())
    noise = Random(7)
    for at in range(4096 * 3, len(data), 4096):
        data[at : at + 200] = noise.randbytes(200)
    register_path.write_bytes(data)
    with pytest.raises(RegisterError, match="damaged"), PassRegister.open(register_path) as damaged:
        damaged.counts()
