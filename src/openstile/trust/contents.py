"""Contents on disk, each in a file named by its hash, and `floors.json`, which names those in use.

Contents are written first; then floors.json is replaced in one step. A crash before that leaves all as it was, a crash
after it leaves the new in use: never a gate without its bundle, never a way back. Writers hold a lock, readers none.
"""

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from openstile.terms import BadInputError
from openstile.terms.limits import TRUST_FLOORS_BYTES_MAX
from openstile.trust.floors import Floors, TrustError, decode_floors, encode_floors

_FLOORS, _LOCK, _SUFFIX = "floors.json", ".lock", ".cbor"


class Write(Protocol):
    """Writes a file whole or not at all, durably."""

    def __call__(self, path: Path, data: bytes, *, replacing: bool) -> None:
        """Raises OSError."""
        ...


class Contents:
    """The files of one folder. It is made by the first writer."""

    def __init__(self, folder: Path, write: Write) -> None:
        self.folder = folder
        self._write = write

    def floors(self) -> Floors:
        """What is in use. Raises TrustError when that is not known any more, for then everything old would be new."""
        data = self.floors_bytes()
        if data is None and any(self.folder.glob(f"*{_SUFFIX}")):
            data = self.floors_bytes()  # a writer may have made both since
            if data is None:
                raise TrustError(f"{self.folder / _FLOORS}: is missing; restore it, or put the folder aside")
        return Floors() if data is None else decode_floors(data)

    def floors_bytes(self) -> bytes | None:
        """The bytes of floors.json; None before the first."""
        return self._read(_FLOORS, TRUST_FLOORS_BYTES_MAX)

    def content(self, sha256: str, bytes_max: int) -> bytes | None:
        """The content of this hash; None when it is lost or damaged."""
        data = self._read(f"{sha256}{_SUFFIX}", bytes_max)
        return data if data is not None and hash_of(data) == sha256 else None

    def traces(self, floors: Floors) -> bytes:
        """Other bytes whenever a content that `floors` names was written anew, or is gone."""
        found = []
        for sha256 in sorted(_named(floors)):
            with suppress(OSError):
                status = (self.folder / f"{sha256}{_SUFFIX}").lstat()
                found.append((sha256, status.st_ino, status.st_mtime_ns))
        return repr(found).encode()

    def locked(self) -> AbstractContextManager[None]:
        """One writer at a time, of any process or thread."""
        return alone_in(self.folder)

    def commit(self, floors: Floors, contents: Mapping[str, bytes]) -> None:
        """Takes `contents`, by their hash, and `floors` into use; call it `locked`.

        Raises TrustError and BadInputError; then what was in use still is.
        """
        encoded = encode_floors(floors)
        if len(encoded) > TRUST_FLOORS_BYTES_MAX:
            raise TrustError(f"{self.folder / _FLOORS}: would be too long; put the folder aside")
        try:
            if self.floors_bytes() is None:
                self._write(self.folder / _FLOORS, encode_floors(Floors()), replacing=True)
            for sha256, data in contents.items():
                if self.content(sha256, len(data)) is None:
                    self._write(self.folder / f"{sha256}{_SUFFIX}", data, replacing=True)
            if self.floors_bytes() != encoded:
                self._write(self.folder / _FLOORS, encoded, replacing=True)
        except OSError as error:
            raise BadInputError(f"{self.folder}: cannot be written: {error.strerror}; free space, try again") from None
        self._sweep(floors)

    def _sweep(self, floors: Floors) -> None:
        """Removes contents that nothing names: what was replaced, and what a crash left."""
        named = _named(floors)
        for path in self.folder.glob(f"*{_SUFFIX}"):
            if path.stem not in named:
                with suppress(OSError):
                    path.unlink()

    def _read(self, name: str, bytes_max: int) -> bytes | None:
        path = self.folder / name
        try:
            _check_own(self.folder.lstat(), self.folder, stat.S_IFDIR)
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadInputError(f"{path}: cannot be read: {error.strerror}; put the file itself there") from None
        try:
            _check_own(os.fstat(descriptor), path, stat.S_IFREG)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(bytes_max + 1)
        except OSError as error:
            raise BadInputError(f"{path}: cannot be read: {error.strerror}; restore it from a copy") from None
        finally:
            os.close(descriptor)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One process and thread at a time in `folder`, which is made when it is absent. Raises BadInputError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BadInputError(f"{folder}: cannot be written: {error.strerror}; nothing was changed") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def hash_of(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _named(floors: Floors) -> set[str]:
    return {floor.sha256 for floor in floors.lists} | ({floors.bundle.sha256} if floors.bundle else set())


def _check_own(status: os.stat_result, path: Path, kind: int) -> None:
    """Refuses what somebody else could have put there: these files decide whom a gate believes."""
    if stat.S_IFMT(status.st_mode) != kind:
        raise BadInputError(f"{path}: is not what belongs there; remove it")
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
        raise BadInputError(f"{path}: others can change it; look through it, then run: chmod go-w {path}")
