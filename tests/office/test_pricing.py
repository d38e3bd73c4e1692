"""Pricing in the office: each tap in one journey, each journey posted once, late taps by reversal and new posting."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs
from tests.fares.tariff_workshop import tariff
from tests.office.priced_world import City
from tests.office.sync_workshop import START, new_id, office_at

from openstile.fares.words import say
from openstile.journal import Direction
from openstile.ledger.store import Ledger
from openstile.office.forgetting import Retention, fade
from openstile.office.pricing import price_due, rider_account
from openstile.office.pricing.rows import read_explanation
from openstile.office.riders.accounts import change_account
from openstile.office.store.accounts import PERIOD
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.terms.money import Money


@pytest.fixture
def city(database_url: str, tmp_path: Path) -> Iterator[City]:
    """A city with an entry at Bank and an exit at Stratford (zones 1 and 2); it is Monday, 09:00 in London."""
    with office_at(database_url) as database:
        city = City(database, tmp_path)
        city.gate("bank-in", "bank", Direction.IN)
        city.gate("stratford-out", "stratford", Direction.OUT)
        yield city
        for gate in city.gates.values():
            gate.journal.close()


def ride(city: City, pass_id: object, *, minutes: int = 20) -> None:
    """From Bank to Stratford."""
    city.tap(city.gates["bank-in"], pass_id)  # type: ignore[arg-type]
    city.clock.turn(minutes=minutes)
    city.tap(city.gates["stratford-out"], pass_id)  # type: ignore[arg-type]


def pounds(minor: int) -> Money:
    return Money(minor, "GBP")


def test_ride_is_priced_posted_and_explained(city: City) -> None:
    account, pass_id = city.rider()
    ride(city, pass_id)
    city.sync()
    assert city.price() == 1
    (journey,) = city.journeys(account)
    assert (journey.state, journey.amount_minor, journey.from_stop, journey.to_stop) == (
        "complete", 350, "bank", "stratford"
    )  # fmt: skip
    lines = [say(line, "en") for line in read_explanation(journey.explanation, "GBP")]
    assert any("peak" in line for line in lines)
    assert city.balance(account) == pounds(-350)
    city.check_books()


def test_pricing_again_changes_nothing(city: City) -> None:
    account, pass_id = city.rider()
    ride(city, pass_id)
    city.sync()
    city.price()
    before = city.journeys(account, current=False)
    with city.database.write() as connection:
        change_account(connection, account, category="adult", contact=None, now_us=0)
    assert city.price() == 1
    assert city.journeys(account, current=False) == before
    assert city.price() == 0


def test_late_exit_reverses_the_maximum_fare_and_posts_anew(city: City) -> None:
    account, pass_id = city.rider()
    ride(city, pass_id)
    city.sync(city.gates["bank-in"])
    city.price()
    assert [row.state for row in city.journeys(account)] == ["open"]
    assert city.balance(account) == pounds(0)
    city.clock.turn(hours=3)
    assert city.price() == 1
    assert [row.state for row in city.journeys(account)] == ["missing_exit"]
    assert city.balance(account) == pounds(-940)
    city.sync(city.gates["stratford-out"])
    city.price()
    assert city.balance(account) == pounds(-350)
    states = sorted(row.state for row in city.journeys(account, current=False))
    assert states == ["complete", "superseded", "superseded"]
    with city.database.read() as connection:
        entries = Ledger(connection).entries(rider_account(account))
    assert sorted((entry.kind, entry.amount.minor) for entry in entries) == [
        ("fare", 350), ("fare", 940), ("reversal", -940)
    ]  # fmt: skip
    city.check_books()


def test_daily_cap_holds_over_rides_that_come_in_any_order(city: City) -> None:
    account, pass_id = city.rider()
    for _ in range(4):
        ride(city, pass_id)
        city.clock.turn(minutes=100)
        city.sync()
        city.price()
    assert city.balance(account) == pounds(-890)
    city.check_books()


def test_faded_rides_still_count_towards_the_week(city: City) -> None:
    account, pass_id = city.rider()
    spent = []
    for _day in range(6):
        for _ in range(4):
            ride(city, pass_id)
            city.clock.turn(minutes=100)
        city.sync()
        city.price()
        spent.append(-city.balance(account).minor)
        city.at(city.clock.at.replace(hour=8, minute=0) + timedelta(days=1))
        with city.database.write() as connection:
            fade(
                connection, now=city.clock.at, retention=Retention(trips_hours=24),
                service_day=city.tariff.service_day, new_id=new_id,
            )  # fmt: skip
    assert spent == [890, 1780, 2670, 3560, 4450, 4470]
    assert {row.state for row in city.journeys(account)} == {"faded", "complete"}
    city.check_books()


def test_each_stored_tap_is_in_one_current_journey(city: City) -> None:
    riders = [city.rider() for _ in range(5)]
    for _ in range(3):
        for _account, pass_id in riders:
            ride(city, pass_id, minutes=3)
        city.sync()
    city.price()
    used = [tap for account, _ in riders for row in city.journeys(account) for tap in json.loads(row.taps)]
    with city.database.read() as connection:
        stored = list(connection.execute(select(TAP.c.tap_id)).scalars())
        assert connection.execute(select(TAP_FRESH)).all() == []
    assert sorted(used) == sorted(stored)
    city.check_books()


def test_workers_side_by_side_price_each_account_once(city: City) -> None:
    riders = [city.rider() for _ in range(12)]
    for _account, pass_id in riders:
        ride(city, pass_id, minutes=1)
    city.sync()

    def work(_number: int) -> int:
        mine, total = tariff.__wrapped__(), 0
        while done := price_due(city.database, tariff=mine, now=city.clock.now, new_id=new_id, at_a_time=2):
            total += done
        return total

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == len(riders)
    assert {city.balance(account).minor for account, _ in riders} == {-350}
    city.check_books()


def test_change_of_category_prices_anew_what_has_not_faded(city: City) -> None:
    account, pass_id = city.rider()
    ride(city, pass_id)
    city.sync()
    city.price()
    with city.database.write() as connection:
        change_account(connection, account, category="child", contact=None, now_us=0)
    city.price()
    assert city.balance(account) == pounds(-175)
    assert START.date() == city.journeys(account)[0].day
    city.check_books()


def test_account_that_cannot_be_priced_waits_and_keeps_no_other_one_back(city: City) -> None:
    riders = [city.rider() for _ in range(4)]
    stuck = riders[2][0]
    with city.database.write() as connection:  # a period product that the rules have lost
        connection.execute(
            PERIOD.insert().values(
                period_id=new_id(), account_id=stuck, product="gone", from_day=START.date(), until_day=START.date(),
                rides=None, price_minor=0, state="held",
            )
        )  # fmt: skip
    for _account, pass_id in riders:
        ride(city, pass_id, minutes=1)
    city.sync()
    with capture_logs() as logs:
        assert city.price() == 4
    assert [account for account, _ in riders if city.balance(account) == pounds(0)] == [stuck]
    assert [line["event"] for line in logs] == ["account cannot be priced"]
    assert stuck not in str(logs)
    with city.database.write() as connection:
        connection.execute(PERIOD.delete())
    assert city.price() == 0
    city.clock.turn(hours=1)
    assert city.price() == 1
    assert city.balance(stuck) == pounds(-350)
    city.check_books()
