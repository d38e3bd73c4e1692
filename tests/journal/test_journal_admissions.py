"""Anti-passback asks the memory of the gate, which is filled from the journal; the log has its room beforehand."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journal.sample import GATE, break_in, journal_of, pass_id, tap

from openstile.journal import GateKey, Journal, JournalError, verify_journal
from openstile.journal.admissions import Admissions
from openstile.journal.connection import _LOG_BYTES
from openstile.journal.taps import microseconds_of


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def test_last_admission_is_known_after_a_restart(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in (1, 2, 1, 3):
            journal.append(tap(number, at=tap(10 - journal.head().seq).at))
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        assert [journal.last_admitted(pass_id(number)) for number in (1, 2, 3, 4)] == [
            tap(8).at, tap(9).at, tap(7).at, None,
        ]  # fmt: skip


def test_passes_admitted_last_are_remembered_and_no_more(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=6)
    connection = sqlite3.connect(journal_path)
    read, noted = Admissions(passes_max=4), Admissions(passes_max=4)
    read.read(connection)
    connection.close()
    for number in range(1, 7):
        noted.note(pass_id(number).value, seq=number, at_us=microseconds_of(tap(number).at))
    for admissions in (read, noted):
        known = [number for number in range(1, 7) if admissions.last_us(pass_id(number)) is not None]
        assert known == [3, 4, 5, 6]


def test_pass_that_comes_again_is_not_the_first_to_be_forgotten() -> None:
    admissions = Admissions(passes_max=2)
    for seq, number in enumerate((1, 2, 1, 3), start=1):
        admissions.note(pass_id(number).value, seq=seq, at_us=seq)
    assert [admissions.last_us(pass_id(number)) for number in (1, 2, 3)] == [3, None, 4]


def test_tap_that_was_not_kept_is_no_admission(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        foreign = sqlite3.connect(journal_path, isolation_level=None)
        journal._connection.execute("PRAGMA busy_timeout = 1")
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="another process is writing it"):
            journal.append(tap(1))
        foreign.close()
        assert journal.last_admitted(pass_id(1)) is None


def test_damaged_pass_id_is_one_clear_line(journal_path: Path, gate_key: GateKey) -> None:
    break_in(
        journal_of(journal_path, gate_key, taps=2),
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(replace(sql, ' STRICT', ''), ' BLOB NOT NULL', '') WHERE name = 'tap'",
        "PRAGMA writable_schema = RESET",
        "UPDATE tap SET pass_id = 'text' WHERE seq = 1",
    )
    with pytest.raises(JournalError, match=r"journal\.db"):
        Journal.open(journal_path, key=gate_key, gate=GATE)


def test_log_has_its_room_before_the_first_tap_and_does_not_grow(journal_path: Path, gate_key: GateKey) -> None:
    log = _log_of(journal_path)
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        for number in range(1, 6):
            journal.append(tap(number))
            assert log.stat().st_size == _LOG_BYTES
        journal.fade(tap(3).at)
        assert log.read_bytes() == bytes(_LOG_BYTES), "nothing of faded taps, and room again"
        journal.append(tap(6))
        assert log.stat().st_size == _LOG_BYTES
        assert verify_journal(journal_path, public_key=gate_key.public_key).taps == 4
    assert not log.exists()


_KILLED = """
import os, signal, sys
from pathlib import Path
from openstile.journal import GateKey, Journal
from tests.journal.sample import GATE, tap

folder, taps, fades = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "fades"
with Journal.open(folder / "journal.db", key=GateKey.open(folder / "gate.pem"), gate=GATE) as journal:
    for number in range(1, taps + 1):
        journal.append(tap(number))
    if fades:
        journal.fade(tap(taps).at)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("taps", "fades"), [(0, False), (3, False), (3, True)])
def test_zeros_behind_the_log_of_a_killed_gate_are_its_end(tmp_path: Path, taps: int, *, fades: bool) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), str(taps), "fades" if fades else "keeps"],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    path, key = tmp_path / "journal.db", GateKey.open(tmp_path / "gate.pem")
    assert _log_of(path).stat().st_size == _LOG_BYTES
    assert verify_journal(path, public_key=key.public_key).head.seq == taps
    path.with_name("journal.db-shm").unlink()  # the index of the log is built anew, as after a power cut
    assert verify_journal(path, public_key=key.public_key).head.seq == taps
    with Journal.open(path, key=key, gate=GATE) as journal:
        assert journal.append(tap(taps + 1)).seq == taps + 1
