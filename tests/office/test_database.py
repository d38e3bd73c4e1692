"""The office's database: transactions on both engines."""

import pytest
from sqlalchemy import select
from tests.databases import PostgresServer

from openstile.office.store.database import Database, OfficeDatabaseError
from openstile.office.store.gates import GATE
from openstile.office.store.metadata import METADATA
from openstile.terms import BadInputError

_GATE = {
    "gate_id": "north-1",
    "stop_id": "s1",
    "network_id": None,
    "direction": "in",
    "state": "waiting",
    "added_us": 1,
}


def test_what_fails_in_the_middle_leaves_nothing(database_url: str) -> None:
    database = Database.open(database_url)
    METADATA.create_all(database.engine)
    with pytest.raises(ZeroDivisionError):
        _fail_behind_a_change(database)
    with database.read() as connection:
        assert connection.execute(select(GATE)).all() == []
    with database.write() as connection:
        connection.execute(GATE.insert(), _GATE)
    with database.read() as connection:
        assert len(connection.execute(select(GATE)).all()) == 1
    database.close()


def _fail_behind_a_change(database: Database) -> None:
    with database.write() as connection:
        connection.execute(GATE.insert(), _GATE)
        raise ZeroDivisionError


def test_error_of_the_database_shows_no_values(database_url: str) -> None:
    database = Database.open(database_url)
    METADATA.create_all(database.engine)
    with pytest.raises(OfficeDatabaseError) as caught, database.write() as connection:
        connection.execute(GATE.insert(), _GATE | {"state": "confidential"})
    assert "confidential" not in str(caught.value)
    database.close()


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite://", "no address"])
def test_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(BadInputError):
        Database.open(url)


def test_lock_of_an_office_that_hangs_in_a_transaction_keeps_no_other_one_out_for_ever(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.new_database()
    hangs = Database.open(f"{url}&options=-c%20idle_in_transaction_session_timeout%3D200")
    database = Database.open(url)
    METADATA.create_all(database.engine)
    with database.write() as connection:
        connection.execute(GATE.insert(), _GATE)
    with pytest.raises(OfficeDatabaseError, match="again"), hangs.write() as hanging:  # noqa: PT012
        hanging.execute(GATE.update().values(stop_id="s2"))
        with database.write() as connection:
            connection.execute(GATE.update().values(stop_id="s3"))
        hanging.execute(GATE.update().values(stop_id="s4"))
    with database.read() as connection:
        assert connection.execute(select(GATE.c.stop_id)).scalar_one() == "s3"
    for each in (database, hangs):
        each.close()


def test_office_waits_for_no_lock_and_no_server_for_ever(postgres_server: PostgresServer) -> None:
    database = Database.open(postgres_server.new_database())
    with database.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout", "application_name")
        }
    database.close()
    assert settings == {
        "lock_timeout": "30s", "idle_in_transaction_session_timeout": "5min", "application_name": "openstile"
    }  # fmt: skip
