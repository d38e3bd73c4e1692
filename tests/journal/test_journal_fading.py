"""The pledge "trips fade": counts stay, passes and times leave the files byte by byte."""

import random
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from tests.journal.sample import GATE, START, break_in, journal_of, pass_id, tap

from openstile.journal import Direction, GateKey, Journal, JournalBrokenError, Tap, verify_journal
from openstile.journal.taps import microseconds_of
from openstile.terms import PassId


def _bytes_of(folder: Path) -> bytes:
    return b"".join(entry.read_bytes() for entry in sorted(folder.iterdir()))


def test_faded_taps_become_counts_by_utc_date_product_and_direction(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in range(1, 16):
            journal.append(tap(number, product="adult" if number % 2 else "child"))
        fading = journal.fade(tap(13).at)
        assert (fading.taps, fading.through_seq, fading.erased) == (12, 12, True)
        assert journal.faded() == (
            ("2026-03-01", "adult", "in", 3),
            ("2026-03-01", "adult", "out", 2),
            ("2026-03-01", "child", "in", 3),
            ("2026-03-01", "child", "out", 1),
            ("2026-03-02", "adult", "in", 1),
            ("2026-03-02", "child", "in", 1),
            ("2026-03-02", "child", "out", 1),
        )
        assert [one.seq for one in journal.taps()] == [15, 14, 13]
        assert journal.last_admitted(pass_id(12)) is None
        assert journal.append(tap(16)).seq == 16
    report = verify_journal(journal_path, public_key=gate_key.public_key)
    assert (report.taps, report.faded, report.first_seq, report.head.seq) == (4, 12, 13, 16)


def test_counts_of_later_fadings_add_up(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in (1, 2, 4):
            journal.append(tap(number))
        for last in (2, 4, 5):
            journal.fade(tap(last).at)
        assert journal.faded() == (("2026-03-01", "adult-monthly", "in", 3),)
        assert journal.taps() == ()
        assert journal.append(tap(7)).seq == 4
    assert verify_journal(journal_path, public_key=gate_key.public_key).faded == 3


def test_tap_at_the_very_limit_stays(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        journal.append(tap(1))
        assert journal.fade(tap(1).at).taps == 0
        assert journal.fade(tap(1).at + timedelta(microseconds=1)).taps == 1
        assert journal.fade(tap(1).at + timedelta(days=9)).taps == 0


def test_clock_that_was_ahead_for_a_while_keeps_no_tap_alive(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        journal.append(tap(1, at=START + timedelta(days=9000)))
        journal.append(tap(2))
        assert journal.fade(tap(3).at).taps == 2


def test_nothing_of_faded_taps_is_left_in_any_file(journal_path: Path, gate_key: GateKey) -> None:
    """Thousands of taps of random passes, so that SQLite moves index rows between pages and leaves copies behind."""
    seed = 20260301
    generator = random.Random(seed)
    passes = [PassId(generator.randbytes(16)) for _ in range(4000)]
    times = [START + timedelta(seconds=number, microseconds=generator.randrange(10**6)) for number in range(4000)]
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        journal._connection.execute("PRAGMA synchronous = OFF")  # only for the speed of this test
        for at, one in zip(times, passes, strict=True):
            journal.append(Tap(one, at, GATE, "adult", Direction.IN))
        assert journal.fade(times[3000]).taps == 3000
        left = _bytes_of(journal_path.parent)
        assert all(one.value in left for one in passes[3000:])
        assert [one for one in passes[:3000] if one.value in left] == [], f"seed {seed}"
        assert [at for at in times[:3000] if microseconds_of(at).to_bytes(8, "big")[1:] in left] == [], f"seed {seed}"


def test_hash_that_outlives_a_tap_confirms_no_guess(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        salt = journal.append(tap(1)).salt
        journal.fade(tap(2).at)
        assert salt not in _bytes_of(journal_path.parent)


def test_reader_that_is_in_the_middle_delays_erasing_and_the_next_fading_does_it(
    journal_path: Path, gate_key: GateKey
) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in range(1, 4):
            journal.append(tap(number))
        reader = sqlite3.connect(journal_path, isolation_level=None)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM tap").fetchone() == (3,)
        assert not journal.fade(tap(3).at).erased
        reader.close()
        assert pass_id(1).value in _bytes_of(journal_path.parent)
        assert journal.fade(tap(3).at).erased
        assert pass_id(1).value not in _bytes_of(journal_path.parent)


def test_process_killed_between_fading_and_erasing_leaves_it_to_the_next(
    journal_path: Path, gate_key: GateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal_of(journal_path, gate_key, taps=3)
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        monkeypatch.setattr("openstile.journal.store.erase", lambda connection, rewrite: False)
        journal.fade(tap(3).at)
        monkeypatch.undo()
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        fading = journal.fade(tap(3).at)
        assert (fading.taps, fading.erased, journal._rewrite_due) == (0, True, False)


def test_broken_taps_do_not_fade(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=5), "UPDATE tap SET product = 'child' WHERE seq = 2")
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        with pytest.raises(JournalBrokenError) as caught:
            journal.fade(tap(4).at)
        assert caught.value.seq == 2
        assert len(journal.taps()) == 5
