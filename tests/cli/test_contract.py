"""The forms that others rely on: enrol, cross, journal, with their JSON and exit codes, on real photographs."""

import json
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import pypdfium2
import pytest
from tests.cli.conftest import Openstile

from openstile.face.images import read_image

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def enrolled(openstile: Openstile, home: Path, tmp_path: Path, portraits: dict[str, Path]) -> Path:
    """The president's pass, in its folder."""
    ran = openstile(
        "enrol", "--face", portraits["president-1.jpg"], "--product", "season-2026", "--days", 30,
        "--home", home, "--out", tmp_path / "pass",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.err
    return tmp_path / "pass"


def test_enrol_writes_four_private_files_and_keys(enrolled: Path, home: Path) -> None:
    assert sorted(path.name for path in enrolled.iterdir()) == ["pass.pdf", "pass.png", "pass.svg", "pass.txt"]
    private = [*enrolled.iterdir(), *(path for path in home.rglob("*") if path.is_file())]
    assert len(private) >= 7
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home, home / "keys")} == {0o700}


def test_own_pass_admits_and_the_json_is_the_contract(
    openstile: Openstile, enrolled: Path, home: Path, portraits: dict[str, Path]
) -> None:
    ran = openstile(
        "cross", "--pass", enrolled / "pass.png", "--frames", portraits["president-2.jpg"], "--home", home, "--json"
    )
    assert ran.exit_code == 0
    assert list(ran.json) == ["decision", "reason", "pass_id", "status_unsure", "timings_ms"]
    assert (ran.json["decision"], ran.json["reason"]) == ("admit", None)
    assert re.fullmatch(r"[0-9a-f]{32}", ran.json["pass_id"])
    timings = ran.json["timings_ms"]
    assert list(timings)[-3:] == ["journal", "barrier", "total"]
    assert all(isinstance(value, float) and value >= 0 for value in timings.values())
    assert timings["total"] == pytest.approx(sum(v for k, v in timings.items() if k != "total"), abs=0.02)


def test_anothers_pass_refuses_with_exit_code_10(
    openstile: Openstile, enrolled: Path, home: Path, portraits: dict[str, Path]
) -> None:
    ran = openstile(
        "cross", "--pass", enrolled / "pass.txt", "--frames", portraits["vice-president.jpg"], "--home", home, "--json"
    )
    assert ran.exit_code == 10
    assert (ran.json["decision"], ran.json["reason"]) == ("refuse", "face_does_not_match")


def test_several_frames_may_follow_one_option(
    openstile: Openstile, enrolled: Path, home: Path, portraits: dict[str, Path]
) -> None:
    frames = (portraits["vice-president.jpg"], portraits["president-2.jpg"])
    ran = openstile("cross", "--pass", enrolled / "pass.png", "--home", home, "--json", "--frames", *frames)
    assert ran.exit_code == 0


def test_pass_is_read_from_every_form_but_the_pdf(openstile: Openstile, enrolled: Path, home: Path) -> None:
    printed = pypdfium2.PdfDocument(enrolled / "pass.pdf")[0].render(scale=4).to_numpy()
    cv2.imwrite(str(enrolled / "printed.png"), printed)
    texts = set()
    for name in ("pass.txt", "pass.png", "printed.png"):
        ran = openstile("pass", "inspect", enrolled / name, "--home", home, "--json")
        assert ran.json["signature_verified"] is True
        texts.add(ran.json["pass_id"])
    assert len(texts) == 1
    ran = openstile("pass", "inspect", enrolled / "pass.pdf", "--home", home)
    assert ran.exit_code == 2
    assert "pass.png" in ran.err


def test_pin_pass_right_and_wrong(openstile: Openstile, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "pass"
    ran = openstile(
        "enrol", "--pin", "4711", "--product", "season-2026", "--days", 30, "--home", home, "--out", out, "--json"
    )
    assert ran.exit_code == 0
    cross = ("cross", "--pass", out / "pass.png", "--home", home, "--json")
    assert openstile(*cross, "--pin", "0815").json["reason"] == "pin_wrong"
    assert openstile(*cross).json["reason"] == "pin_missing"
    admitted = openstile(*cross, "--pin", "4711")
    assert (admitted.exit_code, admitted.json["pass_id"]) == (0, ran.json["pass_id"])
    assert openstile(*cross, "--pin", "4711").json["reason"] == "used_recently"


def test_journal_shows_and_verifies_what_happened(
    openstile: Openstile, enrolled: Path, home: Path, portraits: dict[str, Path]
) -> None:
    cross = ("cross", "--pass", enrolled / "pass.png", "--home", home, "--json", "--frames")
    pass_id = openstile(*cross, portraits["president-2.jpg"]).json["pass_id"]
    openstile(*cross, portraits["president-2.jpg"])
    shown = openstile("journal", "show", "--home", home, "--json").json
    assert [(tap["seq"], tap["pass_id"], tap["product"]) for tap in shown["taps"]] == [(1, pass_id, "season-2026")]
    assert [(r["reason"], r["refusals"]) for r in shown["refusals"]] == [("used_recently", 1)]
    assert openstile("journal", "verify", "--home", home).exit_code == 0
    assert openstile("journal", "verify", "--home", home, "--json").json["taps"] == 1
    assert openstile("journal", "fade", "--home", home, "--json").json["faded"] == 0


def test_journal_that_was_tampered_with_fails_verification(
    openstile: Openstile, enrolled: Path, home: Path, portraits: dict[str, Path]
) -> None:
    openstile("cross", "--pass", enrolled / "pass.png", "--home", home, "--frames", portraits["president-2.jpg"])
    connection = sqlite3.connect(home / "gate" / "journal.db", isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE tap SET product = 'free-rides'")
    connection.close()
    ran = openstile("journal", "verify", "--home", home, "--json")
    assert ran.exit_code == 4
    assert "1" in ran.json["error"]


def test_rotated_keys_keep_old_passes_good_and_a_revoked_one_does_not(
    openstile: Openstile, enrolled: Path, home: Path, portraits: dict[str, Path]
) -> None:
    for role in ("issuer", "gate-group"):
        rotate = ("keys", "rotate", role, "--overlap-hours", 0, "--yes", "--home", home, "--json")
        assert openstile(*rotate).json["result"]["state"] == "current"
    keys = openstile("keys", "list", "--home", home, "--json").json
    assert sorted((k["role"], k["state"]) for k in keys) == [
        ("gate-group", "current"), ("gate-group", "previous"), ("issuer", "current"), ("issuer", "previous"),
    ]  # fmt: skip
    cross = (
        "cross",
        "--pass",
        enrolled / "pass.png",
        "--home",
        home,
        "--json",
        "--frames",
        portraits["president-2.jpg"],
    )
    assert openstile(*cross).exit_code == 0
    old = next(k["kid"] for k in keys if (k["role"], k["state"]) == ("issuer", "previous"))
    assert openstile("keys", "revoke", old, "--yes", "--home", home, "--json").json["result"]["state"] == "revoked"
    assert openstile(*cross).json["reason"] == "issuer_revoked"


def test_gate_apart_from_issuer_needs_only_public_issuer_keys(openstile: Openstile, tmp_path: Path) -> None:
    """Issuer and gate in two homes: the issuer's private key never leaves, the gate group's neither."""
    office, gate, out = tmp_path / "office", tmp_path / "gate", tmp_path / "pass"
    issuer = openstile("keys", "create", "issuer", "--home", office, "--json").json["kid"]
    group = openstile("keys", "create", "gate-group", "--home", gate, "--json").json["kid"]
    openstile("keys", "export", issuer, "--out", tmp_path / "issuer.json", "--home", office)
    openstile("keys", "export", group, "--out", tmp_path / "group.json", "--home", gate)
    assert openstile("keys", "import", tmp_path / "issuer.json", "--home", gate, "--json").json["has_private"] is False
    assert openstile("keys", "import", tmp_path / "group.json", "--home", office, "--json").json["has_private"] is False
    enrol = ("enrol", "--pin", "4711", "--product", "staff", "--days", 1, "--out", out)
    assert openstile(*enrol, "--home", office).exit_code == 0
    assert openstile("cross", "--pass", out / "pass.png", "--pin", "4711", "--home", gate).exit_code == 0
    ran = openstile(*enrol, "--home", gate, "--replace")
    assert (ran.exit_code, "private" in ran.err) == (2, True)


def test_gate_serves_a_folder_of_frames(
    openstile: Openstile, enrolled: Path, home: Path, tmp_path: Path, portraits: dict[str, Path]
) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    held = cv2.copyMakeBorder(
        read_image(enrolled / "pass.png").pixels, 80, 80, 80, 80, cv2.BORDER_CONSTANT, value=(90, 90, 90)
    )
    cv2.imwrite(str(frames / "1.png"), held)
    cv2.imwrite(str(frames / "2.png"), read_image(portraits["president-2.jpg"]).pixels)
    ran = openstile("gate", "--camera", frames, "--home", home, "--json", "--no-pause")
    assert ran.exit_code == 0
    assert [json.loads(line)["decision"] for line in ran.out.splitlines()] == ["admit"]
    assert "pass_id" not in ran.out, "what a log keeps would not fade"


def test_command_runs_as_a_process_of_its_own() -> None:
    ran = subprocess.run([sys.executable, "-m", "openstile", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("openstile 0.1.0")
