"""Deterministic CBOR, and nothing else: the strict profile of a pass (docs/pass-format.md, "Strict CBOR").

One value has exactly one encoding (RFC 8949, section 4.2.1: shortest integers, definite lengths, map keys in bytewise
order of their encoding), so a signature or a comparison never depends on who encoded. Only integers of 64 bits, byte
strings, text strings, arrays and maps exist here: no floats, no bignums, no true, false, null or undefined, and a tag
only where the caller names it, around the whole value.
"""

from dataclasses import dataclass
from typing import TypeAlias, Union

import cbor2

from openstile.terms import OpenstileError
from openstile.terms.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, PASS_BYTES_MAX

CborKey: TypeAlias = int | str
Cbor: TypeAlias = Union[int, bytes, str, list["Cbor"], dict[CborKey, "Cbor"]]  # noqa: UP007 (recursive alias)

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_KEY_TYPES = frozenset({_UNSIGNED, _NEGATIVE, _TEXT})
_SHORTEST = (24, 2**8, 2**16, 2**32)
"""The smallest argument that may be written with 1, 2, 4 or 8 further bytes."""


class CborError(OpenstileError):
    """Bytes that are not the one deterministic encoding of a value of the profile."""


def encode(value: Cbor, *, tag: int | None = None) -> bytes:
    """The core deterministic encoding (RFC 8949, section 4.2.1), inside `tag` when one is given.

    cbor2's own canonical form orders keys by length first (RFC 7049), so keys are put in bytewise order here.
    """
    ordered = _ordered(value, depth=0)
    return cbor2.dumps(ordered if tag is None else cbor2.CBORTag(tag, ordered))


def decode(data: bytes, *, what: str, tag: int | None = None) -> Cbor:
    """The value of `data`, which must be its deterministic encoding and nothing more, inside exactly `tag` if given.

    At most PASS_BYTES_MAX bytes, CBOR_DEPTH_MAX nested arrays and maps, CBOR_ITEMS_MAX data items in all.
    A scan without recursion enforces the whole profile before the parser sees a byte; the value is then encoded again
    and compared, so that two independent codes agree. `what` names the input in the message.
    Raises CborError.
    """
    try:
        content_at = _Scan(data, tag).run()
        content = data[content_at:]
        value: Cbor = cbor2.loads(content)
        # cbor2 writes maps in the order it read them, which the scan found to be the deterministic one.
        if cbor2.dumps(value) != content:  # pragma: no cover (the scan rules it out)
            raise CborError("encoded again it is not the same")
    except CborError as error:
        raise CborError(f"{what}: {error}") from None
    except cbor2.CBORError as error:  # pragma: no cover (the scan rules it out; no error of a library may leak)
        raise CborError(f"{what}: is not CBOR") from error
    return value


def _ordered(value: Cbor, *, depth: int) -> Cbor:
    if isinstance(value, bool) or not isinstance(value, int | bytes | str | list | dict):
        raise CborError(f"a value of type {type(value).__name__} has no place in a pass")
    if isinstance(value, int) and not -(2**64) <= value < 2**64:
        raise CborError("an integer needs more than 64 bits")
    if depth > CBOR_DEPTH_MAX or (depth == CBOR_DEPTH_MAX and isinstance(value, list | dict)):
        raise CborError(f"is nested deeper than {CBOR_DEPTH_MAX}")
    if isinstance(value, list):
        return [_ordered(item, depth=depth + 1) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, int | str) for key in value):
            raise CborError("a map key is neither an integer nor text")
        keys = sorted(value, key=lambda key: cbor2.dumps(_ordered(key, depth=depth + 1)))
        return {key: _ordered(value[key], depth=depth + 1) for key in keys}
    return value


@dataclass(slots=True)
class _Open:
    """An array or map whose items are being scanned: how many are to come (keys and values), and the last key."""

    is_map: bool
    left: int
    last_key: bytes = b""


class _Scan:
    """One walk over encoded CBOR that checks structure, order and limits, holding a little per open container."""

    def __init__(self, data: bytes, tag: int | None) -> None:
        self._data = data
        self._tag = tag
        self._at = 0
        self._open: list[_Open] = []

    def run(self) -> int:
        """Checks everything; returns where the value begins, after its tag if it has one."""
        if len(self._data) > PASS_BYTES_MAX:
            raise CborError(f"has {len(self._data)} bytes, at most {PASS_BYTES_MAX} are allowed")
        if self._tag is not None and self._head() != (_TAG, self._tag):
            raise CborError(f"does not begin with tag {self._tag}")
        content_at = self._at
        self._item()
        items = 1
        while self._open:
            if self._open[-1].left == 0:
                self._open.pop()
                continue
            items += 1
            if items > CBOR_ITEMS_MAX:
                raise CborError(f"has more than {CBOR_ITEMS_MAX} items")
            self._member(self._open[-1])
        if self._at != len(self._data):
            raise CborError(f"has {len(self._data) - self._at} bytes after its end")
        return content_at

    def _member(self, container: _Open) -> None:
        """One item of a container. A map's keys are integers or text, each encoded greater than the one before it."""
        is_key = container.is_map and container.left % 2 == 0
        container.left -= 1
        begin = self._at
        major = self._item()
        if not is_key:
            return
        if major not in _KEY_TYPES:
            raise CborError("has a map key that is neither an integer nor text")
        key = self._data[begin : self._at]
        if key <= container.last_key:
            raise CborError("has map keys that are repeated or out of order")
        container.last_key = key

    def _item(self) -> int:
        """One item, of a container only its head; returns the major type."""
        major, argument = self._head()
        if major in (_BYTES, _TEXT):
            content = self._take(argument)
            if major == _TEXT:
                _check_utf8(content)
        elif major in (_ARRAY, _MAP):
            if len(self._open) == CBOR_DEPTH_MAX:
                raise CborError(f"is nested deeper than {CBOR_DEPTH_MAX}")
            self._open.append(_Open(major == _MAP, 2 * argument if major == _MAP else argument))
        elif major == _TAG:
            raise CborError(f"has tag {argument} where none is allowed")
        return major

    def _head(self) -> tuple[int, int]:
        """Major type and argument of the item that begins here (RFC 8949, section 3), in its shortest form."""
        if self._at >= len(self._data):
            raise CborError("ends in the middle of an item")
        initial = self._data[self._at]
        self._at += 1
        major, info = initial >> 5, initial & 0x1F
        if major == _SIMPLE:
            raise CborError("has a float or a simple value")
        if info < 24:
            return major, info
        if info > 27:
            raise CborError("has an indefinite or reserved length")
        argument = int.from_bytes(self._take(1 << (info - 24)), "big")
        if argument < _SHORTEST[info - 24]:
            raise CborError("has a number that is not in its shortest form")
        return major, argument

    def _take(self, length: int) -> bytes:
        if length > len(self._data) - self._at:
            raise CborError("ends in the middle of an item")
        self._at += length
        return self._data[self._at - length : self._at]


def _check_utf8(content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise CborError("has text that is not UTF-8") from None
