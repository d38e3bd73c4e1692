"""The QR code of a pass: drawing it as PNG and SVG, and reading it from an image."""

import struct
import zlib
from collections.abc import Iterator
from typing import Literal

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from openstile.passes.text import PASS_PREFIX
from openstile.terms import BadInputError
from openstile.terms.limits import (
    IMAGE_PIXELS_MAX,
    PASS_TEXT_CHARS_MAX,
    QR_CLOSER_LOOK_SIDE_PIXELS_MAX,
    QR_CODES_PER_FRAME_MAX,
    QR_MODULE_PIXELS_MAX,
)

Level = Literal["L", "M", "Q"]
QUIET_MODULES = 4
"""The white border that ISO/IEC 18004 demands."""

_QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_CLOSER_LOOK_SIDE_PIXELS = 600
"""A damaged code is often located wrongly, from two of its corners and a pattern inside: look around it this far."""


def qr_modules(text: str, *, level: Level = "M") -> NDArray[np.bool_]:
    """The modules of a pass's QR code, (N, N), True is dark, without the quiet zone.

    The text of a pass is all in the alphanumeric mode of QR codes: 5.5 bits a character. Raises BadInputError when it
    is no such text or too long for a QR code of this level of error correction.
    """
    if level not in ("L", "M", "Q"):
        raise BadInputError(f"QR code: level {level!r} is unknown; use L, M or Q")
    if not text.startswith(PASS_PREFIX) or not text.isascii() or len(text) > PASS_TEXT_CHARS_MAX:
        raise BadInputError("QR code: the text is not that of a pass")
    try:
        barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    except ValueError:
        raise BadInputError(
            f"QR code: {len(text)} characters are too many at level {level}; use a lower level"
        ) from None
    image: NDArray[np.uint8] = np.array(barcode.to_image(scale=1, add_quiet_zones=False))
    dark: NDArray[np.bool_] = image == 0
    return dark


def render_qr_png(text: str, *, level: Level = "M", module_pixels: int = 8) -> bytes:
    """A black and white PNG (1 bit a pixel) with quiet zone, `module_pixels` pixels a module."""
    if not 1 <= module_pixels <= QR_MODULE_PIXELS_MAX:
        raise BadInputError(f"QR code: {module_pixels} pixels a module, use 1 to {QR_MODULE_PIXELS_MAX}")
    light = ~np.pad(qr_modules(text, level=level), QUIET_MODULES)
    side = len(light) * module_pixels
    lines = np.packbits(light.repeat(module_pixels, 1), axis=1)
    scanlines = b"".join((b"\x00" + line.tobytes()) * module_pixels for line in lines)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(scanlines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(name, content) for name, content in chunks)


def render_qr_svg(text: str, *, level: Level = "M") -> str:
    """An SVG with quiet zone, one unit a module, black on white."""
    modules = qr_modules(text, level=level)
    side = len(modules) + 2 * QUIET_MODULES
    path = "".join(f"M{left} {top}h{width}v1h-{width}z" for top, left, width in _runs(modules))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d="{path}"/></svg>\n'
    )


def read_qr(pixels: NDArray[np.uint8]) -> tuple[str, ...]:
    """The texts of passes in an image: grey (H, W) or BGR (H, W, 3), uint8. Other codes are passed over.

    At most QR_CODES_PER_FRAME_MAX, each once. A text returned begins with `OS1:` and is otherwise unchecked. Raises
    BadInputError for an array of another shape or type or more than IMAGE_PIXELS_MAX pixels.
    """
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise BadInputError(f"image: has shape {pixels.shape} of {pixels.dtype}, must be (H, W) or (H, W, 3) of uint8")
    height, width = pixels.shape[:2]
    if height * width > IMAGE_PIXELS_MAX:
        raise BadInputError(f"image: has {height * width} pixels, at most {IMAGE_PIXELS_MAX} are allowed")
    if min(height, width) == 0:
        return ()
    grey = pixels if pixels.ndim == 2 else _grey(pixels)
    found = zxingcpp.read_barcodes(np.ascontiguousarray(grey), formats=_QR_ONLY, return_errors=True)
    texts, unread = _pass_texts(found), [barcode for barcode in found if not barcode.valid]
    if texts or not unread:
        return texts
    closer = _look_closer(grey, _corners(unread))
    if closer is None:
        return ()
    return _pass_texts(zxingcpp.read_barcodes(closer, formats=_QR_ONLY, try_invert=False))


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2GRAY), np.uint8)


def _pass_texts(barcodes: list[zxingcpp.Barcode]) -> tuple[str, ...]:
    """Of codes that were read without an error; at most QR_CODES_PER_FRAME_MAX, each once."""
    texts: list[str] = []
    for barcode in barcodes:
        text = barcode.bytes.decode("latin-1")
        if barcode.valid and text.startswith(PASS_PREFIX) and len(text) <= PASS_TEXT_CHARS_MAX and text not in texts:
            texts.append(text)
    return tuple(texts[:QR_CODES_PER_FRAME_MAX])


def _corners(barcodes: list[zxingcpp.Barcode]) -> NDArray[np.float64]:
    """Across and down, of all of them, (N, 2)."""
    places = [barcode.position for barcode in barcodes]
    corners = [(p.top_left, p.top_right, p.bottom_right, p.bottom_left) for p in places]
    return np.array([(corner.x, corner.y) for four in corners for corner in four], np.float64)


def _look_closer(grey: NDArray[np.uint8], corners: NDArray[np.float64]) -> NDArray[np.uint8] | None:
    """The surroundings of codes that could not be read, sharpened and enlarged twice: helps small and blurred ones.

    None when they are larger than QR_CLOSER_LOOK_SIDE_PIXELS_MAX: their modules are large enough already. So what it
    costs is bounded, and nothing where no code is in view.
    """
    low, high = corners.min(axis=0), corners.max(axis=0)
    side = float((high - low).max())
    if side > QR_CLOSER_LOOK_SIDE_PIXELS_MAX:
        return None
    reach = min(max(2 * side, _CLOSER_LOOK_SIDE_PIXELS), QR_CLOSER_LOOK_SIDE_PIXELS_MAX) / 2
    middle = np.clip((low + high) / 2, 0, np.array(grey.shape[1::-1]) - 1)
    left, top = np.maximum(middle - reach, 0).astype(int)
    right, bottom = (middle + reach).astype(int)
    part = grey[top : bottom + 1, left : right + 1]
    soft = cv2.GaussianBlur(part, (0, 0), 1.5)
    sharp = cv2.addWeighted(part, 2.5, soft, -1.5, 0)
    return np.asarray(cv2.resize(sharp, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _runs(modules: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Top, left and width of every horizontal run of dark modules, with the quiet zone counted in."""
    padded = np.pad(modules, QUIET_MODULES).astype(np.int8)
    for top, line in enumerate(padded):
        edges = np.flatnonzero(np.diff(line)) + 1
        for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield top, left, right - left
