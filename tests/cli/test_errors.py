"""Bad input: one clear line, a documented exit code, no traceback, nothing half-written."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Openstile

from openstile.cli.app import app
from openstile.face import Frame

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "grey.png"
    import cv2

    cv2.imwrite(str(path), np.full((200, 200, 3), 127, np.uint8))
    return path


def _enrol(home: Path, out: Path, *more: object) -> tuple[object, ...]:
    return ("enrol", "--product", "season", "--days", 1, "--home", home, "--out", out, *more)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "either --face"),
        (("--pin", "4711", "--face", "x.jpg"), "either --face"),
        (("--face", "absent.jpg"), "absent.jpg"),
        (("--pin", "12"), "4 to 12 digits"),
        (("--pin", "47a1"), "4 to 12 digits"),
        (("--pin", "4711", "--level", "H"), "L, M or Q"),
        (("--pin", "4711", "--product", ""), "product"),
        (("--pin", "4711", "--product", "a\nb"), "product"),
        (("--pin", "4711", "--product", "x" * 49), "product"),
        (("--pin", "4711", "--days", "0"), "days"),
        (("--pin", "4711", "--days", "5000"), "days"),
        (("--pin", "4711", "--zone", "1", "--zone", "1"), "zones"),
    ],
)
def test_enrol_says_what_is_wrong_and_writes_no_pass(
    openstile: Openstile, home: Path, tmp_path: Path, more: tuple[str, ...], says: str
) -> None:
    ran = openstile(*_enrol(home, tmp_path / "out", *more))
    assert ran.exit_code == 2
    assert says in ran.err
    assert len(ran.err.strip().splitlines()) <= 3
    assert "Traceback" not in ran.err
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


@pytest.mark.usefixtures("engine")
def test_photograph_without_a_face_is_named(openstile: Openstile, home: Path, tmp_path: Path, photograph: Path) -> None:
    ran = openstile(*_enrol(home, tmp_path / "out", "--face", photograph))
    assert ran.exit_code == 2
    assert "grey.png: no face found" in ran.err


@pytest.mark.usefixtures("engine")
def test_photographs_of_two_people_are_refused_by_name(
    openstile: Openstile, home: Path, tmp_path: Path, portraits: dict[str, Path]
) -> None:
    faces = ("--face", portraits["president-1.jpg"], "--face", portraits["astronaut.png"])
    ran = openstile(*_enrol(home, tmp_path / "out", *faces))
    assert ran.exit_code == 2
    assert "president-1.jpg" in ran.err
    assert "astronaut.png" in ran.err


def test_pass_in_the_folder_is_not_lost_by_enrolling_again(openstile: Openstile, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert openstile(*_enrol(home, out, "--pin", "4711")).exit_code == 0
    before = (out / "pass.txt").read_bytes()
    ran = openstile(*_enrol(home, out, "--pin", "4711"))
    assert (ran.exit_code, "--replace" in ran.err) == (2, True)
    assert (out / "pass.txt").read_bytes() == before
    assert openstile(*_enrol(home, out, "--pin", "4711", "--replace")).exit_code == 0
    assert (out / "pass.txt").read_bytes() != before
    assert sorted(p.name for p in out.iterdir()) == ["pass.pdf", "pass.png", "pass.svg", "pass.txt"]


def test_file_that_is_no_pass_is_refused_as_a_gate_would(openstile: Openstile, home: Path, photograph: Path) -> None:
    openstile(*_enrol(home, home.parent / "out", "--pin", "4711"))
    junk = home.parent / "junk.txt"
    for content in (b"", b"hello", b"\x00\xff" * 100, b"OS1:" + b"A" * 100_000, b"OS9:ABC"):
        junk.write_bytes(content)
        ran = openstile("cross", "--pass", junk, "--home", home, "--json")
        assert (ran.exit_code, ran.json["decision"], ran.json["pass_id"]) == (10, "refuse", None)
    assert openstile("cross", "--pass", photograph, "--home", home, "--json").json["reason"] == "pass_unreadable"


@pytest.mark.parametrize(
    "arguments",
    [
        ("cross", "--pass", "absent.txt"),
        ("cross", "--pass", "pyproject.toml", "--frames", "absent.jpg"),
        ("pass", "inspect", "absent.txt"),
        ("keys", "rotate", "issuer"),
        ("keys", "rotate", "door"),
        ("keys", "revoke", "00", "--yes"),
        ("keys", "create", "issuer", "--algorithm", "RSA"),
        ("keys", "import", "pyproject.toml"),
        ("gate", "--camera", "absent.mp4"),
        ("gate", "--barrier", "drawbridge"),
        ("gate", "--pin-pad", "abacus"),
        ("cross",),
        ("crosss",),
        ("models", "verify", "unheard-of"),
    ],
)
def test_wrong_arguments_end_with_one_line(openstile: Openstile, home: Path, arguments: tuple[str, ...]) -> None:
    more = () if arguments[0] in ("crosss", "pass") else ("--home", home)
    ran = openstile(*arguments, *more)
    assert ran.exit_code in (2, 3, 4)
    assert ran.err.startswith("openstile: ")
    assert len(ran.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [("journal", "show"), ("journal", "verify"), ("journal", "fade"), ("keys", "list"), ("keys", "rotate", "issuer"),
     ("pass", "inspect", "pyproject.toml"), ("cross", "--pass", "pyproject.toml"), ("gate",)],
    ids=" ".join,
)  # fmt: skip
def test_command_that_only_looks_makes_no_home(openstile: Openstile, home: Path, command: tuple[str, ...]) -> None:
    ran = openstile(*command, "--home", home)
    assert ran.exit_code == 2
    assert "does not exist" in ran.err
    assert not home.exists()


@pytest.mark.usefixtures("engine")
def test_frames_called_like_a_camera_are_a_file(
    openstile: Openstile,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photograph: Path,
    portraits: dict[str, Path],
) -> None:
    assert openstile(*_enrol(home, tmp_path / "out", "--pin", "4711")).exit_code == 0
    monkeypatch.chdir(tmp_path)
    photograph.rename("0")
    opened: list[str] = []

    def open_frames(source: str) -> Iterator[Frame]:
        opened.append(source)
        return iter(())

    monkeypatch.setattr("openstile.face.sources.open_frames", open_frames)
    portrait = ("enrol", "--face", portraits["astronaut.png"], "--product", "season", "--days", 1, "--out", "rider")
    assert openstile(*portrait, "--home", home).exit_code == 0
    openstile("cross", "--pass", "rider/pass.txt", "--frames", "0", "--home", home)
    assert opened == [str(tmp_path / "0")]


def test_error_is_json_too_when_json_is_asked_for(openstile: Openstile, home: Path) -> None:
    ran = openstile("cross", "--pass", "absent.txt", "--home", home, "--json")
    assert ran.json["exit_code"] == ran.exit_code == 2
    assert ran.json["error"] in ran.err


def test_no_home_is_said(openstile: Openstile) -> None:
    ran = openstile("keys", "list")
    assert (ran.exit_code, "OPENSTILE_HOME" in ran.err) == (2, True)


def test_home_that_is_a_file_is_said(openstile: Openstile, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert openstile("keys", "list", "--home", tmp_path / "file").exit_code == 2
    assert openstile("keys", "list", "--home", tmp_path / "file" / "deeper").exit_code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_home_that_cannot_be_written_is_said(openstile: Openstile, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert openstile("keys", "list", "--home", tmp_path / "home").exit_code == 2


def test_pin_and_pass_text_are_in_no_message(openstile: Openstile, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = [openstile(*_enrol(home, out, "--pin", "471183")), openstile(*_enrol(home, out, "--pin", "471183"))]
    text = (out / "pass.txt").read_text()
    said += [openstile("cross", "--pass", out / "pass.txt", "--home", home, "--pin", pin) for pin in ("4711", "471183")]
    said.append(openstile("pass", "inspect", out / "pass.txt", "--home", home))
    for ran in said:
        assert "471183" not in ran.out + ran.err
        assert text[20:60] not in ran.out + ran.err


def test_internal_error_is_one_line_with_its_own_exit_code(
    openstile: Openstile, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("openstile.cli.keys.existing_home_of", broken)
    ran = openstile("keys", "list", "--home", home)
    assert ran.exit_code == 70
    assert "secret detail" not in ran.err
    assert "OPENSTILE_DEBUG" in ran.err


def _commands() -> list[tuple[str, ...]]:
    names: list[tuple[str, ...]] = [(str(command.name),) for command in app.registered_commands]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        names += [
            (str(group.name), str(command.name or getattr(command.callback, "__name__", "")))
            for command in group.typer_instance.registered_commands
        ]
    return names


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_has_help_and_json(openstile: Openstile, command: tuple[str, ...]) -> None:
    ran = openstile(*command, "--help")
    assert ran.exit_code == 0
    assert "Usage" in ran.out
    assert "--json" in ran.out


def test_every_exit_code_is_documented() -> None:
    guide = (REPOSITORY / "docs" / "operator-guide.md").read_text()
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", guide, re.MULTILINE)}
    used = {0}
    for module in (REPOSITORY / "src").rglob("*.py"):
        source = module.read_text()
        used |= {int(code) for code in re.findall(r"(?:EXIT_[A-Z]+|exit_code) = (\d+)", source)}
    assert used <= documented


def test_every_refusal_reason_and_feedback_code_is_documented() -> None:
    from openstile.crossing import Reason
    from openstile.face.feedback import Feedback

    text = (REPOSITORY / "docs" / "refusals.md").read_text()
    reasons, _, feedback = text.partition("## While the gate looks")
    for section, codes in ((reasons, Reason), (feedback, Feedback)):
        documented = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
        assert sorted(documented) == sorted(code.value for code in codes)


def test_json_of_an_error_is_one_line(openstile: Openstile) -> None:
    ran = openstile("pass", "inspect", "absent.txt", "--json")
    assert len(ran.out.strip().splitlines()) == 1
    assert set(json.loads(ran.out)) == {"error", "exit_code"}


@pytest.mark.parametrize("product", ["[/x]", "[red]a[/red]", ":key:", "a [b] \N{KEY}"])
def test_product_that_looks_like_markup_is_shown_as_it_is(
    openstile: Openstile, home: Path, tmp_path: Path, product: str
) -> None:
    out = tmp_path / "out[/b]"
    enrolled = openstile(*_enrol(home, out, "--pin", "4711", "--product", product))
    assert (enrolled.exit_code, f"for {product}, until" in enrolled.out, str(out) in enrolled.out) == (0, True, True)
    assert product in openstile("pass", "inspect", out / "pass.txt", "--home", home).out


def test_home_that_looks_like_markup_is_shown_as_it_is(openstile: Openstile, tmp_path: Path) -> None:
    home = tmp_path / "home[/b]"
    enrolled = openstile(*_enrol(home, tmp_path / "out", "--pin", "4711"))
    assert (enrolled.exit_code, str(home) in enrolled.err) == (0, True)


@pytest.mark.parametrize("option", ["--home", "--out"])
def test_empty_folder_name_is_refused_and_not_taken_for_the_current_one(
    openstile: Openstile, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    ran = openstile(*_enrol(home, tmp_path / "out", "--pin", "4711"), option, "")
    assert (ran.exit_code, "empty" in ran.err) == (2, True)
    assert list(here.iterdir()) == []


def test_file_name_cannot_steer_the_terminal(openstile: Openstile, home: Path) -> None:
    ran = openstile("cross", "--pass", "a\x1b[31m\x07b", "--home", home)
    assert ran.exit_code == 2
    assert "\x1b" not in ran.err
    assert "\x07" not in ran.err


@pytest.mark.parametrize("out", ["file/key.json", "x" * 300, "folder"])
def test_key_that_cannot_be_written_is_said(openstile: Openstile, home: Path, tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    kid = openstile("keys", "create", "issuer", "--home", home, "--json").json["kid"]
    ran = openstile("keys", "export", kid, "--out", tmp_path / out, "--home", home)
    assert (ran.exit_code in (1, 2), ran.err.count("\n")) == (True, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "home"]


@pytest.mark.parametrize("variable", ["OPENSTILE_POLICY", "OPENSTILE_GATE", "OPENSTILE_OPERATOR"])
def test_environment_that_is_no_setting_is_named(
    openstile: Openstile, home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    home.mkdir(mode=0o700)
    monkeypatch.setenv(variable, "{x")
    ran = openstile("keys", "list", "--home", home)
    assert (ran.exit_code, variable in ran.err) == (2, True)


@pytest.mark.parametrize("more", [(), ("--json",)])
@pytest.mark.parametrize("where", ["a full disk", "a reader that went away"])
def test_result_that_nobody_could_read_never_ends_as_admitted(
    home: Path, tmp_path: Path, openstile: Openstile, more: tuple[str, ...], where: str
) -> None:
    out = tmp_path / "out"
    assert openstile(*_enrol(home, out, "--pin", "4711")).exit_code == 0
    if where == "a full disk":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    command = ("cross", "--pass", out / "pass.txt", "--pin", "4711", "--home", home, *more)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ran = subprocess.run(
        [sys.executable, "-m", "openstile", *map(str, command)],
        stdout=descriptor, stderr=subprocess.PIPE, text=True, check=False, env=environment,
    )  # fmt: skip
    os.close(descriptor)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr


def test_result_is_written_on_a_terminal_that_knows_ascii_only(home: Path, tmp_path: Path) -> None:
    arguments = map(str, _enrol(home, tmp_path / "out", "--pin", "4711", "--product", "Größe", "--json"))
    ran = subprocess.run(
        [sys.executable, "-m", "openstile", *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (ran.returncode, json.loads(ran.stdout)["product"]) == (0, "Größe")


def test_looking_at_a_journal_that_is_not_there_makes_no_gate_key(openstile: Openstile, home: Path) -> None:
    home.mkdir(mode=0o700)
    for command in ("verify", "show"):
        ran = openstile("journal", command, "--home", home)
        assert (ran.exit_code, "no crossing has been recorded yet" in ran.err) == (4, True)
    assert not (home / "gate").exists()


def test_lost_gate_key_is_not_replaced_by_verifying(openstile: Openstile, home: Path, tmp_path: Path) -> None:
    assert openstile(*_enrol(home, tmp_path / "out", "--pin", "4711")).exit_code == 0
    assert openstile("cross", "--pass", tmp_path / "out" / "pass.txt", "--pin", "4711", "--home", home).exit_code == 0
    (home / "gate" / "gate.pem").unlink()
    for command in (("journal", "verify"), ("doctor",)):
        ran = openstile(*command, "--home", home)
        assert (ran.exit_code in (3, 4), "gate.pem" in ran.out + ran.err) == (True, True)
        assert not (home / "gate" / "gate.pem").exists()


@pytest.mark.usefixtures("engine")
def test_doctor_finds_what_does_not_work_and_goes_on(openstile: Openstile, home: Path, tmp_path: Path) -> None:
    assert openstile(*_enrol(home, tmp_path / "out", "--pin", "4711")).exit_code == 0
    healthy = openstile("doctor", "--home", home, "--json")
    assert (healthy.exit_code, healthy.json["healthy"]) == (0, True)
    (home / "keys").chmod(0o755)
    (home / "settings.toml").write_text("[gate]\nid = 7\n")
    (home / "gate").write_text("not a folder")
    ran = openstile("doctor", "--home", home, "--json")
    found = {finding["what"]: finding["works"] for finding in ran.json["findings"]}
    assert (ran.exit_code, ran.json["healthy"]) == (3, False)
    assert not found["settings"]
    assert not found["keys"]
    assert found["model pack"]


def test_ctrl_c_is_one_line_and_130_whenever_it_comes(openstile: Openstile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the command line is still loading."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("openstile.office.api.app.api_document", interrupted)
    ran = openstile("office", "openapi", "--json")
    assert (ran.exit_code, ran.err, ran.json["exit_code"]) == (130, "openstile: interrupted\n", 130)
    loading = (
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'openstile.cli.app': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from openstile.cli import main\n"
        "main()\n"
    )
    process = subprocess.run([sys.executable, "-c", loading], capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (130, "openstile: interrupted\n")
