"""`pass reissue`: passes made anew in bulk after keys changed, and never one that a thief forged."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from openstile.assembly.home import open_home
from openstile.assembly.wire import Installation
from openstile.cli.app import run
from openstile.passes import inspect_pass
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.holder import generate_holder_key
from openstile.passes.issue import IssuedPass, issue_pass
from openstile.passes.pin import make_pin_reference
from openstile.passes.wallet import encode_holder_public

URI = "https://passes.example/status/1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for role in ("issuer", "gate-group"):
        assert openstile("keys", "create", role, "--home", home) == 0
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace('status_list_uri = ""', f'status_list_uri = "{URI}"'))
    return home


def openstile(*words: object) -> int:
    return run([str(word) for word in words])


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[dict[str, object]]]:
    capsys.readouterr()
    code = openstile(*words, "--json")
    return code, json.loads(capsys.readouterr().out)


def enrol(home: Path, out: Path, *more: object) -> None:
    words = ("--pin", "4711", "--product", "season", "--days", 30, "--home", home, "--out", out)
    assert openstile("enrol", *words, *more) == 0


def cross(home: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> object:
    capsys.readouterr()
    openstile("cross", "--pass", file, "--pin", "4711", "--home", home, "--json")
    return json.loads(capsys.readouterr().out)["reason"]


def test_riders_of_a_stolen_issuer_key_get_new_passes_and_its_thief_gets_none(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        enrol(home, tmp_path / name)
    forged = tmp_path / "forged.txt"
    forged.write_text(forge(home).text)
    assert openstile("keys", "rotate", "issuer", "--emergency", "--yes", "--home", home) == 0
    assert cross(home, tmp_path / "a" / "pass.txt", capsys) == "issuer_revoked"
    code, results = said(
        capsys, "pass", "reissue", tmp_path / "a" / "pass.txt", tmp_path / "b" / "pass.png", forged,
        "--out", tmp_path / "new", "--home", home,
    )  # fmt: skip
    assert code == 10
    assert [one["outcome"] for one in results] == ["reissued", "reissued", "refused"]
    assert "may be forged" in str(results[2]["detail"])
    assert openstile("status", "build", "--home", home) == 0
    new = tmp_path / "new" / str(results[0]["old"]) / "pass.txt"
    assert cross(home, new, capsys) is None
    assert cross(home, forged, capsys) == "issuer_revoked"


def forge(home: Path) -> IssuedPass:
    """What the thief of the issuer's key makes: signed and sealed as it should be, and in no register."""
    here = Installation.open(open_home(home))
    now = here.clock.now()
    return issue_pass(
        issuer_key=here.keys.issuer_key(now=now),
        gate_group_key=here.keys.gate_group_public_key(now=now),
        entitlement=Entitlement("season"),
        assurance=Assurance.SUPERVISED,
        reference=make_pin_reference("4711"),
        now=now,
        valid_for=timedelta(days=30),
    )


def test_new_pass_keeps_product_end_holder_and_reference_and_the_old_one_is_withdrawn(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "holder.pub.json").write_bytes(encode_holder_public(generate_holder_key().public))
    enrol(home, tmp_path / "a", "--holder", tmp_path / "holder.pub.json", "--category", "student", "--zone", "1")
    old = tmp_path / "a" / "pass.txt"
    rotate = ("keys", "rotate", "gate-group", "--emergency", "--grace-days", 0, "--yes")
    assert openstile(*rotate, "--home", home) == 0
    assert cross(home, old, capsys) == "pass_outdated"
    code, results = said(capsys, "pass", "reissue", tmp_path / "a", "--out", tmp_path / "n", "--home", home)
    assert (code, [one["outcome"] for one in results]) == (0, ["reissued", "repeated"]), "its picture and its text"
    folder = next((tmp_path / "n").iterdir())
    assert (folder / "pass.wallet").is_file()
    ring = Installation.open(open_home(home)).keys.gate_keyring()
    before, after = (inspect_pass(path.read_text(), ring).claims for path in (old, folder / "pass.txt"))
    assert before is not None
    assert after is not None
    assert (before.entitlement, before.expires, before.holder) == (after.entitlement, after.expires, after.holder)
    assert before.reference.commitment != after.reference.commitment
    assert before.pass_id != after.pass_id
    assert openstile("status", "build", "--home", home) == 0
    assert cross(home, folder / "pass.txt", capsys) is None


def test_run_that_was_broken_off_is_finished_by_the_next_and_makes_no_pass_twice(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(home, tmp_path / "a")
    old = tmp_path / "a" / "pass.txt"
    assert openstile("keys", "rotate", "issuer", "--overlap-hours", 0, "--yes", "--home", home) == 0
    again = ("pass", "reissue", old, "--out", tmp_path / "n", "--home", home)
    here = Installation.open(open_home(home))
    old_id = str(inspect_pass(old.read_text(), here.keys.gate_keyring()).claims.pass_id)  # type: ignore[union-attr]
    (tmp_path / "n" / old_id).mkdir(parents=True)
    (tmp_path / "n" / old_id / "pass.txt").write_text("made before the run was broken off")
    code, (result,) = said(capsys, *again)
    assert (code, result["outcome"], result["new"]) == (0, "reissued", None)
    code, (result,) = said(capsys, *again)
    assert (code, result["outcome"]) == (10, "refused")
    assert "is revoked" in str(result["detail"])


def test_pass_of_todays_keys_stays_unless_all_are_asked_for(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(home, tmp_path / "a")
    words = ("pass", "reissue", tmp_path / "a" / "pass.txt", "--out", tmp_path / "n", "--home", home)
    assert said(capsys, *words)[1][0]["outcome"] == "current"
    assert said(capsys, *words, "--all")[1][0]["outcome"] == "reissued"


def test_folders_below_count_as_enrol_makes_them(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        enrol(home, tmp_path / "riders" / name)
    code, results = said(capsys, "pass", "reissue", tmp_path / "riders", "--out", tmp_path / "n", "--home", home)
    assert (code, {one["outcome"] for one in results}) == (0, {"current", "repeated"})
    assert len({one["old"] for one in results}) == 2


def test_private_half_of_a_phone_is_refused_at_the_desk(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert openstile("pass", "holder", "--out", tmp_path / "phone") == 0
    words = ("enrol", "--pin", "4711", "--product", "p", "--days", 30, "--home", home, "--out", tmp_path / "x")
    assert openstile(*words, "--holder", tmp_path / "phone" / "holder.json") == 2
    assert "holder.pub.json" in capsys.readouterr().err
    assert openstile(*words, "--holder", tmp_path / "phone" / "holder.pub.json") == 0


def test_suspended_pass_rubbish_and_empty_folder_are_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(home, tmp_path / "a")
    openstile("status", "suspend", tmp_path / "a" / "pass.txt", "--yes", "--home", home)
    (tmp_path / "rubbish.txt").write_text("OS1:???")
    (tmp_path / "empty").mkdir()
    words = (tmp_path / "a" / "pass.txt", tmp_path / "rubbish.txt")
    code, results = said(capsys, "pass", "reissue", *words, "--out", tmp_path / "n", "--all", "--home", home)
    assert (code, [one["outcome"] for one in results]) == (10, ["refused", "refused"])
    assert "suspended" in str(results[0]["detail"])
    assert openstile("pass", "reissue", tmp_path / "empty", "--out", tmp_path / "n", "--home", home) == 2
    assert openstile("pass", "reissue", *words, "--out", tmp_path / "m", "--home", home) == 10


def test_pass_that_names_no_list_stays_good_and_that_is_said(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = home / "settings.toml"
    settings.write_text(settings.read_text().replace(URI, ""))
    enrol(home, tmp_path / "a")
    capsys.readouterr()
    words = ("pass", "reissue", tmp_path / "a" / "pass.txt", "--out", tmp_path / "n", "--all", "--home", home)
    assert openstile(*words) == 0
    assert "stay good" in capsys.readouterr().out
