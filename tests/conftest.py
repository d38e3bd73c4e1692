"""Fixtures every room's tests may use."""

from pathlib import Path

import pytest

from openstile.demo.portraits import pull_portraits
from openstile.face import FaceEngine
from openstile.face.packs import load_pack, pull_pack
from openstile.face.packs.cache import models_folder

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of consenting faces, published vectors and feeds; absent on most machines, and then the test skips."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is absent: consenting faces and published vectors are not part of the project")
    return SHARED_DATA


@pytest.fixture(scope="session")
def engine() -> FaceEngine:
    """The default model pack, pulled into the user's cache when it is not there yet."""
    pull_pack()
    return load_pack()


@pytest.fixture(scope="session")
def portraits() -> dict[str, Path]:
    """Public-domain portraits by name, pulled into the user's cache when they are not there yet."""
    return pull_portraits(models_folder(None).parent / "portraits")
