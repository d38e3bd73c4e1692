"""Fading while accounts are priced and taps arrive: no ride is charged twice, none is given back."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from tests.databases import opened_office
from tests.office.priced_world import City
from tests.office.sync_workshop import new_id

from openstile.journal import Direction
from openstile.office.forgetting import Faded, Retention, fade, run_retention
from openstile.office.store.due import make_due
from openstile.terms.money import Money

RIDERS = 12


@pytest.fixture
def city(database_url: str, tmp_path: Path) -> Iterator[City]:
    database = opened_office(database_url)
    city = City(database, tmp_path)
    city.gate("bank-in", "bank", Direction.IN)
    city.gate("stratford-out", "stratford", Direction.OUT)
    yield city
    for gate in city.gates.values():
        gate.journal.close()
    database.close()


def test_pricing_and_two_fadings_at_once_leave_every_ride_posted_once(city: City) -> None:
    riders = [city.rider() for _ in range(RIDERS)]
    for _round in range(2):
        for _account, pass_id in riders:
            city.tap(city.gates["bank-in"], pass_id)
            city.clock.turn(minutes=10)
            city.tap(city.gates["stratford-out"], pass_id)
        city.sync()
        city.price()
        city.at(city.clock.at + timedelta(hours=49))
    before = [city.balance(account) for account, _ in riders]
    for _account, pass_id in riders:  # so that every account is due while its old rides fade
        city.tap(city.gates["bank-in"], pass_id)
    city.sync()

    def forget() -> Faded:
        return run_retention(
            city.database, clock=city.clock, retention=Retention(), service_day=city.tariff.service_day, new_id=new_id
        )

    with ThreadPoolExecutor(3) as pool:
        work: list[Future[object]] = [pool.submit(job) for job in (forget, city.price, forget)]
        for future in work:
            future.result(timeout=60)
    city.price()
    forget()
    for (account, _), held in zip(riders, before, strict=True):
        assert [row.state for row in city.journeys(account, current=False)].count("faded") == 2
        assert city.balance(account) == held != Money(0, "GBP")
    city.check_books()


def test_taps_that_arrive_and_a_fading_do_not_wait_for_each_other(city: City) -> None:
    if city.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    account, pass_id = city.rider()
    city.tap(city.gates["bank-in"], pass_id)
    city.clock.turn(minutes=10)
    city.tap(city.gates["stratford-out"], pass_id)
    city.sync()
    assert city.price() == 1
    assert [row.state for row in city.journeys(account)] == ["complete"]
    city.at(city.clock.at + timedelta(hours=49))
    with city.database.write() as connection, ThreadPoolExecutor(1) as pool:
        make_due(connection, [account], at_us=0)  # as an ingest does, before it stores which taps are fresh
        fading = pool.submit(fade_now, city)
        assert fading.result(timeout=20).rows["journey"] == 1


def fade_now(city: City) -> Faded:
    with city.database.write() as connection:
        return fade(
            connection, now=city.clock.at, retention=Retention(), service_day=city.tariff.service_day, new_id=new_id
        )
