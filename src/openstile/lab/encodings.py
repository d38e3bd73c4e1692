"""Bytes that a text or a compressed stream stands for: what a trace would look like after somebody encoded it.

Instead of encoding what is looked for, text that could be an encoding is decoded, at every alignment: so a piece cut
out of the middle is found as well.
"""

import binascii
import re
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNPACKED_BYTES_MAX = 256 * 2**20
"""Of one compressed stream; what follows is not searched."""

_DIFFERENT_CHARS_MIN = 6
_SHORT_CHARS = 4096
_TEXT_CHARS_MIN = 16
_BASE45_END_CHARS = 38
_HEX = re.compile(rb"[0-9A-Fa-f]{32,}")
_HEX_APART = re.compile(rb"(?:[0-9A-Fa-f]{2}(?:[ :,-]|, ?0x|\r?\n)){15,}[0-9A-Fa-f]{2}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{22,}")
_BASE64_LINES = re.compile(rb"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{16,}+(?:\\r)?(?:\\n|\r?\n))++[A-Za-z0-9+/_-]*+")
_BASE45 = re.compile(rb"[0-9A-Z $%*+\-./:]{24,}")
_PRINTABLE = re.compile(rb"[\x20-\x7e]{16,}")
_ESCAPE = re.compile(rb"\\(?:x|u00)([0-9a-fA-F]{2})|\\([nrt\\'\"0abfv])")
_INTEGERS = re.compile(rb"(?:-?\d{1,3}[,;\s]{1,40}+){15,}+(?:-?\d{1,3}(?!\d))?")
_FLOAT = rb"-?(?:\d{1,20}+(?:\.\d{0,25}+)?|\.\d{1,25}+)(?:[eE][+-]?\d{1,3})?"
_FLOATS = re.compile(rb"(?:" + _FLOAT + rb"[\]\[,;\s]{1,40}+){3,}+(?:" + _FLOAT + rb")?")
_NUMBER = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_ZIP = re.compile(rb"PK\x03\x04.{4}\x08\x00.{16}(..)(..)", re.DOTALL)

_PRINTABLE_BYTES = np.zeros(256, np.bool_)
_PRINTABLE_BYTES[[*range(32, 127), 9, 10, 13]] = True
_BASE45_VALUES = np.full(256, 0, np.int64)
_BASE45_VALUES[list(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")] = np.arange(45)
_SIMPLE_ESCAPES = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"0": b"\0",
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
}


@dataclass(slots=True)
class Decoded:
    """All that some text decodes to in one encoding, in one piece, with the way back to the text's offsets."""

    encoding: str
    data: bytes
    starts: list[int]
    origins: list[int]

    def origin(self, offset: int) -> int:
        """Where the text begins that decodes to the byte at `offset`."""
        return self.origins[max(0, bisect_right(self.starts, offset) - 1)]


@dataclass(frozen=True, slots=True)
class _Zone:
    """A stretch of text that could be in some encoding."""

    origin: int
    text: bytes


def decodings(data: bytes) -> Iterator[Decoded]:
    """What `data` says in each encoding that it could hold; those that it cannot hold are left out."""
    text, starts, origins = _text_of(data)
    if not text:
        return
    for encoding, pattern, decode in _ENCODINGS:
        zones = [_Zone(match.start(), match.group()) for match in pattern.finditer(text) if _says_enough(match.group())]
        for decoded in decode(zones) if zones else ():
            there = np.searchsorted(starts, decoded.origins, side="right") - 1
            decoded.origins = (np.asarray(decoded.origins) - starts[there] + origins[there]).tolist()
            decoded.encoding = encoding
            yield decoded


def _text_of(data: bytes) -> tuple[bytes, NDArray[np.int64], NDArray[np.int64]]:
    """The stretches of printable text in `data`, joined by zero bytes; where each begins there, and in `data`."""
    printable = np.concatenate(([False], _PRINTABLE_BYTES[np.frombuffer(data, np.uint8)], [False]))
    edges = np.flatnonzero(printable[1:] != printable[:-1])
    begins, ends = edges[::2], edges[1::2]
    long = ends - begins >= _TEXT_CHARS_MIN
    begins, ends = begins[long], ends[long]
    text = b"\0".join(data[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True))
    starts = np.concatenate(([0], np.cumsum(ends - begins + 1)[:-1])).astype(np.int64)
    return text, starts, begins


def _says_enough(text: bytes) -> bool:
    return len(text) > _SHORT_CHARS or len(set(text)) >= _DIFFERENT_CHARS_MIN


def unpacked(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Offset and content of each gzip, zlib or zip stream that begins in `data`, as far as it can be read."""
    for match in _ZLIB.finditer(data):
        piece = _inflated(memoryview(data)[match.start() :], wbits=47)
        if piece:
            yield match.start(), piece
    for match in _ZIP.finditer(data):
        skip = int.from_bytes(match.group(1), "little") + int.from_bytes(match.group(2), "little")
        piece = _inflated(memoryview(data)[match.end() + skip :], wbits=-15)
        if piece:
            yield match.start(), piece


def _inflated(data: memoryview, *, wbits: int) -> bytes:
    inflater = zlib.decompressobj(wbits)
    content = bytearray()
    try:
        for start in range(0, len(data), 65536):
            content += inflater.decompress(data[start : start + 65536], UNPACKED_BYTES_MAX - len(content))
            if inflater.eof or len(content) >= UNPACKED_BYTES_MAX:
                break
    except zlib.error:
        pass  # not a stream, or cut short: what came before counts
    return bytes(content)


def _grouped(
    zones: list[_Zone], *, chars: int, octets: int, filler: bytes, decode: Callable[[bytes], bytes]
) -> Iterator[Decoded]:
    """Decodes groups of `chars` characters to `octets` bytes at each of the `chars` alignments."""
    joined = b"".join(zone.text + filler for zone in zones)
    starts = np.concatenate(([0], np.cumsum([len(zone.text) + len(filler) for zone in zones])[:-1]))
    for shift in range(chars):
        groups = (len(joined) - shift) // chars
        data = decode(joined[shift : shift + groups * chars])
        begins = np.maximum(0, starts - shift) * octets // chars
        yield Decoded("", data, begins.tolist(), [zone.origin for zone in zones])


def _each(zones: list[_Zone], decode: Callable[[bytes], bytes]) -> Iterator[Decoded]:
    """Decodes each zone by itself."""
    pieces = [decode(zone.text) for zone in zones]
    starts = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces])[:-1]))
    yield Decoded("", b"".join(pieces), starts.tolist(), [zone.origin for zone in zones])


def _hex(zones: list[_Zone]) -> Iterator[Decoded]:
    return _grouped(zones, chars=2, octets=1, filler=b"0", decode=lambda text: bytes.fromhex(text.decode()))


def _hex_apart(zones: list[_Zone]) -> Iterator[Decoded]:
    return _each(zones, lambda text: bytes.fromhex(re.sub(rb"[ :,\-\r\n]|0x", b"", text).decode()))


def _base64(zones: list[_Zone]) -> Iterator[Decoded]:
    plain = bytes.maketrans(b"-_", b"+/")
    return _grouped(
        zones, chars=4, octets=3, filler=b"AAAA", decode=lambda text: binascii.a2b_base64(text.translate(plain))
    )


def _base64_lines(zones: list[_Zone]) -> Iterator[Decoded]:
    return _base64([_Zone(zone.origin, re.sub(rb"\\r|\\n|\r|\n", b"", zone.text)) for zone in zones])


def _base45(zones: list[_Zone]) -> Iterator[Decoded]:
    yield from _grouped(zones, chars=3, octets=2, filler=b"0", decode=_base45_triples)
    yield from _each(zones, _base45_end)


def _base45_triples(text: bytes) -> bytes:
    pairs = _BASE45_VALUES[np.frombuffer(text, np.uint8)].reshape(-1, 3) @ np.array([1, 45, 2025])
    decoded: bytes = (pairs & 0xFFFF).astype(">u2").tobytes()
    return decoded  # a triple above 65535 decodes to nothing, and matches nothing


def _base45_end(text: bytes) -> bytes:
    """The end of a text whose last byte stands alone, in two characters (RFC 9285, section 4)."""
    end = text[-_BASE45_END_CHARS:]
    end = end[(len(end) - 2) % 3 :]
    return _base45_triples(end[:-2]) + _base45_triples(end[-2:] + b"0")[1:]


def _escapes(zones: list[_Zone]) -> Iterator[Decoded]:
    def plain(match: re.Match[bytes]) -> bytes:
        if match.group(1) is not None:
            return bytes.fromhex(match.group(1).decode())
        return _SIMPLE_ESCAPES.get(match.group(2), match.group(2))

    escaped = [zone for zone in zones if _ESCAPE.search(zone.text)]
    return _each(escaped, lambda text: _ESCAPE.sub(plain, text)) if escaped else iter(())


def _integers(zones: list[_Zone]) -> Iterator[Decoded]:
    return _each(zones, lambda text: bytes(int(number) & 0xFF for number in _NUMBER.findall(text)))


def _floats(zones: list[_Zone]) -> Iterator[Decoded]:
    found = [[float(number) for number in _NUMBER.findall(zone.text)] for zone in zones]
    numbers = np.array([number for in_zone in found for number in in_zone])
    starts = np.concatenate(([0], np.cumsum([len(in_zone) for in_zone in found])[:-1]))
    for kind in ("<f4", "<f8"):
        with np.errstate(over="ignore"):
            data = numbers.astype(kind).tobytes()
        yield Decoded("", data, (starts * np.dtype(kind).itemsize).tolist(), [zone.origin for zone in zones])


_ENCODINGS: tuple[tuple[str, re.Pattern[bytes], Callable[[list[_Zone]], Iterator[Decoded]]], ...] = (
    ("hex", _HEX, _hex),
    ("hex, apart", _HEX_APART, _hex_apart),
    ("base64", _BASE64, _base64),
    ("base64, in lines", _BASE64_LINES, _base64_lines),
    ("base45", _BASE45, _base45),
    ("escaped text", _PRINTABLE, _escapes),
    ("list of integers", _INTEGERS, _integers),
    ("list of decimals", _FLOATS, _floats),
)
