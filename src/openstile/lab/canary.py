"""The privacy canary: searches everything that processes wrote for any trace of a face.

It finds every 16-byte run of a secret, as bytes and as the texts and streams of `encodings`. It does not find runs that
say too little (fewer than 6 different byte values, or fewer than 4 different steps between neighbours: flat areas and
ramps), decimals that were rounded, lossy pictures (JPEG), encryption, streams packed twice, or streams that are cut by
the border between two chunks of 8 MiB.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.lab.encodings import decodings, unpacked
from openstile.lab.windows import Form, WindowIndex
from openstile.terms import OpenstileError

_CHUNK_BYTES = 8 * 2**20
_OVERLAP_BYTES = 4096
"""More than any text that 16 bytes can be encoded as here, so that no trace is lost between two chunks."""


class CanaryError(OpenstileError):
    """The search was not complete, so it has no verdict."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What must not be found: `what` names it in the verdict.

    `value`: bytes, or an array: uint8 (H, W, 3) BGR pixels of a frame or a chip; int8 (n,) template; float32 or
    float64 (n,) embedding; any other array as its bytes.
    """

    what: str
    value: bytes | NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Trace:
    """A run of a secret in a file, one per encoding. `offset`: where in the file it, or the text around it, begins."""

    file: Path
    offset: int
    what: str
    encoding: str


@dataclass(frozen=True, slots=True)
class CanaryVerdict:
    """How much was searched and what was found."""

    files: int
    bytes: int
    traces: tuple[Trace, ...]

    @property
    def clean(self) -> bool:
        """Nothing was found, and something was searched."""
        return self.files > 0 and not self.traces


def search_traces(folders: Sequence[Path], secrets: Iterable[Secret]) -> CanaryVerdict:
    """Searches every regular file under `folders`, names included, for every secret.

    Raises CanaryError when a folder is missing, a file cannot be read, or there is nothing to look for: no verdict is
    better than a wrong one. Files that vanish meanwhile are skipped; symbolic links are not followed.
    """
    index = WindowIndex([form for secret in secrets for form in forms_of(secret)])
    if not index.usable:
        raise CanaryError("canary: no secret has 16 bytes that can be told from anything; give it real faces")
    files = total = 0
    traces: dict[tuple[Path, str, str], Trace] = {}
    for path in _files(folders):
        size = 0
        for trace, length in _search_file(index, path):
            size += length
            if trace is not None:
                traces.setdefault((trace.file, trace.what, trace.encoding), trace)
        files, total = files + 1, total + size
    return CanaryVerdict(files=files, bytes=total, traces=tuple(traces.values()))


def forms_of(secret: Secret) -> Iterator[Form]:
    """The byte sequences under which a secret could lie in a file."""
    value = secret.value
    if isinstance(value, bytes):
        yield Form(secret.what, value)
        return
    yield Form(f"{secret.what} ({value.dtype})", value.tobytes())
    if value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
        pixels = value.view(np.uint8)
        yield Form(f"{secret.what} (RGB)", pixels[:, :, ::-1].tobytes())
        yield Form(f"{secret.what} (grey)", cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).tobytes())
        yield Form(f"{secret.what} (planes)", pixels.transpose(2, 0, 1).tobytes())
    elif value.dtype.kind in "if" and value.ndim == 1:
        for other in ("<f2", "<f4", "<f8", ">f4", ">f8"):
            if np.dtype(other) != value.dtype:
                with np.errstate(over="ignore"):
                    yield Form(f"{secret.what} ({np.dtype(other).name})", value.astype(other).tobytes())


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise CanaryError(f"canary: {error.filename} cannot be listed: {error.strerror}; run it as the files' owner")

    for folder in folders:
        if not folder.is_dir():
            raise CanaryError(f"canary: folder {folder} does not exist; a search of nothing would prove nothing")
        for parent, _, names in os.walk(folder, onerror=fail):
            for name in sorted(names):
                path = Path(parent) / name
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path


def _search_file(index: WindowIndex, path: Path) -> Iterator[tuple[Trace | None, int]]:
    """Traces, and the numbers of bytes searched (which add up to the file's size)."""
    yield from ((trace, 0) for trace in _search_bytes(index, path, os.fsencode(path.name), 0, "file name, "))
    yield from ((trace, 0) for trace in _search_picture(index, path))
    try:
        with path.open("rb") as file:
            offset, tail = 0, b""
            while chunk := file.read(_CHUNK_BYTES):
                data = tail + chunk
                yield None, len(chunk)
                yield from ((trace, 0) for trace in _search_chunk(index, path, data, offset - len(tail)))
                offset += len(chunk)
                tail = data[-_OVERLAP_BYTES:]
    except FileNotFoundError:
        return
    except OSError as error:
        raise CanaryError(f"canary: {path} cannot be read: {error.strerror}; run it as the files' owner") from error


def _search_picture(index: WindowIndex, path: Path) -> Iterator[Trace]:
    """The pixels of a picture file: its filters and its packing hide them from a search of its bytes."""
    if not cv2.haveImageReader(os.fspath(path)):
        return
    pixels = cv2.imread(os.fspath(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is not None:
        for hit in index.find(np.ascontiguousarray(pixels).tobytes()):
            yield Trace(file=path, offset=0, what=hit.what, encoding="picture, raw")


def _search_chunk(index: WindowIndex, path: Path, data: bytes, offset: int) -> Iterator[Trace]:
    yield from _search_bytes(index, path, data, offset, "")
    for start, content in unpacked(data):
        for trace in _search_bytes(index, path, content, 0, "compressed, "):
            yield Trace(file=path, offset=offset + start, what=trace.what, encoding=trace.encoding)


def _search_bytes(index: WindowIndex, path: Path, data: bytes, offset: int, prefix: str) -> Iterator[Trace]:
    for hit in index.find(data):
        yield Trace(file=path, offset=offset + hit.offset, what=hit.what, encoding=f"{prefix}raw")
    for decoded in decodings(data):
        for hit in index.find(decoded.data):
            origin = offset + decoded.origin(hit.offset)
            yield Trace(file=path, offset=origin, what=hit.what, encoding=f"{prefix}{decoded.encoding}")
