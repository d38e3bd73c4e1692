"""A world with two people, and a real journal, for the tests of lane and loop."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crossing.world import World
from tests.gate.gates import journal_in

from openstile.journal import Journal


@pytest.fixture
def world() -> World:
    """Frame 1 shows person 1, frame 2 person 2, every other frame nobody."""
    world = World()
    world.show(1, 1)
    world.show(2, 2)
    return world


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """The open journal of a new gate."""
    with journal_in(tmp_path) as journal:
        yield journal
