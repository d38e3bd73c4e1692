"""`openstile uplink`: the four commands against an office on this machine, over real HTTP."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.cli.conftest import Openstile
from tests.gate.uplink_office import Office, TurnedClock

from openstile.journal import Direction, GateKey, Journal, Tap
from openstile.terms import GateId, PassId

GATE = GateId("gate-1")


class _NowClock(TurnedClock):
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def office() -> Office:
    return Office(GATE, _NowClock())


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """Where the office answers."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url = f"http://{self.headers['Host']}{self.path}"
            status, fields, data = office.request(self.command, url, dict(self.headers.items()), body)
            self.send_response_only(status)
            for name, value in {**fields, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def _taps(home: Path, count: int) -> None:
    with Journal.open(home / "gate" / "journal.db", key=GateKey.open(home / "gate" / "gate.pem"), gate=GATE) as journal:
        for number in range(count):
            at = datetime.now(UTC) - timedelta(minutes=count - number)
            journal.append(Tap(PassId(bytes([number + 1]) * 16), at, GATE, "adult", Direction.IN))


@pytest.fixture
def joined(openstile: Openstile, home: Path, office: Office, address: str) -> Path:
    home.mkdir(mode=0o700)
    done = openstile("uplink", "join", address, "--token", "claim-me", "--home", home, "--json")
    assert (done.exit_code, done.json) == (0, {"gate": "gate-1", "office": address, "kid": next(iter(office.keys))})
    return home


def test_joined_gate_sends_its_taps_and_says_where_it_stands(
    openstile: Openstile, joined: Path, office: Office, address: str
) -> None:
    _taps(joined, 3)
    waiting = openstile("uplink", "status", "--home", joined, "--json")
    assert (waiting.exit_code, waiting.json["waiting"], waiting.json["office"]) == (0, 3, address)
    done = openstile("uplink", "sync", "--home", joined, "--json")
    assert (done.exit_code, done.json["sent"], done.json["waiting"], done.json["gate_runs"]) == (0, 3, 0, False)
    assert len(office.all_passes()) == 3
    assert "the office holds 3, 0 wait" in openstile("uplink", "status", "--home", joined).out
    assert "0 taps sent" in openstile("uplink", "sync", "--home", joined).out


def test_sync_beside_a_running_gate_leaves_it_to_the_gate_and_says_so(
    openstile: Openstile, joined: Path, office: Office
) -> None:
    _taps(joined, 2)
    key = GateKey.open(joined / "gate" / "gate.pem")
    with Journal.open(joined / "gate" / "journal.db", key=key, gate=GATE):
        done = openstile("uplink", "sync", "--home", joined)
        assert (done.exit_code, "sends by itself, every 5 s; 2 taps wait" in done.out) == (1, True)
        assert openstile("uplink", "sync", "--home", joined, "--json").json["gate_runs"] is True
        assert openstile("uplink", "status", "--home", joined).exit_code == 0
        assert openstile("uplink", "rotate-key", "--home", joined).exit_code == 0
    assert office.all_passes() == []
    assert openstile("uplink", "sync", "--home", joined).exit_code == 0


def test_key_is_changed_and_the_new_one_works_alone(openstile: Openstile, joined: Path, office: Office) -> None:
    old = next(iter(office.keys))
    done = openstile("uplink", "rotate-key", "--home", joined, "--json")
    assert done.exit_code == 0
    del office.keys[old]
    _taps(joined, 1)
    assert openstile("uplink", "sync", "--home", joined).exit_code == 0
    assert openstile("uplink", "status", "--home", joined, "--json").json["kid"] == done.json["kid"] != old


def test_refusals_and_silence_are_one_line_each(openstile: Openstile, home: Path, office: Office, address: str) -> None:
    home.mkdir(mode=0o700)
    for command in ("sync", "rotate-key"):
        done = openstile("uplink", command, "--home", home)
        assert (done.exit_code, done.err.count("\n")) == (2, 1)
        assert "openstile uplink join URL --token TOKEN" in done.err
    wrong = openstile("uplink", "join", address, "--token", "guessed", "--home", home, "--json")
    assert (wrong.exit_code, wrong.err.count("\n")) == (1, 1)
    assert "ask the operator for another" in wrong.json["error"]
    assert "guessed" not in wrong.err + wrong.out
    silent = openstile("uplink", "join", "http://127.0.0.1:1", "--token", "claim-me", "--home", home)
    assert (silent.exit_code, "cannot be reached (ConnectError); look at" in silent.err) == (1, True)
    assert openstile("uplink", "join", "http://elsewhere.example", "--token", "t", "--home", home).exit_code == 2
    assert "works alone" in openstile("uplink", "status", "--home", home).out
    assert openstile("uplink", "join", address, "--token", "claim-me", "--home", home).exit_code == 0
    office.locked = True
    _taps(home, 1)
    locked = openstile("uplink", "sync", "--home", home)
    assert (locked.exit_code, "its taps stay here until it is unlocked" in locked.err) == (1, True)
    kept = openstile("uplink", "rotate-key", "--home", home)
    assert (kept.exit_code, "gate-locked" in kept.err) == (1, True), kept.err


def test_gate_that_runs_cannot_be_joined_meanwhile(openstile: Openstile, home: Path, address: str) -> None:
    home.mkdir(mode=0o700)
    with Journal.open(home / "gate" / "journal.db", key=GateKey.open(home / "gate" / "gate.pem"), gate=GATE):
        done = openstile("uplink", "join", address, "--token", "claim-me", "--home", home)
    assert (done.exit_code, "another gate is writing it" in done.err) == (4, True)
