"""Taps on their way from a gate to the office: a batch of one chain's next taps and the signed head of the last.

docs/journal-format.md gives the bytes. Reading is strict: one batch has one encoding, and its chain is computed anew.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from openstile.journal.chain import DIRECTION_OF_CODE, TAP_STRUCT, head_message, tap_hash, tap_record
from openstile.journal.errors import JournalError
from openstile.journal.keys import SIGNATURE_BYTES, is_signed
from openstile.journal.taps import EPOCH_BYTES, HASH_BYTES, RUN_MAX, SEQ_MAX, Head, JournaledTap, Tap, instant_of
from openstile.terms import BadInputError, GateId, PassId
from openstile.terms.limits import BATCH_BYTES_MAX, BATCH_TAPS_MAX, PRODUCT_CHARS_MAX

_MAGIC = b"openstile tap batch v1\0"
_START = struct.Struct(f">{EPOCH_BYTES}sQ{HASH_BYTES}sIqqH")
_PRODUCT_LENGTH = struct.Struct(">H")
_PRODUCT_BYTES_MAX = 4 * PRODUCT_CHARS_MAX
"""UTF-8 takes at most four bytes for a character (RFC 3629)."""


class BatchError(JournalError):
    """A batch that no gate of ours makes: the message says what is wrong with it."""


class BatchTap(NamedTuple):
    """A tap in its place; fields as in `JournaledTap`. `hash` was computed, not read."""

    seq: int
    tap: Tap
    run: int
    mono_us: int
    salt: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Taps `first_seq` and following of one epoch. Its chain holds together; `verify_head` says who signed it.

    `previous_hash` is that of the tap in front of the first, which the reader must know already. `sent_at_us` is the
    gate's wall clock when it sent, in microseconds from 1970-01-01T00:00:00Z, and `sent_mono_us` its monotonic clock in
    microseconds since run `run`, its present one, began: both are the gate's word, covered by the request's signature.
    """

    epoch: bytes
    first_seq: int
    previous_hash: bytes
    run: int
    sent_at_us: int
    sent_mono_us: int
    taps: tuple[BatchTap, ...]
    head_hash: bytes
    head_signature: bytes

    @property
    def last_seq(self) -> int:
        """The number of the last tap."""
        return self.first_seq + len(self.taps) - 1


def encode_batch(
    *,
    epoch: bytes,
    run: int,
    sent_at_us: int,
    sent_mono_us: int,
    taps: Sequence[JournaledTap],
    head_signature: bytes,
) -> bytes:
    """The bytes of a batch of 1 to BATCH_TAPS_MAX taps that follow one another, with the last one's signed head.

    Raises BatchError for taps that make no batch.
    """
    if not 1 <= len(taps) <= BATCH_TAPS_MAX:
        raise BatchError(f"batch: has {len(taps)} taps; make it of 1 to {BATCH_TAPS_MAX}")
    if any(after.seq != before.seq + 1 or after.previous_hash != before.hash for before, after in pairwise(taps)):
        raise BatchError("batch: its taps do not follow one another; take them from one journal in their order")
    first = taps[0]
    start = _START.pack(epoch, first.seq, first.previous_hash, run, sent_at_us, sent_mono_us, len(taps))
    records = (tap_record(seq=one.seq, tap=one.tap, salt=one.salt, run=one.run, mono_us=one.mono_us) for one in taps)
    return b"".join((_MAGIC, start, *records, head_signature))


def read_batch(data: bytes, *, gate: GateId) -> Batch:
    """The batch in `data`, sent by `gate`. Computes each hash from `previous_hash` on; whether that is what the reader
    holds, and whether the gate signed the end (`verify_head`), is left to the caller.

    Raises BatchError for anything but the one encoding of a batch that a gate can make.
    """
    if len(data) > BATCH_BYTES_MAX:
        raise BatchError(f"batch: has {len(data)} bytes, at most {BATCH_BYTES_MAX} are read")
    try:
        return _read(data, gate)
    except BadInputError as error:  # of a tap
        raise BatchError(f"batch: {error}") from None
    except (struct.error, UnicodeDecodeError, OverflowError, KeyError):
        raise BatchError("batch: it is cut off, or holds a value that no gate writes") from None


def verify_head(*, batch: Batch, public_key: bytes) -> Head:
    """The end of the batch, signed by the owner of `public_key` (32 bytes, Ed25519). Raises BatchError if it is not.

    The chain in front of it is signed with it, since each hash covers the one before.
    """
    head = Head(batch.last_seq, batch.head_hash)
    if not is_signed(public_key=public_key, signature=batch.head_signature, message=head_message(head)):
        raise BatchError("batch: the gate did not sign its last tap")
    return head


def _read(data: bytes, gate: GateId) -> Batch:
    if not data.startswith(_MAGIC):
        raise BatchError("batch: it does not begin as one of version 1 does")
    epoch, first_seq, previous_hash, run, sent_at_us, sent_mono_us, count = _START.unpack_from(data, len(_MAGIC))
    if not 1 <= count <= BATCH_TAPS_MAX:
        raise BatchError(f"batch: has {count} taps, must have 1 to {BATCH_TAPS_MAX}")
    if not (1 <= first_seq <= SEQ_MAX - count and 1 <= run <= RUN_MAX and sent_mono_us >= 0):
        raise BatchError("batch: its number, run or monotonic time is out of range")
    instant_of(sent_at_us)  # a time that a calendar has
    taps: list[BatchTap] = []
    offset, last_hash = len(_MAGIC) + _START.size, previous_hash
    products: dict[bytes, str] = {}
    for seq in range(first_seq, first_seq + count):
        tap, end = _read_tap(data, offset, gate=gate, seq=seq, previous_hash=last_hash, products=products)
        taps.append(tap)
        offset, last_hash = end, tap.hash
    _check_clocks(taps, run=run, sent_mono_us=sent_mono_us)
    signature = data[offset:]
    if len(signature) != SIGNATURE_BYTES:
        raise BatchError(f"batch: ends with {len(signature)} bytes behind its taps, must be {SIGNATURE_BYTES}")
    return Batch(epoch, first_seq, previous_hash, run, sent_at_us, sent_mono_us, tuple(taps), last_hash, signature)


def _read_tap(
    data: bytes, offset: int, *, gate: GateId, seq: int, previous_hash: bytes, products: dict[bytes, str]
) -> tuple[BatchTap, int]:
    own_seq, salt, pass_id, at_us, mono_us, run, code, unsure = TAP_STRUCT.unpack_from(data, offset)
    if own_seq != seq:
        raise BatchError(f"batch: tap {own_seq} stands where tap {seq} must be")
    if unsure > 1 or mono_us < 0 or not 1 <= run <= RUN_MAX:
        raise BatchError(f"batch: tap {seq} has a value that no gate writes")
    (length,) = _PRODUCT_LENGTH.unpack_from(data, offset + TAP_STRUCT.size)
    begin = offset + TAP_STRUCT.size + _PRODUCT_LENGTH.size
    end = begin + length
    if length > _PRODUCT_BYTES_MAX or end > len(data):
        raise BatchError(f"batch: tap {seq} is cut off, or its product is too long")
    raw = data[begin:end]
    product = products.get(raw)
    if product is None:
        product = products[raw] = raw.decode()
    tap = Tap(PassId(pass_id), instant_of(at_us), gate, product, DIRECTION_OF_CODE[code], unsure == 1)
    own_hash = tap_hash(previous_hash=previous_hash, record=data[offset:end])
    return BatchTap(seq, tap, run, mono_us, salt, own_hash), end


def _check_clocks(taps: Sequence[BatchTap], *, run: int, sent_mono_us: int) -> None:
    """Runs only go up, none lies behind the present one, and no tap of the present one is younger than its sending."""
    last_run = 1
    for tap in taps:
        if not last_run <= tap.run <= run or (tap.run == run and tap.mono_us > sent_mono_us):
            raise BatchError(f"batch: tap {tap.seq} is of a run or time that is still to come")
        last_run = tap.run
