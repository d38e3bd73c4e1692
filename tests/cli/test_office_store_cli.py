"""`openstile office migrate, backup, restore, retention, data-held`: as an operator runs them, on both engines."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.cli.conftest import Openstile
from tests.office.trips import NOW, Town

from openstile.office.store.database import Database
from openstile.office.store.migrations import migrate


@pytest.fixture
def office(database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an office's database that is as the home's settings say."""
    monkeypatch.setenv("OPENSTILE_OFFICE__DATABASE", database_url)
    home.mkdir(mode=0o700)
    return database_url


def put_trips(url: str) -> None:
    """One ride of 50 hours ago, and one of an hour ago."""
    database = Database.open(url)
    with database.write() as connection:
        town, since = Town(connection).found(), datetime.now(UTC) - NOW
        for rider, hours in (("a", 50), ("b", 1)):
            town.ride(rider, timedelta(hours=hours) - since)
        connection.execute(text("UPDATE pass SET expires_us = 4000000000000000"))
        connection.execute(text("UPDATE journey SET day = CURRENT_DATE"))  # else its taps' hashes are old at once
    database.close()


def states(url: str) -> list[str]:
    database = Database.open(url)
    with database.read() as connection:
        found = sorted(connection.execute(text("SELECT state FROM journey")).scalars())
    database.close()
    return found


def test_operator_migrates_forgets_backs_up_and_restores(
    openstile: Openstile, home: Path, office: str, tmp_path: Path
) -> None:
    at = ("--home", home, "--json")
    assert openstile("office", "migrate", *at).json == {"before": None, "version": "0002"}
    assert openstile("office", "migrate", "--home", home).out == "database: version 0002\n"
    put_trips(office)
    shown = openstile("office", "retention", "--dry-run", *at).json
    assert (shown["rows"], shown["unpriced"], shown["waiting"]) == ({"journey": 1, "tap": 1}, 0, 0)
    assert states(office) == ["complete", "complete"]
    table = openstile("office", "retention", "--dry-run", "--home", home)
    assert "journey" in table.out
    assert "Would go" in table.out

    folder = tmp_path / "backups"
    folder.mkdir()
    made = openstile("office", "backup", folder, "--prune", *at).json
    assert (made["manifest"]["version"], made["removed"]) == ("0002", [])
    assert stat.S_IMODE(Path(made["path"]).stat().st_mode) == 0o600

    gone = openstile("office", "retention", *at).json
    assert gone["rows"] == shown["rows"]
    assert states(office) == ["complete", "faded"]
    assert openstile("office", "retention", "--rewrite", *at).json["rows"] == {}

    refused = openstile("office", "restore", made["path"], "--home", home)
    assert (refused.exit_code, "add --yes" in refused.err) == (2, True)
    assert openstile("office", "restore", made["path"], "--yes", *at).json == {"restored": made["manifest"]}
    assert states(office) == ["complete", "faded"]


def test_old_backups_are_removed_with_the_new_one(
    openstile: Openstile, home: Path, office: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openstile("office", "migrate", "--home", home)
    refused = openstile("office", "backup", tmp_path / "file", "--prune", "--home", home)
    assert (refused.exit_code, "needs the folder" in refused.err) == (2, True)
    first = openstile("office", "backup", tmp_path / "first.openstile-backup", "--home", home, "--json").json
    monkeypatch.setattr("openstile.terms.instants.SystemClock.now", lambda _: datetime.now(UTC) + timedelta(days=8))
    second = openstile("office", "backup", tmp_path, "--prune", "--home", home, "--json").json
    assert second["removed"] == [first["path"]]
    assert not Path(first["path"]).exists()


def test_commands_on_a_database_of_another_version_say_what_to_do(
    openstile: Openstile, home: Path, office: str
) -> None:
    database = Database.open(office)
    migrate(database, to="0001")
    database.close()
    for command in ("retention", "data-held"):
        ran = openstile("office", command, "--home", home)
        assert (ran.exit_code, "run: openstile office migrate" in ran.err) == (1, True)
    assert openstile("office", "migrate", "--home", home).out == "database: version 0002, was 0001\n"


def test_open_books_are_printed_from_the_database_that_runs(openstile: Openstile, home: Path, office: str) -> None:
    openstile("office", "migrate", "--home", home)
    tables = {table["table"]: table for table in openstile("office", "data-held", "--home", home, "--json").json}
    says = {column["name"]: column["says"] for column in tables["tap"]["columns"]}
    assert (says["pass_id"], says["at_us"]) == ("which pass", "when something was")
    assert "48 hours by default" in openstile("office", "data-held", "--home", home).out
    assert "face" not in " ".join(tables)
    assert office
