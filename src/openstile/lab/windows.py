"""Finding any 16-byte run of given bytes inside other bytes, at any offset of both, in one pass of array operations.

Every run of 16 bytes holds a block of 8 that begins at a multiple of 8 of its source. So the index keeps the source's
aligned blocks as 64-bit numbers; the searched bytes are read as such numbers at each of their offsets, filtered by a
table of hash bits, looked up, and every hit is compared byte by byte. Blocks that say too little (under three different
values: flat picture areas, zero pages) are replaced by the blocks around them, at all offsets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RUN_BYTES = 16
VALUES_MIN = 6
"""A run with fewer different byte values is no evidence: flat areas look alike everywhere."""
STEPS_MIN = 4
"""A run with fewer different steps from byte to byte is no evidence either: ramps and tables look alike."""

_BLOCK = 8
_BLOCK_VALUES_MIN = 3
_SAME_BLOCK_MAX = 64
_HASH = np.uint64(0x9E3779B97F4A7C15)
_SECOND_HASH = np.uint64(0xD6E8FEB86659FD93)

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Form:
    """One sequence of bytes to look for, and what to call it."""

    what: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """A run of at least RUN_BYTES bytes of `what`, around `offset` of the searched bytes."""

    offset: int
    what: str


class WindowIndex:
    """Finds runs of any of the given forms. Memory: about five times their size."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._names = [form.what for form in forms]
        pad = bytes(RUN_BYTES)
        self._blob = np.frombuffer(b"".join(pad + form.data for form in forms) + pad, np.uint8)
        lengths = np.array([len(form.data) for form in forms], np.int64)
        self._starts = np.cumsum(lengths + RUN_BYTES) - lengths
        self._ends = self._starts + lengths
        found = [
            int(start) + _key_positions(self._blob[start:end])
            for start, end in zip(self._starts, self._ends, strict=True)
        ]
        positions = np.concatenate(found) if found else np.empty(0, np.int64)
        keys = _blocks_at(self._blob, positions)
        order = np.argsort(keys, kind="stable")
        self._keys, self._positions = keys[order], positions[order]
        self._bits = min(26, max(16, len(keys).bit_length() + 4))
        self._table = np.zeros(1 << self._bits, np.bool_)
        self._table[self._hashed(self._keys, _HASH)] = True
        self._second = np.zeros(1 << self._bits, np.bool_)
        self._second[self._hashed(self._keys, _SECOND_HASH)] = True

    @property
    def usable(self) -> bool:
        """Whether there is anything to find."""
        return len(self._keys) > 0

    def find(self, data: bytes) -> Iterator[Hit]:
        """At least one hit for each form of which a run is in `data`, and not many more."""
        if len(data) < RUN_BYTES or not len(self._keys):
            return
        padded = np.frombuffer(bytes(RUN_BYTES) + data + bytes(RUN_BYTES), np.uint8)
        reported: set[str] = set()
        for shift in range(_BLOCK):
            blocks = np.frombuffer(data, "<u8", count=(len(data) - shift) // _BLOCK, offset=shift)
            likely = np.flatnonzero(self._table[self._hashed(blocks, _HASH)])
            likely = likely[self._second[self._hashed(blocks[likely], _SECOND_HASH)]]
            for hit in self._compared(padded, blocks[likely], likely * _BLOCK + shift, reported):
                reported.add(hit.what)
                yield hit

    def _hashed(self, keys: NDArray[np.uint64], factor: np.uint64) -> NDArray[np.int64]:
        return ((keys * factor) >> np.uint64(64 - self._bits)).astype(np.int64)

    def _compared(
        self, padded: Bytes, keys: NDArray[np.uint64], offsets: NDArray[np.int64], reported: set[str]
    ) -> Iterator[Hit]:
        """Of the blocks `keys` at `offsets`, those that are part of a run that says enough."""
        at = np.searchsorted(self._keys, keys)
        for _ in range(_SAME_BLOCK_MAX):  # a block may stand at several places of the forms
            inside = at < len(self._keys)
            keys, offsets, at = keys[inside], offsets[inside], at[inside]
            same = self._keys[at] == keys
            keys, offsets, at = keys[same], offsets[same], at[same]
            if not len(at):
                return
            yield from self._runs(padded, offsets, self._positions[at], reported)
            at = at + 1

    def _runs(
        self, padded: Bytes, offsets: NDArray[np.int64], positions: NDArray[np.int64], reported: set[str]
    ) -> Iterator[Hit]:
        """Compares up to 8 bytes in front of each block and 8 behind it, within its form."""
        around = np.arange(-_BLOCK, 2 * _BLOCK)
        form = np.searchsorted(self._starts, positions, side="right") - 1
        places = positions[:, None] + around
        own = (places >= self._starts[form][:, None]) & (places < self._ends[form][:, None])
        spots = offsets[:, None] + around
        theirs = padded[spots + RUN_BYTES]
        searched = (spots >= 0) & (spots < len(padded) - 2 * RUN_BYTES)  # and not what pads it
        equal = own & searched & (theirs == self._blob[np.clip(places, 0, len(self._blob) - 1)])
        left = np.cumprod(equal[:, :_BLOCK][:, ::-1], axis=1).sum(axis=1)
        right = np.cumprod(equal[:, 2 * _BLOCK :], axis=1).sum(axis=1)
        for row in np.flatnonzero(left + right >= RUN_BYTES - _BLOCK):
            if self._names[form[row]] in reported:
                continue
            run = theirs[row, _BLOCK - left[row] : 2 * _BLOCK + right[row]]
            if says_enough(run):
                yield Hit(offset=int(offsets[row] - left[row]), what=self._names[form[row]])


def says_enough(run: Bytes) -> bool:
    """Whether some 16 bytes of `run` have VALUES_MIN different values and STEPS_MIN different steps between them."""
    return any(
        len(set(window.tolist())) >= VALUES_MIN and len(set(np.diff(window).tolist())) >= STEPS_MIN
        for window in sliding_window_view(run, RUN_BYTES)
    )


def _key_positions(data: Bytes) -> NDArray[np.int64]:
    """Offsets of blocks of `data` such that every run that says enough holds one of them."""
    if len(data) < RUN_BYTES:
        return np.empty(0, np.int64)
    every = sliding_window_view(data, _BLOCK)
    aligned = np.arange(0, len(every), _BLOCK)
    telling = _values(every[aligned]) >= _BLOCK_VALUES_MIN
    beside = aligned[~telling][:, None] + np.arange(1 - _BLOCK, _BLOCK + 1)
    chosen = np.zeros(len(every), np.bool_)
    chosen[beside[(beside >= 0) & (beside < len(every))]] = True
    near = np.flatnonzero(chosen)
    chosen[near] = _values(every[near]) >= _BLOCK_VALUES_MIN
    chosen[aligned[telling]] = True
    return np.flatnonzero(chosen)


def _values(rows: Bytes) -> NDArray[np.int64]:
    """How many different values each row has."""
    ordered = np.sort(rows, axis=1)
    values: NDArray[np.int64] = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    return values


def _blocks_at(data: Bytes, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
    gathered = np.ascontiguousarray(sliding_window_view(data, _BLOCK)[positions])
    return gathered.view("<u8").reshape(-1)
