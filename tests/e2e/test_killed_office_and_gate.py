"""Office, gates and database are killed in a loop during load: nothing acknowledged is lost, nothing is doubled.

`OPENSTILE_KILL_ROUNDS` asks for more rounds than a usual run has, `OPENSTILE_KILL_SEED` repeats one.
"""

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.databases import PostgresServer, postgresql
from tests.e2e.killed_checks import check_all, check_receipts, is_priced
from tests.e2e.killed_world import KilledWorld

from openstile.assembly.office_database import open_office_database

ROUNDS = int(os.environ.get("OPENSTILE_KILL_ROUNDS", "15"))


@pytest.fixture
def durable_postgres() -> Iterator[PostgresServer]:
    """A server that keeps what it acknowledged."""
    server = postgresql(durable=True)
    try:
        running = server.__enter__()
    except LookupError as error:
        pytest.skip(f"{error}: `apt-get install postgresql` brings it")
    yield running
    server.__exit__(None, None, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> PostgresServer | None:
    """Where the office stores: None for SQLite in its home."""
    return None if request.param == "sqlite" else request.getfixturevalue("durable_postgres")


@contextmanager
def at_work(folder: Path, server: PostgresServer | None) -> Iterator[KilledWorld]:
    seed = os.environ.get("OPENSTILE_KILL_SEED") or str(random.SystemRandom().randrange(2**32))
    print(f"OPENSTILE_KILL_SEED={seed}")
    world = KilledWorld(folder, random.Random(seed), server)
    try:
        world.open()
        world.more_receipts(3)
        yield world
    finally:
        world.end()


def kill_gates(world: KilledWorld) -> None:
    for gate in world.chance.sample(world.gates, world.chance.randint(1, len(world.gates))):
        gate.kill()
        world.start_gate(gate)


def kill_office(world: KilledWorld) -> None:
    """Also again while it starts, or before any gate got through to it."""
    world.office.kill()
    world.more_taps(world.chance.randint(0, 20))
    world.office.start()
    if world.chance.random() < 0.3:
        world.more_taps(world.chance.randint(0, 30))
        world.office.kill()
        world.office.start()
    if world.chance.random() < 0.8:
        world.office.wait_until_it_listens()
        world.more_receipts(world.chance.randint(1, 4))


def kill_all(world: KilledWorld) -> None:
    world.office.kill()
    for gate in world.gates:
        gate.kill()
    check_receipts(world)
    world.office.start()
    for gate in world.gates:
        world.start_gate(gate)


def kill_postgres(world: KilledWorld) -> None:
    """The office stays, and comes back by itself."""
    assert world.server is not None
    world.office.wait_until_it_listens()
    world.server.stop("immediate")
    world.more_taps(world.chance.randint(0, 20))
    world.server.start()
    world.more_receipts(world.chance.randint(1, 4))


def test_killed_again_and_again_nothing_acknowledged_is_lost_and_nothing_doubled(
    tmp_path: Path, server: PostgresServer | None
) -> None:
    actions = [kill_office, kill_gates, kill_all, kill_gates, kill_office] + [kill_postgres] * 2 * (server is not None)
    with at_work(tmp_path, server) as world:
        began = time.monotonic()
        for number in range(ROUNDS):
            action = actions[number] if number < len(actions) else world.chance.choice(actions)
            world.more_taps(world.chance.randint(0, 30))
            print(f"{time.monotonic() - began:.1f} s, round {number}: {action.__name__}, after {world.taps} taps")
            action(world)
        world.office.wait_until_it_listens()
        world.settle()
        with open_office_database(world.installation) as database:
            while not is_priced(database):  # by the office's own job
                assert world.answers()
        assert world.office.stop() == 0
        world.heard.all_is_heard()
        print(f"{time.monotonic() - began:.1f} s, all is priced")
        kills = world.office.kills + sum(gate.kills for gate in world.gates)
        print(
            f"{world.taps} taps, {world.receipts} receipts, {kills} kills, {world.office.starts} starts of the office"
        )
        check_all(world)
        failed = [line for line in world.office.log if line["event"] in ("bug", "job failed")]
        if server is None:
            assert failed == []
        assert [line for line in failed if line["event"] == "bug"] == []


def test_office_told_to_stop_during_load_ends_soon_and_what_it_answered_is_durable(
    tmp_path: Path, server: PostgresServer | None
) -> None:
    with at_work(tmp_path, server) as world:
        for _ in range(3):
            world.more_receipts(world.chance.randint(1, 10))
            world.office.process.terminate()
            assert world.office.process.wait(40) == 0  # 15 s for requests, 15 s for jobs, at most
            if server is not None:
                server.stop("immediate")
                server.start()
            check_receipts(world)
            world.office.start()
            world.office.wait_until_it_listens()
        world.more_receipts(1)
        world.settle()
        assert world.office.stop() == 0
        world.heard.all_is_heard()
        assert [line["event"] for line in world.office.log].count("stopped") == 4


def test_office_killed_while_it_makes_its_database_makes_it_the_next_time(tmp_path: Path) -> None:
    chance = random.Random(os.environ.get("OPENSTILE_KILL_SEED"))
    for number in range(3):
        world = KilledWorld(tmp_path / f"{number}", chance, server=None)
        try:
            world.office.start()
            while not world.installation.home.office_database.with_name("office.db-wal").exists():
                went_on(world, 0.01)
            went_on(world, 0.2 * chance.random())
            world.office.kill()
            world.office.start()
            world.office.wait_until_it_listens()
            assert world.answers()
            assert world.office.stop() == 0
        finally:
            world.end()


def went_on(world: KilledWorld, seconds: float) -> None:
    """The office did not end by itself meanwhile."""
    with pytest.raises(subprocess.TimeoutExpired):
        world.office.process.wait(seconds)
