"""Batches at the same time, and in every order: the office holds each tap once, in its place."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.office.sync_workshop import (
    START,
    PaperJournal,
    WorkGate,
    add_riders,
    ingest,
    new_id,
    office_at,
    stored_seqs,
)

from openstile.journal import Direction, GateKey
from openstile.journal.receipts import Receipt
from openstile.office.store.database import Database
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.office.sync import SyncProblem, ingest_batch
from openstile.office.sync.claims import Claim, issue_claim, use_claim
from openstile.office.sync.registry import add_gate
from openstile.terms import GateId, PassId


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with office_at(database_url) as database:
        yield database


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Runs the calls in threads that begin together."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_batch_that_two_threads_deliver_at_once_is_stored_once(database: Database, tmp_path: Path) -> None:
    gate = WorkGate(tmp_path / "north")
    gate.admit(database)
    with database.write() as connection:
        riders = add_riders(connection, 5)
    for _ in range(6):
        before = gate.journal.head().seq
        gate.tap(*riders)
        body = gate.batch(after=before)
        first, second = at_once(*[lambda body=body: gate.send(database, body)] * 2)
        assert first == second
        assert isinstance(first, Receipt)
    gate.journal.close()
    assert stored_seqs(database) == list(range(1, 31))


def test_batches_of_two_gates_with_the_same_riders_do_not_block_each_other_for_ever(
    database: Database, tmp_path: Path
) -> None:
    gates = [WorkGate(tmp_path / name, gate_id=GateId(name)) for name in ("a", "b")]
    with database.write() as connection:
        riders = add_riders(connection, 20)
    for gate in gates:
        gate.admit(database)
    gates[0].tap(*riders)
    gates[1].tap(*reversed(riders))
    bodies = [gate.batch() for gate in gates]
    answers = at_once(
        lambda: ingest(database, bodies[0], gate_id=gates[0].gate_id, at=gates[0].clock.at),
        lambda: ingest(database, bodies[1], gate_id=gates[1].gate_id, at=gates[1].clock.at),
    )
    for gate in gates:
        gate.journal.close()
    assert all(isinstance(answer, Receipt) for answer in answers)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(TAP_FRESH)).scalar_one() == 40
        assert connection.execute(select(func.count()).select_from(PRICING_DUE)).scalar_one() == 20


def test_token_that_two_gates_use_at_once_admits_one(database: Database, tmp_path: Path) -> None:
    gates = [WorkGate(tmp_path / name) for name in ("one", "two")]
    with database.write() as connection:
        add_gate(connection, gate_id=gates[0].gate_id, stop_id="s", network_id=None, direction=Direction.IN, now=START)
        token = issue_claim(connection, gate_id=gates[0].gate_id, now=START).token

    def claim(gate: WorkGate) -> object:
        with database.write() as connection:
            return use_claim(connection, gate.claim(token), now=START, new_id=new_id)

    answers = at_once(*(lambda gate=gate: claim(gate) for gate in gates))
    for gate in gates:
        gate.journal.close()
    assert sorted(isinstance(answer, SyncProblem) for answer in answers) == [False, True]


TAPS = 24
DELIVERIES = st.lists(
    st.tuples(st.integers(1, TAPS), st.integers(1, TAPS), st.sampled_from(["good"] * 8 + ["other", "lost"])),
    max_size=25,
)
"""Batches from one tap to another; `other` is of another history behind tap 12, `lost` a commit that failed."""


class LostError(Exception):
    """Pulls the plug."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES)
def test_any_splits_duplicates_and_orders_leave_what_one_list_says(
    database: Database, deliveries: list[tuple[int, int, str]]
) -> None:
    gate_id, key, epoch = GateId(f"g-{secrets.token_hex(8)}"), GateKey.generate(), secrets.token_bytes(16)
    paper, other = PaperJournal(key, epoch, gate_id), PaperJournal(key, epoch, gate_id)
    for seq in range(1, TAPS + 1):
        rider = PassId(secrets.token_bytes(16))
        paper.append(rider, START)
        if seq <= TAPS // 2:
            other.taps.append(paper.taps[-1])
        else:
            other.append(rider, START)
    admit(database, gate_id, key, epoch)
    held: list[bytes] = []
    forked = False
    for one, two, kind in deliveries:
        first, last = min(one, two), max(one, two)
        history = other if kind == "other" else paper
        note(f"{kind} {first}-{last}, held {len(held)}, forked {forked}")
        if kind == "lost":
            lose(database, history.batch(first, last, sent_at=START), gate_id)
            continue
        answer = ingest(database, history.batch(first, last, sent_at=START), gate_id=gate_id)
        hashes = [tap.hash for tap in history.taps[:last]]
        if not forked and first > len(held) + 1:
            assert isinstance(answer, SyncProblem)
            assert (answer.name, answer.more) == ("gap", {"expected_seq": len(held) + 1})
        elif forked or any(mine != theirs for mine, theirs in zip(held, hashes, strict=False)):
            assert isinstance(answer, SyncProblem)
            assert answer.name == "fork"
            forked = True
        else:
            held = hashes if len(hashes) > len(held) else held
            assert answer == Receipt(gate_id, epoch, len(held), held[-1])
        assert stored_hashes(database, epoch) == held


def admit(database: Database, gate_id: GateId, key: GateKey, epoch: bytes) -> None:
    with database.write() as connection:
        add_gate(connection, gate_id=gate_id, stop_id="s", network_id=None, direction=Direction.IN, now=START)
        token = issue_claim(connection, gate_id=gate_id, now=START).token
        claim = Claim(gate_id, token, secrets.token_bytes(32), key.public_key, epoch)
        use_claim(connection, claim, now=START, new_id=new_id)


def lose(database: Database, body: bytes, gate_id: GateId) -> None:
    """The office goes down before its commit."""

    def take_and_fall() -> None:
        with database.write() as connection:
            ingest_batch(connection, gate_id=gate_id, body=body, received_at=START)
            raise LostError

    with pytest.raises(LostError):
        take_and_fall()


def stored_hashes(database: Database, epoch: bytes) -> list[bytes]:
    chosen = select(TAP.c.hash).join(GATE_EPOCH, GATE_EPOCH.c.epoch_id == TAP.c.epoch_id)
    with database.read() as connection:
        return list(connection.execute(chosen.where(GATE_EPOCH.c.epoch == epoch).order_by(TAP.c.seq)).scalars())
