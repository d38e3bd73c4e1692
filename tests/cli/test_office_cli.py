"""`openstile office staff`: the first operator, the list, letting go."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.cli.conftest import Openstile

from openstile.office.store.database import Database
from openstile.office.store.people import AUDIT, INVITATION


def test_first_operator_is_invited_listed_and_let_go(openstile: Openstile, home: Path) -> None:
    ran = openstile("office", "staff", "add", "Ada Lovelace", "--role", "operator", "--home", home, "--json")
    assert ran.exit_code == 0, ran.err
    added = ran.json
    assert len(added["invitation"]) == 43
    told = {"staff_id": added["staff_id"], "name": "Ada Lovelace", "role": "operator"}
    assert openstile("office", "staff", "list", "--home", home, "--json").json == [told]
    assert stat.S_IMODE((home / "office" / "office.db").stat().st_mode) == 0o600
    assert openstile("office", "staff", "remove", added["staff_id"], "--yes", "--home", home).exit_code == 0
    assert openstile("office", "staff", "list", "--home", home, "--json").json == []
    database = Database.open(f"sqlite:///{home / 'office' / 'office.db'}")
    with database.read() as connection:
        audit = [(row.who, row.action, row.target) for row in connection.execute(select(AUDIT)).all()]
        assert connection.execute(select(INVITATION)).all() == []
    database.close()
    assert audit == [
        ("command line", "staff.add.operator", added["staff_id"]),
        ("command line", "staff.remove", added["staff_id"]),
    ]


def test_wrong_role_name_and_id_are_named(openstile: Openstile, home: Path) -> None:
    ran = openstile("office", "staff", "add", "Ada", "--role", "king", "--home", home)
    assert (ran.exit_code, "agent, operator, auditor" in ran.err) == (2, True)
    ran = openstile("office", "staff", "add", "  ", "--role", "agent", "--home", home)
    assert (ran.exit_code, "name: give" in ran.err) == (2, True)
    ran = openstile("office", "staff", "add", "Ada", "--role", "agent", "--oidc-subject", "x", "--home", home)
    assert (ran.exit_code, "office.oidc_issuer" in ran.err) == (2, True)
    assert openstile("office", "staff", "remove", "x", "--yes", "--home", home).exit_code == 2
    assert openstile("office", "staff", "remove", "a" * 32, "--yes", "--home", home).exit_code == 2


def test_home_in_front_of_a_command_is_refused_for_the_command_would_take_another(
    openstile: Openstile, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert openstile("office", "staff", "add", "Ada", "--role", "agent", "--home", home).exit_code == 0
    monkeypatch.setenv("OPENSTILE_HOME", str(home))
    ran = openstile("office", "--home", home.parent, "staff", "list")
    assert (ran.exit_code, "at the end" in ran.err) == (2, True)
    assert openstile("office", "--json", "staff", "list").exit_code == 2
    assert "Ada" in openstile("office", "staff", "list").out


def test_description_of_the_api_is_printed(openstile: Openstile) -> None:
    ran = openstile("office", "openapi")
    assert ran.json["openapi"].startswith("3.1")
