"""Bytes of what faded leave the files, on SQLite and on PostgreSQL; and pricing sees nothing of the fading."""

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update
from tests.databases import PostgresServer, sqlite_url
from tests.office.trips import NOW, STOP, Town, pass_id

from openstile.office.forgetting import Retention, run_retention
from openstile.office.store.accounts import PASS
from openstile.office.store.database import Database
from openstile.office.store.journeys import JOURNEY
from openstile.office.store.migrations import migrate

MARKS = {"pass": pass_id("a"), "stop": STOP.encode()}


class TurningClock:
    """A clock that the test turns."""

    at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic_ns(self) -> int:
        return 0


def service_day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def found_in(folder: Path, *, leave_out: str = "") -> set[str]:
    """Which marks some file of the folder holds."""
    files = [path for path in folder.rglob("*") if path.is_file() and (not leave_out or leave_out not in path.parts)]
    assert files
    return {name for name, mark in MARKS.items() if any(mark in path.read_bytes() for path in files)}


def fill(database: Database) -> None:
    """Taps that are enough for many pages, of a pass that is in no other table any more."""
    with database.write() as connection:
        town = Town(connection).found()
        for minutes in range(300):
            town.ride("a", timedelta(hours=50, minutes=minutes))
            town.ride("b", timedelta(hours=1, minutes=minutes % 60))
        connection.execute(delete(PASS).where(PASS.c.pass_id == pass_id("a")))
        plain = {"from_stop": "x", "to_stop": "x", "explanation": None}
        connection.execute(update(JOURNEY).where(JOURNEY.c.account_id == "b" * 32).values(plain))


def forget(database: Database, clock: TurningClock) -> None:
    run_retention(
        database, clock=clock, retention=Retention(), service_day=service_day, new_id=partial(secrets.token_hex, 16)
    )


@pytest.fixture
def clock() -> TurningClock:
    return TurningClock()


@pytest.fixture
def sqlite_office(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(sqlite_url(tmp_path))
    migrate(database)
    yield database
    database.close()


def test_no_byte_of_a_faded_trip_is_left_in_sqlites_files(
    sqlite_office: Database, tmp_path: Path, clock: TurningClock
) -> None:
    fill(sqlite_office)
    assert found_in(tmp_path) == {"pass", "stop"}
    forget(sqlite_office, clock)
    assert found_in(tmp_path) == set()


def test_later_fading_of_the_same_day_zeroes_bytes_without_writing_the_file_anew(
    sqlite_office: Database, tmp_path: Path, clock: TurningClock
) -> None:
    forget(sqlite_office, clock)
    fill(sqlite_office)
    clock.at = NOW + timedelta(hours=1)
    forget(sqlite_office, clock)
    assert found_in(tmp_path) == set()
    size = (tmp_path / "office.db").stat().st_size
    clock.at = NOW + timedelta(hours=25)
    forget(sqlite_office, clock)
    assert (tmp_path / "office.db").stat().st_size < size


def test_reader_that_lasts_only_delays_it(sqlite_office: Database, tmp_path: Path, clock: TurningClock) -> None:
    fill(sqlite_office)
    with sqlite_office.read() as connection:
        assert len(Town(connection).tap_ids()) == 600
        forget(sqlite_office, clock)
        assert found_in(tmp_path) == {"pass", "stop"}
    clock.at = NOW + timedelta(hours=1)
    forget(sqlite_office, clock)
    assert found_in(tmp_path) == set()


def test_no_byte_of_a_faded_trip_is_left_in_postgresqls_tables(
    postgres_server: PostgresServer, clock: TurningClock
) -> None:
    database = Database.open(postgres_server.new_database())
    migrate(database)
    fill(database)
    checkpoint(database)
    with database.read() as connection:
        oid = connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
    folder = postgres_server.folder / "data" / "base" / str(oid)
    assert found_in(folder) == {"pass", "stop"}
    forget(database, clock)
    checkpoint(database)
    assert found_in(folder) == set()
    database.close()


def checkpoint(database: Database) -> None:
    """Files that were dropped or cut are so on disk."""
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CHECKPOINT")
