"""`openstile lab attacks` from the command line: consent, recording, going on, forgetting, and the figures."""

import hashlib
import io
import json
import os
import stat
from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.cli.conftest import Openstile
from tests.lab.made_sessions import presented, session

from openstile.face.attack import Outcome
from openstile.face.images import read_image
from openstile.lab.attacks_file import encode_session, read_session
from openstile.lab.attacks_session import Session


@pytest.fixture
def gate(tmp_path: Path, portraits: dict[str, Path], engine: object) -> Path:
    """What a gate's camera saw of a portrait that was held before it: 24 frames in a folder."""
    frames = tmp_path / "gate"
    frames.mkdir()
    pixels = read_image(portraits["president-2.jpg"]).pixels
    scale = 480 / pixels.shape[0]
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for number in range(24):
        cv2.imwrite(str(frames / f"{number:02}.png"), np.roll(small, number % 3, axis=1))
    return frames


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> object:
    """What an operator types, line by line."""
    return lambda *lines: monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def write(path: Path, one: Session) -> Path:
    path.write_bytes(encode_session(one))
    return path


def test_operator_is_asked_for_consent_told_what_is_kept_and_guided(
    openstile: Openstile, gate: Path, tmp_path: Path, types: object
) -> None:
    file = tmp_path / "session.json"
    record = ("lab", "attacks", "--record", file, "--camera", gate, "--species", "flat print", "--species", "my mask")
    types("yes", "x", "7", "", "s", "", "")  # type: ignore[operator]
    ran = openstile(*record, "--conditions", "lamp on")
    assert ran.exit_code == 0, ran.err
    assert "Never kept: a frame, a place in a frame, a template, a pass." in ran.err
    assert "agreed to this test" in ran.err
    assert "A person has a number" in ran.err
    assert "Hold the flat print no. 1 of person 7 before the camera." in ran.err
    (made,) = read_session(file).presentations
    assert (made.subject, made.species, made.instrument, made.conditions) == (7, "flat print", 1, "lamp on")
    assert (made.from_file, len(made.clips)) == (True, 1)
    assert "1 presentations" in ran.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gate", "session.json"]

    ran = openstile(*record, "--conditions", "lamp on", "--subject", 7, "--yes", "--consented", "--json")
    assert ran.exit_code == 0, ran.err
    assert ran.json == {"session": str(file), "presentations": 2, "species": {"flat print": 1, "my mask": 1}}
    ran = openstile(*record, "--conditions", "lamp on", "--subject", 7, "--yes", "--consented")
    assert "all of it is in the file already" in ran.err

    ran = openstile("lab", "attacks", file)
    assert ran.exit_code == 0, ran.err
    assert "2 of them are from files: they show nothing of a camera" in ran.out
    assert "not claimed  my mask" in ran.out
    assert "at most" not in ran.out

    ran = openstile("lab", "attacks", "--record", file, "--forget", 7, "--json")
    assert ran.json == {"session": str(file), "forgotten": 2, "presentations": 0}
    assert "nothing was presented" in openstile("lab", "attacks", file).out


@pytest.mark.parametrize(("typed", "said"), [(["no"], "without it nothing is presented"), ([], "nobody is there")])
def test_without_consent_nothing_is_presented_and_no_file_is_made(
    openstile: Openstile, tmp_path: Path, types: object, typed: list[str], said: str
) -> None:
    types(*typed)  # type: ignore[operator]
    ran = openstile(
        "lab", "attacks", "--record", tmp_path / "s.json", "--camera", tmp_path, "--subject", 1, "--yes", "--json"
    )
    assert ran.exit_code == 2
    assert said in ran.json["error"], "--yes does not say that anybody agreed"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--record FILE"),
        (("a.json", "--record", "b.json"), "--record FILE"),
        (("--forget", "1"), "--record FILE"),
        (("--record", "s.json", "--yes", "--consented"), "--subject NUMBER"),
        (("--record", "s.json", "--consented", "--subject", "0"), "subject 0"),
        (("--record", "s.json", "--consented", "--species", "Mask!"), "small letters"),
        (("--record", "s.json", "--consented", "--times", "0"), "times 0"),
        (("--record", "s.json", "--consented", "--camera", ".", "--light", "console"), "answers to no light"),
        (("--record", "s.json", "--consented", "--light", "absent"), "No such file"),
        (("--record", "s.json", "--consented", "--light", "plain.txt"), "is no terminal"),
        (("--record", "s.json", "--consented", "--light", "console", "--light-lag", "11"), "lag_frames 11"),
        (("absent.json",), "absent.json: cannot be read"),
        (("plain.txt",), "plain.txt: is no session"),
    ],
)
@pytest.mark.usefixtures("engine")
def test_what_cannot_be_is_said_in_one_line(
    openstile: Openstile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "plain.txt").write_text("not a session\n")
    monkeypatch.chdir(tmp_path)
    ran = openstile("lab", "attacks", *options, "--json")
    assert ran.exit_code == 2
    assert said in ran.json["error"]
    assert (tmp_path / "plain.txt").read_text() == "not a session\n"
    assert not (tmp_path / "s.json").exists()


def test_camera_that_cannot_be_used_ends_with_its_own_exit_code(
    openstile: Openstile, tmp_path: Path, engine: object
) -> None:
    ran = openstile(
        "lab", "attacks", "--record", tmp_path / "s.json", "--camera", "camera:97", "--subject", 1, "--yes",
        "--consented",
    )  # fmt: skip
    assert ran.exit_code == 5
    assert "camera 97" in ran.err


def test_terminal_is_a_light(openstile: Openstile, tmp_path: Path, engine: object, terminal: tuple[int, int]) -> None:
    ran = openstile(
        "lab", "attacks", "--record", tmp_path / "s.json", "--camera", "camera:97", "--subject", 1, "--yes",
        "--consented", "--light", os.ttyname(terminal[1]),
    )  # fmt: skip
    assert ran.exit_code == 5, ran.err
    assert read_session(tmp_path / "s.json").flash


def test_figures_of_several_files_in_words_and_json(openstile: Openstile, tmp_path: Path) -> None:
    prints = [presented("denied", "flat print", subject=n) for n in range(1, 73)]
    one = write(tmp_path / "one.json", session(*prints, presented("let through", "phone")))
    other = write(
        tmp_path / "other.json", session(*[presented("let through", subject=n) for n in (1, 2)], session_id="1" * 16)
    )
    ran = openstile("lab", "attacks", one, other, "--json")
    assert ran.exit_code == 0
    assert ran.json["simulated"] is False
    assert [(each["species"], each["apcer"]["events"]) for each in ran.json["species"]] == [
        ("flat print", 0), ("phone", 1),
    ]  # fmt: skip
    assert ran.json["bpcer"]["trials"] == 2
    assert ran.json["apcer_highest"]["unattended"]["species"] == "phone"
    ran = openstile("lab", "attacks", one, other)
    assert "may be claimed  flat print: APCER at most 0.05 (95 %; 0 of 72" in ran.out
    assert "highest APCER over the species, unattended: 100.00% (phone)" in ran.out
    ran = openstile("lab", "attacks", one, one)
    assert (ran.exit_code, "given twice" in ran.err) == (2, True)


def test_report_has_what_was_presented(
    openstile: Openstile, tmp_path: Path, portraits: dict[str, Path], engine: object
) -> None:
    dataset = tmp_path / "people"
    for name, number in (("one", 1), ("two", 2)):
        (dataset / name).mkdir(parents=True)
        for subject, portrait in (("a", f"president-{number}.jpg"), ("b", "vice-president.jpg")):
            (dataset / name / f"{subject}.jpg").write_bytes(portraits[portrait].read_bytes())
    (dataset / "subjects.csv").write_text("subject,office\na,first\nb,second\n")
    made = [presented("denied", "flat print"), presented("let through", "my mask"), presented("no face", "phone")]
    file = write(tmp_path / "s.json", session(*made, presented("let through")))
    without = [option for part in ("groups", "quality", "speed", "unlinkability") for option in ("--without", part)]
    ran = openstile(
        "lab", "report", dataset, "--out", tmp_path / "out", "--workers", 1, "--attacks", file, *without, "--json"
    )
    assert ran.exit_code == 0, ran.err
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert told["attacks"]["simulated"] is False
    assert "other_attacks" in told["not_tested"]
    assert "attacks" not in told["not_tested"]
    for name, words in (("report.html", "recorded with their consent"), ("report.de.html", "mit ihrem Einverständnis")):
        page = (tmp_path / "out" / name).read_text()
        assert '<section id="attacks"' in page
        assert words in page
        assert "my mask" in page
        assert "All of them are simulated" not in page
        assert "no print, screen or mask was held" not in page
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    ran = openstile("lab", "report", dataset, "--out", tmp_path / "out", "--attacks", bad)
    assert ran.exit_code == 2
    assert "bad.json: is no session" in ran.err


def attack_network() -> bytes:
    """A network of a deployer that calls whatever is brighter than black an attack, a little."""
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "weights"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes, "brightness",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [2])],
        [helper.make_tensor("weights", TensorProto.FLOAT, [2], [0.0, 0.1])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


def test_home_gives_its_camera_its_detectors_and_its_rule(
    openstile: Openstile, gate: Path, home: Path, tmp_path: Path
) -> None:
    home.mkdir()
    network = attack_network()
    (home / "bright.onnx").write_bytes(network)
    settings = (
        f"[gate]\ncamera = {str(gate)!r}\n[policy]\nattack_monitored = ['parallax']\nlook_ms_max = 5000\n"
        "[context]\nnetwork = 'bright.onnx'\nsource = 'picture'\nresult = 'answer'\nside = 32\nattack_min = 0.6\n"
    )
    (home / "settings.toml").write_text(f"{settings}sha256 = '{hashlib.sha256(network).hexdigest()}'\n")
    (home / "settings.toml").chmod(0o600)
    file = tmp_path / "s.json"
    record = ("lab", "attacks", "--record", file, "--home", home, "--species", "phone", "--yes", "--consented")
    ran = openstile(*record, "--subject", 1)
    assert ran.exit_code == 0, ran.err
    found = read_session(file)
    assert (found.monitored, found.look_ms_max, found.flash) == (("parallax",), 5000, False)
    (made,) = found.presentations
    assert [one.detector for one in made.clips[0]] == ["parallax", "context"]
    assert made.outcome is Outcome.DENY
    ran = openstile("lab", "attacks", "--record", file, "--camera", gate, "--subject", 1, "--yes", "--consented")
    assert ran.exit_code == 2
    assert "another monitored" in ran.err
    (home / "settings.toml").write_text(f"{settings}sha256 = '{'0' * 64}'\n")
    ran = openstile(*record, "--subject", 2)
    assert (ran.exit_code, "context.sha256" in ran.err) == (2, True)
    assert read_session(file) == found


def test_rule_that_a_bundle_told_the_gate_is_the_one_that_is_measured(
    openstile: Openstile, gate: Path, tmp_path: Path
) -> None:
    office, north = tmp_path / "office", tmp_path / "north"
    settings = '[operator]\nid = "metro"\n[issuer]\nid = "metro"\n[gate]\nid = "north"\n'
    for folder, more in ((office, "[policy]\nattack_monitored = ['parallax']\n"), (north, "")):
        folder.mkdir()
        (folder / "settings.toml").write_text(settings + more)
    for role in ("issuer", "gate-group", "operator"):
        openstile("keys", "create", role, "--home", office)
    keys = openstile("keys", "list", "--home", office, "--json").json
    (operator,) = [key["kid"] for key in keys if key["role"] == "operator"]
    openstile("keys", "export", operator, "--out", tmp_path / "operator.json", "--home", office)
    openstile("keys", "import", tmp_path / "operator.json", "--home", north)
    made = openstile("keys", "create", "gate", "--home", north, "--json").json["kid"]
    openstile("keys", "export", made, "--out", tmp_path / "north.json", "--home", north)
    bundle = tmp_path / "first.bundle"
    openstile("bundle", "build", "--out", bundle, "--gate", tmp_path / "north.json", "--home", office)
    assert openstile("bundle", "apply", bundle, "--home", north).exit_code == 0
    file = tmp_path / "s.json"
    ran = openstile(
        "lab", "attacks", "--record", file, "--home", north, "--camera", gate, "--subject", 1, "--species", "phone",
        "--yes", "--consented",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.err
    assert read_session(file).monitored == ("parallax",)
