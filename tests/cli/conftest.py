"""Running the command line inside the test, as a person would from a shell."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openstile.cli.app import run


@dataclass(frozen=True)
class Ran:
    """What one command came to."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON value that it must be."""
        return json.loads(self.out)


Openstile = Callable[..., Ran]


@pytest.fixture
def openstile(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Openstile:
    """`openstile("cross", "--pass", path)`: runs the command, returns exit code, output and errors."""
    for name in ("OPENSTILE_HOME", "OPENSTILE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: object) -> Ran:
        capfd.readouterr()
        exit_code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ran(exit_code, out, err)

    return command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a home will be made."""
    return tmp_path / "home"
