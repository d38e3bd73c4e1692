"""Opaque bearer tokens: 32 random bytes in base64url, of which the office keeps the SHA-256 alone."""

import base64
import binascii
import hashlib
from collections.abc import Callable

TOKEN_BYTES = 32
TOKEN_CHARS = 43

RandomBytes = Callable[[int], bytes]
"""So many random bytes of a cryptographic source, as secrets.token_bytes gives them."""


def new_token(random: RandomBytes) -> str:
    """A new token, 43 characters."""
    return base64.urlsafe_b64encode(random(TOKEN_BYTES)).rstrip(b"=").decode("ascii")


def new_id(random: RandomBytes) -> str:
    """A new id: 32 hexadecimal digits that say nothing."""
    return random(16).hex()


def token_hash(token: str) -> bytes | None:
    """What is stored of `token`; None where it cannot be a token of ours."""
    if len(token) != TOKEN_CHARS or not token.isascii():
        return None
    try:
        value = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return hashlib.sha256(value).digest()
