"""PostgreSQL's own programs for dumps."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from openstile.office.backup.errors import BackupError

_FOLDERS = Path("/usr/lib/postgresql")


def program(name: str) -> str:
    """Where the newest `name` (pg_dump, pg_restore) of this machine is. Raises BackupError where there is none."""
    found = sorted(_FOLDERS.glob(f"*/bin/{name}"), key=lambda path: _number(path.parts[-3]))
    where = str(found[-1]) if found else shutil.which(name)
    if where is None:
        raise BackupError(f"{name}: is not on this machine; install PostgreSQL's client programs")
    return where


def run(arguments: list[str], *, password: str | None) -> None:
    """Runs a program to its end. Raises BackupError with the first line that it said when it failed."""
    done = subprocess.run(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=_environment(password), check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupError(_said(arguments[0], done.stderr))


@contextmanager
def output_of(arguments: list[str]) -> Iterator[IO[bytes]]:
    """What a program writes, while it runs. Raises BackupError when it failed in the end."""
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(None)
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        try:
            yield running.stdout
        except BaseException:
            running.kill()
            raise
        said = running.stderr.read()
    if running.returncode:
        raise BackupError(_said(arguments[0], said))


def _environment(password: str | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", **({} if password is None else {"PGPASSWORD": password})}


def _said(command: str, text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines() or ["no word"]
    name = Path(command).name
    return f"{name}: {lines[0].removeprefix(f'{name}: ')}; look at the database, then try again"


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0
