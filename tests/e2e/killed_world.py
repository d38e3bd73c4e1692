"""Real processes that can be killed: an office, its gates and, where there is one, its PostgreSQL server.

What each process said is heard by a thread and remembered, so that the end can be held to it.
"""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import httpx
from tests.databases import PostgresServer
from tests.fares.feed_workshop import folder_feed

from openstile.assembly.home import open_home
from openstile.assembly.office_database import open_office_database
from openstile.assembly.office_gates import claim_token, new_gate
from openstile.assembly.uplink import join
from openstile.assembly.wire import Installation
from openstile.journal import Direction
from openstile.office.riders.accounts import open_account
from openstile.office.store.accounts import PASS

REPOSITORY = Path(__file__).resolve().parents[2]
WAIT_S = 120.0
"""For anything that is to happen; it takes seconds, also on a machine that is busy."""

RULES = """
currency = "EUR"

[systems.rail]
networks = ["rail"]
mode = "entry_exit"
journey_minutes_max = 90
maximum = "7.00"

[systems.bus]
networks = ["bus"]
mode = "entry"

[caps.day]
name = "Day"
window = "service_day"
kind = "amount"
limit = "30.00"
"""
FEED = {
    "agency.txt": "agency_name,agency_url,agency_timezone\nHill,https://hill.example,Europe/Berlin\n",
    "stops.txt": "stop_id,stop_name\nhill,Hill\nlake,Lake\nquay,Quay\n",
    "areas.txt": "area_id\ninner\nouter\n",
    "stop_areas.txt": "area_id,stop_id\ninner,hill\nouter,lake\n",
    "routes.txt": "route_id,route_type,network_id\nR,1,rail\nB,3,bus\n",
    "rider_categories.txt": "rider_category_id,rider_category_name,is_default_fare_category\nadult,Adult,1\n",
    "fare_products.txt": (
        "fare_product_id,fare_product_name,rider_category_id,amount,currency\n"
        "rail,Rail,adult,2.80,EUR\nbus,Bus,adult,1.90,EUR\n"
    ),
    "fare_leg_rules.txt": (
        "leg_group_id,network_id,from_area_id,to_area_id,fare_product_id\nrail,rail,inner,outer,rail\nbus,bus,,,bus\n"
    ),
    "fare_transfer_rules.txt": (
        "from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type,"
        "fare_product_id\nrail,bus,,3600,1,0,\nbus,bus,1,600,1,0,\n"
    ),
}
GATES = (
    ("hill-in", "hill", "rail", Direction.IN),
    ("lake-out", "lake", "rail", Direction.OUT),
    ("bus-7", "quay", "bus", Direction.IN),
)
_RIDERS = 60


class Heard:
    """Lines of all processes, as they come."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def listen(self, stream: IO[str], take: Callable[[str], None]) -> None:
        """Gives each whole line of the stream to `take`, until it ends."""

        def keep_listening() -> None:
            for line in stream:
                with self._changed:
                    if line.endswith("\n"):  # else its writer was killed in the middle of it
                        take(line)
                    self._changed.notify_all()
            stream.close()

        thread = threading.Thread(target=keep_listening)
        thread.start()
        self._threads.append(thread)

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits for something that lines bring about."""
        with self._changed:
            assert self._changed.wait_for(holds, WAIT_S), f"waited in vain: {what}"

    def all_is_heard(self) -> None:
        """Of processes that have ended."""
        for thread in self._threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()


@dataclass
class DrivenGate:
    """A gate, through all of its runs."""

    name: str
    home: Path
    passes: Path
    heard: Heard
    taps: list[dict[str, Any]] = field(default_factory=list)
    """Whose append returned."""
    receipts: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    kills: int = 0
    _process: "subprocess.Popen[str] | None" = None

    def start(self, seed: str) -> None:
        """Another run of the process."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.driven_gate", str(self.home), str(self.passes), seed],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.heard.listen(self._process.stdout, self._take)

    def kill(self) -> None:
        """As a loss of power, but for the disk's cache."""
        process = self.process
        process.kill()
        self._shut_input()
        assert process.wait(WAIT_S) == -signal.SIGKILL, f"{self.name} had ended before it was killed"
        self.kills += 1

    def finish(self) -> None:
        """No more riders; ends when the office holds all taps."""
        self._shut_input()

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None
        return self._process

    def _shut_input(self) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        stdin.close()

    def _take(self, line: str) -> None:
        for kind, value in json.loads(line).items():
            if kind == "failed":
                self.failures.append(value)
            else:
                (self.taps if kind == "tap" else self.receipts).append(value)


@dataclass
class RealOffice:
    """`openstile office`, through all of its runs."""

    home: Path
    heard: Heard
    url: str
    log: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What is no line of the log."""
    starts: int = 0
    kills: int = 0
    is_up: bool = False
    _process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        """Another run of the process."""
        self.is_up = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "openstile", "office", "--home", str(self.home)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.starts += 1
        assert self._process.stderr is not None
        self.heard.listen(self._process.stderr, self._take)

    def wait_until_it_listens(self) -> None:
        """Returns when the run that began last takes requests."""
        self.heard.wait_until(lambda: self.is_up, "the office listens")

    def kill(self) -> None:
        """At whatever it is."""
        process = self.process
        process.kill()
        assert process.wait(WAIT_S) == -signal.SIGKILL, f"the office had ended before it was killed: {self.said}"
        self.kills += 1

    def stop(self) -> int:
        """Asks it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(WAIT_S)

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None
        return self._process

    def _take(self, line: str) -> None:
        if line.startswith("office: listening on "):
            self.is_up = True
        elif line.startswith("{"):
            self.log.append(json.loads(line))
        else:
            self.said.append(line)


@dataclass
class KilledWorld:
    """An office with three gates and riders, in `folder`."""

    folder: Path
    chance: random.Random
    server: PostgresServer | None = None
    heard: Heard = field(default_factory=Heard)
    gates: list[DrivenGate] = field(default_factory=list)

    def __post_init__(self) -> None:
        port = _free_port(self.chance)
        home = open_home(self.folder / "office")
        folder_feed(home.folder / "feed", FEED)
        (home.folder / "fares.toml").write_text(RULES)
        database = "" if self.server is None else self.server.new_database()
        home.settings.write_text(
            f'[office]\nlisten = "127.0.0.1:{port}"\npublic_url = "http://127.0.0.1:{port}"\n'
            f'feed = "feed"\nfare_rules = "fares.toml"\ndatabase = "{database}"\n'
        )
        home.settings.chmod(0o600)
        self.installation = Installation.open(home)
        self.office = RealOffice(home.folder, self.heard, f"http://127.0.0.1:{port}")

    def open(self) -> None:
        """The office serves, its gates have joined it, and all of them are at work."""
        self._add_riders()
        for name, stop, network, direction in GATES:
            new_gate(self.installation, name, stop=stop, network=network, direction=direction)
        self.office.start()
        self.office.wait_until_it_listens()
        for name, _, _, direction in GATES:
            gate = open_home(self.folder / name)
            gate.settings.write_text(f'[gate]\nid = "{name}"\ndirection = "{direction}"\n[uplink]\nbatch_taps = 20\n')
            gate.settings.chmod(0o600)
            token = claim_token(self.installation, name, ttl=timedelta(hours=1)).token
            join(Installation.open(gate), self.office.url, token)
            self.gates.append(DrivenGate(name, gate.folder, self.folder / "passes", self.heard))
        for one in self.gates:
            self.start_gate(one)

    def start_gate(self, gate: DrivenGate) -> None:
        """Another run of a gate."""
        gate.start(f"{self.chance.random()}")

    @property
    def taps(self) -> int:
        """How many taps were acknowledged so far."""
        return sum(len(gate.taps) for gate in self.gates)

    @property
    def receipts(self) -> int:
        """How many receipts were given so far."""
        return sum(len(gate.receipts) for gate in self.gates)

    def more_taps(self, count: int) -> None:
        """Waits for so many more taps."""
        goal = self.taps + count
        self.heard.wait_until(lambda: self.taps >= goal, f"{count} more taps")

    def more_receipts(self, count: int) -> None:
        """Waits for so many more receipts."""
        goal = self.receipts + count
        self.heard.wait_until(lambda: self.receipts >= goal, f"{count} more receipts; gates: {self._troubles()}")

    def settle(self) -> None:
        """No more riders come; returns when the office holds and has priced all taps."""
        for gate in self.gates:
            gate.finish()
        for gate in self.gates:
            assert gate.process.wait(WAIT_S) == 0, gate.failures[-3:]

    def end(self) -> None:
        """Whatever still runs is killed."""
        for process in [*(gate._process for gate in self.gates), self.office._process]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
            if process is not None and process.stdin is not None:
                process.stdin.close()
        self.heard.all_is_heard()

    def answers(self) -> bool:
        """Whether the office answers and is ready."""
        try:
            return httpx.get(f"{self.office.url}/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _troubles(self) -> list[str]:
        return [gate.failures[-1] for gate in self.gates if gate.failures]

    def _add_riders(self) -> None:
        ids, opened_on = [], datetime.now(UTC).date() - timedelta(days=2)
        with open_office_database(self.installation) as database, database.write() as connection:
            for _ in range(_RIDERS):
                account = open_account(
                    connection, currency="EUR", category=None, contact=None, on=opened_on,
                    new_id=lambda: secrets.token_hex(16),
                )  # fmt: skip
                ids.append(secrets.token_bytes(16))
                connection.execute(
                    PASS.insert().values(
                        pass_id=ids[-1], account_id=account.account_id, product="single", category=None,
                        reference="pin", state="valid", not_before_us=0, expires_us=2**52, replaced_by=None,
                    )
                )  # fmt: skip
        (self.folder / "passes").write_text("".join(f"{one.hex()}\n" for one in ids))


def _free_port(chance: random.Random) -> int:
    """Below those that the system gives to clients: a gate that asks while the office is away must not get it."""
    while True:
        port = chance.randrange(20_000, 32_000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
