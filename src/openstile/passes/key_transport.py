"""A gate-group private key as 32 bytes, for the one place where it travels: sealed to a gate, in a trust bundle."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from openstile.passes.claims import Audience
from openstile.passes.hpke import SoftwareKeyAgreement
from openstile.passes.keys import GateGroupKey, gate_group_key_of
from openstile.terms import BadInputError

PRIVATE_BYTES = 32
"""A P-256 scalar, big-endian (SEC 1, section 2.3.7)."""


def private_bytes_of(key: GateGroupKey) -> bytes:
    """The private half of a key in memory. Raises BadInputError for one in hardware, which never leaves."""
    if not isinstance(key.agreement, SoftwareKeyAgreement):
        raise BadInputError(
            f"gate-group key {key.public.kid.hex()}: its private half is in hardware and cannot be given to gates"
        )
    return key.agreement.private.private_numbers().private_value.to_bytes(PRIVATE_BYTES, "big")


def gate_group_key_of_private(private: bytes, *, audience: Audience, not_after: datetime) -> GateGroupKey:
    """The gate-group key of a private half. Raises BadInputError, without a word of its content."""
    try:
        if len(private) != PRIVATE_BYTES:
            raise ValueError
        loaded = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
    except ValueError:
        raise BadInputError("gate-group key: is not a P-256 private key") from None
    return gate_group_key_of(loaded, audience=audience, not_after=not_after)
