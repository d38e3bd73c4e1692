"""The files of a feed, from a zip archive or a folder, never more of them than the limits allow."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

from openstile.fares.errors import FeedError
from openstile.terms.limits import ARCHIVE_MEMBERS_MAX, FEED_ARCHIVE_BYTES_MAX, FEED_FILE_BYTES_MAX, FEED_LINE_BYTES_MAX

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error)
"""What the reader of the standard library raises for archives that nobody made on purpose."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others have errors of their own, and LZMA takes as much memory as its header says."""
_ENCRYPTED = 0x1
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_TAIL_BYTES = 2**16 + 64
"""The end record, a comment, and the locator of the 64-bit record before it (APPNOTE 4.3.15, 4.3.16)."""
_DIRECTORY_BYTES_MAX = 256 * ARCHIVE_MEMBERS_MAX
_BOM = b"\xef\xbb\xbf"


class FeedFiles:
    """A feed that is open for reading; use with `with`. The files lie at its root, as the GTFS reference says.

    What a file holds is counted as it comes out of the archive: what the archive says of itself is not believed.
    """

    def __init__(self, path: Path) -> None:
        """Opens `path`. Raises FeedError when it is neither a zip archive nor a folder that can be read."""
        self.path = path
        self._archive: zipfile.ZipFile | None = None
        self._members: dict[str, zipfile.ZipInfo] = {}
        try:
            found = path.stat()
            if stat.S_ISDIR(found.st_mode):
                return
            if not stat.S_ISREG(found.st_mode):
                raise FeedError(feed=path, fault="is neither a file nor a folder; give a GTFS feed")
            if found.st_size > FEED_ARCHIVE_BYTES_MAX:
                raise FeedError(feed=path, fault=f"is larger than {FEED_ARCHIVE_BYTES_MAX} bytes; give a smaller feed")
            self._check_directory()
            self._archive = zipfile.ZipFile(path)
        except _DAMAGED as error:
            raise FeedError(feed=path, fault=f"is not a zip archive ({error}); download the feed again") from None
        except OSError as error:
            raise FeedError(
                feed=path,
                fault=f"cannot be read: {error.strerror or error}; give a GTFS feed, a zip archive or a folder",
            ) from None
        try:
            self._list_members(self._archive)
        except FeedError:
            self._archive.close()
            raise

    def __enter__(self) -> "FeedFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._archive is not None:
            self._archive.close()

    def has(self, name: str) -> bool:
        """Whether the feed has a file of this name at its root."""
        if self._archive is not None:
            return name in self._members
        try:
            return (self.path / name).is_file()
        except OSError as error:
            raise FeedError(
                feed=self.path, file=name, fault=f"cannot be read: {error.strerror or error}; see to its rights"
            ) from None

    @contextmanager
    def lines(self, name: str) -> Iterator[Iterator[str]]:
        """The lines of a file that the feed has, with their ends, without a byte-order mark.

        Raises FeedError, while the lines are read too: damaged, too long, or not UTF-8.
        """
        try:
            file: IO[bytes] = self._open_member(name) if self._archive is not None else (self.path / name).open("rb")
        except _DAMAGED as error:
            raise FeedError(feed=self.path, file=name, fault=f"is damaged ({error}); download the feed again") from None
        except OSError as error:
            raise FeedError(
                feed=self.path, file=name, fault=f"cannot be read: {error.strerror or error}; see to its rights"
            ) from None
        with file:
            yield self._decoded(name, io.BufferedReader(_Limited(self.path, name, file), 2**16))

    def _check_directory(self) -> None:
        """The list of members is read whole when an archive is opened, so its length is looked at before."""
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, io.SEEK_END) - _TAIL_BYTES))
            tail = file.read(_TAIL_BYTES)
        ends = [at for at in range(len(tail)) if tail.startswith(_END, at)] if _END in tail else []
        sizes = [int.from_bytes(tail[at + 12 : at + 16], "little") for at in ends]
        if any(size > _DIRECTORY_BYTES_MAX for size in sizes) or _END_64 in tail:
            raise FeedError(feed=self.path, fault=f"has more than {ARCHIVE_MEMBERS_MAX} files; give a GTFS feed")

    def _list_members(self, archive: zipfile.ZipFile) -> None:
        if len(archive.infolist()) > ARCHIVE_MEMBERS_MAX:
            raise FeedError(feed=self.path, fault=f"has more than {ARCHIVE_MEMBERS_MAX} files; give a GTFS feed")
        for member in archive.infolist():
            if member.filename in self._members:
                raise FeedError(feed=self.path, file=member.filename, fault="is there twice; make the archive anew")
            self._members[member.filename] = member
        if "agency.txt" not in self._members and any(name.endswith("/agency.txt") for name in self._members):
            raise FeedError(feed=self.path, fault="has its files in a folder; zip them at the root of the archive")

    def _open_member(self, name: str) -> IO[bytes]:
        assert self._archive is not None
        member = self._members[name]
        if member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
            raise FeedError(
                feed=self.path, file=name, fault="is encrypted or packed by another method than deflate; make it anew"
            )
        return self._archive.open(member)

    def _decoded(self, name: str, file: io.BufferedReader) -> Iterator[str]:
        number = 0
        while line := file.readline(FEED_LINE_BYTES_MAX):
            number += 1
            if len(line) == FEED_LINE_BYTES_MAX:
                fault = f"is longer than {FEED_LINE_BYTES_MAX} bytes; end each line with a line feed"
                raise FeedError(feed=self.path, file=name, line=number, fault=fault)
            if number == 1:
                line = line.removeprefix(_BOM)
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                fault = f"byte {error.start + 1} of the line is not UTF-8; save the file in UTF-8"
                raise FeedError(feed=self.path, file=name, line=number, fault=fault) from None


class _Limited(io.RawIOBase):
    """Bytes of one file until the limit; errors of the archive are errors of the feed."""

    def __init__(self, feed: Path, name: str, source: IO[bytes]) -> None:
        super().__init__()
        self._feed, self._name, self._source = feed, name, source
        self._left = FEED_FILE_BYTES_MAX

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        try:
            data = self._source.read(len(buffer))
        except _DAMAGED as error:
            fault = f"is damaged ({error}); download the feed again"
            raise FeedError(feed=self._feed, file=self._name, fault=fault) from None
        except OSError as error:
            fault = f"cannot be read: {error.strerror or error}; see to the disk"
            raise FeedError(feed=self._feed, file=self._name, fault=fault) from None
        self._left -= len(data)
        if self._left < 0:
            fault = f"is larger than {FEED_FILE_BYTES_MAX} bytes; give a smaller feed"
            raise FeedError(feed=self._feed, file=self._name, fault=fault)
        buffer[: len(data)] = data
        return len(data)
