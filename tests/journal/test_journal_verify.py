"""Somebody edits the journal's file with SQLite: verification names the first tap that is wrong, and how."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.journal.sample import GATE, break_in, journal_of, tap

from openstile.journal import GateKey, Journal, JournalBrokenError, JournalError, verify_journal
from openstile.journal.chain import anchor_message, counts_digest, genesis_hash, head_message, tap_hash, tap_record
from openstile.journal.rows import read_counts
from openstile.journal.taps import Head
from openstile.terms import GateId

_REST = "pass_id, at_us, product, direction, status_unsure, run, mono_us, salt, previous_hash, hash, signature"


def _broken(path: Path, key: GateKey) -> JournalBrokenError:
    with pytest.raises(JournalBrokenError) as caught:
        verify_journal(path, public_key=key.public_key)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("attack", "seq", "fault"),
    [
        (["UPDATE tap SET product = 'child' WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET at_us = at_us + 1 WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET pass_id = randomblob(16) WHERE seq = 1"], 1, "changed"),
        (["UPDATE tap SET direction = 'out' WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET salt = randomblob(16) WHERE seq = 10"], 10, "changed"),
        (["UPDATE tap SET previous_hash = randomblob(32) WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET hash = randomblob(32) WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET run = 2 WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET run = 0 WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET mono_us = mono_us + 1 WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET mono_us = -1 WHERE seq = 4"], 4, "changed"),
        (["UPDATE gate SET epoch = randomblob(16)"], None, "or the epoch"),
        (["UPDATE gate SET epoch = randomblob(17)"], None, "or the epoch"),
        (["INSERT INTO receipted SELECT 1, 4, hash FROM tap WHERE seq = 3"], None, "receipt is of another"),
        (["UPDATE tap SET pass_id = randomblob(15) WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET direction = 'up' WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET product = '' WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET at_us = 9000000000000000000 WHERE seq = 4"], 4, "changed"),
        (["UPDATE tap SET product = CAST(x'ff' AS TEXT) WHERE seq = 4"], 4, "cannot be read"),
        (["DELETE FROM tap WHERE seq = 4"], 4, "missing"),
        (["DELETE FROM tap WHERE seq = 1"], 1, "missing"),
        (
            [
                "DELETE FROM tap WHERE seq = 4",
                "UPDATE tap SET seq = seq - 1 WHERE seq > 4",
            ],
            4,
            "changed",
        ),
        (
            [
                "UPDATE tap SET seq = 99 WHERE seq = 4",
                "UPDATE tap SET seq = 4 WHERE seq = 5",
                "UPDATE tap SET seq = 5 WHERE seq = 99",
            ],
            4,
            "changed",
        ),
        ([f"INSERT INTO tap SELECT 11, {_REST} FROM tap WHERE seq = 10"], 11, "changed"),
        ([f"INSERT INTO tap SELECT 12, {_REST} FROM tap WHERE seq = 10"], 11, "missing"),
        (["UPDATE tap SET status_unsure = 1 WHERE seq = 4"], 4, "changed"),
        ([f"INSERT INTO tap SELECT 0, {_REST} FROM tap WHERE seq = 10"], 1, "number 0"),
        (["UPDATE tap SET signature = randomblob(64) WHERE seq = 4"], 4, "did not sign"),
        (["UPDATE tap SET signature = randomblob(63) WHERE seq = 10"], 10, "did not sign"),
        (["UPDATE tap SET signature = (SELECT signature FROM tap WHERE seq = 3) WHERE seq = 4"], 4, "did not sign"),
        (["UPDATE gate SET gate = 'south-9'"], None, "name was changed"),
        (["UPDATE gate SET gate = 'NOT A GATE'"], None, "does not name its gate"),
        (["DELETE FROM gate"], None, "does not name its gate"),
        (["INSERT INTO faded VALUES ('2026-03-01', 'adult', 'in', 3)"], None, "counts of faded taps"),
        (["INSERT INTO anchor SELECT 3, hash, hash, signature FROM tap WHERE seq = 3"], 3, "did not sign the anchor"),
        (["CREATE TABLE faces (template BLOB)"], None, "not ours"),
        (["CREATE INDEX tap_by_pass ON tap (pass_id)"], None, "not ours"),
    ],
)
def test_edited_journal_is_broken(
    journal_path: Path, gate_key: GateKey, attack: list[str], seq: int | None, fault: str
) -> None:
    break_in(journal_of(journal_path, gate_key, taps=10), *attack)
    error = _broken(journal_path, gate_key)
    assert (error.seq, fault in error.fault) == (seq, True), str(error)


def test_journal_whose_guards_were_taken_off_is_broken(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=2), restore=False)
    assert "guard was removed" in _broken(journal_path, gate_key).fault


def test_journal_with_taken_off_and_restored_guards_verifies(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=2))
    assert verify_journal(journal_path, public_key=gate_key.public_key).taps == 2


def _rewritten_tail(path: Path, seq: int, key: GateKey) -> list[str]:
    """Statements that change tap `seq` (the last) with a correct hash, its head signed by `key`."""
    with sqlite3.connect(path) as connection:
        query = "SELECT salt, run, mono_us, previous_hash FROM tap WHERE seq = ?"
        salt, run, mono_us, previous = connection.execute(query, (seq,)).fetchone()
    connection.close()
    record = tap_record(seq=seq, tap=tap(seq, product="child"), salt=salt, run=run, mono_us=mono_us)
    head = Head(seq, tap_hash(previous_hash=previous, record=record))
    signature = key.sign(head_message(head)).hex()
    return [
        f"UPDATE tap SET product = 'child', hash = x'{head.hash.hex()}', signature = x'{signature}' WHERE seq = {seq}",
    ]


def test_tap_rewritten_with_a_right_hash_is_not_signed(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=5)
    break_in(journal_path, *_rewritten_tail(journal_path, 5, GateKey.generate()))
    error = _broken(journal_path, gate_key)
    assert (error.seq, error.fault) == (5, "this gate did not sign its head")


def test_tap_rewritten_in_the_middle_by_the_key_itself_breaks_the_chain(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=5)
    break_in(journal_path, *_rewritten_tail(journal_path, 4, gate_key))
    error = _broken(journal_path, gate_key)
    assert error.seq == 5
    assert "does not follow" in error.fault


def test_journal_of_another_key_is_broken(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=2)
    error = _broken(journal_path, GateKey.generate())
    assert "another gate's key" in error.fault


def test_counts_changed_after_fading_are_broken(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in range(1, 6):
            journal.append(tap(number))
        journal.fade(tap(4).at)
    verify_journal(journal_path, public_key=gate_key.public_key)
    break_in(journal_path, "UPDATE faded SET product = 'child'")
    assert "counts of faded taps" in _broken(journal_path, gate_key).fault


def test_counts_that_do_not_add_up_to_the_anchor_are_broken_though_signed(
    journal_path: Path, gate_key: GateKey
) -> None:
    journal_of(journal_path, gate_key, taps=3)
    connection = sqlite3.connect(journal_path)
    head = Head(3, connection.execute("SELECT hash FROM tap WHERE seq = 3").fetchone()[0])
    counts_hash = counts_digest(read_counts(connection))
    connection.close()
    signature = gate_key.sign(anchor_message(head, counts_hash=counts_hash))
    break_in(
        journal_path,
        f"INSERT INTO anchor VALUES (3, x'{head.hash.hex()}', x'{counts_hash.hex()}', x'{signature.hex()}')",
        "DELETE FROM tap",
    )
    assert "counts of faded taps" in _broken(journal_path, gate_key).fault


def test_rolled_back_file_is_seen_only_with_a_head_from_outside(journal_path: Path, gate_key: GateKey) -> None:
    copy = journal_path.parent / "copy.db"
    journal_of(journal_path, gate_key, taps=3)
    shutil.copy(journal_path, copy)
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        journal.append(tap(4))
        known = journal.head()
    public_key = gate_key.public_key
    assert verify_journal(journal_path, public_key=public_key, at_least=known).head == known
    assert verify_journal(copy, public_key=public_key).taps == 3
    with pytest.raises(JournalBrokenError, match="rolled back"):
        verify_journal(copy, public_key=public_key, at_least=known)
    with Journal.open(copy, key=gate_key, gate=GATE) as journal:
        journal.append(tap(5))
    with pytest.raises(JournalBrokenError, match="rolled back or replaced"):
        verify_journal(copy, public_key=public_key, at_least=known)


@pytest.mark.parametrize("kept", [0, 7, 9])
def test_end_that_was_cut_off_is_seen_only_with_a_head_from_outside(
    journal_path: Path, gate_key: GateKey, kept: int
) -> None:
    journal_of(journal_path, gate_key, taps=10)
    known = verify_journal(journal_path, public_key=gate_key.public_key).head
    break_in(journal_path, f"DELETE FROM tap WHERE seq > {kept}")
    assert verify_journal(journal_path, public_key=gate_key.public_key).taps == kept
    with pytest.raises(JournalBrokenError, match="rolled back"):
        verify_journal(journal_path, public_key=gate_key.public_key, at_least=known)


def test_head_from_outside_that_has_faded_since_is_accepted(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        known = [journal.head()]
        for number in range(1, 6):
            journal.append(tap(number))
            known.append(journal.head())
        journal.fade(tap(4).at)
    for head in known:
        verify_journal(journal_path, public_key=gate_key.public_key, at_least=head)
    with pytest.raises(JournalBrokenError, match="replaced"):
        verify_journal(journal_path, public_key=gate_key.public_key, at_least=Head(3, bytes(32)))


def test_verification_reads_one_moment_while_the_gate_writes(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in range(1, 21):
            journal.append(tap(number))
            assert verify_journal(journal_path, public_key=gate_key.public_key).taps == number


def test_verification_changes_no_byte(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=3)
    before = journal_path.read_bytes()
    verify_journal(journal_path, public_key=gate_key.public_key)
    assert journal_path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "not a journal"), (b"not a database, but long enough to be read as one" * 100, "not a journal")],
)
def test_file_that_is_no_journal_is_not_verified(
    journal_path: Path, gate_key: GateKey, content: bytes, complaint: str
) -> None:
    journal_path.parent.mkdir(mode=0o700)
    journal_path.write_bytes(content)
    with pytest.raises(JournalError, match=complaint):
        verify_journal(journal_path, public_key=gate_key.public_key)


def test_absent_journal_is_not_made_by_verifying(journal_path: Path, gate_key: GateKey) -> None:
    with pytest.raises(JournalError, match="does not exist"):
        verify_journal(journal_path, public_key=gate_key.public_key)
    assert not journal_path.exists()


def test_journal_of_a_later_format_is_not_read(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=1), "PRAGMA user_version = 4")
    with pytest.raises(JournalError, match="format 4"):
        verify_journal(journal_path, public_key=gate_key.public_key)
    with pytest.raises(JournalError, match="update Openstile"):
        Journal.open(journal_path, key=gate_key, gate=GATE)


def test_damaged_page_is_reported(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=200)
    data = bytearray(journal_path.read_bytes())
    for page in range(1, len(data) // 4096):
        damaged = bytearray(data)
        damaged[page * 4096 : page * 4096 + 4096] = bytes(range(256)) * 16
        journal_path.write_bytes(damaged)
        with pytest.raises(JournalError, match=r"broken|damaged"):
            verify_journal(journal_path, public_key=gate_key.public_key)


def test_genesis_is_that_of_the_gate_and_key(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=0)
    report = verify_journal(journal_path, public_key=gate_key.public_key)
    genesis = genesis_hash(gate=GateId("north-1"), public_key=gate_key.public_key, epoch=report.epoch)
    assert report.head == Head(0, genesis)
