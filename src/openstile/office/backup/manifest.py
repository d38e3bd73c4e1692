"""The file of a backup: a tar archive of a manifest (JSON) and one engine's data, in this order and nothing else."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from openstile.office.backup.errors import BackupError
from openstile.terms.limits import BACKUP_MANIFEST_BYTES_MAX

SUFFIX = ".openstile-backup"
ENGINES = ("sqlite", "postgresql")
_FORMAT = "openstile office backup 1"
_MANIFEST = "manifest.json"
_DATA = "data"
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `created` and `faded_until` (None: nothing ever faded) are aware UTC instants;
    `version` is the schema's revision, `sha256` (hexadecimal) and `size` (bytes) are of the data."""

    created: datetime
    faded_until: datetime | None
    engine: str
    version: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        if self.engine not in ENGINES or len(self.sha256) != 64 or self.size < 0 or not self.version:
            raise ValueError("no manifest of a backup")
        for instant in (self.created, self.faded_until):
            if instant is not None and instant.tzinfo is not UTC:
                raise ValueError("no manifest of a backup")

    def to_json(self) -> dict[str, Any]:
        """The manifest for people and machines."""
        until = None if self.faded_until is None else self.faded_until.isoformat()
        return {"format": _FORMAT, **asdict(self), "created": self.created.isoformat(), "faded_until": until}

    @classmethod
    def from_json(cls, value: Any) -> "Manifest":
        """Reads what `to_json` gives. Raises ValueError, KeyError or TypeError for anything else."""
        if value.pop("format") != _FORMAT:
            raise ValueError("another format")
        until = value.pop("faded_until")
        read = None if until is None else datetime.fromisoformat(until).astimezone(UTC)
        return cls(created=datetime.fromisoformat(value.pop("created")).astimezone(UTC), faded_until=read, **value)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_archive(target: Path, manifest: Manifest, data: Path) -> None:
    """Puts the archive at `target` (a new private file), on disk when this returns. Raises OSError."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, _MANIFEST, json.dumps(manifest.to_json(), indent=1).encode())
        info = tarfile.TarInfo(_DATA)
        info.size, info.mode = data.stat().st_size, 0o600
        with data.open("rb") as content:
            tar.addfile(info, content)
        tar.close()
        file.flush()
        os.fsync(file.fileno())


def read_manifest(path: Path) -> Manifest:
    """The manifest of a backup. Raises BackupError for a file that is none."""
    with _opened(path) as (manifest, _):
        return manifest


def extract_data(path: Path, target: Path) -> Manifest:
    """Writes a backup's data to `target` (a new private file) and compares its digest. Raises BackupError, OSError."""
    with _opened(path) as (manifest, data):
        digest, left = hashlib.sha256(), manifest.size
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while chunk := data.read(min(_CHUNK, left)):
                digest.update(chunk)
                file.write(chunk)
                left -= len(chunk)
    if left or digest.hexdigest() != manifest.sha256:
        raise BackupError(f"backup {path}: is damaged; take another one")
    return manifest


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Manifest, IO[bytes]]]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            first, second = tar.next(), tar.next()
            if first is None or second is None or (first.name, second.name) != (_MANIFEST, _DATA):
                raise BackupError(f"backup {path}: is none of openstile's")
            text, data = tar.extractfile(first), tar.extractfile(second)
            if text is None or data is None or first.size > BACKUP_MANIFEST_BYTES_MAX:
                raise BackupError(f"backup {path}: is none of openstile's")
            manifest = Manifest.from_json(json.loads(text.read()))
            if manifest.size != second.size:
                raise BackupError(f"backup {path}: is damaged; take another one")
            yield manifest, data
    except OSError as error:
        if error.errno is None:
            raise BackupError(f"backup {path}: is damaged; take another one") from None
        raise BackupError(f"backup {path}: {error.strerror}; give a file that you can read") from None
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, RecursionError, EOFError):
        raise BackupError(f"backup {path}: is none of openstile's, or damaged") from None


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))
