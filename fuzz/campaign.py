"""Running targets, each in a process of its own, and reading what libFuzzer says of them."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

from fuzz.target import Target

_REPOSITORY = Path(__file__).resolve().parents[1]
_EXECUTIONS = re.compile(r"^stat::number_of_executed_units: +(\d+)", re.MULTILINE)
_RATE = re.compile(r"^stat::average_exec_per_sec: +(\d+)", re.MULTILINE)
_PEAK = re.compile(r"^stat::peak_rss_mb: +(\d+)", re.MULTILINE)
_PROGRESS = re.compile(r"^#(\d+)\s.* cov: (\d+)", re.MULTILINE)
_RSS_MB_MAX = 2048
_MEMORY = "/dev/shm"
_GRACE_S = 90
"""For importing and instrumenting, for reading the corpus, and for one slow input at the end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one target did. `edges`: points of openstile's code that were reached. `crash`: the reproducer, or "".

    `code` names what was run (`code_digest`): a report can hold targets that ended on different days.
    """

    name: str
    executions: int
    a_second: int
    edges: int
    corpus: int
    seconds: float
    peak_mb: int
    crash: str
    finished: str
    code: str

    def as_json(self) -> Mapping[str, object]:
        return asdict(self)


def run_target(group: str, target: Target, *, seconds: int, runs: int | None, out: Path) -> Outcome:
    """Fuzzes for `seconds`, or until `runs` inputs were tried. Never raises for a crash: the outcome names it."""
    corpus, crashes, logs = (_made(out / kind / target.name) for kind in ("corpus", "crashes", "logs"))
    for seed in target.seeds():
        (corpus / f"seed-{sha256(seed).hexdigest()[:16]}").write_bytes(seed)
    log = logs / "last.txt"
    before, begun, digest = set(crashes.iterdir()), time.monotonic(), code_digest()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_memory_folder()) as scratch, log.open("wb") as stream:
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={target.bytes_max}",
            f"-timeout={target.timeout_s}",
            f"-rss_limit_mb={_RSS_MB_MAX}",
            f"-artifact_prefix={crashes}/",
            "-print_final_stats=1",
            *([] if runs is None else [f"-runs={runs}"]),
            str(corpus),
        ]
        command = [sys.executable, "-m", "fuzz.worker", group, target.name, scratch, *options]
        code = _ended(command, stream, seconds + target.timeout_s + _GRACE_S)
    fresh = sorted(set(crashes.iterdir()) - before)
    found = str(fresh[0]) if fresh else "" if code == 0 else f"exit code {code}, see {log}"
    return _outcome(target.name, log, crash=found, corpus=corpus, seconds=time.monotonic() - begun, code=digest)


def code_digest() -> str:
    """The first 12 hexadecimal digits of SHA-256 over all source files of openstile, in the order of their names."""
    digest = sha256()
    for path in sorted((_REPOSITORY / "src" / "openstile").rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_REPOSITORY)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def _ended(command: list[str], stream: IO[bytes], seconds_max: int) -> int:
    """The exit code; -1 when it had to be killed."""
    try:
        finished = subprocess.run(
            command,
            cwd=_REPOSITORY,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            timeout=seconds_max,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1
    return finished.returncode


def _outcome(name: str, log: Path, *, crash: str, corpus: Path, seconds: float, code: str) -> Outcome:
    said = log.read_text(errors="replace")
    progress = _PROGRESS.findall(said)
    return Outcome(
        name=name,
        executions=_number(_EXECUTIONS, said) or max((int(count) for count, _ in progress), default=0),
        a_second=_number(_RATE, said),
        edges=max((int(edges) for _, edges in progress), default=0),
        corpus=sum(1 for _ in corpus.iterdir()),
        seconds=round(seconds, 1),
        peak_mb=_number(_PEAK, said),
        crash=crash,
        finished=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        code=code,
    )


def _number(pattern: re.Pattern[str], said: str) -> int:
    found = pattern.search(said)
    return int(found[1]) if found else 0


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _memory_folder() -> str | None:
    """Targets that read files write one for each input: into memory, where there is such a folder."""
    return _MEMORY if os.access(_MEMORY, os.W_OK) else None
