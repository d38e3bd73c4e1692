"""Gates' clocks that are wrong, and taps that somebody looks at before they count."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.office.sync_workshop import START, PaperJournal, WorkGate, add_riders, alarm_kinds, ingest, office_at

from openstile.journal.receipts import Receipt
from openstile.journal.taps import microseconds_of
from openstile.office.store.accounts import PASS
from openstile.office.store.database import Database
from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.office.sync import SyncError
from openstile.office.sync.clocks import ClockRules, GateClock, ReviewReason
from openstile.office.sync.epochs import EpochPoint, admit_epoch
from openstile.office.sync.reviews import ReviewTime, accept_tap, list_reviews, reject_tap
from openstile.terms import BadInputError, PassId

SECOND = 10**6


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with office_at(database_url) as database:
        yield database


@pytest.fixture
def riders(database: Database) -> tuple[PassId, ...]:
    with database.write() as connection:
        return add_riders(connection, 2)


@pytest.fixture
def gate(tmp_path: Path, database: Database) -> Iterator[WorkGate]:
    gate = WorkGate(tmp_path / "north")
    gate.admit(database)
    yield gate
    gate.journal.close()


def reasons(database: Database) -> list[str | None]:
    with database.read() as connection:
        return list(connection.execute(select(TAP.c.review_reason).order_by(TAP.c.tap_id)).scalars())


def offsets_s(database: Database) -> list[int]:
    with database.read() as connection:
        return [
            round(us / SECOND) for us in connection.execute(select(TAP.c.offset_us).order_by(TAP.c.tap_id)).scalars()
        ]


@pytest.mark.parametrize(
    ("ahead_s", "reason"), [(0, None), (120, None), (-120, None), (121, "clock"), (-121, "clock"), (86_400, "clock")]
)
def test_clock_within_the_tolerance_is_taken_at_its_word(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...], ahead_s: int, reason: str | None
) -> None:
    gate.clock.ahead = timedelta(seconds=ahead_s)
    gate.tap(*riders)
    gate.send(database, gate.batch())
    assert reasons(database) == [reason, reason]
    assert offsets_s(database) == [ahead_s, ahead_s]
    assert alarm_kinds(database) == ({"clock": 1} if reason else {})


def test_clock_alarm_is_raised_once_while_the_clock_stays_wrong(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.clock.ahead = timedelta(hours=1)
    for after in range(3):
        gate.tap(riders[0])
        gate.send(database, gate.batch(after=after))
    assert alarm_kinds(database) == {"clock": 1}


def test_taps_of_days_offline_are_clear_and_exact(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.tap(*riders)
    gate.clock.turn(days=3)
    gate.send(database, gate.batch())
    assert reasons(database) == [None, None]
    assert offsets_s(database) == [0, 0]


def test_clock_that_was_set_right_later_is_wrong_for_the_taps_before_only(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.clock.ahead = timedelta(days=-400)
    gate.tap(riders[0])
    gate.clock.ahead = timedelta(0)
    gate.tap(riders[1])
    gate.send(database, gate.batch())
    assert reasons(database) == ["clock", None]
    assert offsets_s(database) == [-400 * 86_400, 0]


def test_run_that_ended_is_known_from_its_last_receipt(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.clock.ahead = timedelta(hours=2)
    gate.tap(riders[0])
    gate.send(database, gate.batch())
    gate.tap(riders[1])
    gate.restart()
    gate.clock.ahead = timedelta(0)
    gate.clock.turn(hours=5)
    gate.send(database, gate.batch(after=1))
    assert offsets_s(database) == [7200, 7200]
    assert reasons(database) == ["clock", "clock"]


def test_run_that_no_receipt_tells_of_goes_by_the_clock_of_now(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.tap(riders[0])
    gate.restart()
    gate.clock.turn(hours=5)
    gate.clock.ahead = timedelta(seconds=60)
    gate.send(database, gate.batch())
    assert offsets_s(database) == [60]
    assert reasons(database) == [None]


def test_tap_from_the_future_of_an_unknown_run_waits(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.clock.ahead = timedelta(hours=1)
    gate.tap(riders[0])
    gate.restart()
    gate.clock.ahead = timedelta(0)
    gate.send(database, gate.batch())
    assert reasons(database) == ["future"]


def test_tap_older_than_gates_keep_taps_waits(database: Database, gate: WorkGate, riders: tuple[PassId, ...]) -> None:
    gate.tap(*riders, every_s=2)
    gate.clock.turn(days=14, seconds=-3)
    gate.send(database, gate.batch())
    assert reasons(database) == ["old", None]


def test_batch_long_under_way_is_dated_by_an_earlier_receipt_of_its_run(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.tap(riders[0])
    gate.send(database, gate.batch())
    gate.clock.ahead = timedelta(seconds=600)
    gate.tap(riders[1])
    delayed = gate.batch(after=1)
    gate.clock.turn(seconds=818)
    gate.send(database, delayed)
    assert offsets_s(database) == [0, 600]
    gate.tap(riders[0])
    gate.send(database, gate.batch(after=2))
    assert offsets_s(database) == [0, 600, 600]
    assert reasons(database) == [None, "clock", "clock"]


def test_run_that_seems_to_begin_later_is_believed_where_the_gates_wall_clock_agrees(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.tap(riders[0])
    gate.send(database, gate.batch())
    gate.clock.at += timedelta(hours=5)  # its monotonic clock stood still, or the office's clock was set
    gate.tap(riders[1])
    gate.send(database, gate.batch(after=1))
    assert offsets_s(database) == [0, 0]
    assert reasons(database) == [None, None]


def test_epoch_that_goes_on_from_another_knows_the_clocks_of_its_runs(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    gate.clock.ahead = timedelta(hours=2)
    gate.tap(riders[0])
    gate.send(database, gate.batch())
    old = gate.journal.epoch
    next_journal = PaperJournal(gate.journal_key, b"2" * 16)
    next_journal.append(riders[1], gate.clock.now(), run=gate.journal.run, mono_us=gate.journal.mono_us())
    with database.write() as connection:
        admit_epoch(connection, gate_id=gate.gate_id, epoch=next_journal.epoch, after=EpochPoint(old, 1), reason="new",
                    journal_key=gate.journal_key.public_key, now=START, new_id=lambda: "0" * 32)  # fmt: skip
    body = next_journal.batch(1, 1, sent_at=gate.clock.at, run=gate.journal.run + 1, sent_mono_us=5)
    assert isinstance(ingest(database, body, at=gate.clock.at), Receipt)
    assert offsets_s(database) == [7200, 7200]


def test_absurd_monotonic_times_are_no_estimate(database: Database, gate: WorkGate, riders: tuple[PassId, ...]) -> None:
    paper = PaperJournal(gate.journal_key, gate.journal.epoch)
    paper.append(riders[0], START, mono_us=0)
    body = paper.batch(1, 1, sent_at=START, sent_mono_us=2**63 - 1)
    assert isinstance(ingest(database, body), Receipt)
    with database.write() as connection:
        (waiting,) = list_reviews(connection)
        assert (waiting.reason, waiting.corrected) == (ReviewReason.CLOCK, None)
        with pytest.raises(SyncError, match="gate's time"):
            accept_tap(connection, waiting.tap_id, time=ReviewTime.CORRECTED, now=START)
        accept_tap(connection, waiting.tap_id, time=ReviewTime.GATE, now=START)


@pytest.mark.parametrize("time", list(ReviewTime))
def test_accepted_tap_counts_at_the_time_that_staff_choose_and_is_due(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...], time: ReviewTime
) -> None:
    gate.clock.ahead = timedelta(hours=2)
    made = gate.clock.at
    gate.tap(riders[0])
    gate.send(database, gate.batch())
    with database.write() as connection:
        (waiting,) = list_reviews(connection)
        assert (waiting.at, waiting.corrected) == (made + timedelta(hours=2), made)
        assert waiting.account_id is not None
        assert connection.execute(select(PRICING_DUE)).first() is None
        accept_tap(connection, waiting.tap_id, time=time, now=gate.clock.at)
        row = connection.execute(select(TAP.c.review, TAP.c.at_us)).one()
        wanted = made if time is ReviewTime.CORRECTED else made + timedelta(hours=2)
        assert tuple(row) == ("accepted", microseconds_of(wanted))
        assert connection.execute(select(PRICING_DUE.c.account_id)).scalar_one() == waiting.account_id
        assert connection.execute(select(TAP_FRESH.c.tap_id)).scalar_one() == waiting.tap_id
        assert list_reviews(connection) == ()


def test_rejected_tap_is_kept_and_not_priced(database: Database, gate: WorkGate, riders: tuple[PassId, ...]) -> None:
    gate.clock.ahead = timedelta(hours=2)
    gate.tap(riders[0])
    gate.send(database, gate.batch())
    with database.write() as connection:
        (waiting,) = list_reviews(connection)
        reject_tap(connection, waiting.tap_id)
        assert connection.execute(select(TAP.c.review)).scalar_one() == "rejected"
        assert connection.execute(select(PRICING_DUE)).first() is None
        for decide in (reject_tap, lambda c, t: accept_tap(c, t, time=ReviewTime.GATE, now=START)):
            with pytest.raises(SyncError, match="none with this id waits"):
                decide(connection, waiting.tap_id)


def test_tap_of_an_unknown_pass_is_accepted_once_the_pass_is_on_an_account(
    database: Database, gate: WorkGate, riders: tuple[PassId, ...]
) -> None:
    stranger = PassId(b"s" * 16)
    gate.tap(stranger)
    gate.send(database, gate.batch())
    with database.write() as connection:
        (waiting,) = list_reviews(connection)
        assert waiting.reason is ReviewReason.UNKNOWN_PASS
        with pytest.raises(SyncError, match="put the pass on an account"):
            accept_tap(connection, waiting.tap_id, time=ReviewTime.GATE, now=START)
        connection.execute(update(PASS).where(PASS.c.pass_id == riders[0].value).values(pass_id=stranger.value))
        accept_tap(connection, waiting.tap_id, time=ReviewTime.GATE, now=START)
        assert connection.execute(select(PRICING_DUE)).first() is not None


def test_reviews_are_listed_in_pages(database: Database, gate: WorkGate) -> None:
    gate.tap(*(PassId(bytes([number]) * 16) for number in range(5)))
    gate.send(database, gate.batch())
    with database.read() as connection:
        first = list_reviews(connection, limit=3)
        rest = list_reviews(connection, after=first[-1].tap_id, limit=3)
    assert [tap.pass_id.value[0] for tap in (*first, *rest)] == [0, 1, 2, 3, 4]


def test_offset_of_the_present_run_is_exact_whatever_the_wall_clock_did() -> None:
    clock = GateClock(received_us=1000, wall_offset_us=5, began_us={2: 400})
    assert clock.offset_of(run=2, mono_us=100, at_us=507) == 7
    assert clock.offset_of(run=1, mono_us=100, at_us=507) == 5


def test_tolerance_of_nothing_or_of_hours_is_refused() -> None:
    for tolerance in (timedelta(0), timedelta(days=1, seconds=1)):
        with pytest.raises(BadInputError):
            ClockRules(tolerance=tolerance)
