"""Attacks on pricing and fading: one account, one gate or one clock that is wrong must not stop the rest."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.office.priced_world import City
from tests.office.sync_workshop import PaperJournal, new_id, office_at

from openstile.journal import Direction, GateKey
from openstile.journal.receipts import Receipt
from openstile.office.forgetting import Retention, run_retention
from openstile.office.store.accounts import PERIOD
from openstile.office.store.taps import TAP
from openstile.office.sync import SyncError, ingest_batch
from openstile.office.sync.epochs import begin_epoch
from openstile.office.sync.reviews import ReviewTime, accept_tap, list_reviews, reject_tap
from openstile.terms import PassId

YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
YEAR_9999 = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def city(database_url: str, tmp_path: Path) -> Iterator[City]:
    """A city with an entry at Bank and an exit at Stratford; it is Monday, 09:00 in London."""
    with office_at(database_url) as database:
        city = City(database, tmp_path)
        city.gate("bank-in", "bank", Direction.IN)
        city.gate("stratford-out", "stratford", Direction.OUT)
        yield city
        for gate in city.gates.values():
            gate.journal.close()


def ride(city: City, pass_id: PassId) -> None:
    city.tap(city.gates["bank-in"], pass_id)
    city.clock.turn(minutes=20)
    city.tap(city.gates["stratford-out"], pass_id)


def hold_a_period_that_no_rule_has(city: City, account: str) -> None:
    """Its table was taken out of the rules while the rider holds it."""
    with city.database.write() as connection:
        connection.execute(
            PERIOD.insert().values(
                period_id=new_id(), account_id=account, product="gone", from_day=date(2026, 5, 1),
                until_day=date(2026, 12, 31), rides=None, price_minor=4000, state="held",
            )
        )  # fmt: skip


def test_account_that_cannot_be_priced_stops_no_fading_of_others(city: City) -> None:
    good, bad = city.rider(), city.rider()
    hold_a_period_that_no_rule_has(city, bad[0])
    for _, pass_id in (good, bad):
        ride(city, pass_id)
    city.sync()
    city.clock.turn(hours=72)
    forget(city)
    assert [row.state for row in city.journeys(good[0])] == ["faded"]
    assert len(taps(city)) == 2, "those of the other wait, for as long as reviews do"
    city.clock.turn(days=15)
    forget(city)
    assert taps(city) == []


def forget(city: City) -> None:
    run_retention(
        city.database, clock=city.clock, retention=Retention(), service_day=city.tariff.service_day, new_id=new_id,
        price=city.price,
    )  # fmt: skip


def taps(city: City) -> list[int]:
    with city.database.read() as connection:
        return list(connection.execute(select(TAP.c.tap_id)).scalars())


def send_tap_of(city: City, pass_id: PassId, at: datetime) -> None:
    """A gate whose clock is anywhere sends one tap; it is received now."""
    paper = PaperJournal(GateKey.generate(), b"e" * 16, city.gates["bank-in"].gate_id)
    with city.database.write() as connection:
        begin_epoch(connection, gate_id=paper.gate_id, epoch=paper.epoch, journal_key=paper.key.public_key,
                    reason="new", after=None, now=city.clock.at)  # fmt: skip
    paper.append(pass_id, at)
    with city.database.write() as connection:
        receipt = ingest_batch(connection, gate_id=paper.gate_id, body=paper.batch(1, 1, sent_at=at),
                               received_at=city.clock.at)  # fmt: skip
    assert isinstance(receipt, Receipt)


@pytest.mark.parametrize("at", [YEAR_1, YEAR_9999])
def test_tap_at_the_end_of_the_calendar_stops_no_fading(city: City, at: datetime) -> None:
    good, odd = city.rider(), city.rider()
    ride(city, good[1])
    city.sync()
    send_tap_of(city, odd[1], at)
    city.clock.turn(days=16)
    forget(city)
    assert [row.state for row in city.journeys(good[0])] == ["faded"]
    assert taps(city) == []


@pytest.mark.parametrize("ahead", [timedelta(days=400), timedelta(days=10_000)])
@pytest.mark.parametrize("decided", [False, True])
def test_tap_from_the_future_fades_by_when_it_came(city: City, ahead: timedelta, decided: bool) -> None:
    _account, pass_id = city.rider()
    send_tap_of(city, pass_id, city.clock.at + ahead)
    if decided:
        with city.database.write() as connection:
            (waiting,) = list_reviews(connection)
            reject_tap(connection, waiting.tap_id)
        city.clock.turn(hours=49)
        forget(city)
        assert taps(city) == []
        return
    city.clock.turn(days=13)
    forget(city)
    assert len(taps(city)) == 1
    city.clock.turn(days=2)
    forget(city)
    assert taps(city) == []


def test_tap_is_not_accepted_at_a_time_that_is_still_to_come(city: City) -> None:
    _account, pass_id = city.rider()
    send_tap_of(city, pass_id, city.clock.at + timedelta(days=400))
    with city.database.write() as connection:
        (waiting,) = list_reviews(connection)
        with pytest.raises(SyncError, match="to come"):
            accept_tap(connection, waiting.tap_id, time=ReviewTime.GATE, now=city.clock.at)
        accept_tap(connection, waiting.tap_id, time=ReviewTime.CORRECTED, now=city.clock.at)
    city.price()
    city.clock.turn(hours=72)
    forget(city)
    assert taps(city) == []
