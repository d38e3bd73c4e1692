"""The text form of a pass: `OS1:` and Base45 (RFC 9285), made for the alphanumeric mode of a QR code."""

import re

import base45

from openstile.passes.faults import PassFault, PassRefusedError
from openstile.terms.limits import PASS_BYTES_MAX, PASS_TEXT_CHARS_MAX

PASS_PREFIX = "OS1:"  # noqa: S105 (a scheme, no password)
PREFIX_BYTES = PASS_PREFIX.encode("ascii")

_ANY_VERSION = re.compile(r"OS[0-9]{1,4}:")
_BASE45 = re.compile(r"[0-9A-Z $%*+\-./:]+")


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
    try:
        sealed: bytes = base45.b45decode(body.encode("ascii"))  # so many characters hold PASS_BYTES_MAX at most
    except ValueError:
        raise _unreadable("is not Base45") from None
    return sealed


def _unreadable(detail: str) -> PassRefusedError:
    return PassRefusedError(PassFault.PASS_UNREADABLE, f"the text {detail}")
