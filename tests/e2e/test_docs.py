"""What the documents show is run as it stands there; what they point to exists."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openstile.cli.app import run

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


def _blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def rider(tmp_path: Path, portraits: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the photographs that the README speaks of."""
    for name, portrait in (("me", 1), ("me-again", 3), ("at-the-gate", 2)):
        shutil.copy(portraits[f"president-{portrait}.jpg"], tmp_path / f"{name}.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("engine", "rider")
def test_commands_of_the_readme_run_in_their_order() -> None:
    lines = [line for block in _blocks(REPOSITORY / "README.md", "sh") for line in block.splitlines()]
    commands = [line.split()[1:] for line in lines if line.startswith("openstile ")]
    assert len(commands) >= 6
    for command in commands:
        assert run(command) == 0, command


def test_two_commands_of_the_readme_are_what_ci_and_the_makefile_know() -> None:
    block = _blocks(REPOSITORY / "README.md", "sh")[0]
    targets = re.findall(r"^make (\w+)", block, re.MULTILINE)
    assert targets == ["demo", "test"]
    makefile = (REPOSITORY / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    assert "make test" in (REPOSITORY / ".ci" / "run").read_text()


@pytest.mark.usefixtures("engine")
def test_python_example_of_the_readme_runs(rider: Path) -> None:
    (example,) = _blocks(REPOSITORY / "README.md", "python")
    ran = subprocess.run([sys.executable, "-c", example], cwd=rider, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "True"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_threat_model_names_tests_that_exist() -> None:
    text = (REPOSITORY / "docs" / "threat-model.md").read_text()
    named = re.findall(r"`([a-z_]+/[a-z_0-9]+\.py)(?:::([a-z_0-9]+))?`", text)
    assert len(named) >= 60
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| threat |")]
    assert all(re.search(r"`[a-z_]+/[a-z_0-9]+\.py", row.split(" | ")[2]) for row in rows), "each row names a test"
    for file, test in named:
        path = REPOSITORY / "tests" / file
        assert path.is_file(), file
        assert not test or f"def {test}(" in path.read_text(), test
