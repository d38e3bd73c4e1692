"""Writing files durably: whole or not at all, and for their owner only where they hold secrets."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from openstile.terms.errors import BadInputError


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path` as a file that only its owner can read, whole or not at all. Raises `BadInputError`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, data, replacing=True)
    except OSError as error:
        raise BadInputError(
            f"{path}: cannot be written: {error.strerror}; free space or choose another folder"
        ) from None


def write_whole(path: Path, data: bytes, *, replacing: bool) -> None:
    """Put a private file of `data` at `path` in one step, and make its name durable; a failure leaves nothing.

    When not `replacing`, a file that is there stays and `FileExistsError` is raised. Raises OSError.
    """
    part = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        create_durably(part, data)
        if replacing:
            part.replace(path)
        else:
            os.link(part, path)
    finally:
        with suppress(OSError):
            part.unlink()
    sync_folder(path.parent)


def create_durably(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Make a new file at `path` with `data`, on disk when this returns. Raises OSError; what was begun then stays."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
