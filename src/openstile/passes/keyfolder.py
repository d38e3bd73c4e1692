"""The folder that key files lie in: one file per key, 0600 in a folder of 0700, written whole or not at all."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openstile.passes.keyfile import StoredKey, decode_key, encode_key
from openstile.passes.private_file import read_private_file
from openstile.terms import BadInputError
from openstile.terms.files import write_whole
from openstile.terms.limits import KEY_FILE_BYTES_MAX, KEYS_MAX


class KeyFolder:
    """Reads and writes the key files of one folder. It is made, with its first key, when it does not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self) -> list[StoredKey]:
        """All keys, ordered by role, name and generation. A folder that does not exist holds none."""
        try:
            status = self.folder.lstat()
        except FileNotFoundError:
            return []
        _check_folder(status, self.folder)
        paths = sorted(path for path in self.folder.iterdir() if path.suffix == ".json" and path.name[0] != ".")
        if len(paths) > KEYS_MAX:
            raise BadInputError(f"{self.folder}: holds more than {KEYS_MAX} keys; remove those that no pass uses")
        keys = [_load_file(path) for path in paths]
        return sorted(keys, key=lambda key: (key.role.value, key.name, key.generation))

    def change(self, kid: bytes, change: Callable[[StoredKey], StoredKey]) -> StoredKey | None:
        """Writes what `change` makes of the key of this id as its file holds it now; None where there is no such key.

        One process and thread at a time: what another wrote a moment ago, a revocation say, is never written over.
        """
        if not self.folder.exists():
            return None
        with self._alone():
            known = next((key for key in self.load() if key.public.kid == kid), None)
            if known is None:
                return None
            changed = change(known)
            if changed != known or changed.private is not known.private:
                self.write(changed, replacing=True)
        return changed

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BadInputError(f"{self.folder}: cannot be read: {error.strerror}; nothing was changed") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def write(self, key: StoredKey, *, replacing: bool) -> None:
        """Writes whole or not at all, durably. A new key never takes the place of another."""
        path, data = self.folder / key.file_name, encode_key(key, with_private=True)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_folder(self.folder.lstat(), self.folder)
            write_whole(path, data, replacing=replacing)
        except FileExistsError:
            raise BadInputError(f"{path}: is there already; another key of this name was just made") from None
        except OSError as error:
            raise BadInputError(f"{path}: cannot be written: {error.strerror}; nothing was changed") from None


def _check_folder(status: os.stat_result, folder: Path) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise BadInputError(f"{folder}: is no folder for keys; remove it")
    if status.st_uid != os.geteuid():
        raise BadInputError(f"{folder}: belongs to another user; run: chown {os.geteuid()} {folder}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise BadInputError(f"{folder}: others can read or change it; run: chmod go-rwx {folder}")


def _load_file(path: Path) -> StoredKey:
    data = read_private_file(path, what="key file", bytes_max=KEY_FILE_BYTES_MAX)
    key = decode_key(data, what=str(path))
    if key.file_name != path.name:
        raise BadInputError(f"{path}: holds the key of {key.file_name}; rename it back")
    return key
