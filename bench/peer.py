"""The peer `face_recognition` in an environment of its own (.venv-bench), made once from locked versions and hashes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bench.workshop import REPOSITORY

_FOLDER = REPOSITORY / ".venv-bench"
_LOCKS = (REPOSITORY / "bench" / "peer-build.lock", REPOSITORY / "bench" / "peer.lock")


class PeerMissingError(Exception):
    """The peer could not be installed; the message says why."""


def install_peer() -> Path:
    """The Python of the peer's environment, which is made when it is missing or locked differently."""
    python = _FOLDER / "bin" / "python"
    stamp = _FOLDER / "locked"
    locked = hashlib.sha256(b"".join(lock.read_bytes() for lock in _LOCKS)).hexdigest()
    if stamp.is_file() and stamp.read_text() == locked:
        return python
    print("installing the peer into .venv-bench (a download of about 100 MB the first time) ...", file=sys.stderr)
    try:
        _run([sys.executable, "-m", "venv", "--clear", str(_FOLDER)])
        for lock in _LOCKS:
            options = [
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "--no-deps",
                "--no-build-isolation",
            ]
            _run([str(python), "-m", "pip", "install", *options, "-r", str(lock)])
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:]
        raise PeerMissingError(f"the peer cannot be installed: {' '.join(last)}") from None
    stamp.write_text(locked)
    return python


class Peer:
    """The peer's process. Its times are its own; waiting for its answers is not in them."""

    def __init__(self, python: Path) -> None:
        worker = REPOSITORY / "bench" / "peer_worker.py"
        self._process = subprocess.Popen(
            [str(python), "-W", "ignore", str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def add_frame(self, pixels: NDArray[np.uint8]) -> int:
        """Hand over a frame (BGR); returns how many faces the peer enrolled from it."""
        height, width = pixels.shape[:2]
        rgb = np.ascontiguousarray(pixels[:, :, ::-1])
        return int(self._ask({"frame": [height, width]}, rgb.tobytes())["faces"])

    def run(self, frame: int, *, reference: int) -> tuple[tuple[float, ...], float | None]:
        """Milliseconds of locating, encoding and comparing, and the distance (None: no face found)."""
        answer = self._ask({"run": frame, "reference": reference})
        return tuple(answer["ms"]), answer["distance"]

    def _ask(self, request: dict[str, Any], data: bytes = b"") -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n" + data)
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise PeerMissingError("the peer's process ended; see its message above")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
