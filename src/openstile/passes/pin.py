"""A PIN instead of a face: an Argon2id verifier (RFC 9106) as the reference of a pass.

A PIN of 4 digits has 10,000 values, so what keeps it is the seal, the gate's limit on attempts and the cost of this,
in that order: who holds a gate-group key and the pass can try them all.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from openstile.passes.reference import PIN_REFERENCE_BYTES, Reference, ReferenceKind
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import PIN_DIGITS_MAX, PIN_DIGITS_MIN

_SALT_BYTES = 16
_TAG_BYTES = PIN_REFERENCE_BYTES - _SALT_BYTES
_ITERATIONS = 2
_LANES = 1
_MEMORY_KIB = 19 * 1024
"""Fixed by the reference kind PIN of version 1: another cost is another kind. 19 MiB and 2 passes."""


class PinWrongError(OpenstileError):
    """The PIN is not the one in the pass."""


@dataclass(frozen=True, slots=True)
class VerifiedPin:
    """Proof that a PIN was verified against this reference; holds nothing of the PIN."""

    reference: Reference


def make_pin_reference(pin: str, *, random: Callable[[int], bytes] = secrets.token_bytes) -> Reference:
    """The reference of a PIN of PIN_DIGITS_MIN to PIN_DIGITS_MAX digits: salt || Argon2id tag, 32 bytes."""
    if not _well_formed(pin):
        raise BadInputError(f"PIN: use {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    salt = random(_SALT_BYTES)
    return Reference(ReferenceKind.PIN, None, salt + _tag(pin, salt))


def verify_pin(*, pin: str, reference: Reference) -> VerifiedPin:
    """Compares a typed PIN with the reference of a pass, in constant time. Raises PinWrongError when it is another."""
    if reference.kind is not ReferenceKind.PIN:
        raise BadInputError("PIN: this pass has a face, not a PIN")
    if not _well_formed(pin):
        raise PinWrongError(f"PIN: is not {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    salt, tag = reference.data[:_SALT_BYTES], reference.data[_SALT_BYTES:]
    if not hmac.compare_digest(_tag(pin, salt), tag):
        raise PinWrongError("PIN: is not the one in the pass")
    return VerifiedPin(reference)


def _well_formed(pin: str) -> bool:
    return PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX and pin.isascii() and pin.isdigit()


def _tag(pin: str, salt: bytes) -> bytes:
    kdf = Argon2id(salt=salt, length=_TAG_BYTES, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive(pin.encode("ascii"))
