"""Where pulled packs lie on disk, and how they get there: whole or not at all."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import platformdirs

from openstile.face.packs.errors import PackError
from openstile.face.packs.manifest import Manifest
from openstile.terms.files import create_durably, sync_folder
from openstile.terms.limits import MANIFEST_BYTES_MAX, MODEL_FILE_BYTES_MAX

CACHE_VARIABLE = "OPENSTILE_CACHE"
LOCK_FILE = "pack.json"
MANIFEST_FILE = "pack.toml"
_CONVERSION_VERSION = 1
"""Raise it when `convert` writes other files from the same weights: cached packs are then made anew."""
_WORK_PREFIX = ".pulling-"


def models_folder(cache_dir: Path | None) -> Path:
    """The folder of pulled packs: `models` in `cache_dir`, else in $OPENSTILE_CACHE, else in the user's cache
    folder.
    """
    if cache_dir is None:
        named = os.environ.get(CACHE_VARIABLE)
        cache_dir = Path(named) if named else platformdirs.user_cache_path("openstile")
    return cache_dir / "models"


@contextmanager
def only_puller(models: Path) -> Iterator[None]:
    """Let one process at a time change `models` (made when absent). The lock goes when the process does, however it
    ends.
    """
    try:
        models.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(models, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise PackError(
            f"{models}: cannot be made ({error.strerror}); set {CACHE_VARIABLE} to another folder"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def work_folder(models: Path) -> Iterator[Path]:
    """A folder beside the packs for a pull at work; removed at the end, as are those of pulls that were killed."""
    _sweep(models)
    try:
        work = Path(mkdtemp(prefix=_WORK_PREFIX, dir=models))
    except OSError as error:
        raise PackError(
            f"{models}: cannot be written ({error.strerror}); set {CACHE_VARIABLE} to another folder"
        ) from error
    try:
        yield work
    finally:
        _sweep(models)  # again: a client that outlived its killed pull may have written until now


def _sweep(models: Path) -> None:
    """For who holds the lock: whatever pull a folder is of, it is not at work any more."""
    for left_over in models.glob(_WORK_PREFIX + "*"):
        shutil.rmtree(left_over, ignore_errors=True)


def store_pack(models: Path, work: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Path:
    """Write `files` and their lock file to a folder in `work`, to disk, and move it to its place in one step."""
    made = work / "pack"
    target = models / manifest.pack_id
    lock = {
        "pack": manifest.pack_id,
        "sources": _sources_digest(manifest),
        "files": {name: {"sha256": _digest(data), "bytes": len(data)} for name, data in files.items()},
    }
    try:
        made.mkdir(mode=0o755)
        for name, data in files.items():
            create_durably(made / name, data, mode=0o644)
        create_durably(made / LOCK_FILE, json.dumps(lock, indent=2).encode() + b"\n", mode=0o644)
        sync_folder(made)
        if target.exists():
            target.rename(work / "replaced")
        made.rename(target)
        sync_folder(models)
    except OSError as error:
        raise PackError(
            f"{target}: cannot be written ({error.strerror}); free some space or set {CACHE_VARIABLE} to another folder"
        ) from error
    return target


def read_pack_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """The model files of a pulled pack, each with the hash its lock file says. Raises PackError."""
    advice = f"run: openstile models pull {manifest.name}"
    if not folder.is_dir():
        raise PackError(f"model pack {manifest.name}: is not on this machine yet; {advice}")
    lock = _read_lock(folder, advice)
    if lock.get("sources") != _sources_digest(manifest):
        raise PackError(f"{folder}: was made from other weights than this version of Openstile uses; {advice}")
    files = {}
    for name in manifest.files:
        data = read_model_file(folder / name, advice)
        entry = lock["files"].get(name)
        if not isinstance(entry, dict) or entry.get("sha256") != _digest(data):
            raise PackError(f"{folder / name}: is damaged (its SHA-256 is not the one in {LOCK_FILE}); {advice}")
        files[name] = data
    return files


def read_model_file(path: Path, advice: str) -> bytes:
    """The bytes of one model file. Raises PackError when it is absent, too large or cannot be read."""
    try:
        if path.stat().st_size > MODEL_FILE_BYTES_MAX:
            raise PackError(f"{path}: is larger than {MODEL_FILE_BYTES_MAX} bytes; refused")
        return path.read_bytes()
    except OSError as error:
        raise PackError(f"{path}: cannot be read ({error.strerror}); {advice}") from error


def _read_lock(folder: Path, advice: str) -> dict[str, Any]:
    path = folder / LOCK_FILE
    try:
        with path.open("rb") as file:
            lock = json.loads(file.read(MANIFEST_BYTES_MAX))
    except (OSError, ValueError, RecursionError) as error:
        raise PackError(f"{path}: cannot be read; {advice}") from error
    if not isinstance(lock, dict) or not isinstance(lock.get("files"), dict):
        raise PackError(f"{path}: is damaged; {advice}")
    return lock


def _sources_digest(manifest: Manifest) -> str:
    """What the files were made of and how; a new threshold or wording in the manifest does not change it."""
    parts = [
        (w.file, w.archive_sha256, w.member, w.member_sha256, w.convert, *((w.topology.sha256,) if w.topology else ()))
        for w in manifest.sources
    ]
    return _digest(json.dumps([_CONVERSION_VERSION, *parts]).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
