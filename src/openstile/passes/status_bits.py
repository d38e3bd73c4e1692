"""The bits of a status list: one for each pass, packed and compressed (draft-ietf-oauth-status-list, section 4.1).

The bit of index i is bit i % 8 of byte i // 8, counted from the least significant. Compressed is the ZLIB format
(RFC 1950) around DEFLATE (RFC 1951), at the highest level.
"""

import zlib
from collections.abc import Iterable

import numpy as np

from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import STATUS_BITS_BYTES_MAX, STATUS_ENTRIES_MAX


class StatusListError(OpenstileError):
    """A status list that is not one, not for here, or asked about a pass that is not in it."""

    exit_code = 7


def pack_bits(*, entries: int, indices: Iterable[int]) -> bytes:
    """The bits of a list of `entries` passes (1 to STATUS_ENTRIES_MAX), set at `indices`, in any order.

    The last byte is filled up with zeros. Raises BadInputError for an index that is not 0 to `entries` - 1.
    """
    if not 1 <= entries <= STATUS_ENTRIES_MAX:
        raise BadInputError(f"status list: {entries} entries, use 1 to {STATUS_ENTRIES_MAX}")
    try:
        places = np.fromiter(indices, np.int64)
    except OverflowError:
        raise BadInputError(f"status list: an index is not 0 to {entries - 1}") from None
    wrong = places[(places < 0) | (places >= entries)]
    if wrong.size:
        raise BadInputError(f"status list: index {wrong[0]} is not 0 to {entries - 1}")
    packed = np.zeros(-(-entries // 8), np.uint8)
    np.bitwise_or.at(packed, places >> 3, np.left_shift(1, places & 7).astype(np.uint8))
    return packed.tobytes()


def deflate_bits(bits: bytes) -> bytes:
    """Compressed as small as zlib can."""
    return zlib.compress(bits, level=9)


def inflate_bits(compressed: bytes) -> bytes:
    """The bits of one complete ZLIB stream and nothing after it: at most STATUS_BITS_BYTES_MAX bytes.

    Inflating stops one byte past the limit, whatever the stream would go on to say, so a bomb costs no more than the
    largest list. A stream that needs a preset dictionary is refused: there is none. Raises StatusListError.
    """
    stream = zlib.decompressobj()
    try:
        bits = stream.decompress(compressed, STATUS_BITS_BYTES_MAX + 1)
    except zlib.error:
        raise StatusListError("status list: its bits are not a ZLIB stream") from None
    if len(bits) > STATUS_BITS_BYTES_MAX:
        raise StatusListError(f"status list: inflates to more than {STATUS_BITS_BYTES_MAX} bytes")
    if not stream.eof:
        raise StatusListError("status list: its ZLIB stream ends too early")
    if stream.unused_data:
        raise StatusListError("status list: has bytes after its ZLIB stream")
    return bits
