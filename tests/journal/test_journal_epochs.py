"""A journal goes on in a new file, whole at each moment; receipts decide what may fade."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from tests.journal.sample import GATE, START, break_in, journal_of, pass_id, tap

from openstile.journal import GateKey, Journal, JournalBrokenError, JournalError, verify_journal
from openstile.journal import epochs as epochs_module
from openstile.journal.epochs import Origin
from openstile.journal.sending import next_batch
from openstile.journal.taps import Head
from openstile.journal.view import read_sending


def _open(path: Path, key: GateKey) -> Journal:
    return Journal.open(path, key=key, gate=GATE)


def _seqs(journal: Journal) -> list[tuple[int, bytes]]:
    return [(one.seq, one.tap.pass_id.value) for one in reversed(journal.taps())]


def _files(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry.suffix == ".db")


def test_new_epoch_takes_over_what_lies_behind_the_common_prefix(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=3)
    with _open(journal_path, gate_key) as journal:
        for number in (4, 5):
            journal.append(tap(number))
        old, before = journal.epoch, {one.tap.pass_id: one for one in journal.taps()}
        place = journal.place(2)
        assert place is not None
        new = journal.begin_epoch(after=place, reason="restored")
        assert new == journal.epoch != old
        assert journal.origin() == Origin(old, 2, "restored")
        assert _seqs(journal) == [(seq, pass_id(seq + 2).value) for seq in (1, 2, 3)]
        for one in journal.taps():
            was = before[one.tap.pass_id]
            assert (one.tap, one.run, one.mono_us) == (was.tap, was.run, was.mono_us)
            assert one.salt != was.salt
        run = journal.run
        assert journal.append(tap(6)).run == run
        assert (journal.receipted(), journal.place(0)) == (journal.place(0), Head(0, journal.receipted().hash))
    assert _files(journal_path) == [f"journal-{old.hex()}.db", "journal.db"]
    report = verify_journal(journal_path, public_key=gate_key.public_key)
    assert (report.epoch, report.taps) == (new, 4)
    retired = journal_path.with_name(f"journal-{old.hex()}.db")
    assert verify_journal(retired, public_key=gate_key.public_key).taps == 5
    with _open(journal_path, gate_key) as journal:
        assert journal.epoch == new
        assert run < journal.run <= run + 1024


def test_first_journal_of_a_gate_has_no_origin(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal:
        assert journal.origin() is None
        assert len(journal.epoch) == 16


def test_retired_file_goes_when_its_taps_have_faded(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal:
        for number in (1, 2, 3):
            journal.append(tap(number))
        place = journal.place(3)
        assert place is not None
        journal.begin_epoch(after=place, reason="restored")
        retired = journal_path.with_name(_files(journal_path)[0])
        journal.fade(tap(3).at)
        assert pass_id(2).value not in retired.read_bytes()
        assert pass_id(3).value in retired.read_bytes()
        journal.fade(tap(4).at)
    assert sorted(entry.name for entry in journal_path.parent.iterdir()) == ["journal.db", "journal.db-lock"]


def test_passback_outlives_a_new_epoch_and_fades(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal:
        for number in (1, 2, 1):
            journal.append(tap(number))
        place = journal.place(3)
        assert place is not None
        journal.begin_epoch(after=place, reason="restored")
        assert (journal.last_admitted(pass_id(1)), journal.last_admitted(pass_id(2))) == (tap(1).at, tap(2).at)
        journal.fade(tap(2).at)
        assert (journal.last_admitted(pass_id(1)), journal.last_admitted(pass_id(2))) == (None, tap(2).at)


def test_refusal_counts_go_on(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal:
        journal.count_refusal("no_face", at=START)
        journal.begin_epoch(after=journal.faded_through(), reason="new")
        journal.count_refusal("no_face", at=START)
        assert journal.refusals() == (("2026-03-01", "no_face", 2),)


def test_broken_tap_begins_no_epoch(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=3), "UPDATE tap SET product = 'child' WHERE seq = 2")
    with _open(journal_path, gate_key) as journal:
        with pytest.raises(JournalBrokenError):
            journal.begin_epoch(after=journal.faded_through(), reason="restored")
        assert journal.append(tap(4)).seq == 4


def test_place_behind_the_end_begins_no_epoch(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal, pytest.raises(JournalError, match="ends at tap 0"):
        journal.begin_epoch(after=Head(1, bytes(32)), reason="restored")


def test_reader_in_the_middle_delays_a_new_epoch_and_harms_nothing(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal:
        journal.append(tap(1))
        reader = sqlite3.connect(journal_path, isolation_level=None)
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM tap").fetchone() == (1,)
        journal.append(tap(2))
        with pytest.raises(JournalError, match="somebody reads it"):
            journal.begin_epoch(after=journal.faded_through(), reason="restored")
        assert journal.append(tap(3)).seq == 3
        reader.execute("COMMIT")
        journal.begin_epoch(after=journal.faded_through(), reason="restored")
        assert journal.append(tap(4)).seq == 4
        reader.close()
    assert verify_journal(journal_path, public_key=gate_key.public_key).taps == 4


class _KilledError(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def _killing(function: Callable[..., object], *, after: bool) -> Callable[..., object]:
    def killed(*arguments: object, **named: object) -> object:
        if after:
            function(*arguments, **named)
        raise _KilledError

    return killed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "step",
    ["begin", "carry_taps", "empty_log", "sync_folder", "Path.unlink", "Path.hardlink_to", "Path.replace"],
)
def test_process_killed_at_any_step_of_a_new_epoch_leaves_one_whole_journal(
    journal_path: Path, gate_key: GateKey, monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool
) -> None:
    journal_of(journal_path, gate_key, taps=4)
    journal = _open(journal_path, gate_key)
    old, place = journal.epoch, journal.place(2)
    assert place is not None
    target = Path if step.startswith("Path.") else epochs_module
    name = step.removeprefix("Path.")
    monkeypatch.setattr(target, name, _killing(getattr(target, name), after=after))
    with pytest.raises(_KilledError):
        journal.begin_epoch(after=place, reason="restored")
    monkeypatch.undo()
    journal.close()
    with _open(journal_path, gate_key) as again:
        assert again.append(tap(5)).seq == (5 if again.epoch == old else 3)
        taps = [one.value for one in (pass_id(number) for number in (1, 2, 3, 4, 5))]
        assert [name for _, name in _seqs(again)] == (taps if again.epoch == old else taps[2:])
        assert not epochs_module.next_of(journal_path).exists()
        if again.epoch == old:
            again.begin_epoch(after=place, reason="restored")
        assert [name for _, name in _seqs(again)] == taps[2:]
    assert _files(journal_path) == [f"journal-{old.hex()}.db", "journal.db"]
    assert verify_journal(journal_path, public_key=gate_key.public_key).taps == 3


def test_disk_that_refuses_the_last_step_leaves_a_gate_that_goes_on(
    journal_path: Path, gate_key: GateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    journal_of(journal_path, gate_key, taps=2)
    with _open(journal_path, gate_key) as journal:
        old = journal.epoch
        monkeypatch.setattr(Path, "hardlink_to", refuse)
        with pytest.raises(JournalError, match="Operation not permitted"):
            journal.begin_epoch(after=journal.faded_through(), reason="restored")
        monkeypatch.undo()
        assert (journal.append(tap(3)).seq, journal.epoch) == (3, old)


def test_receipt_of_another_tap_is_not_kept(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal:
        for number in (1, 2):
            journal.append(tap(number))
        end = journal.head()
        for wrong in (Head(2, bytes(32)), Head(3, end.hash), Head(1, end.hash), Head(0, end.hash)):
            with pytest.raises(JournalError, match="another journal's tap"):
                journal.mark_receipted(wrong)
        assert journal.receipted() == journal.place(0)


def test_receipt_survives_a_restart_and_goes_back_when_the_office_lost_taps(
    journal_path: Path, gate_key: GateKey
) -> None:
    with _open(journal_path, gate_key) as journal:
        for number in (1, 2, 3):
            journal.append(tap(number))
        journal.mark_receipted(journal.head())
    assert (read_sending(journal_path).receipted_seq, read_sending(journal_path).waiting) == (3, 0)
    with _open(journal_path, gate_key) as journal:
        assert journal.receipted() == journal.head()
        one = journal.place(1)
        assert one is not None
        journal.mark_receipted(one)
        assert journal.receipted() == one
    assert read_sending(journal_path).waiting == 2


def test_tap_fades_only_after_its_receipt_or_when_it_is_too_old_to_wait(journal_path: Path, gate_key: GateKey) -> None:
    long_ago = START - timedelta(days=14)
    with _open(journal_path, gate_key) as journal:
        for number in range(1, 6):
            journal.append(tap(number))
        assert journal.fade(tap(6).at, unsent_before=long_ago).taps == 0
        two = journal.place(2)
        assert two is not None
        journal.mark_receipted(two)
        assert journal.fade(tap(6).at, unsent_before=long_ago).taps == 2
        assert journal.fade(tap(2).at, unsent_before=tap(9).at).taps == 0, (
            "young ones stay, whatever is too old to wait"
        )
        assert journal.fade(tap(6).at, unsent_before=tap(4).at).taps == 1
        assert journal.fade(tap(6).at).taps == 2, "a gate without an office waits for none"
    assert verify_journal(journal_path, public_key=gate_key.public_key).faded == 5


def test_receipted_tap_that_is_young_stays(journal_path: Path, gate_key: GateKey) -> None:
    with _open(journal_path, gate_key) as journal:
        journal.append(tap(1))
        journal.mark_receipted(journal.head())
        assert journal.fade(tap(1).at, unsent_before=START - timedelta(days=14)).taps == 0


def test_taps_are_read_and_receipted_beside_a_gate_that_writes(journal_path: Path, gate_key: GateKey) -> None:
    """Two threads on one journal: the gate's own, and the uplink's that batches, marks and fades."""
    problems: list[BaseException] = []

    def gate(journal: Journal) -> None:
        try:
            for number in range(1, 121):
                journal.append(tap(number))
                journal.last_admitted(pass_id(number))
        except BaseException as error:  # noqa: BLE001
            problems.append(error)

    with _open(journal_path, gate_key) as journal:
        journal._connection.execute("PRAGMA synchronous = OFF")  # only for the speed of this test
        place, sent = journal.place(0), 0
        writer = Thread(target=gate, args=(journal,))
        writer.start()
        while writer.is_alive() or place != journal.head():
            assert place is not None
            data = next_batch(journal, after=place, now=START, taps_max=7)
            if data is not None:
                place = journal.place(min(journal.head().seq, place.seq + 7))
                assert place is not None
                journal.mark_receipted(place)
                sent += 1
                journal.fade(tap(place.seq - 2).at, unsent_before=START)
        writer.join()
        assert problems == []
        assert (place.seq, journal.receipted().seq) == (120, 120)
    assert verify_journal(journal_path, public_key=gate_key.public_key).head.seq == 120


def test_copy_of_a_journal_put_back_has_its_epoch_and_another_run(journal_path: Path, gate_key: GateKey) -> None:
    aside = journal_path.parent / "aside"
    journal_of(journal_path, gate_key, taps=2)
    shutil.copy(journal_path, aside)
    with Journal.open(journal_path, key=gate_key, gate=GATE, random=lambda count: b"\1" * count) as journal:
        epoch, run = journal.epoch, journal.run
        journal.append(tap(3))
    shutil.copy(aside, journal_path)
    with Journal.open(journal_path, key=gate_key, gate=GATE, random=lambda count: b"\2" * count) as journal:
        assert (journal.epoch, journal.head().seq) == (epoch, 2)
        assert journal.run != run
