"""CBOR written by hand, right and wrong: each vector says what is wrong with it, and no library sets it right again."""

from dataclasses import dataclass
from typing import TypeAlias, Union


@dataclass(frozen=True)
class Raw:
    """Bytes that stand for themselves."""

    data: bytes


@dataclass(frozen=True)
class Pairs:
    """A map whose entries stay in this order, whatever it is."""

    entries: tuple[tuple["Value", "Value"], ...]


Value: TypeAlias = Union[  # noqa: UP007 (recursive)
    int, bytes, str, Raw, Pairs, list["Value"], dict["int | str", "Value"]
]


def write(value: Value) -> bytes:
    """The core deterministic encoding (RFC 8949, section 4.2.1) of all but what is raw."""
    match value:
        case Raw(data):
            return data
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(write, value))
        case Pairs(entries):
            return head(5, len(entries)) + b"".join(write(key) + write(item) for key, item in entries)
        case dict():
            entries_written = sorted((write(key), write(item)) for key, item in value.items())
            return head(5, len(value)) + b"".join(key + item for key, item in entries_written)


def head(major: int, argument: int) -> bytes:
    """The shortest head of an item (RFC 8949, section 3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    size = next(size for size in (1, 2, 4, 8) if argument < 1 << 8 * size)
    return long_head(major, argument, size)


def long_head(major: int, argument: int, size: int) -> bytes:
    """A head with `size` (1, 2, 4 or 8) bytes of argument, needed or not."""
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + argument.to_bytes(size, "big")


def nested(depth: int) -> Raw:
    """`depth` arrays in each other, the innermost with a number in it."""
    return Raw(b"\x81" * depth + b"\x00")
