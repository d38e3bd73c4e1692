"""`openstile keys`: what is said before keys change, what is asked, and what is then done."""

import io
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Openstile, Ran
from tests.passes.softhsm_workshop import new_token

ROLES = ("issuer", "gate-group", "operator", "gate")


@pytest.fixture
def keys(openstile: Openstile, home: Path) -> Openstile:
    """`keys("rotate", "issuer")`: a command of `openstile keys` in a home with one key of each role."""

    def command(*arguments: object) -> Ran:
        return openstile("keys", *arguments, "--home", home)

    for role in ROLES:
        assert command("create", role).exit_code == 0
    return command


def states(keys: Openstile) -> dict[str, list[str]]:
    listed = keys("list", "--json").json
    return {role: [key["state"] for key in listed if key["role"] == role] for role in ROLES}


def kid_of(keys: Openstile, role: str, state: str = "current") -> str:
    listed = keys("list", "--json").json
    return str(next(key["kid"] for key in listed if (key["role"], key["state"]) == (role, state)))


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_each_role_has_its_name_from_the_settings(keys: Openstile) -> None:
    listed = keys("list", "--json").json
    assert {key["role"]: key["name"] for key in listed} == {
        "issuer": "example-issuer", "gate-group": "example-operator/main",
        "operator": "example-operator", "gate": "example-operator/gate-1",
    }  # fmt: skip
    assert {key["algorithm"] for key in listed} == {"EdDSA", "HPKE-0"}


@pytest.mark.parametrize("role", ["gate-group", "gate"])
def test_key_that_opens_has_no_algorithm_to_choose(openstile: Openstile, home: Path, role: str) -> None:
    ran = openstile("keys", "create", role, "--algorithm", "ES256", "--home", home)
    assert (ran.exit_code, "has none to choose" in ran.err) == (2, True)


@pytest.mark.parametrize("role", ROLES)
def test_dry_run_says_what_would_happen_and_changes_nothing(keys: Openstile, home: Path, role: str) -> None:
    before = {path.name: path.read_bytes() for path in (home / "keys").iterdir()}
    for command in (("rotate", role), ("rotate", role, "--emergency"), ("revoke", kid_of(keys, role))):
        ran = keys(*command, "--dry-run")
        assert (ran.exit_code, "nothing was changed" in ran.out) == (0, True)
        assert kid_of(keys, role) in ran.out
        assert "1. " in ran.out
        shown = keys(*command, "--dry-run", "--json").json
        assert (shown["result"], shown["plan"]["role"]) == (None, role)
        assert shown["plan"]["sentences"]
    assert {path.name: path.read_bytes() for path in (home / "keys").iterdir()} == before


def test_plan_is_shown_before_the_question_and_no_leaves_everything_as_it_was(
    keys: Openstile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said, code in (("n\n", 130), ("\n", 130), ("", 2)):
        answer(monkeypatch, said)
        ran = keys("rotate", "issuer", "--emergency")
        assert ran.exit_code == code
        assert ("add --yes" in ran.err) == (said == "")
        assert ran.out.index("refused (issuer_revoked)") < ran.out.index("Do this now?")
    assert states(keys)["issuer"] == ["current"]
    answer(monkeypatch, "y\n")
    assert keys("rotate", "issuer", "--emergency").exit_code == 0
    assert states(keys)["issuer"] == ["revoked", "current"]


@pytest.mark.parametrize("command", [("rotate", "issuer"), ("revoke", "KID"), ("retire", "KID", "--days", "1")])
def test_machine_has_to_say_whether_it_means_it(keys: Openstile, command: tuple[str, ...]) -> None:
    kid = kid_of(keys, "gate-group")
    ran = keys(*(kid if word == "KID" else word for word in command), "--json")
    assert (ran.exit_code, "--dry-run" in ran.json["error"], "--yes" in ran.json["error"]) == (2, True, True)
    ran = keys(*(kid if word == "KID" else word for word in command), "--yes", "--dry-run")
    assert (ran.exit_code, "give one of them" in ran.err) == (2, True)
    assert states(keys)["gate-group"] == ["current"]


def test_planned_rotation_waits_a_day_unless_told_otherwise(keys: Openstile) -> None:
    before = datetime.now(UTC)
    done = keys("rotate", "issuer", "--yes", "--json").json
    assert done["plan"]["change"] == "rotation"
    assert done["result"]["state"] == "next"
    waits = datetime.fromisoformat(done["result"]["active_from"]) - before
    assert timedelta(hours=24) - timedelta(minutes=1) < waits < timedelta(hours=24, minutes=1)
    assert states(keys)["issuer"] == ["current", "next"]
    assert "next, current from" in keys("list").out
    again = keys("rotate", "issuer", "--yes")
    assert (again.exit_code, "--overlap-hours 0" in again.err) == (2, True)
    assert keys("rotate", "issuer", "--overlap-hours", 0, "--yes", "--json").json["result"]["state"] == "current"
    assert states(keys)["issuer"] == ["previous", "previous", "current"]


def test_gates_own_key_takes_over_at_once(keys: Openstile) -> None:
    assert keys("rotate", "gate", "--yes", "--json").json["result"]["state"] == "current"
    ran = keys("rotate", "gate", "--overlap-hours", 1, "--yes")
    assert (ran.exit_code, "takes over at once" in ran.err) == (2, True)


def test_stolen_gate_leaves_a_month_or_what_is_said(keys: Openstile) -> None:
    old = kid_of(keys, "gate-group")
    done = keys("rotate", "gate-group", "--emergency", "--yes", "--json").json
    (fate,) = done["plan"]["keys"]
    assert (fate["kid"], fate["becomes"], done["result"]["state"]) == (old, "retired", "current")
    days = (datetime.fromisoformat(fate["at"]) - datetime.now(UTC)) / timedelta(days=1)
    assert days == pytest.approx(30, abs=0.01)
    assert re.search(rf"{old}.*previous, retires 20\d\d-", keys("list").out)
    keys("rotate", "gate-group", "--emergency", "--grace-days", 0, "--yes")
    assert states(keys)["gate-group"] == ["retired", "retired", "current"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("rotate", "issuer", "--emergency", "--grace-days", "3"), "only gate-group keys"),
        (("rotate", "gate-group", "--grace-days", "3"), "goes with --emergency"),
        (("rotate", "gate-group", "--emergency", "--overlap-hours", "3"), "an emergency has none"),
        (("rotate", "issuer", "--overlap-hours", "-1"), "overlap"),
        (("rotate", "issuer", "--overlap-hours", "100000"), "overlap"),
        (("rotate", "issuer", "--overlap-hours", "1" + "0" * 30), "overlap"),
        (("rotate", "gate-group", "--emergency", "--grace-days", "100000"), "grace"),
        (("rotate", "gate-group", "--emergency", "--grace-days", "9" * 30), "grace"),
        (("rotate", "king"), "give issuer, gate-group, operator or gate"),
        (("rotate", "issuer", "--name", "ferries"), "create one first"),
        (("rotate", "issuer", "--hardware"), "no token is set"),
        (("retire", "KID"), "give one of --at DATE, --days N, --never"),
        (("retire", "KID", "--days", "1", "--never"), "give one of"),
        (("retire", "KID", "--days", "1"), "rotate first"),
        (("retire", "KID", "--days", "9" * 30), "days"),
        (("retire", "KID", "--at", "soon"), "is no date"),
        (("retire", "KID", "--at", "2020-01-31"), "in the past"),
        (("retire", "KID", "--at", "9999-12-31T23:59:59-23:59"), "is no date"),
        (("retire", "00", "--days", "1"), "list the keys"),
        (("revoke", "00"), "list the keys"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_asked(
    keys: Openstile, command: tuple[str, ...], says: str
) -> None:
    kid = kid_of(keys, "gate-group")
    ran = keys(*(kid if word == "KID" else word for word in command))
    assert (ran.exit_code, ran.out) == (2, "")
    assert says in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert all(state == ["current"] for state in states(keys).values())


def test_retirement_is_set_moved_and_taken_back(keys: Openstile) -> None:
    old = kid_of(keys, "gate-group")
    keys("rotate", "gate-group", "--overlap-hours", 0, "--yes")
    done = keys("retire", old, "--at", "2031-01-31", "--yes", "--json").json
    assert done["result"]["retired_at"] == "2031-01-31T00:00:00+00:00"
    assert keys("retire", old, "--at", "2031-01-31T12:00+02:00", "--yes", "--json").json["result"]["retired_at"] == (
        "2031-01-31T10:00:00+00:00"
    )
    assert keys("retire", old, "--never", "--yes", "--json").json["result"]["retired_at"] is None
    assert keys("retire", old, "--days", 0, "--yes", "--json").json["result"]["state"] == "retired"
    ran = keys("retire", old, "--never", "--yes")
    assert (ran.exit_code, "no way back" in ran.err) == (2, True)


def test_retired_key_sends_riders_for_a_new_pass(
    openstile: Openstile, keys: Openstile, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    enrol = ("enrol", "--pin", "4711", "--product", "season", "--days", 9, "--home", home, "--out", out, "--replace")
    cross = ("cross", "--pass", out / "pass.txt", "--pin", "4711", "--home", home, "--json")
    assert openstile(*enrol).exit_code == 0
    old = kid_of(keys, "gate-group")
    keys("rotate", "gate-group", "--overlap-hours", 0, "--yes")
    plan = keys("retire", old, "--days", 0, "--yes", "--json").json["plan"]
    assert [fate["passes"] for fate in plan["keys"]] == [1]
    assert openstile(*cross).json["reason"] == "pass_outdated"
    assert openstile(*enrol).exit_code == 0
    assert openstile(*cross).json["decision"] == "admit"


def test_revoking_twice_says_that_nothing_changes(keys: Openstile) -> None:
    kid = kid_of(keys, "issuer")
    assert keys("revoke", kid, "--yes", "--json").json["result"]["state"] == "revoked"
    again = keys("revoke", kid, "--yes")
    assert (again.exit_code, "nothing changes" in again.out) == (0, True)


def test_revoked_and_retiring_keys_say_so_where_they_are_imported(
    openstile: Openstile, keys: Openstile, tmp_path: Path
) -> None:
    other, given = tmp_path / "other", tmp_path / "given.json"
    old = kid_of(keys, "gate-group")
    keys("rotate", "gate-group", "--overlap-hours", 0, "--yes")
    keys("retire", old, "--at", "2031-01-31", "--yes")
    assert keys("export", old, "--out", given).exit_code == 0
    imported = openstile("keys", "import", given, "--home", other, "--json").json
    assert (imported["has_private"], imported["retired_at"]) == (False, "2031-01-31T00:00:00+00:00")


def test_keys_in_a_token_are_made_listed_and_used(openstile: Openstile, home: Path, tmp_path: Path) -> None:
    token = new_token(tmp_path)
    assert openstile("keys", "create", "operator", "--home", home).exit_code == 0
    settings = home / "settings.toml"
    table = f'[hardware]\nmodule = "{token.module}"\ntoken = "{token.token}"\npin_file = "{token.pin_file}"\n'
    settings.write_text(re.sub(r"\[hardware\]\n(.+\n)+", table, settings.read_text()))
    for role in ("issuer", "gate-group"):
        made = openstile("keys", "create", role, "--hardware", "--home", home, "--json")
        assert (made.exit_code, made.json["token"]) == (0, token.token), made.err
    listed = openstile("keys", "list", "--home", home).out
    assert listed.count(f"in token {token.token}") == 2
    rotate = ("keys", "rotate", "issuer", "--overlap-hours", 0, "--yes", "--json", "--home", home)
    assert openstile(*rotate).json["result"]["token"] == token.token
    out = tmp_path / "out"
    enrol = ("enrol", "--pin", "4711", "--product", "season", "--days", 9, "--home", home, "--out", out)
    assert openstile(*enrol).exit_code == 0
    cross = ("cross", "--pass", out / "pass.txt", "--pin", "4711", "--home", home, "--json")
    assert openstile(*cross).json["decision"] == "admit"
    assert openstile(*rotate, "--no-hardware").json["result"]["token"] is None


def test_plans_name_no_private_half_and_no_pin(keys: Openstile, home: Path) -> None:
    for command in (("list", "--json"), ("rotate", "issuer", "--dry-run", "--json")):
        assert "PRIVATE" not in keys(*command).out
    assert all("PRIVATE" in path.read_text() for path in (home / "keys").iterdir())
    assert json.loads(keys("list", "--json").out)
