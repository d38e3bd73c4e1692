"""Targets of pictures: their headers, their pixels, the QR codes in them."""

import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from fuzz.seeds_passes import binary_passes
from fuzz.target import Target, demand
from fuzz.workshop import text_of
from openstile.face import Frame, headers, images
from openstile.passes import qr
from openstile.passes.text import PASS_PREFIX
from openstile.terms import BadInputError
from openstile.terms.limits import PASS_TEXT_CHARS_MAX, QR_CODES_PER_FRAME_MAX

_DECODED_PIXELS_MAX = 2**18
"""Larger pictures are not decoded here: the limit itself is tests/face/test_images.py's, and this is about speed."""


def _check_header(data: bytes, value: object) -> None:
    demand(value is None or isinstance(value, headers.Header), "not a Header")
    if isinstance(value, headers.Header):
        demand(min(value.width, value.height) >= 0 and 1 <= value.orientation <= 8, "a header out of range")


def _parse_image(data: bytes, folder: Path) -> object:
    header = headers.read_header(data)
    if header is not None and header.width * header.height > _DECODED_PIXELS_MAX:
        return None
    return images.decode_image(data, name="input")


def _check_image(data: bytes, value: object) -> None:
    header = headers.read_header(data)
    demand(header is not None and (value is None or isinstance(value, Frame)), "not a Frame")
    if header is not None and isinstance(value, Frame):
        sides = sorted((value.width, value.height))
        demand(sides == sorted((header.width, header.height)), "a picture of another size than its header says")


def _parse_qr(data: bytes, folder: Path) -> object:
    """First byte even: the modules of a code, one bit each. Odd: the content of a well-formed code, drawn for it."""
    if not data:
        return ()
    return qr.read_qr(_modules(data[1:]) if data[0] % 2 == 0 else _drawn(data[1:]))


def _modules(bits: bytes) -> NDArray[np.uint8]:
    """A square picture of as many modules as there are bits for, two pixels each, with a quiet zone."""
    side = int((8 * len(bits)) ** 0.5)
    dark = np.unpackbits(np.frombuffer(bits, np.uint8))[: side * side].reshape(side, side)
    return np.pad(((1 - dark) * 255).repeat(2, 0).repeat(2, 1).astype(np.uint8), 8, constant_values=255)


def _drawn(content: bytes) -> NDArray[np.uint8]:
    try:
        barcode = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="L")
    except ValueError:
        return np.full((16, 16), 255, np.uint8)
    return np.array(barcode.to_image(scale=2, add_quiet_zones=True), np.uint8)


def _check_qr(data: bytes, value: object) -> None:
    demand(isinstance(value, tuple) and len(value) <= QR_CODES_PER_FRAME_MAX, "not a few texts")
    assert isinstance(value, tuple)
    for text in value:
        demand(text.startswith(PASS_PREFIX) and len(text) <= PASS_TEXT_CHARS_MAX, "a text that is no pass's")


@cache
def _picture() -> NDArray[np.uint8]:
    y, x = np.mgrid[0:20, 0:24]
    return np.stack([x * 10, y * 12, (x + y) * 5], axis=2).astype(np.uint8)


def _pictures() -> tuple[bytes, ...]:
    """One small picture in every format, colour depth and container that there is; turned by EXIF; cut; lying."""
    colour = _picture()
    grey, alpha = colour[:, :, 0], np.dstack([colour, colour[:, :, 0]])
    deep = colour.astype(np.uint16) * 257
    kinds: list[tuple[str, NDArray[Any]]] = [(".png", p) for p in (colour, grey, alpha, deep)] + [
        (".tiff", p) for p in (colour, grey, alpha, deep)
    ]
    kinds += [(s, colour) for s in (".jpg", ".webp", ".bmp")] + [(".webp", alpha), (".jpg", grey), (".bmp", alpha)]
    kinds += [(".tiff", colour.astype(np.float32) / 255)]
    made = [bytes(cv2.imencode(suffix, pixels)[1]) for suffix, pixels in kinds]
    made += [bytes(cv2.imencode(".webp", colour, [cv2.IMWRITE_WEBP_QUALITY, 101])[1])]
    made += [bytes(cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1])]
    png, jpeg = made[0], made[8]
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    turned = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    chunk = struct.pack(">I", len(tiff)) + b"eXIf" + tiff + struct.pack(">I", zlib.crc32(b"eXIf" + tiff))
    lying = png[:16] + struct.pack(">II", 30, 30) + png[24:]
    return (*made, turned, png[:33] + chunk + png[33:], lying, png[:40], jpeg[:-2], b"", b"GIF89a")


def _codes() -> tuple[bytes, ...]:
    passes = [text_of(data) for data in (b"a", b"abc" * 5, binary_passes()[0])]
    modules = [np.packbits(qr.qr_modules(text, level="L")).tobytes() for text in passes]
    contents = [text.encode() for text in passes] + [b"https://example", b"OS1:\xff\x00", b"\xe2\x82\xac" * 9]
    return (b"", *(b"\0" + bits for bits in modules), *(b"\1" + content for content in contents))


TARGETS = (
    Target(
        name="image-header",
        parser="openstile.face.headers.read_header",
        promise="never raises; sizes are not negative, orientations 1 to 8",
        parse=lambda data, folder: headers.read_header(data),
        check=_check_header,
        seeds=_pictures,
        refusals=(),
        bytes_max=8192,
    ),
    Target(
        name="image",
        parser="openstile.face.images.decode_image",
        promise="a picture has the size that its header says (larger than 0.26 megapixels: not decoded here)",
        parse=_parse_image,
        check=_check_image,
        seeds=_pictures,
        refusals=(BadInputError,),
        bytes_max=8192,
    ),
    Target(
        name="qr",
        parser="openstile.passes.qr.read_qr",
        promise="a picture made of fuzzed modules, or a code drawn with fuzzed content, gives texts of passes",
        parse=_parse_qr,
        check=_check_qr,
        seeds=_codes,
        refusals=(BadInputError,),
        timeout_s=20,
    ),
)
