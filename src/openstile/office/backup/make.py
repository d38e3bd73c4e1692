"""Making a backup while the office runs."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect

from openstile.office.backup.errors import BackupError
from openstile.office.backup.manifest import SUFFIX, Manifest, digest_of, write_archive
from openstile.office.backup.postgresql import dump
from openstile.office.backup.sqlite import copy
from openstile.office.forgetting.fade import faded_until
from openstile.office.store.database import Database
from openstile.office.store.fading import FADING
from openstile.office.store.migrations import version_of
from openstile.terms import BadInputError
from openstile.terms.files import sync_folder


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    path: Path
    manifest: Manifest


def make_backup(database: Database, target: Path, *, now: datetime) -> Backup:
    """A consistent backup at `target`, a new file or a folder that is there; private, and on disk when this returns.

    Raises BadInputError for a file that is there already, BackupError, OfficeDatabaseError.
    """
    path = target / f"office-{now:%Y%m%dT%H%M%SZ}{SUFFIX}" if target.is_dir() else target
    if path.exists() or path.is_symlink():
        raise BadInputError(f"backup {path}: is there already; give another name")
    with database.read() as connection:  # before the copy: it may have faded further by then, never less
        version = version_of(connection)
        until = faded_until(connection) if inspect(connection).has_table(FADING.name) else None
    if version is None:
        raise BackupError("database: has no tables; there is nothing to back up")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
            data = Path(folder) / "data"
            (copy if database.is_sqlite else dump)(database, data)
            engine = "sqlite" if database.is_sqlite else "postgresql"
            manifest = Manifest(now, until, engine, version, digest_of(data), data.stat().st_size)
            archive = Path(folder) / "archive"
            write_archive(archive, manifest, data)
            os.link(archive, path)  # refuses to replace what came there meanwhile
        sync_folder(path.parent)
    except FileExistsError:
        raise BadInputError(f"backup {path}: is there already; give another name") from None
    except OSError as error:
        with suppress(OSError):
            sync_folder(path.parent)
        raise BackupError(f"backup {path}: {error.strerror}; free space or give another folder") from None
    return Backup(path, manifest)
