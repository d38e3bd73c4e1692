"""The office as a process of its own: it serves, says little, and ends what it has begun."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from tests.office.office_world import OfficeWorld

from openstile.office.jobs import Job
from openstile.office.server import Listening, serve

_TOKEN = "metrics-token-of-the-test"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose office listens on a free port and shows its metrics to who has the token."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "metrics-token").write_text(_TOKEN + "\n")
    (home / "metrics-token").chmod(0o600)
    (home / "settings.toml").write_text(
        f'[office]\nlisten = "127.0.0.1:{_free_port()}"\nmetrics_token_file = "metrics-token"\n'
    )
    (home / "settings.toml").chmod(0o600)
    return home


def _start(home: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "openstile", "office", *arguments, "--home", str(home)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("office: listening on "):
            return process, "http://" + line.split()[-1]
    raise AssertionError(process.wait())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_office_serves_on_an_empty_home_and_ends_well(home: Path, number: signal.Signals) -> None:
    process, url = _start(home, *(["serve"] if number is signal.SIGTERM else []))
    try:
        health = httpx.get(f"{url}/health")
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        assert "server" not in health.headers
        assert httpx.get(f"{url}/ready").json() == {"database": "ok", "migrations": "current"}
        assert httpx.get(f"{url}/metrics").status_code == 401
        wrong = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {_TOKEN}x"})
        assert wrong.status_code == 401
        metrics = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {_TOKEN}"})
        assert 'openstile_requests_total{method="GET",route="/health",status="200"} 1.0' in metrics.text
        httpx.get(f"{url}/v1/secret-path?secret-query")
    finally:
        process.send_signal(number)
        _out, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    lines = [json.loads(line) for line in errors.splitlines()]
    assert lines[-1]["event"] == "stopped"
    assert {"event", "level", "logger", "timestamp", "method", "route", "status", "duration_ms"} in map(set, lines)
    assert "secret" not in errors
    assert "127.0.0.1:" not in errors.replace(url.removeprefix("http://"), "")


def test_port_that_is_taken_is_said(home: Path) -> None:
    process, _url = _start(home)
    try:
        second = subprocess.run(
            [sys.executable, "-m", "openstile", "office", "--home", str(home)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert "cannot listen there; set office.listen" in second.stderr
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_request_that_has_begun_is_answered_before_the_end(home: Path) -> None:
    process, url = _start(home)
    try:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(
                b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{"
            )
            while (
                httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {_TOKEN}"}).text.count(
                    "openstile_requests_in_flight 2.0"
                )
                == 0
            ):
                pass
            process.terminate()
            connection.sendall(b"}")
            answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 422 ")
    finally:
        process.terminate()
        _out, _errors = process.communicate(timeout=30)
    assert process.returncode == 0


def test_office_told_to_end_before_it_listens_ends(tmp_path: Path) -> None:
    world = OfficeWorld.open(f"sqlite:///{tmp_path / 'office.db'}")
    told_again: list[int] = []

    def tell() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def tell_again() -> None:
        told_again.append(1)
        tell()

    late = threading.Timer(20, tell_again)
    late.start()
    serve(world.office, Listening("127.0.0.1", 0), jobs=[Job("tells", 10**6, tell)])
    late.cancel()
    late.join()
    assert told_again == []
    world.office.database.close()
