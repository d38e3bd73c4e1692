"""Deterministic CBOR, and nothing else: the strict profile of a pass (docs/pass-format.md, "Strict CBOR").

One value has exactly one encoding (RFC 8949, section 4.2.1: shortest integers, definite lengths, map keys in bytewise
order of their encoding), so a signature or a comparison never depends on who encoded. Only integers of 64 bits, byte
strings, text strings, arrays and maps exist here: no floats, no bignums, no true, false, null or undefined, and a tag
only where the caller names it, around the whole value.
"""

from typing import TypeAlias, Union

import cbor2

from openstile.terms import OpenstileError
from openstile.terms.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, PASS_BYTES_MAX

CborKey: TypeAlias = int | str
Cbor: TypeAlias = Union[int, bytes, str, list["Cbor"], dict[CborKey, "Cbor"]]  # noqa: UP007 (recursive alias)

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_KEY_TYPES = frozenset({_UNSIGNED, _NEGATIVE, _TEXT})
_STRINGS = frozenset({_BYTES, _TEXT})
_SHORTEST = (24, 2**8, 2**16, 2**32)
"""The smallest argument that may be written with 1, 2, 4 or 8 further bytes."""


class CborError(OpenstileError):
    """Bytes that are not the one deterministic encoding of a value of the profile."""


def encode(value: Cbor, *, tag: int | None = None) -> bytes:
    """The core deterministic encoding (RFC 8949, section 4.2.1), inside `tag` when one is given.

    cbor2's own canonical form orders keys by length first (RFC 7049), so keys are put in bytewise order here.
    """
    ordered = _ordered(value, depth=0)
    data = cbor2.dumps(ordered)
    if tag is None:
        return data
    # Written by hand: inside tag 256 cbor2 would begin to write repeated strings as references (stringref).
    head = cbor2.dumps(tag)
    return bytes([_TAG << 5 | head[0]]) + head[1:] + data


def encode_strings(*strings: str | bytes) -> bytes:
    """The deterministic encoding of an array of strings: short for `encode`, as there are no maps to put in order."""
    return cbor2.dumps(strings)


def decode(
    data: bytes, *, what: str, tag: int | None = None, bytes_max: int = PASS_BYTES_MAX, items_max: int = CBOR_ITEMS_MAX
) -> Cbor:
    """The value of `data`, which must be its deterministic encoding and nothing more, inside exactly `tag` if given.

    At most `bytes_max` bytes, CBOR_DEPTH_MAX nested arrays and maps, `items_max` data items in all.
    A scan without recursion enforces the whole profile before the parser sees a byte; the value is then encoded again
    and compared, so that two independent codes agree. `what` names the input in the message.
    Raises CborError.
    """
    try:
        content_at = _scan(data, tag, bytes_max=bytes_max, items_max=items_max)
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


def _scan(data: bytes, tag: int | None, *, bytes_max: int, items_max: int) -> int:
    """One walk over encoded CBOR that checks structure, order and limits; returns where the value begins, after `tag`.

    Written as one loop over plain variables: it runs six times for each pass, on the rider's time.
    """
    if len(data) > bytes_max:
        raise CborError(f"has {len(data)} bytes, at most {bytes_max} are allowed")
    content_at = _after_tag(data, tag)
    at, items = content_at, 0
    around: list[tuple[int, bool, bytes]] = []
    # Of the container being scanned: items to come (keys and values), whether it is a map, and its last key.
    left, is_map, last_key = 1, False, b""
    while left or around:
        if left == 0:
            left, is_map, last_key = around.pop()
            continue
        items += 1
        if items > items_max:
            raise CborError(f"has more than {items_max} items")
        begin = at
        major, argument, at = _head(data, at)
        if major in _STRINGS:
            at = _after_string(data, at, argument, major)
        if is_map and left % 2 == 0:
            last_key = _checked_key(major, data[begin:at], last_key)
        left -= 1
        if major >= _ARRAY:
            around.append((left, is_map, last_key))
            left, is_map, last_key = _inside(major, argument, depth=len(around))
    if at != len(data):
        raise CborError(f"has {len(data) - at} bytes after its end")
    return content_at


def _after_tag(data: bytes, tag: int | None) -> int:
    if tag is None:
        return 0
    major, argument, at = _head(data, 0)
    if (major, argument) != (_TAG, tag):
        raise CborError(f"does not begin with tag {tag}")
    return at


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type and argument of the item at `at` (RFC 8949, section 3), in its shortest form, and where they end."""
    if at >= len(data):
        raise CborError("ends in the middle of an item")
    major, info = data[at] >> 5, data[at] & 0x1F
    if major == _SIMPLE:
        raise CborError("has a float or a simple value")
    if info < 24:
        return major, info, at + 1
    if info > 27:
        raise CborError("has an indefinite or reserved length")
    end = at + 1 + (1 << (info - 24))
    if end > len(data):
        raise CborError("ends in the middle of an item")
    argument = int.from_bytes(data[at + 1 : end], "big")
    if argument < _SHORTEST[info - 24]:
        raise CborError("has a number that is not in its shortest form")
    return major, argument, end


def _after_string(data: bytes, at: int, length: int, major: int) -> int:
    """Where a string of `length` bytes ends that begins at `at`. Text must be UTF-8."""
    if length > len(data) - at:
        raise CborError("ends in the middle of an item")
    if major == _TEXT:
        _check_utf8(data[at : at + length])
    return at + length


def _checked_key(major: int, key: bytes, last_key: bytes) -> bytes:
    """`key`, an integer or text whose encoding is greater than that of the key in front of it."""
    if major not in _KEY_TYPES:
        raise CborError("has a map key that is neither an integer nor text")
    if key <= last_key:
        raise CborError("has map keys that are repeated or out of order")
    return key


def _inside(major: int, argument: int, *, depth: int) -> tuple[int, bool, bytes]:
    """What is to come inside the array or map that a head announced, itself the `depth`-th around its items."""
    if major == _TAG:
        raise CborError(f"has tag {argument} where none is allowed")
    if depth > CBOR_DEPTH_MAX:
        raise CborError(f"is nested deeper than {CBOR_DEPTH_MAX}")
    return (2 * argument, True, b"") if major == _MAP else (argument, False, b"")


def _check_utf8(content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise CborError("has text that is not UTF-8") from None
