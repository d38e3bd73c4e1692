"""The examples in the documents run as they stand."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from openstile.face import FaceEngine
from openstile.face.faults import FaceFault
from openstile.face.packs.manifest import parse_manifest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / name).read_text(), flags=re.DOTALL)


def test_library_example_tells_a_person_from_another(shared_data: Path, engine: FaceEngine, tmp_path: Path) -> None:
    example, _ = blocks("library.md", "python")
    faces = shared_data / "london"
    shutil.copy(faces / "neutral" / "002.jpg", tmp_path / "monday.jpg")
    for subject, answer in (("002", "same person: True"), ("003", "same person: False")):
        shutil.copy(faces / "smiling" / f"{subject}.jpg", tmp_path / "tuesday.jpg")
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", example],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert ended.stdout.startswith(answer)


def test_manifest_example_is_a_manifest() -> None:
    (example,) = blocks("model-packs.md", "toml")
    manifest = parse_manifest(example.encode(), name="example")
    assert manifest.pack_id == "acme-1"
    assert tomllib.loads(example)["embedder"]["dimensions"] == manifest.parts[0].dimensions


def test_every_fault_is_in_the_documents() -> None:
    text = (DOCS / "library.md").read_text()
    for fault in FaceFault:
        assert f"`{fault.value}`" in text
