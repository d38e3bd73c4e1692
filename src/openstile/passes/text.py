"""The text form of a pass: `OS1:` and Base45 (RFC 9285), made for the alphanumeric mode of a QR code."""

import re

import base45
import numpy as np

from openstile.passes.faults import PassFault, PassRefusedError
from openstile.terms.limits import PASS_BYTES_MAX, PASS_TEXT_CHARS_MAX

PASS_PREFIX = "OS1:"  # noqa: S105 (a scheme, no password)
PREFIX_BYTES = PASS_PREFIX.encode("ascii")

_ANY_VERSION = re.compile(r"OS[0-9]{1,4}:")
_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_BASE45 = re.compile(r"[0-9A-Z $%*+\-./:]+")
_PLACES = np.array([1, 45, 45 * 45], np.uint32)
_DIGIT_VALUES = bytes.maketrans(_ALPHABET, bytes(range(len(_ALPHABET))))


def to_text(sealed: bytes) -> str:
    """The text form of a sealed pass."""
    if not 0 < len(sealed) <= PASS_BYTES_MAX:
        raise ValueError(f"a sealed pass of {len(sealed)} bytes, must be 1 to {PASS_BYTES_MAX}")
    body: str = base45.b45encode(sealed).decode("ascii")
    return PASS_PREFIX + body


def from_text(presented: str | bytes) -> bytes:
    """The sealed bytes of a presented text. One newline at its end, as a text file has it, is allowed; nothing else is.

    Raises PassRefusedError: PASS_VERSION_UNKNOWN for `OS` with another number, else PASS_UNREADABLE.
    """
    if len(presented) > PASS_TEXT_CHARS_MAX + 1:
        raise _unreadable(f"has {len(presented)} characters, at most {PASS_TEXT_CHARS_MAX} are allowed")
    text = presented if isinstance(presented, str) else presented.decode("latin-1")
    text = text.removesuffix("\n")
    if not text.startswith(PASS_PREFIX):
        if _ANY_VERSION.match(text):
            raise PassRefusedError(PassFault.PASS_VERSION_UNKNOWN, f"begins with {text[:7]!r}, known is {PASS_PREFIX}")
        raise _unreadable(f"does not begin with {PASS_PREFIX}")
    body = text[len(PASS_PREFIX) :]
    if not _BASE45.fullmatch(body):
        raise _unreadable("has a character that is not in the Base45 alphabet, or nothing after its prefix")
    sealed = _decode_base45(body)
    if sealed is None:
        raise _unreadable("is not Base45")
    return sealed


def _decode_base45(body: str) -> bytes | None:
    """The bytes of Base45 characters (RFC 9285, section 4.2); None for those that no bytes have.

    Decoded here because the decoder of the package `base45` took a sixth of the time to open a pass.
    """
    digits = np.frombuffer(body.encode("ascii").translate(_DIGIT_VALUES), np.uint8)
    whole = len(digits) // 3 * 3
    pairs = digits[:whole].reshape(-1, 3) @ _PLACES
    rest = digits[whole:].tolist()
    last = rest[0] + 45 * rest[1] if len(rest) == 2 else 0
    if len(rest) == 1 or last > 0xFF or pairs.max(initial=0) > 0xFFFF:
        return None
    return pairs.astype(">u2").tobytes() + bytes([last] * (len(rest) == 2))


def _unreadable(detail: str) -> PassRefusedError:
    return PassRefusedError(PassFault.PASS_UNREADABLE, f"the text {detail}")
