"""Reading a small secret from a file that belongs to this user and that nobody else can read or change."""

import os
import stat
from pathlib import Path

from openstile.terms import BadInputError


def read_private_file(path: Path, *, what: str, bytes_max: int) -> bytes:
    """The bytes of the file at `path`, which messages call `what`.

    Raises BadInputError where it is missing, a symbolic link, no regular file, of another user, open to others or
    longer than `bytes_max`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be read: {error.strerror}"
        raise BadInputError(f"{what} {path}: {reason}; put the file itself there") from None
    try:
        _check(os.fstat(descriptor), f"{what} {path}", path)
        data = os.read(descriptor, bytes_max + 1)
    finally:
        os.close(descriptor)
    if len(data) > bytes_max:
        raise BadInputError(f"{what} {path}: has more than {bytes_max} bytes; it must hold the secret alone")
    return data


def _check(status: os.stat_result, which: str, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise BadInputError(f"{which}: is no regular file; put a file there")
    if status.st_uid != os.geteuid():
        raise BadInputError(f"{which}: belongs to another user; run: chown {os.geteuid()} {path}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise BadInputError(f"{which}: others can read or change it; run: chmod go-rwx {path}")
