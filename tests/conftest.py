"""Fixtures every room's tests may use."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tests.databases import NewDatabase, PostgresServer, postgresql

from openstile.demo.portraits import pull_portraits
from openstile.face import FaceEngine
from openstile.face.packs import load_pack, pull_pack
from openstile.face.packs.cache import models_folder

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
# A busy machine draws slowly: that is no failure. What fails says how to repeat it.
settings.register_profile(
    "house", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("house")


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


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal: the person's, and the program's."""
    try:
        outside, inside = os.openpty()
    except OSError as error:
        pytest.skip(f"this machine gives no terminals: {error.strerror}")
    yield outside, inside
    os.close(outside)
    os.close(inside)


@pytest.fixture(scope="session")
def portraits() -> dict[str, Path]:
    """Public-domain portraits by name, pulled into the user's cache when they are not there yet."""
    return pull_portraits(models_folder(None).parent / "portraits")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test run; where PostgreSQL is not installed, the test skips."""
    server = postgresql()
    try:
        running = server.__enter__()
    except LookupError as error:
        pytest.skip(f"{error}: `apt-get install postgresql` brings it")
    yield running
    server.__exit__(None, None, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> NewDatabase:
    """Gives the URL of a new empty database at each call; the test runs on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return server.new_database
    numbers = count()
    return lambda: f"sqlite:///{tmp_path / f'office-{next(numbers)}.db'}"


@pytest.fixture
def database_url(new_database: NewDatabase) -> str:
    """The URL of an empty database; the test runs on SQLite and on PostgreSQL."""
    return new_database()
