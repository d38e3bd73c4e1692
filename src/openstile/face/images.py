"""Read a picture from a file or from bytes: upright, three colours, eight bits, within the limits."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from openstile.face.frame import Frame, check_size
from openstile.face.headers import Header, png_is_whole, read_header
from openstile.face.quiet import quiet_decoders
from openstile.terms import BadInputError
from openstile.terms.limits import IMAGE_FILE_BYTES_MAX

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})

_TURNS = {
    3: cv2.ROTATE_180,
    6: cv2.ROTATE_90_CLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def read_image(path: Path) -> Frame:
    """The picture in the file `path` (PNG, JPEG, WebP, BMP, TIFF; the first page of several).

    Raises BadInputError: absent, a folder, empty, no picture, damaged, cut short, too small or too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(IMAGE_FILE_BYTES_MAX + 1)
    except IsADirectoryError as error:
        raise BadInputError(f"{path}: is a folder; name a picture file") from error
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror}); name a picture file") from error
    except ValueError as error:
        raise BadInputError(f"{str(path)!r}: is not a file name") from error
    return decode_image(data, name=str(path))


def decode_image(data: bytes, *, name: str) -> Frame:
    """The picture in `data`, called `name` in errors.

    Turned upright by its EXIF orientation, transparent parts on white, grey and 16-bit ones as 8-bit colour. The size
    is checked in the header before decoding. Raises BadInputError.
    """
    if not data:
        raise BadInputError(f"{name}: is empty; name a picture file")
    if len(data) > IMAGE_FILE_BYTES_MAX:
        raise BadInputError(f"{name}: is larger than {IMAGE_FILE_BYTES_MAX // 2**20} MiB; save it smaller")
    header = read_header(data)
    if header is None:
        raise BadInputError(f"{name}: is not a picture that can be read; use PNG, JPEG, WebP, BMP or TIFF")
    check_size(width=header.width, height=header.height, name=name)
    if _is_cut_short(header, data):
        raise BadInputError(f"{name}: is cut short (the end of the {header.kind} data is missing); copy it again")
    pixels = _decode(header, data, name)
    if (
        header.kind == "TIFF"
    ):  # OpenCV turns these itself, whatever flags it gets, and multiplies 8-bit colours by alpha
        return Frame(_to_colour(pixels, premultiplied=pixels.dtype == np.uint8))
    return Frame(_turn(_to_colour(pixels, premultiplied=False), header.orientation))


def _decode(header: Header, data: bytes, name: str) -> NDArray[np.generic]:
    flags = cv2.IMREAD_UNCHANGED
    if header.kind == "JPEG":
        flags = cv2.IMREAD_COLOR_BGR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        with quiet_decoders():
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (cv2.error, MemoryError) as error:
        raise BadInputError(f"{name}: the {header.kind} data is damaged; copy it again or save it anew") from error
    if pixels is None:
        raise BadInputError(f"{name}: the {header.kind} data is damaged; copy it again or save it anew")
    if sorted(pixels.shape[:2]) != sorted((header.height, header.width)):
        raise BadInputError(f"{name}: its size is not what its header says; save it anew")
    return np.asarray(pixels)


def _is_cut_short(header: Header, data: bytes) -> bool:
    """Decoders fill up what is missing with grey; a picture without its end mark is refused instead."""
    if header.kind == "JPEG":
        return b"\xff\xd9" not in data[-4096:]
    if header.kind == "PNG":
        return not png_is_whole(data)
    if header.kind == "WebP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    return False


def _to_colour(pixels: NDArray[np.generic], *, premultiplied: bool) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 BGR of what the decoder gave: 8 or 16 bits or float 0..1; grey, BGR or BGRA."""
    eight = _to_eight_bits(pixels)
    if eight.ndim == 2:
        eight = eight[:, :, None]
    if eight.shape[2] in (2, 4):
        alpha = eight[:, :, -1:].astype(np.uint16)
        colour = eight[:, :, :-1].astype(np.uint16)
        shown = colour if premultiplied else (colour * alpha + 127) // 255
        eight = np.minimum(shown + (255 - alpha), 255).astype(np.uint8)
    if eight.shape[2] == 1:
        eight = np.repeat(eight, 3, axis=2)
    return np.ascontiguousarray(eight[:, :, :3])


def _to_eight_bits(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return (np.clip(np.nan_to_num(pixels.astype(np.float32)), 0, 1) * 255).astype(np.uint8)


def _turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the orientation 1..8: 2, 4, 5 and 7 are mirrored, 5 to 8 lie on their side (EXIF 2.32, 4.6.5)."""
    if orientation in (2, 5, 7):
        pixels = np.asarray(cv2.flip(pixels, 1), np.uint8)
    if orientation == 4:
        pixels = np.asarray(cv2.flip(pixels, 0), np.uint8)
    turn = {5: 8, 7: 6}.get(orientation, orientation)
    if turn in _TURNS:
        pixels = np.asarray(cv2.rotate(pixels, _TURNS[turn]), np.uint8)
    return pixels
