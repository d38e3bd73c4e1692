"""Who may speak to the office as a gate: claims, keys, nonces, locks, journals."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.office.sync_workshop import NORTH, START, WorkGate, alarm_kinds, new_id, office_at, stored_seqs

from openstile.journal import Direction, GateKey
from openstile.journal.receipts import Receipt
from openstile.journal.requests import VerifiedRequest, key_id, sign_key_proof
from openstile.office.store.database import Database
from openstile.office.store.gates import GATE_CLAIM, GATE_NONCE
from openstile.office.sync import AdmittedGate, SyncError, SyncProblem, admit_request
from openstile.office.sync.alarms import AlarmKind, clear_alarm, list_alarms
from openstile.office.sync.claims import ClaimedGate, IssuedClaim, issue_claim, purge_claims, use_claim
from openstile.office.sync.epochs import EpochPoint, admit_epoch, position
from openstile.office.sync.keys import KeyChange, change_key, keys_of, revoke_key, signing_key
from openstile.office.sync.nonces import purge_nonces
from openstile.office.sync.registry import GateState, add_gate, list_gates, lock_gate, read_gate, unlock_gate
from openstile.terms import BadInputError, GateId


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with office_at(database_url) as database:
        with database.write() as connection:
            add_gate(connection, gate_id=NORTH, stop_id="stop-1", network_id="n", direction=Direction.IN, now=START)
        yield database


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[WorkGate]:
    gate = WorkGate(tmp_path / "north")
    yield gate
    gate.journal.close()


def issue(database: Database, gate_id: GateId = NORTH, ttl: timedelta = timedelta(hours=1)) -> IssuedClaim:
    with database.write() as connection:
        return issue_claim(connection, gate_id=gate_id, now=START, ttl=ttl)


def use(database: Database, gate: WorkGate, token: str, **changed: object) -> ClaimedGate | SyncProblem:
    with database.write() as connection:
        return use_claim(connection, gate.claim(token, **changed), now=gate.clock.at, new_id=new_id)


def request_of(kid: str, nonce: str | None = None) -> VerifiedRequest:
    return VerifiedRequest(kid, nonce or secrets.token_hex(16), START + timedelta(minutes=5))


def ask(database: Database, request: VerifiedRequest, after: timedelta = timedelta(0)) -> AdmittedGate | SyncProblem:
    with database.write() as connection:
        return admit_request(connection, request, now=START + after)


def name_of(answer: object) -> str:
    assert isinstance(answer, SyncProblem)
    return answer.name


def test_claimed_gate_is_admitted_with_its_key_and_its_journal(database: Database, gate: WorkGate) -> None:
    kid = key_id(gate.uplink_key.public_key)
    assert use(database, gate, issue(database).token) == ClaimedGate(NORTH, kid)
    assert ask(database, request_of(kid)) == AdmittedGate(NORTH, kid)
    with database.read() as connection:
        assert read_gate(connection, NORTH).state is GateState.ADMITTED
        receipt = position(connection, gate_id=NORTH, epoch=gate.journal.epoch)
    assert isinstance(receipt, Receipt)
    assert receipt.head == gate.journal.place(0)
    assert alarm_kinds(database) == {}


def test_token_is_52_characters_kept_as_a_hash_and_not_shown_again(database: Database) -> None:
    issued = issue(database)
    assert len(issued.token) == 52
    assert issued.token not in repr(issued)
    with database.read() as connection:
        row = connection.execute(select(GATE_CLAIM)).one()
    assert issued.token not in str(row)


def test_token_works_once(database: Database, gate: WorkGate) -> None:
    token = issue(database).token
    use(database, gate, token)
    assert name_of(use(database, gate, token, uplink_key=GateKey.generate().public_key)) == "claim-refused"


def test_token_brought_again_by_the_same_key_says_the_same(database: Database, gate: WorkGate) -> None:
    token = issue(database).token
    assert use(database, gate, token) == use(database, gate, token)
    assert alarm_kinds(database) == {}


def test_token_brought_again_by_a_key_that_was_revoked_is_refused(database: Database, gate: WorkGate) -> None:
    token = issue(database).token
    use(database, gate, token)
    with database.write() as connection:
        revoke_key(connection, NORTH, key_id(gate.uplink_key.public_key), now=START)
    assert name_of(use(database, gate, token)) == "claim-refused"


def test_token_is_good_until_its_time_and_no_longer(database: Database, gate: WorkGate) -> None:
    token = issue(database, ttl=timedelta(minutes=10)).token
    gate.clock.turn(minutes=10)
    assert name_of(use(database, gate, token)) == "claim-refused"
    with database.write() as connection:
        assert purge_claims(connection, now=gate.clock.at) == 1


def test_token_is_good_for_its_gate_only(database: Database, tmp_path: Path) -> None:
    south = WorkGate(tmp_path / "south", gate_id=GateId("south-1"))
    with database.write() as connection:
        add_gate(connection, gate_id=south.gate_id, stop_id="s", network_id=None, direction=Direction.OUT, now=START)
    answer = use(database, south, issue(database).token)
    south.journal.close()
    assert name_of(answer) == "claim-refused"


@pytest.mark.parametrize("token", ["", "A" * 52, "a" * 52, "1" * 52, "A" * 53, "é" * 52])
def test_token_that_was_never_issued_is_refused(database: Database, gate: WorkGate, token: str) -> None:
    issue(database)
    assert name_of(use(database, gate, token)) == "claim-refused"


def test_new_token_makes_the_one_before_void(database: Database, gate: WorkGate) -> None:
    old = issue(database).token
    issue(database)
    assert name_of(use(database, gate, old)) == "claim-refused"


def test_token_for_longer_than_a_day_is_not_issued(database: Database) -> None:
    issue(database, ttl=timedelta(days=1))
    with pytest.raises(BadInputError):
        issue(database, ttl=timedelta(days=1, seconds=1))


def test_locked_gate_gets_no_token_and_uses_none(database: Database, gate: WorkGate) -> None:
    token = issue(database).token
    with database.write() as connection:
        lock_gate(connection, NORTH)
    assert name_of(use(database, gate, token)) == "gate-locked"
    with pytest.raises(SyncError, match="locked"):
        issue(database)


def test_gate_claimed_anew_ends_its_older_keys_and_raises_an_alarm(
    database: Database, gate: WorkGate, tmp_path: Path
) -> None:
    use(database, gate, issue(database).token)
    replaced = WorkGate(tmp_path / "replaced")
    answer = use(database, replaced, issue(database).token)
    replaced.journal.close()
    new_kid = key_id(replaced.uplink_key.public_key)
    assert answer == ClaimedGate(NORTH, new_kid)
    assert name_of(ask(database, request_of(key_id(gate.uplink_key.public_key)))) == "bad-signature"
    assert ask(database, request_of(new_kid)) == AdmittedGate(NORTH, new_kid)
    assert alarm_kinds(database) == {"reclaimed": 1}


def test_uplink_key_of_another_gate_cannot_claim(database: Database, gate: WorkGate, tmp_path: Path) -> None:
    use(database, gate, issue(database).token)
    south = WorkGate(tmp_path / "south", gate_id=GateId("south-1"), uplink_key=gate.uplink_key)
    with database.write() as connection:
        add_gate(connection, gate_id=south.gate_id, stop_id="s", network_id=None, direction=Direction.OUT, now=START)
    answer = use(database, south, issue(database, south.gate_id).token)
    south.journal.close()
    assert name_of(answer) == "conflict"


def test_nonce_is_taken_once(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    request = request_of(key_id(gate.uplink_key.public_key))
    assert isinstance(ask(database, request), AdmittedGate)
    assert name_of(ask(database, request)) == "bad-signature"
    assert name_of(ask(database, request, after=timedelta(minutes=5))) == "bad-signature"


def test_expired_nonces_are_forgotten(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    kid = key_id(gate.uplink_key.public_key)
    for _ in range(3):
        ask(database, request_of(kid))
    ask(database, VerifiedRequest(kid, "a" * 32, START + timedelta(hours=1)), after=timedelta(minutes=11))
    with database.write() as connection:
        assert connection.execute(select(GATE_NONCE.c.nonce)).scalars().all() == ["a" * 32]
        assert purge_nonces(connection, now=START + timedelta(minutes=59)) == 0
        assert purge_nonces(connection, now=START + timedelta(hours=2)) == 1


def test_unknown_key_is_refused_and_its_nonce_not_kept(database: Database) -> None:
    assert name_of(ask(database, request_of("0" * 32))) == "bad-signature"
    with database.read() as connection:
        assert connection.execute(select(GATE_NONCE)).first() is None


def test_locked_gate_is_refused_whatever_it_asks(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    with database.write() as connection:
        lock_gate(connection, NORTH)
    kid = key_id(gate.uplink_key.public_key)
    assert name_of(ask(database, request_of(kid))) == "gate-locked"
    with database.write() as connection:
        assert unlock_gate(connection, NORTH).state is GateState.ADMITTED
    assert isinstance(ask(database, request_of(kid)), AdmittedGate)


def test_gate_that_was_locked_before_its_claim_waits_for_it_afterwards(database: Database) -> None:
    with database.write() as connection:
        lock_gate(connection, NORTH)
        assert unlock_gate(connection, NORTH).state is GateState.WAITING


def change(database: Database, gate: WorkGate, new: GateKey, proof: bytes | None = None) -> KeyChange | SyncProblem:
    old_kid = key_id(gate.uplink_key.public_key)
    signed = proof or sign_key_proof(new_key=new, gate=NORTH, old_kid=old_kid)
    with database.write() as connection:
        return change_key(
            connection, gate_id=NORTH, old_kid=old_kid, public_key=new.public_key, proof=signed, now=gate.clock.at
        )


def test_both_keys_sign_until_the_old_one_ends(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    new = GateKey.generate()
    old_kid, new_kid = key_id(gate.uplink_key.public_key), key_id(new.public_key)
    day = timedelta(days=1)
    assert change(database, gate, new) == KeyChange(new_kid, START + day)
    for after, old_signs in ((timedelta(0), True), (day - timedelta(seconds=1), True), (day, False)):
        assert isinstance(ask(database, request_of(old_kid), after=after), AdmittedGate) is old_signs
        assert isinstance(ask(database, request_of(new_kid), after=after), AdmittedGate)
        with database.read() as connection:
            assert (signing_key(connection, old_kid, now=START + after) is not None) is old_signs


def test_key_change_asked_again_says_the_same(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    new = GateKey.generate()
    first = change(database, gate, new)
    gate.clock.turn(hours=1)
    assert change(database, gate, new) == first


def test_key_change_without_proof_of_the_new_key_is_refused(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    new, thief = GateKey.generate(), GateKey.generate()
    old_kid = key_id(gate.uplink_key.public_key)
    for proof in (
        sign_key_proof(new_key=thief, gate=NORTH, old_kid=old_kid),
        sign_key_proof(new_key=new, gate=GateId("south-1"), old_kid=old_kid),
        sign_key_proof(new_key=new, gate=NORTH, old_kid="0" * 32),
        bytes(64),
    ):
        assert name_of(change(database, gate, new, proof)) == "bad-signature"


def test_key_that_ended_is_not_taken_again(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    new = GateKey.generate()
    change(database, gate, new)
    with database.write() as connection:
        revoke_key(connection, NORTH, key_id(new.public_key), now=START)
    assert name_of(change(database, gate, new)) == "conflict"


def test_gate_has_a_bounded_number_of_valid_keys(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    answers = [change(database, gate, GateKey.generate()) for _ in range(4)]
    assert [isinstance(answer, KeyChange) for answer in answers] == [True, True, True, False]


def test_revoked_key_signs_nothing_from_then_on(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    kid = key_id(gate.uplink_key.public_key)
    with database.write() as connection:
        assert revoke_key(connection, NORTH, kid, now=START).retired == START
        assert [key.kid for key in keys_of(connection, NORTH)] == [kid]
        with pytest.raises(SyncError):
            revoke_key(connection, NORTH, "0" * 32, now=START)
    assert name_of(ask(database, request_of(kid))) == "bad-signature"


def begin(
    database: Database, gate: WorkGate, reason: str, after: EpochPoint | None, epoch: bytes = b"2" * 16
) -> object:
    with database.write() as connection:
        return admit_epoch(
            connection, gate_id=NORTH, epoch=epoch, journal_key=gate.journal_key.public_key, after=after,
            reason=reason, now=START, new_id=new_id,
        )  # fmt: skip


def test_restored_journal_is_taken_with_an_alarm_once(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    after = EpochPoint(gate.journal.epoch, 0)
    assert getattr(begin(database, gate, "restored", after), "is_new") is True  # noqa: B009
    assert getattr(begin(database, gate, "restored", after), "is_new") is False  # noqa: B009
    assert alarm_kinds(database) == {"restored": 1}
    with database.read() as connection:
        assert isinstance(position(connection, gate_id=NORTH, epoch=b"2" * 16), Receipt)


def test_new_journal_raises_an_alarm_that_says_what_did_not_come(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    begin(database, gate, "new", EpochPoint(gate.journal.epoch, 7))
    with database.read() as connection:
        (alarm,) = list_alarms(connection)
    assert alarm.kind is AlarmKind.NEW_JOURNAL
    assert "taps 1 to 7 of it did not come" in alarm.detail


def test_journal_after_one_that_is_not_known_is_taken(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    begin(database, gate, "restored", EpochPoint(b"x" * 16, 3))
    assert alarm_kinds(database) == {"restored": 1}


def test_restored_journal_must_say_what_it_goes_on_from(database: Database, gate: WorkGate) -> None:
    assert name_of(begin(database, gate, "restored", None)) == "invalid-request"
    assert name_of(begin(database, gate, "claimed", None)) == "invalid-request"


def test_journal_under_another_key_by_the_same_epoch_is_refused(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    gate.journal_key = GateKey.generate()
    assert name_of(begin(database, gate, "new", None, gate.journal.epoch)) == "conflict"
    assert alarm_kinds(database) == {}


def test_alarm_is_cleared_once_and_then_no_longer_listed(database: Database, gate: WorkGate) -> None:
    use(database, gate, issue(database).token)
    begin(database, gate, "new", None)
    with database.write() as connection:
        (alarm,) = list_alarms(connection)
        assert clear_alarm(connection, alarm.alarm_id, now=START).cleared == START
        assert clear_alarm(connection, alarm.alarm_id, now=START + timedelta(1)).cleared == START
        assert list_alarms(connection) == ()
        assert len(list_alarms(connection, cleared=True)) == 1
        with pytest.raises(SyncError):
            clear_alarm(connection, "0" * 32, now=START)


def test_gates_are_listed_by_name_in_pages(database: Database) -> None:
    with database.write() as connection:
        for name in ("b", "a", "c"):
            add_gate(connection, gate_id=GateId(name), stop_id="s", network_id=None, direction=Direction.IN, now=START)
        assert [str(gate.gate_id) for gate in list_gates(connection, limit=2)] == ["a", "b"]
        assert [str(gate.gate_id) for gate in list_gates(connection, after="b")] == ["c", "north-1"]


def test_gate_of_a_taken_name_or_a_place_without_a_name_is_refused(database: Database) -> None:
    with database.write() as connection:
        with pytest.raises(SyncError, match="another name"):
            add_gate(connection, gate_id=NORTH, stop_id="s", network_id=None, direction=Direction.IN, now=START)
        with pytest.raises(BadInputError):
            add_gate(connection, gate_id=GateId("x"), stop_id="", network_id=None, direction=Direction.IN, now=START)
        with pytest.raises(SyncError):
            read_gate(connection, GateId("nowhere"))
    assert stored_seqs(database) == []
