"""A gate's key, made once, and a folder that only its owner can enter."""

from pathlib import Path

import pytest

from openstile.journal import GateKey


@pytest.fixture(scope="session")
def gate_key() -> GateKey:
    return GateKey.generate()


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    return tmp_path / "gate" / "journal.db"
