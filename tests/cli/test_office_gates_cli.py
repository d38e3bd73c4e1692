"""`openstile office gate`: gates added, let in by a token, locked and unlocked, on the office's own machine."""

from pathlib import Path

from sqlalchemy import select
from tests.cli.conftest import Openstile
from tests.fares.feed_workshop import folder_feed
from tests.office.rider_world import FEED

from openstile.office.store.database import Database
from openstile.office.store.gates import GATE_CLAIM
from openstile.office.store.people import AUDIT

TOLD = {"gate": "north-1", "stop": "S1", "network": "tram", "direction": "in", "state": "waiting"}


def _add(openstile: Openstile, home: Path) -> None:
    words = ("--stop", "S1", "--network", "tram", "--direction", "in", "--home", home, "--json")
    assert openstile("office", "gate", "add", "north-1", *words).json == TOLD


def test_gate_is_added_listed_claimed_locked_and_unlocked_and_the_audit_log_says_so(
    openstile: Openstile, home: Path
) -> None:
    _add(openstile, home)
    assert openstile("office", "gate", "list", "--home", home, "--json").json == [TOLD]
    assert "north-1" in openstile("office", "gate", "list", "--home", home).out
    claim = openstile("office", "gate", "claim", "north-1", "--home", home, "--json").json
    assert (claim["gate"], len(claim["token"])) == ("north-1", 52)
    second = openstile("office", "gate", "claim", "north-1", "--minutes", 5, "--home", home)
    assert second.out.strip() != claim["token"]
    assert "good once" in second.err
    assert openstile("office", "gate", "lock", "north-1", "--home", home, "--json").json["state"] == "locked"
    refused = openstile("office", "gate", "claim", "north-1", "--home", home)
    assert (refused.exit_code, "is locked" in refused.err) == (2, True)
    assert openstile("office", "gate", "unlock", "north-1", "--home", home, "--json").json["state"] == "waiting"
    database = Database.open(f"sqlite:///{home / 'office' / 'office.db'}")
    with database.read() as connection:
        actions = connection.execute(select(AUDIT.c.who, AUDIT.c.action, AUDIT.c.target)).all()
        assert len(connection.execute(select(GATE_CLAIM)).all()) == 1
    database.close()
    names = ("add", "claim", "claim", "lock", "unlock")
    assert [tuple(row) for row in actions] == [("command line", f"gate.{name}", "north-1") for name in names]


def test_what_cannot_be_a_gate_is_refused(openstile: Openstile, home: Path) -> None:
    _add(openstile, home)
    words = ("--stop", "S1", "--direction", "in", "--home", home)
    again = openstile("office", "gate", "add", "north-1", *words)
    assert (again.exit_code, "take another name" in again.err) == (2, True)
    wrong = openstile("office", "gate", "add", "North 1", *words)
    assert (wrong.exit_code, "gate id" in wrong.err) == (2, True)
    wrong = openstile("office", "gate", "add", "south-1", "--stop", "S1", "--direction", "up", "--home", home)
    assert (wrong.exit_code, "in or out" in wrong.err) == (2, True)
    wrong = openstile("office", "gate", "claim", "south-1", "--home", home)
    assert (wrong.exit_code, "none of this name" in wrong.err) == (2, True)
    for minutes in (100_000, 10**15):
        wrong = openstile("office", "gate", "claim", "north-1", "--minutes", minutes, "--home", home)
        assert (wrong.exit_code, "--minutes" in wrong.err) == (2, True)


def test_place_that_the_feed_does_not_have_is_refused(openstile: Openstile, home: Path) -> None:
    """Rides from there could never be priced, and a gate keeps its place."""
    home.mkdir(mode=0o700)
    folder_feed(home / "feed", FEED)
    (home / "settings.toml").write_text('[office]\nfeed = "feed"\n')
    (home / "settings.toml").chmod(0o600)
    add = ("office", "gate", "add", "north-1", "--direction", "in", "--home", home)
    wrong = openstile(*add, "--stop", "Hill", "--network", "tram")
    assert (wrong.exit_code, "stops.txt" in wrong.err) == (2, True)
    wrong = openstile(*add, "--stop", "hill", "--network", "tarm")
    assert (wrong.exit_code, "networks.txt" in wrong.err) == (2, True)
    assert openstile(*add, "--stop", "hill", "--network", "tram").exit_code == 0
