"""Pictures that tests draw themselves, and writers of headers that no ordinary program would write."""

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def corners() -> Pixels:
    """(60, 80, 3): red at the top left, green at the top right, blue at the bottom left, black at the bottom right."""
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:30, :40] = (0, 0, 255)
    picture[:30, 40:] = (0, 255, 0)
    picture[30:, :40] = (255, 0, 0)
    return picture


def encoded(
    picture: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32] | cv2.typing.MatLike,
    suffix: str,
    *options: int,
) -> bytes:
    """`picture` as a file of this suffix."""
    good, data = cv2.imencode(suffix, picture, list(options))
    assert good
    return bytes(data.tobytes())


def exif(orientation: int, *, order: str = "<") -> bytes:
    """The TIFF structure of an EXIF block that holds only an orientation."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = struct.pack(order + "IH", 8, 1)
    return mark + head + struct.pack(order + "HHIHHI", 0x0112, 3, 1, orientation, 0, 0)


def with_exif(data: bytes, block: bytes) -> bytes:
    """A JPEG or PNG with the EXIF block put behind its first bytes."""
    if data.startswith(b"\xff\xd8"):
        body = b"Exif\0\0" + block
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    chunk = b"eXIf" + block
    return data[:33] + struct.pack(">I", len(block)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]


def png_of_claimed_size(width: int, height: int) -> bytes:
    """A small PNG file whose header claims `width` x `height` pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 1000)
    chunks = b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (header, body, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks
