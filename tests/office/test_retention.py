"""Forgetting: what fades when, what waits and how long, and that nothing declared to fade is left."""

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Table, func, insert, select
from tests.databases import opened_office
from tests.office.filled import AT_US, fill, row_of
from tests.office.trips import NOW, Town, pass_id, pass_row

from openstile.journal.taps import instant_of, microseconds_of
from openstile.office.forgetting import Faded, Retention, fade, preview, run_retention
from openstile.office.forgetting.fade import faded_until
from openstile.office.store.accounts import PASS
from openstile.office.store.database import Database
from openstile.office.store.gates import ALARM
from openstile.office.store.journeys import JOURNEY, PRICING_DUE
from openstile.office.store.people import AUDIT, STAFF
from openstile.office.store.schema import all_tables
from openstile.office.store.taps import TAP_HASH
from openstile.terms import BadInputError
from openstile.terms.held import Until

HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def service_day(at: datetime) -> date:
    return at.astimezone(UTC).date()


run_fade = partial(fade, retention=Retention(), service_day=service_day, new_id=partial(secrets.token_hex, 16))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = opened_office(database_url)
    yield opened
    opened.close()


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    with database.write() as connection:
        yield Town(connection).found()


def alarms(town: Town) -> list[tuple[str, str]]:
    rows = town.connection.execute(select(ALARM.c.kind, ALARM.c.detail).order_by(ALARM.c.kind))
    return [(row.kind, row.detail) for row in rows]


def test_priced_trip_becomes_day_product_and_amount_and_a_count(town: Town) -> None:
    journey = town.ride("a", 50 * HOURS)
    faded = run_fade(town.connection, now=NOW)
    row = town.connection.execute(select(JOURNEY)).one()._asdict()
    assert {name for name, value in row.items() if value is not None} == {
        "journey_id", "account_id", "day", "products", "amount_minor", "currency", "state", "posting_id", "counted",
    }  # fmt: skip
    assert (row["journey_id"], row["state"], row["amount_minor"]) == (journey, "faded", 280)
    assert town.tap_ids() == []
    assert town.counts() == {(date(2026, 5, 18), "single", "in", 1, 0)}
    assert faded == Faded(NOW - 48 * HOURS, {"journey": 1, "tap": 1}, 0, 0)
    assert faded_until(town.connection) == NOW - 48 * HOURS


def test_count_is_of_the_service_day_that_the_journey_is_of(town: Town) -> None:
    town.ride("a", 50 * HOURS, day=date(2026, 5, 17))
    town.ride("b", 51 * HOURS, day=date(2026, 5, 17))
    run_fade(town.connection, now=NOW)
    town.ride("b", 50 * HOURS, day=date(2026, 5, 17))
    run_fade(town.connection, now=NOW)
    assert town.counts() == {(date(2026, 5, 17), "single", "in", 3, 0)}


def test_trip_of_just_the_time_stays_and_one_a_microsecond_older_fades(town: Town) -> None:
    young, old = town.ride("a", 48 * HOURS), town.ride("b", 48 * HOURS + MICROSECOND)
    run_fade(town.connection, now=NOW)
    assert town.states() == {young: "complete", old: "faded"}
    assert town.tap_ids() == [1]


def test_journey_fades_with_all_its_taps_or_not_at_all(town: Town) -> None:
    taps = [town.tap("a", 49 * HOURS), town.tap("a", 47 * HOURS)]
    journey = town.journey("a", taps)
    assert run_fade(town.connection, now=NOW).rows == {}
    assert (town.tap_ids(), town.states()) == (taps, {journey: "complete"})
    run_fade(town.connection, now=NOW + 2 * HOURS)
    assert (town.tap_ids(), town.states()) == ([], {journey: "faded"})


def test_superseded_journey_goes_and_the_taps_stay_with_the_one_that_counts(town: Town) -> None:
    taps = [town.tap("a", 49 * HOURS), town.tap("a", 47 * HOURS)]
    town.journey("a", taps[:1], state="superseded")
    journey = town.journey("a", taps)
    assert run_fade(town.connection, now=NOW).rows == {"journey superseded": 1}
    assert (town.tap_ids(), town.states()) == (taps, {journey: "complete"})


def test_account_with_a_tap_that_no_pricing_saw_waits_and_an_alarm_says_so_once(town: Town) -> None:
    journey = town.ride("a", 50 * HOURS)
    town.tap("a", 49 * HOURS, fresh=True)
    other = town.ride("b", 50 * HOURS)
    for _ in range(2):
        faded = run_fade(town.connection, now=NOW)
        assert faded.waiting == 2
    assert town.states() == {journey: "complete", other: "faded"}
    assert alarms(town) == [("unpriced", "2 taps are older than trips are kept and wait to be priced or looked at")]


@pytest.mark.parametrize("state", ["open", "unknown"])
def test_journey_without_a_price_waits_for_review_days_and_no_longer(town: Town, state: str) -> None:
    journey = town.ride("a", 13 * DAYS, state=state)
    assert run_fade(town.connection, now=NOW).waiting == 1
    assert town.states() == {journey: state}
    faded = run_fade(town.connection, now=NOW + DAYS + MICROSECOND)
    assert (faded.unpriced, faded.waiting) == (1, 0)
    assert town.states() == {journey: "faded"}
    assert {taps[3:] for taps in town.counts()} == {(1, 1)}
    assert ("faded_unpriced", "1 taps have faded and were never priced") in alarms(town)


@pytest.mark.parametrize(("review", "fresh"), [("waiting", False), ("clear", True), ("accepted", True)])
def test_tap_without_a_price_waits_for_review_days_after_it_came_and_no_longer(
    town: Town, review: str, fresh: bool
) -> None:
    tap = town.tap("a", 20 * DAYS, received_ago=13 * DAYS, review=review, fresh=fresh)
    assert run_fade(town.connection, now=NOW).waiting == 1
    assert town.tap_ids() == [tap]
    assert run_fade(town.connection, now=NOW + DAYS + MICROSECOND).unpriced == 1
    assert town.tap_ids() == []
    assert town.counts() == {(date(2026, 4, 30), "single", "in", 1, 1)}


def test_rejected_tap_fades_with_its_time_and_counts_as_one_that_needed_no_price(town: Town) -> None:
    town.tap("a", 50 * HOURS, review="rejected")
    young = town.tap("a", 40 * HOURS, review="rejected")
    assert run_fade(town.connection, now=NOW).unpriced == 0
    assert town.tap_ids() == [young]


def test_tap_that_came_late_fades_when_it_is_priced_not_when_it_came(town: Town) -> None:
    tap = town.tap("a", 5 * DAYS, received_ago=HOURS)
    town.journey("a", [tap])
    run_fade(town.connection, now=NOW)
    assert town.tap_ids() == []


def test_tap_in_no_journey_of_an_account_that_waits_for_nothing_fades(town: Town) -> None:
    town.tap("a", 50 * HOURS)
    run_fade(town.connection, now=NOW)
    assert town.tap_ids() == []


def test_preview_says_what_would_go_and_changes_nothing(database: Database) -> None:
    with database.write() as connection:
        journey = Town(connection).found().ride("a", 50 * HOURS)
    retention, new_id = Retention(), partial(secrets.token_hex, 16)
    shown = preview(database, now=NOW, retention=retention, service_day=service_day, new_id=new_id)
    with database.write() as connection:
        assert Town(connection).states() == {journey: "complete"}
        assert fade(connection, now=NOW, retention=retention, service_day=service_day, new_id=new_id) == shown
    assert shown.rows == {"journey": 1, "tap": 1}


class StandingClock:
    """A clock at NOW."""

    def now(self) -> datetime:
        return NOW

    def monotonic_ns(self) -> int:
        return 0


def test_job_prices_what_is_due_before_anything_fades(database: Database) -> None:
    with database.write() as connection:
        town = Town(connection).found()
        tap = town.tap("a", 50 * HOURS, fresh=True)
    priced: list[str] = []

    def price() -> int:
        if priced:
            return 0
        with database.write() as connection:
            connection.exec_driver_sql("DELETE FROM tap_fresh")
            priced.append(Town(connection).journey("a", [tap]))
        return 1

    faded = run_retention(
        database, clock=StandingClock(), retention=Retention(), service_day=service_day,
        new_id=partial(secrets.token_hex, 16), price=price,
    )  # fmt: skip
    assert (faded.rows, faded.waiting) == ({"journey": 1, "tap": 1}, 0)


def test_expired_things_go(database: Database) -> None:
    now_us = microseconds_of(NOW)
    tables = [table for table in all_tables() if _declares(table, "expires_us", Until.EXPIRES)]
    assert len(tables) >= 6
    with database.write() as connection:
        fill(connection, at_us=now_us)
        faded = run_fade(connection, now=NOW + 2 * MICROSECOND)
        for table in tables:
            if table.name == "ledger_hold":
                continue
            left = set(connection.execute(select(table.c.expires_us)).scalars())
            assert left == {now_us + 3}, table.name
            assert faded.rows[table.name] == 3


def test_pass_goes_seven_days_after_it_ended(town: Town) -> None:
    for name, ended_ago in (("a-gone", 7 * DAYS + MICROSECOND), ("a-here", 7 * DAYS)):
        town.connection.execute(insert(PASS), pass_row(name, ended_ago=ended_ago))
    run_fade(town.connection, now=NOW)
    left = set(town.connection.execute(select(PASS.c.pass_id)).scalars())
    assert left == {pass_id("a"), pass_id("b"), pass_id("a-here")}


def test_what_staff_did_and_alarms_go_when_the_logs_time_is_over(town: Town) -> None:
    at_us = microseconds_of(NOW - 400 * DAYS)
    for table in (STAFF, AUDIT, ALARM):
        rows = [row_of(table, number, at_us - 2) | {"gate_id": "north-1"} for number in range(4)]
        names = set(table.c.keys())
        town.connection.execute(insert(table), [{n: v for n, v in row.items() if n in names} for row in rows])
    town.connection.execute(STAFF.update().where(STAFF.c.staff_id.like("%.0")).values(state="removed"))
    run_fade(town.connection, now=NOW)
    assert town.connection.execute(select(AUDIT.c.at_us).order_by(AUDIT.c.at_us)).scalars().all() == [at_us, at_us + 1]
    assert town.connection.execute(select(func.count()).select_from(ALARM)).scalar_one() == 2


def test_member_of_staff_who_left_is_forgotten_with_the_last_row_that_names_them(town: Town) -> None:
    members = [row_of(STAFF, number) | {"state": "removed"} for number in range(2)]
    at_us = microseconds_of(NOW - 399 * DAYS)
    town.connection.execute(insert(STAFF), members)
    town.connection.execute(insert(AUDIT), row_of(AUDIT, 1, at_us) | {"staff_id": members[1]["staff_id"]})
    run_fade(town.connection, now=NOW)
    assert town.connection.execute(select(STAFF.c.staff_id)).scalars().all() == [members[1]["staff_id"]]
    run_fade(town.connection, now=NOW + 2 * DAYS)
    run_fade(town.connection, now=NOW + 2 * DAYS)
    assert town.connection.execute(select(STAFF.c.staff_id)).scalars().all() == []


def test_hash_of_a_faded_tap_goes_after_a_hundred_days(town: Town) -> None:
    town.ride("a", 50 * HOURS, day=date(2026, 5, 18))
    for days, left in ((0, 1), (98, 1), (99, 0)):
        run_fade(town.connection, now=NOW + days * DAYS)
        assert town.connection.execute(select(func.count()).select_from(TAP_HASH)).scalar_one() == left


def test_due_pricing_is_kept_as_long_as_what_is_to_be_priced(town: Town) -> None:
    for rider, ago in (("a", 13 * DAYS), ("b", 14 * DAYS + MICROSECOND)):
        row = {"account_id": rider * 32, "due_us": microseconds_of(NOW - ago)}
        town.connection.execute(insert(PRICING_DUE), row)
    run_fade(town.connection, now=NOW)
    assert town.connection.execute(select(PRICING_DUE.c.account_id)).scalars().all() == ["a" * 32]


def test_no_column_that_is_declared_to_fade_holds_a_value_when_the_time_is_over(database: Database) -> None:
    """Of any table, also one that is new: rows are made from its columns, and its declarations are what is asked."""
    with database.write() as connection:
        fill(connection)
        before = _values_that_fade(connection)
        assert all(before.values()), "a column that fades holds nothing before: the test could not fail"
        run_fade(connection, now=instant_of(AT_US) + 14 * DAYS + HOURS)
        assert _values_that_fade(connection) == dict.fromkeys(before, 0)


def _values_that_fade(connection: object) -> dict[str, int]:
    found = {}
    for table in all_tables():
        for column in table.columns:
            if column.info["held"].until is Until.TRIPS_FADE:
                count = select(func.count(column)).select_from(table)
                found[str(column)] = connection.execute(count).scalar_one()  # type: ignore[attr-defined]
    return found


def _declares(table: Table, name: str, until: Until) -> bool:
    return name in table.c and table.c[name].info["held"].until is until


@pytest.mark.parametrize(
    "wrong",
    [{"trips_hours": 0}, {"trips_hours": 169}, {"review_days": 31}, {"review_days": 1}, {"audit_days": 30},
     {"backup_days": 0}],
)  # fmt: skip
def test_times_outside_the_limits_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInputError, match="retention"):
        Retention(**wrong)
