"""Backups on both engines: whole, private and checked; a restore changes all or nothing, and old trips fade in it."""

import io
import json
import os
import secrets
import stat
import tarfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.databases import NewDatabase
from tests.office.filled import contents, fill
from tests.office.trips import NOW, STOP, Town

from openstile.office.backup import BackupError, make_backup, prune, restore
from openstile.office.backup import programs as pg_programs
from openstile.office.backup.manifest import SUFFIX, Manifest, read_manifest
from openstile.office.forgetting import Retention, fade
from openstile.office.store.database import Database
from openstile.office.store.migrations import migrate, version_of
from openstile.terms import BadInputError


def service_day(at: datetime) -> date:
    return at.date()


def no_fading(_connection: Connection) -> None:
    """For backups of what never fades."""


fade_at = partial(fade, retention=Retention(), service_day=service_day, new_id=partial(secrets.token_hex, 16))


@pytest.fixture
def databases(new_database: NewDatabase) -> Iterator[tuple[Database, Database]]:
    """One with rows in every table, and an empty one."""
    filled, empty = Database.open(new_database()), Database.open(new_database())
    migrate(filled)
    with filled.write() as connection:
        fill(connection)
    yield filled, empty
    filled.close()
    empty.close()


def all_of(database: Database) -> dict[str, set[tuple[object, ...]]]:
    with database.read() as connection:
        return contents(connection)


def damaged(backup: Path, target: Path) -> Path:
    data = bytearray(backup.read_bytes())
    data[len(data) // 2] ^= 0xFF
    target.write_bytes(data)
    return target


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_backup_holds_every_row_and_restores_into_an_empty_database(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    filled, empty = databases
    backup = make_backup(filled, tmp_path, now=NOW)
    assert backup.path.name == f"office-20260520T120000Z{SUFFIX}"
    assert stat.S_IMODE(backup.path.stat().st_mode) == 0o600
    assert read_manifest(backup.path) == backup.manifest
    assert (backup.manifest.created, backup.manifest.version) == (NOW, "0002")
    assert restore(backup.path, empty, fading=no_fading, replace=False) == backup.manifest
    assert all_of(empty) == all_of(filled)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == [], "something was left behind"
    with empty.write() as connection, pytest.raises(Exception, match="ledger"):  # its triggers are there
        connection.execute(text("DELETE FROM ledger_posting"))


def test_backup_while_somebody_writes_is_of_one_moment(databases: tuple[Database, Database], tmp_path: Path) -> None:
    filled, empty = databases
    before = all_of(filled)
    with filled.write() as connection:
        connection.execute(text("DELETE FROM tap_day"))
        backup = make_backup(filled, tmp_path, now=NOW)
    restore(backup.path, empty, fading=no_fading, replace=False)
    assert all_of(empty) == before


def test_restore_replaces_what_is_there_only_when_told(databases: tuple[Database, Database], tmp_path: Path) -> None:
    filled, _ = databases
    backup = make_backup(filled, tmp_path / "one", now=NOW)
    before = all_of(filled)
    with filled.write() as connection:
        connection.execute(text("DELETE FROM tap_day"))
        connection.execute(text("CREATE TABLE in_the_way (place VARCHAR(40))"))
    changed = all_of(filled)
    with pytest.raises(BadInputError, match="not empty; add --yes"):
        restore(backup.path, filled, fading=no_fading, replace=False)
    assert all_of(filled) == changed
    restore(backup.path, filled, fading=no_fading, replace=True)
    assert all_of(filled) == before
    with filled.read() as connection, pytest.raises(Exception, match="in_the_way"):
        connection.execute(text("SELECT * FROM in_the_way"))


@pytest.mark.parametrize("failing", ["damaged", "fading"])
def test_restore_that_fails_leaves_everything_as_it_was(
    databases: tuple[Database, Database], tmp_path: Path, failing: str
) -> None:
    filled, _ = databases
    backup = make_backup(filled, tmp_path / "one", now=NOW).path
    with filled.write() as connection:
        connection.execute(text("DELETE FROM tap_day"))
    before = all_of(filled)

    def fading(_connection: Connection) -> None:
        raise ZeroDivisionError

    source = damaged(backup, tmp_path / "two") if failing == "damaged" else backup
    with pytest.raises(BackupError if failing == "damaged" else ZeroDivisionError):
        restore(source, filled, fading=fading, replace=True)
    assert all_of(filled) == before


def test_restore_while_somebody_uses_the_database_is_refused(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    filled, _ = databases
    backup = make_backup(filled, tmp_path / "one", now=NOW)
    before = all_of(filled)
    server = Database.open(filled.engine.url.render_as_string(hide_password=False))
    with server.read() as connection:
        assert version_of(connection) == "0002"
        with pytest.raises(BackupError, match="in use"):
            restore(backup.path, filled, fading=no_fading, replace=True)
    with pytest.raises(BackupError, match="in use"):  # also by one that does nothing at the moment
        restore(backup.path, filled, fading=no_fading, replace=True)
    server.close()
    assert all_of(filled) == before
    restore(backup.path, filled, fading=no_fading, replace=True)


def test_old_backup_is_brought_to_this_version(databases: tuple[Database, Database], tmp_path: Path) -> None:
    filled, empty = databases
    migrate(filled, to="0001")
    backup = make_backup(filled, tmp_path, now=NOW)
    assert (backup.manifest.version, backup.manifest.faded_until) == ("0001", None)
    restore(backup.path, empty, fading=no_fading, replace=False)
    migrate(filled)
    assert all_of(empty) == all_of(filled)


def test_trips_of_an_old_backup_fade_before_it_can_be_read(new_database: NewDatabase, tmp_path: Path) -> None:
    source, target = Database.open(new_database()), Database.open(new_database())
    migrate(source)
    with source.write() as connection:
        town = Town(connection).found()
        fade_at(connection, now=NOW - timedelta(hours=30))
        journey = town.ride("a", timedelta(hours=30))
    backup = make_backup(source, tmp_path, now=NOW)
    assert backup.manifest.faded_until == NOW - timedelta(hours=78)
    restore(backup.path, target, fading=partial(fade_at, now=NOW + timedelta(hours=20)), replace=False)
    with target.read() as connection:
        assert Town(connection).states() == {journey: "faded"}
        assert Town(connection).tap_ids() == []
        written = connection.exec_driver_sql("SELECT * FROM journey").all()
        assert STOP not in str(written)
    source.close()
    target.close()


def test_file_that_is_there_is_never_overwritten(databases: tuple[Database, Database], tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    with pytest.raises(BadInputError, match="there already"):
        make_backup(databases[0], target, now=NOW)
    assert target.read_text() == "precious"
    with pytest.raises(BackupError, match="No such file"):
        make_backup(databases[0], tmp_path / "nowhere" / "backup", now=NOW)


def test_database_without_tables_is_not_backed_up(databases: tuple[Database, Database], tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no tables"):
        make_backup(databases[1], tmp_path, now=NOW)
    assert list(tmp_path.glob(f"*{SUFFIX}")) == []


def a_manifest(created: datetime = NOW) -> bytes:
    data = Manifest(created, None, "sqlite", "0002", "0" * 64, 4)
    return json.dumps(data.to_json()).encode()


@pytest.mark.parametrize(
    "members",
    [
        [],
        [("manifest.json", b"{}"), ("data", b"data")],
        [("manifest.json", b"[]"), ("data", b"data")],
        [("manifest.json", b"[" * 10_000), ("data", b"data")],
        [("manifest.json", a_manifest())],
        [("manifest.json", a_manifest()), ("../data", b"data")],
        [("data", b"data"), ("manifest.json", a_manifest())],
        [("manifest.json", a_manifest()), ("data", b"more data")],
        [("manifest.json", b" " * 70_000 + a_manifest()), ("data", b"data")],
        [("manifest.json", a_manifest().replace(b'"size": 4', b'"size": "4"')), ("data", b"data")],
        [("manifest.json", a_manifest().replace(b'"sqlite"', b'"oracle"')), ("data", b"data")],
    ],
)
def test_archive_that_is_no_backup_is_refused(members: list[tuple[str, bytes]], tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"none of openstile's|damaged"):
        read_manifest(archive(tmp_path / "file", *members))


def test_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(5000))
    for path in (tmp_path / "file", tmp_path / "absent", tmp_path):
        with pytest.raises(BackupError, match="backup"):
            read_manifest(path)


def test_backup_of_the_other_engine_is_refused(databases: tuple[Database, Database], tmp_path: Path) -> None:
    filled, empty = databases
    backup = make_backup(filled, tmp_path, now=NOW).path
    other = "postgresql" if filled.is_sqlite else "sqlite"
    engine = f'"{"sqlite" if filled.is_sqlite else "postgresql"}"'
    with tarfile.open(backup) as tar:
        parts = [(m.name, tar.extractfile(m).read()) for m in tar.getmembers()]  # type: ignore[union-attr]
    changed = archive(
        tmp_path / "other", (parts[0][0], parts[0][1].replace(engine.encode(), f'"{other}"'.encode())), parts[1]
    )
    with pytest.raises(BadInputError, match=f"is of {other}"):
        restore(changed, empty, fading=no_fading, replace=False)


def test_machine_without_postgresqls_programs_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pg_programs, "_FOLDERS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump: is not on this machine"):
        pg_programs.program("pg_dump")


def test_prune_removes_backups_when_their_days_are_over_and_nothing_else(tmp_path: Path) -> None:
    ages = {"young": timedelta(days=7), "old": timedelta(days=7, seconds=1), "future": timedelta(days=-1)}
    files = {
        name: archive(tmp_path / f"{name}{SUFFIX}", ("manifest.json", a_manifest(NOW - age)), ("data", b"data"))
        for name, age in ages.items()
    }
    unnamed = archive(tmp_path / "unnamed", ("manifest.json", a_manifest(NOW - timedelta(days=30))), ("data", b"data"))
    broken, other = tmp_path / f"broken{SUFFIX}", tmp_path / "letter.txt"
    broken.write_text("no backup")
    other.write_text("a letter")
    (tmp_path / f"link{SUFFIX}").symlink_to(files["old"])
    killed, working = tmp_path / ".backup-killed", tmp_path / ".restore-working"
    for folder, age in ((killed, timedelta(days=2)), (working, timedelta(hours=1))):
        folder.mkdir()
        (folder / "data").write_text(STOP)
        os.utime(folder, ((NOW - age).timestamp(),) * 2)
    shown = prune(tmp_path, now=NOW, backup_days=7, dry_run=True)
    assert all(path.exists() for path in (*files.values(), unnamed, killed))
    assert prune(tmp_path, now=NOW, backup_days=7) == shown
    assert set(shown.removed) == {files["old"], unnamed, killed}
    assert (set(shown.kept), shown.unread) == ({files["young"], files["future"]}, (broken,))
    assert {p.name for p in tmp_path.iterdir()} == {
        f"young{SUFFIX}", f"future{SUFFIX}", broken.name, other.name, f"link{SUFFIX}", working.name,
    }  # fmt: skip


def test_prune_of_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="does not exist"):
        prune(tmp_path / "absent", now=NOW, backup_days=7)
