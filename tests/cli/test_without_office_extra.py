"""Openstile installed without the extra `office`: a gate needs none of it, and the office's commands say what lacks."""

import json
import subprocess
import sys
from pathlib import Path

_RUN = """
import json, sys
names, commands = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(names))  # as where they are not installed: importing them raises
from openstile.cli.app import run
print(json.dumps([run(command) for command in commands]), file=sys.stderr)
"""
_LIBRARIES = ("alembic", "authlib", "fastapi", "joserfc", "prometheus_client", "psycopg", "sqlalchemy", "starlette",
              "stripe", "structlog", "uvicorn", "webauthn")  # fmt: skip


def _codes(*commands: tuple[str, ...]) -> tuple[list[int], list[str]]:
    """Exit codes, and the lines on standard error."""
    asked = json.dumps([_LIBRARIES, commands])
    ran = subprocess.run([sys.executable, "-c", _RUN, asked], capture_output=True, text=True, check=True)
    *lines, codes = ran.stderr.splitlines()
    return json.loads(codes), lines


def test_every_command_of_the_office_says_in_one_line_what_to_install(tmp_path: Path) -> None:
    home = ("--home", str(tmp_path))
    codes, lines = _codes(
        ("office", *home), ("office", "openapi"), ("office", "staff", "list", *home), ("office", "gate", "list", *home),
        ("office", "ledger", "verify", *home), ("office", "migrate", *home), ("office", "backup", str(tmp_path), *home),
    )  # fmt: skip
    assert set(codes) == {2}
    assert len(lines) == len(codes)
    assert all("pip install '.[office]'" in line for line in lines), lines


def test_gates_commands_need_nothing_of_the_office(tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "home"))
    codes, lines = _codes(
        ("keys", "create", "gate-group", *home), ("uplink", "status", *home),
        ("uplink", "join", "http://127.0.0.1:9", "--token", "t", *home),
    )  # fmt: skip
    assert codes == [0, 0, 1]
    assert "127.0.0.1:9" in lines[-1], lines
