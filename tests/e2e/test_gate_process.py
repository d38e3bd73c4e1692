"""A gate as a process of its own: it outlives a camera that is not there, and ends when it is told to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from openstile.cli.app import run


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_gate_without_a_camera_says_so_goes_on_and_ends_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    home = tmp_path / "home"
    pin_pass = (
        "enrol",
        "--pin",
        "4711",
        "--product",
        "staff",
        "--days",
        "1",
        "--home",
        home,
        "--out",
        tmp_path / "out",
    )
    assert run([str(word) for word in pin_pass]) == 0
    command = [sys.executable, "-m", "openstile", "gate", "--home", str(home), "--camera", "camera:93"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs tests in the background ignores it
    ) as gate:
        assert gate.stdout is not None
        said = [gate.stdout.readline() for _ in range(2)]
        gate.send_signal(how)
        rest, _ = gate.communicate(timeout=60)
        assert gate.returncode == 0
    assert "is running" in said[0]
    assert "camera 93" in said[1]
    assert "gate stopped" in rest
    assert run(["journal", "verify", "--home", str(home)]) == 0
