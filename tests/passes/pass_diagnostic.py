"""CBOR in diagnostic notation (RFC 8949, section 8), laid out as in docs/pass-format.md."""

import json
from dataclasses import dataclass
from typing import TypeAlias, Union

from openstile.passes.cbor import Cbor, CborKey, decode

_LINE_CHARS = 110
_HEX_CHARS = 80

Shown: TypeAlias = Union[Cbor, "Inside", "Tagged", list["Shown"], dict[CborKey, "Shown"]]


@dataclass(frozen=True)
class Inside:
    """A byte string that holds one CBOR item: << item >> (RFC 8610, appendix G.3)."""

    value: Shown


@dataclass(frozen=True)
class Tagged:
    """A tagged item: number(item)."""

    tag: int
    value: Shown


def show_sign1(data: bytes) -> Tagged:
    """A tagged COSE_Sign1 with what is inside its byte strings."""
    message = decode(data, what="message", tag=18, bytes_max=2**20)
    assert isinstance(message, list)
    protected, unprotected, payload, signature = message
    assert isinstance(protected, bytes)
    assert isinstance(payload, bytes)
    parts: list[Shown] = [Inside(decode(protected, what="header")), unprotected]
    return Tagged(18, [*parts, Inside(decode(payload, what="payload")), signature])


def show_encrypt0(data: bytes) -> Tagged:
    """A tagged COSE_Encrypt0 with its protected header."""
    message = decode(data, what="message", tag=16)
    assert isinstance(message, list)
    protected, unprotected, ciphertext = message
    assert isinstance(protected, bytes)
    parts: list[Shown] = [Inside(decode(protected, what="header")), unprotected, ciphertext]
    return Tagged(16, parts)


def diagnostic(value: Shown, *, indent: int = 0) -> str:
    """The notation of a value, over several lines where it is long. White space inside h'' means nothing."""
    line = _on_one_line(value)
    if len(line) + indent <= _LINE_CHARS:
        return line
    inner, outer = " " * (indent + 2), " " * indent
    match value:
        case bytes():
            digits = value.hex()
            lines = (digits[at : at + _HEX_CHARS] for at in range(0, len(digits), _HEX_CHARS))
            return f"h'{f'{chr(10)}{inner}'.join(lines)}'"
        case Tagged(tag, content):
            return f"{tag}({diagnostic(content, indent=indent)})"
        case Inside(content):
            return f"<<\n{inner}{diagnostic(content, indent=indent + 2)}\n{outer}>>"
        case list():
            items = [diagnostic(item, indent=indent + 2) for item in value]
            return f"[\n{inner}{f',{chr(10)}{inner}'.join(items)}\n{outer}]"
        case dict():
            entries = [f"{_on_one_line(key)}: {diagnostic(item, indent=indent + 2)}" for key, item in value.items()]
            return f"{{\n{inner}{f',{chr(10)}{inner}'.join(entries)}\n{outer}}}"
        case _:
            return line


def _on_one_line(value: Shown) -> str:
    match value:
        case bytes():
            return f"h'{value.hex()}'"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Tagged(tag, content):
            return f"{tag}({_on_one_line(content)})"
        case Inside(content):
            return f"<< {_on_one_line(content)} >>"
        case list():
            return f"[{', '.join(map(_on_one_line, value))}]"
        case dict():
            return "{" + ", ".join(f"{_on_one_line(key)}: {_on_one_line(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)
