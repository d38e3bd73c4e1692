"""Disk full, no permission, not a database, two gates on one journal: one clear line each, and no tap half written."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.journal.sample import GATE, START, break_in, journal_of, tap

from openstile.journal import GateKey, Journal, JournalBrokenError, JournalError, verify_journal
from openstile.terms import GateId


def test_full_journal_takes_no_tap_until_older_ones_fade(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE, bytes_max=96 * 1024) as journal:
        with pytest.raises(JournalError, match="no room"):
            _append_forever(journal)
        last = journal.head().seq
        assert last > 50
        assert journal.fade(tap(last).at).taps == last - 1
        assert journal.append(tap(last + 1)).seq == last + 1
    assert verify_journal(journal_path, public_key=gate_key.public_key).head.seq == last + 1


def _append_forever(journal: Journal) -> None:
    for number in count(1):
        journal.append(tap(number))


_UNTIL_FILE_SIZE_LIMIT = """
import resource, sys
from pathlib import Path
from openstile.journal import GateKey, Journal, JournalError
from tests.journal.sample import GATE, tap

folder = Path(sys.argv[1])
with Journal.open(folder / "journal.db", key=GateKey.open(folder / "gate.pem"), gate=GATE) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    acknowledged = 0
    try:
        while acknowledged < 5000:
            acknowledged = journal.append(tap(acknowledged + 1)).seq
    except JournalError as error:
        print(acknowledged, error)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    print(journal.append(tap(acknowledged + 1)).seq)
"""


def test_disk_that_takes_no_more_bytes_loses_no_acknowledged_tap(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _UNTIL_FILE_SIZE_LIMIT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    first, second = ended.stdout.splitlines()
    assert "the disk does not read or write it" in first
    assert int(second) == int(first.split()[0]) + 1 > 20
    key = GateKey.open(tmp_path / "gate.pem")
    assert verify_journal(tmp_path / "journal.db", public_key=key.public_key).taps == int(second)


def test_second_gate_on_one_journal_is_refused(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        with pytest.raises(JournalError, match="another gate is writing it"):
            Journal.open(journal_path, key=gate_key, gate=GATE)
        journal.append(tap(1))
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        journal.append(tap(2))


def test_foreign_writer_that_holds_the_database_is_named(
    journal_path: Path, gate_key: GateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openstile.journal.connection.BUSY_MS", 10)
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        foreign = sqlite3.connect(journal_path, isolation_level=None)
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="another process is writing it"):
            journal.append(tap(1))
        foreign.close()
        assert journal.append(tap(1)).seq == 1


@pytest.mark.parametrize("content", [b"not a database\n" * 1000, b"\xff" * 4096])
def test_file_that_is_no_database_is_refused_and_left_alone(
    journal_path: Path, gate_key: GateKey, content: bytes
) -> None:
    journal_path.parent.mkdir(mode=0o700)
    journal_path.write_bytes(content)
    with pytest.raises(JournalError, match="not a journal"):
        Journal.open(journal_path, key=gate_key, gate=GATE)
    assert journal_path.read_bytes() == content


def test_database_of_another_program_is_refused(journal_path: Path, gate_key: GateKey) -> None:
    journal_path.parent.mkdir(mode=0o700)
    with sqlite3.connect(journal_path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(JournalError, match="another program's database"):
        Journal.open(journal_path, key=gate_key, gate=GATE)


def test_damaged_database_is_one_clear_line(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=200)
    data = bytearray(journal_path.read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    journal_path.write_bytes(data)
    with pytest.raises(JournalError, match="damaged"):
        Journal.open(journal_path, key=gate_key, gate=GATE)


def test_journal_of_another_gate_is_refused(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=1)
    with pytest.raises(JournalError, match="belongs to gate north-1"):
        Journal.open(journal_path, key=gate_key, gate=GateId("south-9"))


def test_journal_begun_with_another_key_is_refused(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=1)
    with pytest.raises(JournalError, match="another gate key"):
        Journal.open(journal_path, key=GateKey.generate(), gate=GATE)


@pytest.mark.parametrize(
    ("attack", "seq"),
    [
        ("UPDATE tap SET signature = randomblob(64) WHERE seq = 3", 3),
        ("UPDATE tap SET signature = (SELECT signature FROM tap WHERE seq = 2) WHERE seq = 3", 3),
        ("UPDATE tap SET hash = randomblob(32) WHERE seq = 3", 3),
    ],
)
def test_gate_does_not_go_on_behind_an_end_it_did_not_sign(
    journal_path: Path, gate_key: GateKey, attack: str, seq: int
) -> None:
    break_in(journal_of(journal_path, gate_key, taps=3), attack)
    with pytest.raises(JournalBrokenError) as caught:
        Journal.open(journal_path, key=gate_key, gate=GATE)
    assert caught.value.seq == seq


def test_row_that_no_gate_wrote_is_one_clear_line(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=3), "UPDATE tap SET direction = 'up' WHERE seq = 2")
    with (
        Journal.open(journal_path, key=gate_key, gate=GATE) as journal,
        pytest.raises(JournalBrokenError, match="tap 2"),
    ):
        journal.taps()


def test_time_that_no_clock_shows_is_one_clear_line(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=2), "UPDATE tap SET at_us = 9000000000000000000 WHERE seq = 1")
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal, pytest.raises(JournalBrokenError):
        journal.last_admitted(tap(1).pass_id)


def test_journal_that_names_no_gate_is_refused(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=2), "DELETE FROM gate")
    with pytest.raises(JournalBrokenError, match="does not name its gate"):
        Journal.open(journal_path, key=gate_key, gate=GATE)


def test_folder_that_others_can_enter_is_refused(tmp_path: Path, gate_key: GateKey) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(JournalError, match="others can enter its folder"):
        Journal.open(tmp_path / "journal.db", key=gate_key, gate=GATE)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file_is_one_clear_line(tmp_path: Path, gate_key: GateKey) -> None:
    (tmp_path / "gate").write_text("")
    with pytest.raises(JournalError, match="check the folder"):
        Journal.open(tmp_path / "gate" / "journal.db", key=gate_key, gate=GATE)


def test_closed_journal_says_so(journal_path: Path, gate_key: GateKey) -> None:
    journal = Journal.open(journal_path, key=gate_key, gate=GATE)
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append(tap(1))
    with pytest.raises(JournalError, match="closed"):
        journal.fade(START)


_AS_NOBODY = """
import os, sys
from pathlib import Path
from openstile.journal import GateKey, Journal, JournalError, verify_journal
from tests.journal.sample import GATE

folder, public_key = Path(sys.argv[1]), bytes.fromhex(sys.argv[2])
verify_journal(folder / "journal.db", public_key=public_key)
try:
    Journal.open(Path("/proc/none/journal.db"), key=GateKey.generate(), gate=GATE)
except JournalError:
    pass  # all modules are loaded now: nobody may not enter the folder that this Python lies in
if os.geteuid() == 0:
    os.setuid(65534)
print(verify_journal(folder / "journal.db", public_key=public_key).taps)
try:
    Journal.open(folder / "journal.db", key=GateKey.generate(), gate=GATE)
except JournalError as error:
    print(error)
try:
    Journal.open(folder / "new.db", key=GateKey.generate(), gate=GATE)
except JournalError as error:
    print(error)
"""


@pytest.fixture
def read_only_folder(gate_key: GateKey) -> Iterator[Path]:
    """A folder with a journal of 3 taps, all of it without any permission to write; root gives it to nobody."""
    folder = Path(tempfile.mkdtemp())
    journal_of(folder / "journal.db", gate_key, taps=3)
    for entry in (*folder.iterdir(), folder):
        if os.geteuid() == 0:
            os.chown(entry, 65534, 65534)
        entry.chmod(0o500 if entry == folder else 0o400)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_read_only_folder_is_verified_but_not_written(read_only_folder: Path, gate_key: GateKey) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(read_only_folder), gate_key.public_key.hex()],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    taps, existing, new = ended.stdout.splitlines()
    assert taps == "3"
    assert "Permission denied; check the folder and its permissions" in existing
    assert "Permission denied; check the folder and its permissions" in new
    assert not (read_only_folder / "new.db").exists()
