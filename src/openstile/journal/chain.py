"""The bytes that are hashed and signed (docs/journal-format.md).

Every message begins with its own tag, which names its kind and version and ends in a zero byte, so that no message can
be read as one of another kind. Then come fields of fixed length, integers big-endian; the one field of variable length
comes last in its record, after its length. Two different records therefore never have the same bytes.
"""

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from openstile.journal.taps import Direction, Head, Tap, microseconds_of
from openstile.terms import GateId

_GENESIS_TAG = b"openstile journal genesis v2\0"
_TAP_TAG = b"openstile journal tap v3\0"
_HEAD_TAG = b"openstile journal head v1\0"
_ANCHOR_TAG = b"openstile journal anchor v1\0"
_COUNTS_TAG = b"openstile journal counts v1\0"

TAP_STRUCT = struct.Struct(">Q16s16sqqIBB")
"""The part of a tap's record of fixed length; its product follows, after its length in bytes (2 bytes)."""
DIRECTION_OF_CODE = {1: Direction.IN, 2: Direction.OUT}

_SIZE = struct.Struct(">H")
_HEAD = struct.Struct(">Q32s")
_DIRECTION_CODE = {direction: code for code, direction in DIRECTION_OF_CODE.items()}


class DayCount(NamedTuple):
    """How many taps of one UTC date (YYYY-MM-DD), product and direction have faded: one row of the table."""

    day: str
    product: str
    direction: str
    taps: int


def genesis_hash(*, gate: GateId, public_key: bytes, epoch: bytes) -> bytes:
    """The hash that the first tap follows: binds the whole chain to one gate, its key (32 bytes, Ed25519) and one
    journal file, the epoch (16 random bytes).
    """
    return sha256(_GENESIS_TAG + public_key + epoch + _sized(gate.value)).digest()


def tap_record(*, seq: int, tap: Tap, salt: bytes, run: int, mono_us: int) -> bytes:
    """The bytes of a tap in its place, as they are hashed and sent. The gate is not repeated: `genesis_hash` holds it.

    The salt (16 random bytes) fades with the tap, so that the hash which outlives it in the anchor confirms nothing
    to someone who knows a pass id and guesses the time.
    """
    product = tap.product.encode()
    fixed = TAP_STRUCT.pack(seq, salt, tap.pass_id.value, microseconds_of(tap.at), mono_us, run,
                            _DIRECTION_CODE[tap.direction], tap.status_unsure)  # fmt: skip
    return fixed + _SIZE.pack(len(product)) + product


def tap_hash(*, previous_hash: bytes, record: bytes) -> bytes:
    """SHA-256 over a tap's record and the hash (32 bytes) of the tap in front of it."""
    return sha256(_TAP_TAG + previous_hash + record).digest()


def head_message(head: Head) -> bytes:
    """What the gate signs with each commit."""
    return _HEAD_TAG + _HEAD.pack(head.seq, head.hash)


def counts_digest(counts: Iterable[DayCount]) -> bytes:
    """SHA-256 over all counts of faded taps, sorted."""
    digest = sha256(_COUNTS_TAG)
    for count in sorted(counts):
        digest.update(_sized(count.day) + _sized(count.product) + _sized(count.direction))
        digest.update(struct.pack(">Q", count.taps))
    return digest.digest()


def anchor_message(head: Head, *, counts_hash: bytes) -> bytes:
    """What the gate signs when it lets all taps up to `head` fade into the counts of `counts_hash`."""
    return _ANCHOR_TAG + struct.pack(">Q32s32s", head.seq, head.hash, counts_hash)


def _sized(text: str) -> bytes:
    encoded = text.encode()
    return _SIZE.pack(len(encoded)) + encoded
