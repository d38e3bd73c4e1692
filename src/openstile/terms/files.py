"""Writing files that only their owner may read, whole or not at all."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from openstile.terms.errors import BadInputError


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path` as a file that only its owner can read, whole or not at all. Raises `BadInputError`."""
    part = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise BadInputError(
            f"{path}: cannot be written: {error.strerror}; free space or choose another folder"
        ) from None
