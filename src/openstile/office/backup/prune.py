"""Backups go when their time is over: trips fade there too."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from openstile.office.backup.errors import BackupError
from openstile.office.backup.manifest import SUFFIX, read_manifest
from openstile.terms import BadInputError
from openstile.terms.files import sync_folder

WORK_FOLDERS = (".backup-", ".restore-")
_WORK_TIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of a folder's backups, and of what one that was killed left behind. `unread`: files with a backup's
    name that are none, which stay."""

    removed: tuple[Path, ...]
    kept: tuple[Path, ...]
    unread: tuple[Path, ...]


def prune(folder: Path, *, now: datetime, backup_days: int, dry_run: bool = False) -> Pruned:
    """Removes backups in `folder` that were made more than `backup_days` ago, as their manifests say.

    A backup from the future counts as new for as long as it takes: look at the clock. Raises BadInputError,
    BackupError.
    """
    if not folder.is_dir():
        raise BadInputError(f"folder {folder}: does not exist")
    removed: list[Path] = []
    kept: list[Path] = []
    unread: list[Path] = []
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink()):
        try:
            old = read_manifest(path).created < now - timedelta(days=backup_days)
        except BackupError:
            unread += [path] if path.name.endswith(SUFFIX) else []
            continue
        (removed if old else kept).append(path)
    left = list(_left_behind(folder, now))
    try:
        for path in removed if not dry_run else []:
            path.unlink(missing_ok=True)
        for path in left if not dry_run else []:
            shutil.rmtree(path)
        sync_folder(folder)
    except OSError as error:
        raise BackupError(f"folder {folder}: {error.strerror}; backups of old trips are left in it") from None
    return Pruned((*removed, *left), tuple(kept), tuple(unread))


def _left_behind(folder: Path, now: datetime) -> Iterator[Path]:
    """Folders in which a backup or a restore was killed at its work: they hold the same as a backup."""
    for path in sorted(folder.iterdir()):
        ours = path.name.startswith(WORK_FOLDERS) and path.is_dir() and not path.is_symlink()
        if ours and path.stat().st_mtime < (now - _WORK_TIME).timestamp():
            yield path
