"""A whole office in the test's process, on both engines, with a clock that the test turns."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.office.office_world import OfficeWorld
from tests.office.rider_world import RiderWorld, rider_world


@pytest.fixture
def world(database_url: str) -> Iterator[OfficeWorld]:
    """An office on an empty database; the test runs on SQLite and on PostgreSQL."""
    world = OfficeWorld.open(database_url)
    yield world
    world.close()


@pytest.fixture
def riders(tmp_path: Path, database_url: str) -> Iterator[RiderWorld]:
    """An office as the assembly makes it, with fares, an issuer and the demo provider; on both engines."""
    with rider_world(tmp_path, database_url) as world:
        yield world
