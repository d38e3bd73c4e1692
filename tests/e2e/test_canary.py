"""The canary over whole processes: they enrol, cross and serve, and nothing they wrote holds a face."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from openstile.face import FaceEngine, extract_template, locate
from openstile.face.align import align
from openstile.face.images import read_image
from openstile.face.packs.cache import models_folder
from openstile.face.template import extract_reference
from openstile.lab.canary import CanaryVerdict, Secret, search_traces

PHOTOGRAPHS = ("president-1.jpg", "president-2.jpg", "vice-president.jpg")


def _held_up(pass_png: Path) -> NDArray[np.uint8]:
    """A pass in front of a camera."""
    code = read_image(pass_png).pixels
    return cv2.copyMakeBorder(code, 80, 80, 80, 80, cv2.BORDER_CONSTANT, value=(90, 90, 90)).astype(np.uint8)


class Processes:
    """Runs the command line as processes of its own whose every writable place lies in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.logs = folder / "logs"
        for name in ("tmp", "logs", "user", "work"):
            (folder / name).mkdir()
        self.environment = {
            **os.environ,
            "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder / "user"),
            "XDG_CACHE_HOME": str(folder / "user" / "cache"),
            "OPENSTILE_CACHE": str(models_folder(None).parent),
            "OPENSTILE_POLICY__PASSBACK_S": "0",
        }
        self.runs = 0

    def run(self, *arguments: object) -> int:
        """Runs one command, its output in a log file; returns its exit code."""
        self.runs += 1
        with (self.logs / f"{self.runs}.log").open("wb") as log:
            command = [sys.executable, "-m", "openstile", *map(str, arguments), "--home", str(self.home)]
            done = subprocess.run(
                command,
                env=self.environment,
                cwd=self.folder / "work",
                stdout=log,
                stderr=log,
                timeout=120,
                check=False,
            )
        return done.returncode


def _scan_of(jpeg: bytes) -> bytes:
    """The compressed picture without what stands before it (metadata shares words with any SVG)."""
    return jpeg[len(jpeg) // 2 :]


def _secrets(engine: FaceEngine, photographs: list[Path]) -> list[Secret]:
    found = []
    for path in photographs:
        frame = read_image(path)
        face = locate(engine, frame)[0]
        template, reference = (make(engine, frame, face) for make in (extract_template, extract_reference))
        found += [
            Secret(f"frame {path.name}", frame.pixels),
            Secret(f"template {path.name}", np.frombuffer(template.data, np.int8)),
            Secret(f"reference {path.name}", np.frombuffer(reference.data, np.int8)),
            Secret(f"file {path.name}", _scan_of(path.read_bytes())),
        ]
        for number, part in enumerate(engine.parts):
            chip = align(frame, face, part.chip)
            found += [Secret(f"chip {path.name}", chip), Secret(f"embedding {path.name}", engine.embed(number, chip))]
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, engine: FaceEngine, portraits: dict[str, Path]) -> Processes:
    """A day at a gate: enrolment, admissions, refusals and the loop, each as a process of its own."""
    processes = Processes(tmp_path_factory.mktemp("written"))
    inputs = tmp_path_factory.mktemp("seen")
    out = processes.folder / "pass"
    first, second, other = (portraits[name] for name in PHOTOGRAPHS)
    assert processes.run("enrol", "--face", first, "--product", "season", "--days", 9, "--out", out) == 0
    cross = ("cross", "--pass", out / "pass.png", "--json", "--frames")
    assert processes.run(*cross, second) == 0
    assert processes.run(*cross, other) == 10
    assert processes.run(*cross, second, other) == 0
    pixels = read_image(second).pixels
    cv2.imwrite(str(inputs / "3.png"), cv2.GaussianBlur(pixels, (0, 0), 12))
    assert processes.run(*cross, inputs / "3.png") == 10
    cv2.imwrite(str(inputs / "1.png"), _held_up(out / "pass.png"))
    cv2.imwrite(str(inputs / "2.png"), pixels)
    assert processes.run("gate", "--camera", inputs, "--no-pause") == 0
    assert processes.run("journal", "verify") == 0
    assert processes.run("doctor", "--camera", inputs) == 0
    return processes


@pytest.fixture(scope="module")
def secrets(engine: FaceEngine, portraits: dict[str, Path]) -> list[Secret]:
    return _secrets(engine, [portraits[name] for name in PHOTOGRAPHS])


def _search(processes: Processes, secrets: list[Secret]) -> CanaryVerdict:
    return search_traces([processes.folder], secrets)


def test_no_trace_of_a_face_is_in_anything_the_processes_wrote(served: Processes, secrets: list[Secret]) -> None:
    verdict = _search(served, secrets)
    assert verdict.traces == ()
    assert verdict.files > 15
    written = {path.name for path in served.folder.rglob("*")}
    assert {"journal.db", "settings.toml", "gate.pem", "pass.png", "pass.pdf", "1.log"} <= written


@pytest.mark.parametrize("where", ["home/gate/journal.db", "logs/2.log", "pass/pass.pdf"])
def test_the_same_search_finds_a_template_that_was_left_there(
    served: Processes, secrets: list[Secret], where: str
) -> None:
    """The search would notice: half a template, appended to a file that the processes really wrote."""
    templates = [secret for secret in secrets if secret.what.startswith("template")]
    template = templates[1]
    path = served.folder / where
    whole = path.read_bytes()
    assert isinstance(template.value, np.ndarray)
    try:
        path.write_bytes(whole + template.value.tobytes()[30:94])
        found = _search(served, templates).traces
    finally:
        path.write_bytes(whole)
    assert {(trace.file, trace.encoding) for trace in found} == {(path, "raw")}
    assert all("president-2.jpg" in trace.what for trace in found)


def test_no_trace_is_there_while_a_gate_runs_nor_after_it_was_killed(
    tmp_path: Path, engine: FaceEngine, portraits: dict[str, Path]
) -> None:
    """The write-ahead log of an open journal is searched too, and what a gate leaves that never closed it."""
    processes = Processes(tmp_path)
    processes.environment["OPENSTILE_GATE__MESSAGE_MS"] = "60000"
    inputs, out = tmp_path.parent / f"{tmp_path.name}-seen", tmp_path / "pass"
    inputs.mkdir()
    face = portraits["president-1.jpg"]
    assert processes.run("enrol", "--face", face, "--product", "season", "--days", 9, "--out", out) == 0
    cv2.imwrite(str(inputs / "1.png"), _held_up(out / "pass.png"))
    cv2.imwrite(str(inputs / "2.png"), read_image(portraits["president-2.jpg"]).pixels)
    secrets = _secrets(engine, [portraits["president-2.jpg"]])
    gate_command = ["gate", "--camera", str(inputs), "--home", str(processes.home), "--json"]
    command = [sys.executable, "-m", "openstile", *gate_command]
    with subprocess.Popen(
        command, env=processes.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as gate:
        assert gate.stdout is not None
        assert b'"admit"' in gate.stdout.readline()
        assert (processes.home / "gate" / "journal.db-wal").stat().st_size > 0
        assert search_traces([tmp_path], secrets).clean
        gate.kill()
    assert search_traces([tmp_path], secrets).clean
    assert processes.run("journal", "verify") == 0
