"""Writing and reading a journal, and the guards that keep it append-only."""

import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.journal.sample import GATE, START, journal_of, pass_id, tap

from openstile.journal import Direction, GateKey, Journal, JournalError, Tap, verify_journal
from openstile.journal.taps import Head
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import JOURNAL_REASON_CHARS_MAX


def test_taps_come_back_newest_first_in_an_unbroken_chain(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        written = [journal.append(tap(number)) for number in range(1, 6)]
        assert journal.taps() == tuple(reversed(written))
        assert journal.taps(limit=2) == (written[4], written[3])
        assert journal.head() == Head(5, written[4].hash)
    assert [one.seq for one in written] == [1, 2, 3, 4, 5]
    assert [one.previous_hash for one in written[1:]] == [one.hash for one in written[:-1]]
    assert len({one.salt for one in written}) == 5


def test_reopened_journal_goes_on_where_it_stopped(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=3)
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        assert journal.append(tap(4)).seq == 4
    report = verify_journal(journal_path, public_key=gate_key.public_key)
    assert (report.taps, report.faded, report.first_seq, report.head.seq) == (4, 0, 1, 4)


def test_empty_journal_verifies(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=0)
    report = verify_journal(journal_path, public_key=gate_key.public_key)
    assert (report.gate, report.taps, report.first_seq, report.head.seq) == (GATE, 0, None, 0)


def test_last_admission_is_that_of_the_last_tap_though_the_clock_jumped_back(
    journal_path: Path, gate_key: GateKey
) -> None:
    before = START - timedelta(days=400)
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        assert journal.last_admitted(pass_id(1)) is None
        journal.append(tap(1))
        journal.append(Tap(pass_id(1), before, GATE, "adult-monthly", Direction.IN))
        journal.append(tap(2))
        assert journal.last_admitted(pass_id(1)) == before
        assert journal.last_admitted(pass_id(3)) is None
    assert verify_journal(journal_path, public_key=gate_key.public_key).taps == 3


def test_tap_of_another_gate_is_not_taken(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        with pytest.raises(JournalError, match="gate south-9"):
            journal.append(Tap(pass_id(1), START, GateId("south-9"), "adult", Direction.IN))
        assert journal.taps() == ()


def test_refusals_are_counted_by_utc_date_and_reason_only(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for minutes, reason in [(0, "no_face"), (9, "no_face"), (10, "no_face"), (0, "pin_wrong")]:
            journal.count_refusal(reason, at=START + timedelta(minutes=minutes))
        assert journal.refusals() == (
            ("2026-03-01", "no_face", 2),
            ("2026-03-01", "pin_wrong", 1),
            ("2026-03-02", "no_face", 1),
        )
    connection = sqlite3.connect(journal_path)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(refusal)")]
    connection.close()
    assert columns == ["day", "reason", "refusals"]


@pytest.mark.parametrize("reason", ["", "no face", "x" * (JOURNAL_REASON_CHARS_MAX + 1), "a'); DROP TABLE tap; --"])
def test_refusal_reason_that_is_no_name_is_not_counted(journal_path: Path, gate_key: GateKey, reason: str) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        with pytest.raises(BadInputError, match="refusal reason"):
            journal.count_refusal(reason, at=START)
        assert journal.refusals() == ()


def test_files_are_for_their_owner_only(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        journal.append(tap(1))
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in journal_path.parent.iterdir()}
    assert modes == {f"journal.db{suffix}": 0o600 for suffix in ("", "-wal", "-shm", "-lock")}
    assert stat.S_IMODE(journal_path.parent.stat().st_mode) == 0o700


def test_files_made_readable_by_others_are_closed_again(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=1)
    journal_path.chmod(0o644)
    journal_of(journal_path, gate_key, taps=0)
    assert stat.S_IMODE(journal_path.stat().st_mode) == 0o600


def test_settings_that_durability_and_forgetting_rest_on(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "temp_store", "recursive_triggers")
        values = [journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    assert values == ["wal", 2, 1, 1, 2, 1]


def test_closing_twice_does_nothing(journal_path: Path, gate_key: GateKey) -> None:
    journal = Journal.open(journal_path, key=gate_key, gate=GATE)
    journal.close()
    journal.close()


_REST = "pass_id, at_us, product, direction, status_unsure, run, mono_us, salt"


@pytest.mark.parametrize(
    ("attack", "complaint"),
    [
        ("UPDATE tap SET product = 'child' WHERE seq = 2", "never changed"),
        ("UPDATE tap SET signature = signature WHERE seq = 2", "never changed"),
        ("UPDATE anchor SET hash = hash", "never changed"),
        ("UPDATE gate SET gate = 'other'", "never changed"),
        ("DELETE FROM tap WHERE seq = 3", "above the anchor"),
        ("DELETE FROM tap WHERE seq = 5", "above the anchor"),
        ("DELETE FROM anchor", "anchor rows stay"),
        ("DELETE FROM gate", "gate rows stay"),
        ("DELETE FROM faded", "faded rows stay"),
        ("DELETE FROM refusal", "refusal rows stay"),
        ("UPDATE faded SET taps = taps - 1", "only grow|CHECK"),
        ("UPDATE faded SET taps = taps + 1, product = 'x'", "only grow"),
        ("UPDATE refusal SET refusals = refusals", "only grow"),
        (f"INSERT INTO tap SELECT 7, {_REST}, hash, hash, signature FROM tap WHERE seq = 5", "next sequence|last hash"),
        (f"INSERT INTO tap SELECT 5, {_REST}, hash, hash, signature FROM tap WHERE seq = 4", "next sequence|last hash"),
        (f"INSERT INTO tap SELECT 2, {_REST}, hash, hash, signature FROM tap WHERE seq = 4", "next sequence|last hash"),
        (
            f"INSERT INTO tap SELECT NULL, {_REST}, hash, hash, signature FROM tap WHERE seq = 5",
            "next sequence|NOT NULL",
        ),
        (
            f"INSERT OR REPLACE INTO tap SELECT 4, {_REST}, hash, hash, signature FROM tap WHERE seq = 5",
            "next sequence|last hash",
        ),
        (
            f"INSERT INTO tap SELECT 6, {_REST}, previous_hash, hash, signature FROM tap WHERE seq = 5",
            "follow the last hash",
        ),
        ("INSERT INTO anchor SELECT 9, hash, hash, signature FROM tap WHERE seq = 5", "on a tap"),
        ("INSERT INTO anchor SELECT 5, randomblob(32), hash, signature FROM tap WHERE seq = 5", "on a tap"),
        ("INSERT INTO anchor SELECT 1, hash, counts_hash, signature FROM anchor", "on a tap"),
        ("INSERT OR REPLACE INTO gate SELECT 1, 'other', epoch, public_key, genesis FROM gate", "gate rows stay"),
        ("UPDATE run SET run = 9", "never changed"),
        ("DELETE FROM run", "run rows stay"),
        ("INSERT INTO run VALUES (1)", "higher number"),
        ("UPDATE origin SET after_seq = 1", "never changed"),
        ("INSERT INTO origin SELECT 1, epoch, 0, 'new' FROM gate", "origin rows stay"),
        ("DELETE FROM receipted", "receipted rows stay"),
        ("UPDATE receipted SET seq = 4", "of a tap of this journal"),
        ("UPDATE receipted SET hash = randomblob(32)", "of a tap of this journal"),
        ("INSERT OR REPLACE INTO receipted SELECT 1, 9, hash FROM tap WHERE seq = 5", "of a tap of this journal"),
        ("INSERT OR REPLACE INTO receipted SELECT 1, 0, hash FROM tap WHERE seq = 5", "of a tap of this journal"),
        (f"INSERT INTO tap SELECT 'six', {_REST}, hash, hash, signature FROM tap", "."),
    ],
)
def test_database_refuses(journal_path: Path, gate_key: GateKey, attack: str, complaint: str) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in range(1, 6):
            journal.append(tap(number))
        journal.fade(tap(2).at)
        journal.count_refusal("no_face", at=START)
        journal.begin_epoch(after=journal.faded_through(), reason="new")  # keeps the four taps, numbered anew
        journal.append(tap(6))
        journal.fade(tap(3).at)
        journal.mark_receipted(journal.head())
    connection = sqlite3.connect(journal_path, isolation_level=None)
    try:
        with pytest.raises(sqlite3.IntegrityError, match=complaint):
            connection.execute(attack)
    finally:
        connection.close()
    assert verify_journal(journal_path, public_key=gate_key.public_key).taps == 4


def test_time_outside_all_calendars_is_stored_as_it_is(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for at in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)):
            journal.append(tap(1, at=at))
            assert journal.last_admitted(pass_id(1)) == at
