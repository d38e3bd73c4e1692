"""Batches of taps: each tap in once, in its place, and nothing overwritten."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from tests.office.sync_workshop import (
    NORTH,
    START,
    PaperJournal,
    WorkGate,
    add_riders,
    alarm_kinds,
    ingest,
    office_at,
    stored_seqs,
)

from openstile.journal import GateKey
from openstile.journal.receipts import Receipt
from openstile.office.store.database import Database
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.rider_taps import take_fresh
from openstile.office.store.taps import HELD_FOR_REVIEW, TAP, TAP_FRESH, tap_number
from openstile.office.sync import SyncProblem, ingest_batch
from openstile.office.sync.epochs import position, stored_head
from openstile.office.sync.registry import lock_gate, unlock_gate
from openstile.terms import GateId, PassId


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with office_at(database_url) as database:
        yield database


@pytest.fixture
def riders(database: Database) -> tuple[PassId, ...]:
    with database.write() as connection:
        return add_riders(connection, 6)


@pytest.fixture
def gate(tmp_path: Path, database: Database, riders: tuple[PassId, ...]) -> Iterator[WorkGate]:
    """An admitted gate whose journal holds six taps."""
    gate = WorkGate(tmp_path / "north")
    gate.admit(database)
    gate.tap(*riders)
    yield gate
    gate.journal.close()


def head_of(gate: WorkGate, seq: int) -> tuple[int, bytes]:
    place = gate.journal.place(seq)
    assert place is not None
    return place.seq, place.hash


def test_batch_is_stored_and_receipted_with_its_chain_head(database: Database, gate: WorkGate) -> None:
    receipt = gate.send(database, gate.batch())
    assert receipt == Receipt(NORTH, gate.journal.epoch, *head_of(gate, 6))
    assert stored_seqs(database) == [1, 2, 3, 4, 5, 6]
    with database.read() as connection:
        assert position(connection, gate_id=NORTH, epoch=gate.journal.epoch) == receipt


def test_stored_tap_says_what_the_journal_says(database: Database, gate: WorkGate) -> None:
    gate.send(database, gate.batch())
    with database.read() as connection:
        row = connection.execute(select(TAP).where(TAP.c.seq == 2)).one()
    journaled = next(one for one in gate.journal.taps() if one.seq == 2)
    assert (row.hash, row.pass_id) == (journaled.hash, journaled.tap.pass_id.value)
    assert (row.review, row.review_reason, row.offset_us) == ("clear", None, 0)
    assert (row.product, row.direction, row.status_unsure) == ("single", "in", False)
    assert row.tap_id == tap_number(row.epoch_id, 2)


def test_accounts_of_a_batch_are_due_once_each_and_their_taps_fresh(database: Database, gate: WorkGate) -> None:
    gate.tap(*(one.tap.pass_id for one in gate.journal.taps()))
    gate.send(database, gate.batch(taps_max=9))
    gate.send(database, gate.batch(after=9))
    with database.write() as connection:
        assert connection.execute(select(func.count()).select_from(PRICING_DUE)).scalar_one() == 6
        assert connection.execute(select(func.count()).select_from(TAP_FRESH)).scalar_one() == 12
        account = connection.execute(select(PRICING_DUE.c.account_id).limit(1)).scalar_one()
        assert len(take_fresh(connection, account)) == 2
        assert take_fresh(connection, account) == set()


def test_batch_twice_is_answered_with_the_same_receipt_and_stored_once(database: Database, gate: WorkGate) -> None:
    first = gate.send(database, gate.batch())
    assert gate.send(database, gate.batch()) == first
    assert stored_seqs(database) == [1, 2, 3, 4, 5, 6]


def test_old_batch_is_answered_with_the_present_receipt(database: Database, gate: WorkGate) -> None:
    gate.send(database, gate.batch(taps_max=2))
    last = gate.send(database, gate.batch(after=2))
    assert gate.send(database, gate.batch(taps_max=2)) == last


def test_overlapping_batch_stores_its_new_taps_only(database: Database, gate: WorkGate) -> None:
    gate.send(database, gate.batch(taps_max=4))
    receipt = gate.send(database, gate.batch(after=1))
    assert isinstance(receipt, Receipt)
    assert (receipt.seq, receipt.hash) == head_of(gate, 6)
    assert stored_seqs(database) == [1, 2, 3, 4, 5, 6]


def test_gap_says_what_is_expected_and_stores_nothing(database: Database, gate: WorkGate) -> None:
    gate.send(database, gate.batch(taps_max=2))
    answer = gate.send(database, gate.batch(after=3))
    assert isinstance(answer, SyncProblem)
    assert (answer.name, answer.more) == ("gap", {"expected_seq": 3})
    assert stored_seqs(database) == [1, 2]


def test_gap_that_stays_raises_one_alarm_and_ends_with_the_missing_taps(database: Database, gate: WorkGate) -> None:
    for _ in range(4):
        gate.send(database, gate.batch(after=3))
        gate.clock.turn(minutes=4)
    assert alarm_kinds(database) == {"gap": 1}
    assert isinstance(gate.send(database, gate.batch()), Receipt)
    with database.read() as connection:
        assert connection.execute(select(GATE_EPOCH.c.gap_us)).scalar_one() is None


def fork_of(gate: WorkGate, riders: tuple[PassId, ...]) -> PaperJournal:
    """Another history of the same journal, signed with its key."""
    other = PaperJournal(gate.journal_key, gate.journal.epoch)
    for rider in riders:
        other.append(rider, START)
    return other


def test_fork_raises_one_alarm_and_overwrites_nothing(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    receipt = gate.send(database, gate.batch(taps_max=4))
    assert isinstance(receipt, Receipt)
    other = fork_of(gate, riders)
    for first, last in ((1, 4), (1, 6), (3, 6), (5, 6)):
        answer = ingest(database, other.batch(first, last, sent_at=START))
        assert isinstance(answer, SyncProblem)
        assert (answer.name, answer.more) == ("fork", {"seq": 4, "hash": receipt.hash.hex()})
    assert alarm_kinds(database) == {"fork": 1}
    assert stored_seqs(database) == [1, 2, 3, 4]
    with database.read() as connection:
        assert connection.execute(select(TAP.c.hash).where(TAP.c.seq == 4)).scalar_one() == receipt.hash


@pytest.mark.parametrize(("first", "last"), [(1, 2), (1, 4), (1, 6), (5, 6)])
def test_each_way_to_differ_is_a_fork(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...], first: int, last: int
) -> None:
    gate.send(database, gate.batch(taps_max=4))
    answer = ingest(database, fork_of(gate, riders).batch(first, last, sent_at=START))
    assert isinstance(answer, SyncProblem)
    assert answer.name == "fork"


def test_after_a_fork_the_epoch_takes_nothing_more(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.send(database, gate.batch(taps_max=4))
    ingest(database, fork_of(gate, riders).batch(5, 6, sent_at=START))
    for body in (gate.batch(after=4), gate.batch()):
        answer = gate.send(database, body)
        assert isinstance(answer, SyncProblem)
        assert answer.name == "fork"
    assert stored_seqs(database) == [1, 2, 3, 4]


def test_journal_file_that_was_copied_to_a_second_gate_is_a_fork(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...], tmp_path: Path
) -> None:
    gate.journal.close()
    shutil.copytree(gate.folder, tmp_path / "copy")
    gate.start()
    copy = replace(gate, folder=tmp_path / "copy")
    gate.tap(riders[0])
    copy.tap(riders[1])
    assert isinstance(gate.send(database, gate.batch()), Receipt)
    answer = copy.send(database, copy.batch())
    copy.journal.close()
    assert isinstance(answer, SyncProblem)
    assert answer.name == "fork"


def test_head_signed_by_another_key_is_refused(database: Database, gate: WorkGate, riders: tuple[PassId, ...]) -> None:
    forged = PaperJournal(GateKey.generate(), gate.journal.epoch)
    forged.append(riders[0], START)
    answer = ingest(database, forged.batch(1, 1, sent_at=START))
    assert isinstance(answer, SyncProblem)
    assert answer.name == "bad-batch"
    assert alarm_kinds(database) == {}


@pytest.mark.parametrize("at", [0, 30, 100, 300, -1])
def test_batch_with_one_changed_byte_is_refused(database: Database, gate: WorkGate, at: int) -> None:
    body = bytearray(gate.batch())
    body[at] ^= 1
    answer = gate.send(database, bytes(body))
    assert isinstance(answer, SyncProblem)
    assert answer.name in ("bad-batch", "unknown-epoch")
    assert stored_seqs(database) == []


def test_batch_of_another_gate_is_refused(database: Database, gate: WorkGate, tmp_path: Path) -> None:
    other = WorkGate(tmp_path / "south", gate_id=GateId("south-1"))
    other.admit(database)
    answer = ingest(database, gate.batch(), gate_id=other.gate_id)
    other.journal.close()
    assert isinstance(answer, SyncProblem)
    assert answer.name == "unknown-epoch"


def test_oversized_batch_is_refused(database: Database, gate: WorkGate) -> None:
    answer = gate.send(database, gate.batch() + bytes(512 * 2**10))
    assert isinstance(answer, SyncProblem)
    assert answer.name == "bad-batch"


def test_locked_gate_stores_nothing_until_it_is_unlocked(database: Database, gate: WorkGate) -> None:
    with database.write() as connection:
        lock_gate(connection, NORTH)
    answer = gate.send(database, gate.batch())
    assert isinstance(answer, SyncProblem)
    assert answer.name == "gate-locked"
    assert stored_seqs(database) == []
    with database.write() as connection:
        unlock_gate(connection, NORTH)
    assert isinstance(gate.send(database, gate.batch()), Receipt)


def test_batch_whose_taps_have_faded_here_is_answered_with_the_receipt(database: Database, gate: WorkGate) -> None:
    receipt = gate.send(database, gate.batch())
    with database.write() as connection:
        connection.execute(delete(TAP).where(TAP.c.seq <= 5))
    assert gate.send(database, gate.batch(taps_max=3)) == receipt
    assert gate.send(database, gate.batch()) == receipt
    assert alarm_kinds(database) == {}


def test_heads_tell_the_stored_tap_or_nothing_where_it_has_faded(database: Database, gate: WorkGate) -> None:
    epoch = gate.journal.epoch
    gate.send(database, gate.batch())
    with database.write() as connection:
        connection.execute(delete(TAP).where(TAP.c.seq <= 3))
    with database.read() as connection:
        found = {through: stored_head(connection, gate_id=NORTH, epoch=epoch, through=through) for through in range(9)}
        unknown = stored_head(connection, gate_id=NORTH, epoch=bytes(16), through=1)
    assert found[1] is None
    assert found[3] is None
    assert found == {0: gate.journal.place(0), 1: None, 2: None, 3: None, 4: gate.journal.place(4),
                     5: gate.journal.place(5), 6: gate.journal.place(6), 7: gate.journal.place(6),
                     8: gate.journal.place(6)}  # fmt: skip
    assert isinstance(unknown, SyncProblem)


def test_pass_that_no_account_has_waits_for_review(database: Database, gate: WorkGate) -> None:
    gate.tap(PassId(bytes(16)))
    gate.send(database, gate.batch())
    with database.read() as connection:
        (held,) = connection.execute(select(TAP.c.seq, TAP.c.review, TAP.c.review_reason).where(HELD_FOR_REVIEW))
        fresh = connection.execute(select(func.count()).select_from(TAP_FRESH)).scalar_one()
    assert tuple(held) == (7, "waiting", "unknown_pass")
    assert fresh == 6


def test_a_refused_transaction_leaves_nothing(database: Database, gate: WorkGate) -> None:
    class PulledPlugError(Exception):
        pass

    def pull() -> None:
        with database.write() as connection:
            ingest_batch(connection, gate_id=NORTH, body=gate.batch(), received_at=gate.clock.at)
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        pull()
    assert stored_seqs(database) == []
    assert isinstance(gate.send(database, gate.batch()), Receipt)


def test_due_time_only_becomes_earlier(database: Database, gate: WorkGate) -> None:
    gate.send(database, gate.batch(taps_max=3))
    with database.write() as connection:
        connection.execute(update(PRICING_DUE).values(due_us=PRICING_DUE.c.due_us + 10**9))
        later = connection.execute(select(func.min(PRICING_DUE.c.due_us))).scalar_one()
    gate.tap(*(one.tap.pass_id for one in gate.journal.taps()))
    gate.send(database, gate.batch(after=3))
    gate.clock.turn(days=1)
    with database.read() as connection:
        assert connection.execute(select(func.max(PRICING_DUE.c.due_us))).scalar_one() <= later


def test_clock_of_the_office_may_be_any_time(database: Database, gate: WorkGate) -> None:
    receipt = ingest(database, gate.batch(), at=START - timedelta(days=20_000))
    assert isinstance(receipt, Receipt)
