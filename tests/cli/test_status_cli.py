"""`openstile status`: from a lost pass to a list that gates can fetch, and every way to ask for it wrongly."""

import json
import os
import re
import sqlite3
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Openstile, Ran

from openstile.assembly.home import Home
from openstile.passes.keyfile import Role
from openstile.passes.keystore import KeyStore
from openstile.passes.status_list import StatusList, read_status_list

URI = "https://passes.example.org/status/1"


@pytest.fixture(autouse=True)
def small_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passes name a list of 1024 entries."""
    monkeypatch.setenv("OPENSTILE_ISSUER__STATUS_LIST_URI", URI)
    monkeypatch.setenv("OPENSTILE_ISSUER__STATUS_LIST_SIZE", "1024")


def _in_days(days: int, *, seconds: int = 0) -> datetime:
    """So long from now."""
    return datetime.now(UTC) + timedelta(days=days, seconds=seconds)


def _answer(*, yes: bool) -> Callable[..., bool]:
    """A person who answers what `typer.confirm` asks."""

    def confirm(question: str) -> bool:
        assert question.startswith("Revoke, for good, 1 pass")
        return yes

    return confirm


class Office:
    """One home, and the commands in it."""

    def __init__(self, openstile: Openstile, folder: Path) -> None:
        self._openstile = openstile
        self.folder = folder
        self.home = Home(folder / "home")
        self.www = folder / "www"

    def __call__(self, *arguments: object) -> Ran:
        return self._openstile(*arguments, "--home", self.home.folder)

    def json(self, *arguments: object) -> Ran:
        return self(*arguments, "--json")

    def enrol(self, name: str) -> str:
        """A new PIN pass in a folder of that name; its id."""
        ran = self.json("enrol", "--pin", "4711", "--product", "season", "--days", 30, "--out", self.folder / name)
        assert ran.exit_code == 0, ran.err
        return str(ran.json["pass_id"])

    def published(self) -> StatusList:
        ran = self.json("status", "publish", "--out", self.www)
        assert ran.exit_code == 0, ran.err
        issuers = KeyStore(self.home.keys).gate_keyring().issuers
        return read_status_list((self.www / "1.cwt").read_bytes(), issuers=issuers)

    def index(self, pass_id: str) -> int:
        return int(self.json("status", "show", pass_id).json["status_index"])

    def states(self) -> dict[str, str]:
        return {one["pass_id"]: one["state"] for one in self.json("status", "list").json["passes"]}


@pytest.fixture
def office(openstile: Openstile, tmp_path: Path) -> Office:
    """A home that is made by its first pass."""
    return Office(openstile, tmp_path)


def test_revoked_and_suspended_passes_are_in_the_published_list_and_others_are_not(office: Office) -> None:
    lost, found, good = (office.enrol(name) for name in "abc")
    assert office("status", "revoke", lost, "--yes").exit_code == 0
    assert office("status", "suspend", found, "--yes").exit_code == 0
    withdrawn = office.published()
    assert [withdrawn.is_set(office.index(one)) for one in (lost, found, good)] == [True, True, False]
    assert office("status", "reinstate", found, "--yes").exit_code == 0
    later = office.published()
    assert [later.is_set(office.index(one)) for one in (lost, found, good)] == [True, False, False]
    assert later.issued_at > withdrawn.issued_at
    assert office.states() == {lost: "revoked", found: "valid", good: "valid"}


def test_gate_in_the_same_home_refuses_from_the_build_on(office: Office) -> None:
    lost, good = office.enrol("a"), office.enrol("b")

    def reason(name: str) -> str | None:
        ran = office.json("cross", "--pass", office.folder / name / "pass.txt", "--pin", "4711")
        return None if ran.json["reason"] is None else str(ran.json["reason"])

    assert reason("a") == "status_unknown"
    office("status", "build")
    assert reason("a") is None
    office("status", "revoke", lost, "--yes")
    office("status", "build")
    assert [reason("a"), reason("b")] == ["pass_revoked", None]
    assert office.states()[good] == "valid"


def test_every_pass_is_registered_when_it_is_enrolled(office: Office) -> None:
    pass_id = office.enrol("a")
    listed = office.json("status", "list").json
    assert listed["counts"] == {"valid": 1, "suspended": 0, "revoked": 0}
    (one,) = listed["passes"]
    kids = {key["role"]: key["kid"] for key in office.json("keys", "list").json}
    assert one["pass_id"] == pass_id
    assert (one["issuer_kid"], one["gate_group_kid"]) == (kids["issuer"], kids["gate-group"])
    inspected = office.json("pass", "inspect", office.folder / "a" / "pass.txt").json
    assert (one["status_list"], one["status_index"]) == (inspected["status_list"], inspected["status_index"])
    assert (one["status_list"], one["product"]) == (URI, "season")
    assert stat.S_IMODE(office.home.register.stat().st_mode) == 0o600
    assert stat.S_IMODE(office.home.register.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("form", ["id", "upper", "card", "text", "picture"])
def test_pass_is_named_by_its_id_or_a_file_of_it(office: Office, form: str) -> None:
    pass_id = office.enrol("a")
    other = office.enrol("b")
    folder = office.folder / "a"
    named = {
        "id": pass_id,
        "upper": pass_id.upper(),
        "card": pass_id[:8],
        "text": folder / "pass.txt",
        "picture": folder / "pass.png",
    }[form]
    ran = office.json("status", "suspend", named, "--yes")
    assert (ran.exit_code, ran.json["changed"]) == (0, 1)
    assert office.states() == {pass_id: "suspended", other: "valid"}


def test_expired_pass_in_a_file_can_still_be_named(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    pass_id = office.enrol("a")
    monkeypatch.setattr("openstile.terms.instants.SystemClock.now", lambda self: _in_days(31))
    assert office.json("status", "show", office.folder / "a" / "pass.txt").json["pass_id"] == pass_id


def test_file_of_ids_is_changed_all_or_none(office: Office) -> None:
    ids = [office.enrol(name) for name in "abc"]
    names = office.folder / "lost.txt"
    names.write_text(f"# stolen on Monday\n{ids[0]}\n\n  {ids[1]}  # blue card\n{'0' * 32}\n")
    ran = office("status", "revoke", "--from", names, "--yes")
    assert (ran.exit_code, "0" * 32 in ran.err) == (2, True)
    assert {*office.states().values()} == {"valid"}
    names.write_text(names.read_text().replace("0" * 32, ids[0]))
    assert office.json("status", "revoke", ids[2], "--from", names, "--yes").json["changed"] == 3
    assert {*office.states().values()} == {"revoked"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no pass id"),
        (b"# nothing\n\n", "holds no pass id"),
        (b"0aea330cca8a3e5f872c63450844992a\nMrs Miller\n", "line 2 is no pass id"),
        (b"\xff\xfe0", "not a text"),
        (b"0" * 33, "line 1"),
        (b"#" * (16 * 2**20 + 1), "larger than"),
    ],
)
def test_file_that_is_no_list_of_ids_is_said(office: Office, content: bytes, says: str) -> None:
    office.enrol("a")
    names = office.folder / "names.txt"
    names.write_bytes(content)
    ran = office("status", "revoke", "--from", names, "--yes")
    assert (ran.exit_code, says in ran.err, "Miller" in ran.err) == (2, True, False)


def test_revoked_is_final_and_the_message_says_so(office: Office) -> None:
    pass_id = office.enrol("a")
    office("status", "revoke", pass_id, "--yes")
    for command in ("reinstate", "suspend"):
        ran = office("status", command, pass_id, "--yes")
        assert (ran.exit_code, "that is final; issue the rider a new pass" in ran.err) == (2, True)
    again = office("status", "revoke", pass_id, "--yes")
    assert (again.exit_code, "0 passes now revoked; 1 so already" in again.out) == (0, True)
    assert "publish" not in again.out


def test_what_is_left_to_do_is_said(office: Office) -> None:
    ran = office("status", "revoke", office.enrol("a"), "--yes")
    assert "1 pass now revoked" in ran.out
    assert "openstile status publish --out DIR" in ran.out
    assert re.search(r"gates that fetch the list refuse within 300 s", ran.out)
    assert "bundle" in ran.out


def test_pass_without_a_list_cannot_be_withdrawn(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENSTILE_ISSUER__STATUS_LIST_URI")
    pass_id = office.enrol("a")
    ran = office("status", "revoke", pass_id, "--yes")
    assert ran.exit_code == 2
    assert "names no status list" in ran.err
    assert "issuer.status_list_uri" in ran.err
    for command in (("build",), ("publish", "--out", office.www)):
        ran = office("status", *command)
        assert (ran.exit_code, "issuer.status_list_uri: is empty" in ran.err) == (2, True)


def test_enrolment_into_a_folder_with_a_pass_leaves_nothing_in_the_register(office: Office) -> None:
    pass_id = office.enrol("a")
    again = ("enrol", "--pin", "4711", "--product", "season", "--days", 30, "--out", office.folder / "a")
    assert office(*again).exit_code == 2
    assert office.states() == {pass_id: "valid"}


def test_nothing_is_changed_without_a_yes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    pass_id = office.enrol("a")
    ran = office.json("status", "revoke", pass_id)
    assert (ran.exit_code, "--yes" in ran.json["error"]) == (2, True)
    monkeypatch.setattr("typer.confirm", _answer(yes=False))
    assert office("status", "revoke", pass_id).exit_code == 130
    assert office.states() == {pass_id: "valid"}
    monkeypatch.setattr("typer.confirm", _answer(yes=True))
    assert office("status", "revoke", pass_id).exit_code == 0
    assert office.states() == {pass_id: "revoked"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("revoke", "--yes"), "no pass given"),
        (("revoke", "--from", "absent.txt", "--yes"), "absent.txt"),
        (("revoke", "absent.txt", "--yes"), "neither a file nor a pass id"),
        (("revoke", "./0aea330c", "--yes"), "neither a file nor a pass id"),
        (("revoke", "0aea330", "--yes"), "neither a file nor a pass id"),
        (("revoke", "f" * 32, "--yes"), "not in the register"),
        (("revoke", "f" * 8, "--yes"), "not in the register"),
        (("suspend", "pyproject.toml", "--yes"), "cannot be opened"),
        (("list", "--state", "lost"), "valid, suspended, revoked"),
        (("list", "--limit", "0"), "limit"),
        (("show", "https://other.example.org/2"), "none was built here"),
        (("show",), "none was built here"),
        (("show", "absent.cwt"), "no such file"),
        (("publish", "--out", "pyproject.toml"), "give another folder"),
        (("publish",), "--out"),
    ],
)
def test_wrong_use_ends_with_one_line(office: Office, arguments: tuple[str, ...], says: str) -> None:
    office.enrol("a")
    ran = office("status", *arguments)
    assert ran.exit_code == 2
    assert says in ran.err
    assert len(ran.err.strip().splitlines()) == 1


@pytest.mark.parametrize("command", [("list",), ("show",), ("revoke", "f" * 32, "--yes")], ids=lambda c: c[0])
def test_looking_makes_no_register(office: Office, command: tuple[str, ...]) -> None:
    office("keys", "create", "issuer")
    assert office("status", *command).exit_code == 2
    assert not office.home.register.exists()


@pytest.mark.parametrize("command", [("list",), ("show",), ("build",), ("publish", "--out", "www")], ids=lambda c: c[0])
def test_command_of_status_makes_no_home(office: Office, command: tuple[str, ...]) -> None:
    ran = office("status", *command)
    assert (ran.exit_code, "does not exist" in ran.err) == (2, True)
    assert not office.home.folder.exists()


def test_several_passes_that_begin_alike_are_not_guessed(office: Office) -> None:
    first = office.enrol("a")
    connection = sqlite3.connect(office.home.register, isolation_level=None)
    twin = bytes.fromhex(first[:8] + ("0" * 24 if first[8:] != "0" * 24 else "1" * 24))
    connection.execute(
        "INSERT INTO pass SELECT ?, product, issuer_kid, group_kid, token_sha256, not_before, expires, "
        "NULL, NULL, 'valid', NULL FROM pass",
        (twin,),
    )
    connection.close()
    ran = office("status", "revoke", first[:8], "--yes")
    assert (ran.exit_code, "several passes begin so" in ran.err) == (2, True)
    assert office("status", "revoke", first, "--yes").exit_code == 0


def test_build_prints_what_is_in_the_list_and_keeps_it_private(office: Office) -> None:
    office("status", "revoke", office.enrol("a"), "--yes")
    (built,) = office.json("status", "build").json["lists"]
    assert (built["uri"], built["issuer"], built["ttl_s"]) == (URI, "example-issuer", 300)
    assert (built["entries"], built["withdrawn"], built["built_now"]) == (1024, 1, True)
    path = Path(built["file"])
    assert path == office.home.status_lists / "1.cwt"
    assert (path.stat().st_size, stat.S_IMODE(path.stat().st_mode)) == (built["bytes"], 0o600)
    words = office("status", "build").out
    assert "1 of 1024 entries withdrawn" in words
    assert "openstile status publish" in words


def test_published_file_can_be_read_by_any_web_server(office: Office) -> None:
    office.enrol("a")
    before = os.umask(0o077)
    try:
        words = office("status", "publish", "--out", office.www).out
    finally:
        os.umask(before)
    assert stat.S_IMODE((office.www / "1.cwt").stat().st_mode) == 0o644
    assert f"show this file at {URI}" in words
    assert [path.name for path in office.www.iterdir()] == ["1.cwt"]


def test_list_is_built_anew_when_passes_changed_or_it_is_old_and_else_not(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_id = office.enrol("a")

    def publishes_new() -> bool:
        (one,) = office.json("status", "publish", "--out", office.www).json["lists"]
        return bool(one["built_now"])

    assert [publishes_new(), publishes_new()] == [True, False]
    office("status", "suspend", pass_id, "--yes")
    assert [publishes_new(), publishes_new()] == [True, False]
    monkeypatch.setenv("OPENSTILE_ISSUER__STATUS_LIST_TTL_S", "600")
    assert [publishes_new(), publishes_new()] == [True, False]
    monkeypatch.setattr("openstile.terms.instants.SystemClock.now", lambda self: _in_days(0, seconds=200))
    assert publishes_new() is False
    monkeypatch.setattr("openstile.terms.instants.SystemClock.now", lambda self: _in_days(0, seconds=330))
    assert publishes_new() is True


def test_clock_that_went_back_publishes_nothing_older(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    pass_id = office.enrol("a")
    monkeypatch.setattr("openstile.terms.instants.SystemClock.now", lambda self: _in_days(1))
    office.published()
    before = (office.www / "1.cwt").read_bytes()
    monkeypatch.setattr("openstile.terms.instants.SystemClock.now", lambda self: _in_days(0))
    office("status", "revoke", pass_id, "--yes")
    ran = office("status", "publish", "--out", office.www)
    assert (ran.exit_code, "set the clock right" in ran.err) == (2, True)
    assert (office.www / "1.cwt").read_bytes() == before


def test_list_signed_with_a_key_that_was_revoked_since_is_replaced(office: Office) -> None:
    office.enrol("a")
    first = office.published()
    (old,) = (key["kid"] for key in office.json("keys", "list").json if key["role"] == "issuer")
    store = KeyStore(office.home.keys)
    store.rotate(Role.ISSUER, "example-issuer", now=_in_days(0))
    store.revoke(old, now=_in_days(0))
    assert office.published().issued_at > first.issued_at


def test_list_of_an_address_that_is_no_longer_given_out_is_still_published(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = office.enrol("a")
    monkeypatch.setenv("OPENSTILE_ISSUER__STATUS_LIST_URI", "https://passes.example.org/status/2")
    office.enrol("b")
    office("status", "revoke", old, "--yes")
    lists = office.json("status", "publish", "--out", office.www).json["lists"]
    assert [(Path(one["file"]).name, one["withdrawn"]) for one in lists] == [("1.cwt", 1), ("2.cwt", 0)]
    monkeypatch.setenv("OPENSTILE_ISSUER__STATUS_LIST_URI", "https://other.example.org/2")
    ran = office("status", "publish", "--out", office.www)
    assert (ran.exit_code, "two addresses end alike" in ran.err) == (2, True)


def test_address_that_names_no_file_is_refused_before_a_pass_names_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENSTILE_ISSUER__STATUS_LIST_URI", "https://passes.example.org/status/")
    ran = office("enrol", "--pin", "4711", "--product", "season", "--days", 30, "--out", office.folder / "a")
    assert (ran.exit_code, "last part of its address" in ran.err) == (2, True)
    assert not (office.folder / "a" / "pass.txt").exists()


def test_list_that_is_nine_tenths_full_stops_issuing_and_says_what_to_do(office: Office) -> None:
    office.enrol("a")
    connection = sqlite3.connect(office.home.register, isolation_level=None)
    connection.execute("UPDATE status_list SET taken = 921")
    connection.close()
    ran = office("enrol", "--pin", "4711", "--product", "season", "--days", 30, "--out", office.folder / "b")
    assert (ran.exit_code, "set issuer.status_list_uri to a new address" in ran.err) == (2, True)
    assert not (office.folder / "b" / "pass.txt").exists()


def test_show_explains_lists_by_file_by_address_and_all(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office("status", "revoke", office.enrol("a"), "--yes")
    office.published()
    shown = [office.json("status", "show", *what).json["lists"][0] for what in ((), (URI,), (office.www / "1.cwt",))]
    assert {(one["uri"], one["withdrawn"], one["entries"], one["expired"]) for one in shown} == {(URI, 1, 1024, False)}
    assert "1 of 1024 entries withdrawn" in office("status", "show").out
    monkeypatch.setattr("openstile.terms.instants.SystemClock.now", lambda self: _in_days(8))
    assert office.json("status", "show").json["lists"][0]["expired"] is True
    assert "its time is over" in office("status", "show").out


def test_show_says_how_a_pass_stands_and_whether_the_list_knows(office: Office) -> None:
    pass_id = office.enrol("a")
    assert "Not in a list yet" in office("status", "show", pass_id).out
    office.published()
    assert "says: good" in office("status", "show", pass_id).out
    office("status", "suspend", pass_id, "--yes")
    stale = office("status", "show", pass_id).out
    assert "says: good" in stale
    assert "That is no longer so" in stale
    office.published()
    shown = office.json("status", "show", pass_id).json
    assert (shown["state"], shown["withdrawn_in_list"]) == ("suspended", True)
    assert [change["state"] for change in shown["changes"]] == ["suspended"]


@pytest.mark.parametrize("damage", [0, 40, -1])
def test_list_that_was_changed_is_refused_by_show(office: Office, damage: int) -> None:
    office.enrol("a")
    office.published()
    token = bytearray((office.www / "1.cwt").read_bytes())
    token[damage] ^= 1
    (office.folder / "bad.cwt").write_bytes(token)
    ran = office("status", "show", office.folder / "bad.cwt")
    assert (ran.exit_code, "status list refused" in ran.err) == (7, True)


def test_damaged_register_ends_with_its_exit_code_and_issues_nothing(office: Office) -> None:
    office.enrol("a")
    office.home.register.write_bytes(b"no database" * 1000)
    for command in (("list",), ("build",), ("show", "f" * 32)):
        ran = office("status", *command)
        assert (ran.exit_code, "register.db" in ran.err) == (4, True)
    ran = office("enrol", "--pin", "4711", "--product", "season", "--days", 30, "--out", office.folder / "b")
    assert ran.exit_code == 4
    assert not (office.folder / "b" / "pass.txt").exists()


def test_many_passes_are_revoked_in_one_go(office: Office) -> None:
    office.enrol("a")
    connection = sqlite3.connect(office.home.register, isolation_level=None)
    connection.execute("BEGIN")
    (list_id,) = connection.execute("SELECT id FROM status_list").fetchone()
    connection.execute("UPDATE status_list SET entries = 8192")
    rows = [(os.urandom(16), list_id, index) for index in range(1024, 3024)]
    connection.executemany(
        "INSERT INTO pass SELECT ?, product, issuer_kid, group_kid, token_sha256, not_before, expires, "
        "?, ?, 'valid', NULL FROM pass LIMIT 1",
        rows,
    )
    connection.execute("COMMIT")
    connection.close()
    names = office.folder / "all.txt"
    names.write_text("".join(f"{pass_id.hex()}\n" for pass_id, _, _ in rows))
    ran = office("status", "revoke", "--from", names, "--yes")
    assert (ran.exit_code, "2000 passes now revoked" in ran.out) == (0, True)
    assert json.loads(office.json("status", "list", "--state", "revoked", "--limit", "5").out)["counts"] == {
        "valid": 1,
        "suspended": 0,
        "revoked": 2000,
    }
