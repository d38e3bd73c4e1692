"""Fixtures of the issuer's room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openstile.issuer import PassRegister


@pytest.fixture
def register_path(tmp_path: Path) -> Path:
    """Where a register will be made."""
    return tmp_path / "issuer" / "register.db"


@pytest.fixture
def register(register_path: Path) -> Iterator[PassRegister]:
    """An empty register."""
    with PassRegister.open(register_path) as opened:
        yield opened
