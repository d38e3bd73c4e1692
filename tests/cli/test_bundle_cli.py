"""`openstile bundle`: what an office builds its gates take, forwards only, and every step says what it means."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Openstile

from openstile.assembly.home import Home
from openstile.assembly.settings import load_settings
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keystore import KeyStore
from openstile.passes.status_list import pack_bits, sign_status_list
from openstile.trust import TrustFolder

URI = "https://lists.example/metro/1"
SETTINGS = '[operator]\nid = "metro"\ngate_group = "north"\n[issuer]\nid = "metro"\n[gate]\nid = "{gate}"\n{more}'


@dataclass(frozen=True)
class Office:
    """An office with all keys, and two gates that have only their own key and the pinned operator."""

    openstile: Openstile
    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "office"

    def gate(self, name: str) -> Path:
        return self.folder / name

    def run(self, *arguments: object, home: str = "office", exit_code: int = 0) -> Any:
        ran = self.openstile(*arguments, "--home", self.folder / home, "--json")
        assert ran.exit_code == exit_code, ran.err
        return ran.json

    def settings(self, more: str, *, home: str = "office") -> None:
        (self.folder / home).mkdir(exist_ok=True)
        (self.folder / home / "settings.toml").write_text(SETTINGS.format(gate=home, more=more))

    def build(self, name: str, *more: object) -> Path:
        file = self.folder / f"{name}.bundle"
        self.run("bundle", "build", "--out", file, *more)
        return file

    def gate_files(self, *names: str) -> list[object]:
        return [each for name in names for each in ("--gate", self.folder / f"{name}.json")]

    def kids(self, role: str, *, home: str = "office") -> list[str]:
        return [key["kid"] for key in self.run("keys", "list", home=home) if key["role"] == role]


@pytest.fixture
def office(openstile: Openstile, tmp_path: Path) -> Office:
    made = Office(openstile, tmp_path)
    made.settings("")
    for role in ("issuer", "gate-group", "operator"):
        made.run("keys", "create", role)
    made.run("keys", "export", made.kids("operator")[0], "--out", tmp_path / "operator.json")
    for gate in ("north-1", "north-2"):
        made.settings("", home=gate)
        kid = made.run("keys", "create", "gate", home=gate)["kid"]
        made.run("keys", "export", kid, "--out", tmp_path / f"{gate}.json", home=gate)
        made.run("keys", "import", tmp_path / "operator.json", home=gate)
    return made


def _list_file(office: Office, name: str, *, at: datetime | None = None) -> Path:
    from datetime import UTC, timedelta

    now = (at or datetime.now(UTC)).replace(microsecond=0)
    token = sign_status_list(
        issuer_key=KeyStore(Home(office.home).keys).issuer_key("metro", now=now),
        uri=URI,
        bits=pack_bits(entries=1024, indices=(5,)),
        issued_at=now,
        expires=now + timedelta(days=1),
        ttl_s=300,
    )
    path = office.folder / name
    path.write_bytes(token)
    return path


def test_gate_with_nothing_but_its_own_key_serves_after_one_bundle(office: Office) -> None:
    """No issuer, no gate-group key, no settings were ever copied to it by hand."""
    office.settings('[policy]\npassback_s = 0\nproducts = ["season"]')
    out = office.folder / "pass"
    enrol = ("enrol", "--pin", "4711", "--days", 1, "--out", out, "--product")
    office.run(*enrol, "season")
    cross = ("cross", "--pass", out / "pass.txt", "--pin", "4711")
    file = office.build("first", *office.gate_files("north-1"))
    verified = office.run("bundle", "verify", file, home="north-1")
    applied = office.run("bundle", "apply", file, home="north-1")
    assert {**verified} == {**applied}
    assert applied["accepted"] is True
    assert applied["keys_received"] == office.kids("gate-group")
    assert [(c["what"], c["before"], c["after"]) for c in applied["changes"]] == [
        ("issuer key", None, "trusted"), ("gate-group key", None, "in use"),
        ("setting", "[]", '["season"]'), ("setting", "300", "0"),
    ]  # fmt: skip
    admitted = office.openstile(*cross, "--home", office.gate("north-1"), "--json")
    assert admitted.exit_code == 0, admitted.err


def test_stolen_gate_left_out_gets_no_key_and_says_so(office: Office) -> None:
    file = office.build("first", *office.gate_files("north-1"))
    refused = office.run("bundle", "apply", file, home="north-2", exit_code=7)
    assert "could open no pass" in refused["error"]
    assert office.kids("gate-group", home="north-2") == []
    assert office.run("bundle", "show", home="north-2")["bundle"] is None


def test_older_and_changed_bundles_are_refused_with_exit_code_7(office: Office) -> None:
    first = office.build("first", *office.gate_files("north-1"))
    second = office.build("second", *office.gate_files("north-1"))
    office.run("bundle", "apply", second, home="north-1")
    assert office.run("bundle", "apply", second, home="north-1")["changes"] == []
    for command in ("apply", "verify"):
        assert "never go back" in office.run("bundle", command, first, home="north-1", exit_code=7)["error"]
    changed = bytearray(second.read_bytes())
    changed[-1] ^= 1
    (office.folder / "changed").write_bytes(changed)
    forged = office.run("bundle", "apply", office.folder / "changed", home="north-1", exit_code=7)["error"]
    assert "signature is wrong" in forged
    (office.folder / "none").write_bytes(b"")
    office.run("bundle", "apply", office.folder / "none", home="north-1", exit_code=7)
    office.run("bundle", "apply", office.folder / "absent", home="north-1", exit_code=2)
    assert office.run("bundle", "show", home="north-1")["bundle"]["sequence"] == 2


def test_bundle_for_other_gates_is_refused(office: Office) -> None:
    file = office.build("first", *office.gate_files("north-1"))
    office.settings("", home="north-1")
    text = (office.gate("north-1") / "settings.toml").read_text()
    (office.gate("north-1") / "settings.toml").write_text(text.replace('"north"', '"south"'))
    refused = office.run("bundle", "apply", file, home="north-1", exit_code=7)
    assert "for the gates of metro/north, these are of metro/south" in refused["error"]


def test_rotation_and_revocation_reach_the_gate_and_say_which_passes_they_touch(office: Office) -> None:
    gates = office.gate_files("north-1")
    office.run("bundle", "apply", office.build("first", *gates), home="north-1")
    old_issuer, old_group = office.kids("issuer")[0], office.kids("gate-group")[0]
    store = KeyStore(Home(office.home).keys)
    now = datetime.now().astimezone()
    from openstile.passes.keyfile import Role

    store.rotate(Role.ISSUER, "metro", now=now)
    store.revoke(old_issuer, now=now)
    store.rotate(Role.GATE_GROUP, "metro/north", now=now)
    store.retire(old_group, at=now, now=now)
    told = office.run("bundle", "apply", office.build("second", *gates), home="north-1")
    effects = {(c["what"], c["subject"].split()[-1]): c["effect"] for c in told["changes"]}
    assert effects["issuer key", old_issuer].endswith("refused: issuer_revoked")
    assert effects["gate-group key", old_group].endswith("pass_outdated")
    new_group = next(kid for kid in office.kids("gate-group") if kid != old_group)
    assert effects["gate-group key", new_group] == "passes sealed to it open at this gate"
    assert told["keys_received"] == [new_group]
    assert told["cannot_open"] == []
    shown = office.run("bundle", "show", home="north-1")["bundle"]
    assert {issuer["kid"]: issuer["revoked"] for issuer in shown["issuers"]}[old_issuer] is True


def test_operator_key_is_replaced_by_bundles_alone(office: Office) -> None:
    from openstile.passes.keyfile import Role

    gates = office.gate_files("north-1")
    store, now = KeyStore(Home(office.home).keys), datetime.now().astimezone()
    first = office.build("first", *gates)
    store.rotate(Role.OPERATOR, "metro", now=now)
    early = office.build("early", *gates)
    assert "may not tell" in office.run("bundle", "apply", early, home="north-1", exit_code=7)["error"]
    office.run("bundle", "apply", first, home="north-1")
    assert "may not tell" in office.run("bundle", "apply", early, home="north-1", exit_code=7)["error"]
    new = next(kid for kid in office.kids("operator") if kid not in office.kids("operator", home="north-1"))
    office.run("keys", "export", new, "--out", office.folder / "new.json")
    office.run("keys", "import", office.folder / "new.json", home="north-1")
    refused = office.run("bundle", "apply", early, home="north-1", exit_code=7)["error"]
    assert "may not tell" in refused


def test_next_operator_key_is_named_before_it_signs(office: Office) -> None:
    from datetime import timedelta

    from openstile.passes.keyfile import Role

    gates = office.gate_files("north-1")
    store, now = KeyStore(Home(office.home).keys), datetime.now().astimezone()
    store.rotate(Role.OPERATOR, "metro", now=now, active_from=now + timedelta(days=1))
    told = office.run("bundle", "apply", office.build("first", *gates), home="north-1")
    assert [c["effect"] for c in told["changes"] if c["what"] == "operator key"] == ["may sign the next bundle"]
    old = office.kids("operator", home="north-1")[0]
    store.revoke(old, now=now)


def test_revoked_operator_key_is_refused_although_the_last_bundle_names_it(office: Office) -> None:
    gates = office.gate_files("north-1")
    office.run("bundle", "apply", office.build("first", *gates), home="north-1")
    later = office.build("later", *gates)
    office.run("keys", "revoke", office.kids("operator")[0], "--yes", home="north-1")
    assert "may not tell" in office.run("bundle", "apply", later, home="north-1", exit_code=7)["error"]


def test_status_lists_ride_along(office: Office) -> None:
    gates = office.gate_files("north-1")
    built = office.home / "issuer" / "status"
    built.mkdir(parents=True)
    _list_file(office, "office/issuer/status/1.cwt")
    office.run("bundle", "apply", office.build("first", *gates), home="north-1")
    shown = office.run("bundle", "show", home="north-1")["lists"]
    assert [(each["issuer"], each["uri"], each["usable"]) for each in shown] == [("metro", URI, True)]
    kid = office.kids("issuer")[0]
    issuers = [i for i in KeyStore(Home(office.home).keys).gate_keyring().issuers if i.key.kid.hex() == kid]
    (made,) = TrustFolder(Home(office.gate("north-1")).trust).status_lists(issuers)
    assert (made.is_set(5), made.is_set(6)) == (True, False)
    assert TrustFolder(Home(office.gate("north-1")).trust).status_lists([TrustedIssuer(issuers[0].key, True)]) == ()
    (office.folder / "junk.cwt").write_bytes(b"no list")
    refused = office.run(
        "bundle", "build", "--out", office.folder / "x", "--status", office.folder / "junk.cwt", exit_code=2
    )
    assert "junk.cwt" in refused["error"]
    assert not (office.folder / "x").exists()


def test_list_of_a_revoked_key_does_not_keep_gates_from_being_told(office: Office) -> None:
    settings = office.home / "settings.toml"
    settings.write_text(settings.read_text().replace("[issuer]", f'[issuer]\nstatus_list_uri = "{URI}"'))
    office.run("status", "build")
    office.run("keys", "rotate", "issuer", "--emergency", "--yes")
    told = office.run("bundle", "build", "--out", office.folder / "told.bundle", *office.gate_files("north-1"))
    assert [len(told["left_out"]), told["status_lists"]] == [1, 0]
    assert [issuer["revoked"] for issuer in told["issuers"]] == [True, False]
    office.run("status", "publish", "--out", office.folder / "www")
    again = office.run("bundle", "build", "--out", office.folder / "again.bundle", *office.gate_files("north-1"))
    assert [again["left_out"], again["status_lists"]] == [[], 1]


def test_gate_key_that_was_imported_as_revoked_gets_nothing_by_its_old_file(office: Office) -> None:
    (kid,) = office.kids("gate", home="north-1")
    office.run("keys", "revoke", kid, "--yes", home="north-1")
    office.run("keys", "export", kid, "--out", office.folder / "gone.json", home="north-1")
    office.run("keys", "import", office.folder / "gone.json")
    refused = office.run(
        "bundle", "build", "--out", office.folder / "x.bundle", *office.gate_files("north-1"), exit_code=2
    )
    assert "is revoked" in refused["error"]


def test_gate_explains_passes_and_lists_by_its_bundle(office: Office) -> None:
    office.settings("")
    out = office.folder / "pass"
    office.run("enrol", "--pin", "4711", "--days", 1, "--out", out, "--product", "season")
    listed = _list_file(office, "list.cwt")
    office.run("bundle", "apply", office.build("first", *office.gate_files("north-1")), home="north-1")
    seen = office.run("pass", "inspect", out / "pass.txt", home="north-1")
    assert [seen["signature_verified"], seen["fault"], seen["detail"]] == [True, None, None]
    assert office.run("status", "show", listed, home="north-1")["lists"][0]["withdrawn"] == 1


def test_products_and_settings_of_the_office_become_those_of_the_gate(office: Office) -> None:
    office.settings(
        "[policy]\npassback_s = 60\ndistance_max = 0.4\n[zone]\nleft = 0.2\n[quality]\nyaw_max = 0.22\n"
        '[products."Für 1 Tag"]\nshowing = "live"\n[products.Annual]\n'
    )
    file = office.build("first", *office.gate_files("north-1"))
    told = office.run("bundle", "apply", file, home="north-1")
    differing = {
        "policy.distance_max": "0.4", "policy.passback_s": "60", "quality.yaw_max": "0.22", "zone.left": "0.2",
    }  # fmt: skip
    assert differing.items() <= told["settings"].items()
    assert told["settings"]["policy.status_when_stale"] == "refuse", "the policy is told where it is the default too"
    assert told["products"] == [{"name": "Für 1 Tag", "showing": "live"}, {"name": "Annual", "showing": "any"}]
    effects = {c["subject"]: c["effect"] for c in told["changes"] if c["what"] == "setting"}
    assert effects["policy.live_products"] == "passes for these products must be shown live"
    assert load_settings(office.gate("north-1") / "settings.toml").to_policy().passback_s == 300


def test_settings_that_this_version_does_not_know_are_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from openstile.trust.bundle import Setting

    monkeypatch.setattr(
        "openstile.assembly.bundles.settings_to_tell", lambda settings: (Setting("policy.from_tomorrow", "1"),)
    )
    file = office.build("first", *office.gate_files("north-1"))
    refused = office.run("bundle", "apply", file, home="north-1", exit_code=2)
    assert "policy.from_tomorrow: no such setting" in refused["error"]
    assert office.kids("gate-group", home="north-1") == []


def test_sequence_grows_by_itself_and_is_never_used_twice(office: Office) -> None:
    files = [office.build(name) for name in ("first", "second")]
    assert office.run("bundle", "apply", files[0])["sequence"] == 1
    assert office.run("bundle", "apply", files[1])["sequence"] == 2
    for sequence in (0, 2):
        refused = office.run("bundle", "build", "--out", office.folder / "x", "--sequence", sequence, exit_code=2)
        assert "gates never go back" in refused["error"]
    assert office.run("bundle", "apply", office.build("jump", "--sequence", 40))["sequence"] == 40
    (office.home / "operator" / "bundle.json").unlink()
    assert office.run("bundle", "apply", office.build("after"))["sequence"] == 41
    (office.home / "operator" / "bundle.json").write_text("[]")
    assert "damaged" in office.run("bundle", "build", "--out", office.folder / "x", exit_code=2)["error"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--days", 0), "--days 0: give 1 to 366"),
        (("--days", 367), "--days 367"),
        (("--gate", "operator.json"), "is the key of operator metro, not of a gate"),
        (("--gate", "absent.json"), "absent.json"),
        (("--status", "absent.cwt"), "absent.cwt"),
    ],
)
def test_build_says_what_is_wrong_and_writes_nothing(office: Office, more: tuple[str, object], says: str) -> None:
    option, value = more
    given = value if isinstance(value, int) else office.folder / str(value)
    refused = office.run("bundle", "build", "--out", office.folder / "x", option, given, exit_code=2)
    assert says in refused["error"]
    assert not (office.folder / "x").exists()
    assert not (office.home / "operator" / "bundle.json").exists()


def test_build_does_not_replace_a_file_and_needs_its_keys(office: Office, openstile: Openstile, home: Path) -> None:
    file = office.build("first")
    assert "is there already" in office.run("bundle", "build", "--out", file, exit_code=2)["error"]
    openstile("keys", "create", "operator", "--home", home)
    for role in ("issuer", "gate-group"):
        ran = openstile("bundle", "build", "--out", file.with_suffix(".x"), "--home", home)
        assert (ran.exit_code, "key" in ran.err) == (2, True)
        openstile("keys", "create", role, "--home", home)
    assert openstile("bundle", "build", "--out", file.with_suffix(".x"), "--home", home).exit_code == 0


def test_words_for_people_name_no_private_thing(office: Office) -> None:
    out = office.folder / "first.bundle"
    gates = office.gate_files("north-1")
    built = office.openstile("bundle", "build", "--out", out, *gates, "--home", office.home)
    assert "gate-group keys for metro/north-1, and for no other gate" in built.out
    applied = office.openstile("bundle", "apply", out, "--home", office.gate("north-1"))
    assert (applied.exit_code, "What changes" in applied.out) == (0, True)
    shown = office.openstile("bundle", "show", "--home", office.gate("north-1"))
    assert "bundle 1 for metro/north" in shown.out
    _list_file(office, "list.cwt")
    lists = office.build("lists", *gates, "--status", office.folder / "list.cwt")
    office.run("bundle", "apply", lists, home="north-1")
    assert URI in office.openstile("bundle", "show", "--home", office.gate("north-1")).out
    out = lists
    again = office.openstile("bundle", "verify", out, "--home", office.gate("north-1"))
    assert "nothing changes" in again.out
    assert "no bundle in use" in office.openstile("bundle", "show", "--home", office.gate("north-2")).out
    (key_file,) = (office.gate("north-1") / "keys").glob("gate-group.*.json")
    private = json.loads(key_file.read_text())["private"]
    lines = [line for line in re.split(r"\s+", private) if len(line) > 40]
    everything = built.out + applied.out + shown.out + again.out + built.err + applied.err
    assert lines
    assert not any(line in everything for line in lines)


def test_lost_bundle_is_told_by_show_and_comes_back_by_applying_it_again(office: Office) -> None:
    file = office.build("first", *office.gate_files("north-1"))
    office.run("bundle", "apply", file, home="north-1")
    for path in (office.gate("north-1") / "trust").glob("*.cbor"):
        path.unlink()
    assert "apply it again" in office.run("bundle", "show", home="north-1", exit_code=7)["error"]
    office.run("bundle", "apply", file, home="north-1")
    assert office.run("bundle", "show", home="north-1")["bundle"]["sequence"] == 1
