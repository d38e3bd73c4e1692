"""Size and orientation of a picture from its header, before any pixel is decoded.

Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), WebP (RFC 9649), BMP, TIFF 6.0. Orientation is tag 0x0112 of TIFF and
EXIF.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

_ORIENTATION_TAG = 0x0112
_WIDTH_TAG = 0x0100
_HEIGHT_TAG = 0x0101
_EXIF_PREFIX = b"Exif\0\0"
_TIFF_ENTRIES_MAX = 512
_SEGMENTS_MAX = 1000
_PNG_CHUNKS_MAX = 2**17
"""64 MiB in pieces of 512 bytes; writers use 8 KiB and more."""
_JPEG_ALONE = {0x01, *range(0xD0, 0xD9)}
_JPEG_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """kind: "PNG" and so on. width, height: stored pixels, before turning. orientation: 1..8 as in EXIF 2.32, 4.6.5."""

    kind: str
    width: int
    height: int
    orientation: int


def read_header(data: bytes) -> Header | None:
    """The header of the picture in `data`; None when it is no known kind or ends too early."""
    try:
        for signature, reader in _READERS:
            if data.startswith(signature):
                return reader(data)
    except (struct.error, IndexError, ValueError):
        return None
    return None


def looks_like_picture(start: bytes) -> bool:
    """Whether a file that begins with `start` (12 bytes or more) is of a kind that `read_header` knows."""
    if start.startswith(b"RIFF"):
        return start[8:12] == b"WEBP"
    return any(start.startswith(signature) for signature, _ in _READERS)


def png_is_whole(data: bytes) -> bool:
    """Whether every chunk of a PNG up to its end chunk lies inside `data`.

    OpenCV takes as much memory as a chunk says that it is long, up to 4 GiB, before it finds that nothing is there.
    """
    at = 8
    for _ in range(_PNG_CHUNKS_MAX):
        if at + 12 > len(data):
            return False
        length, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        if kind == b"IEND":
            return bool(at <= len(data))
    return False


def _png(data: bytes) -> Header | None:
    if data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    orientation, at = 1, 8
    for _ in range(_SEGMENTS_MAX):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"eXIf":
            orientation = _orientation(data[at + 8 : at + 8 + length])
        if kind in (b"eXIf", b"IDAT", b"IEND"):
            break
        at += 12 + length
    return Header("PNG", width, height, orientation)


def _jpeg(data: bytes) -> Header | None:
    orientation, at = 1, 2
    for _ in range(_SEGMENTS_MAX):
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _JPEG_ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _JPEG_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Header("JPEG", width, height, orientation)
        body = data[at + 4 : at + 2 + length]
        if marker == 0xE1 and body.startswith(_EXIF_PREFIX):
            orientation = _orientation(body[len(_EXIF_PREFIX) :])
        if length < 2 or marker in (0xD9, 0xDA):
            return None
        at += 2 + length
    return None


def _webp(data: bytes) -> Header | None:
    if data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("WebP", width & 0x3FFF, height & 0x3FFF, 1)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 1)
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return Header("WebP", width, height, _webp_orientation(data))
    return None


def _webp_orientation(data: bytes) -> int:
    at = 12
    for _ in range(_SEGMENTS_MAX):
        if at + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return _orientation(data[at + 8 : at + 8 + length].removeprefix(_EXIF_PREFIX))
        at += 8 + length + length % 2
    return 1


def _bmp(data: bytes) -> Header | None:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return Header("BMP", abs(width), abs(height), 1)


def _tiff(data: bytes) -> Header | None:
    tags = _tiff_tags(data)
    if _WIDTH_TAG not in tags or _HEIGHT_TAG not in tags:
        return None
    return Header("TIFF", tags[_WIDTH_TAG], tags[_HEIGHT_TAG], _valid_orientation(tags.get(_ORIENTATION_TAG, 1)))


def _orientation(exif: bytes) -> int:
    try:
        return _valid_orientation(_tiff_tags(exif).get(_ORIENTATION_TAG, 1))
    except struct.error:
        return 1


def _valid_orientation(value: int) -> int:
    return value if 1 <= value <= 8 else 1


def _tiff_tags(data: bytes) -> dict[int, int]:
    """Short and long integers of the first directory, by tag."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return {}
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    tags: dict[int, int] = {}
    for index in range(min(count, _TIFF_ENTRIES_MAX)):
        tag, kind = struct.unpack_from(order + "HH", data, at + 2 + 12 * index)
        if kind in (3, 4):
            (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at + 2 + 12 * index + 8)
    return tags


_READERS: tuple[tuple[bytes, Callable[[bytes], Header | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"RIFF", _webp),
    (b"BM", _bmp),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
)
