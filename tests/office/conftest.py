"""A whole office in the test's process, on both engines, with a clock that the test turns."""

from collections.abc import Iterator

import pytest
from tests.office.office_world import OfficeWorld


@pytest.fixture
def world(database_url: str) -> Iterator[OfficeWorld]:
    """An office on an empty database; the test runs on SQLite and on PostgreSQL."""
    world = OfficeWorld.open(database_url)
    yield world
    world.close()
