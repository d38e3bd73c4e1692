"""The live form of a pass: sealed anew every few seconds with the holder's signature over the time.

A copy of it is refused LIVE_AGE_S_MAX seconds after it was made, for a screenshot holds no key. The printed form of the
same pass has no such proof; a gate's policy says which products need one (docs/pass-format.md, "The live form").
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from openstile.passes.cbor import CborError, decode, encode
from openstile.passes.claims_codec import ClaimsError, decode_claims
from openstile.passes.cose import ALG_ES256, HEADER_ALG, CoseError, Sign1, decode_sign1, encode_sign1
from openstile.passes.envelope import ProfileError, SealedContent, read_token, write_seal
from openstile.passes.holder import HolderKey, HolderPublicKey
from openstile.passes.keys import GateGroupPublicKey
from openstile.passes.signing import SIGNATURE_BYTES
from openstile.passes.text import to_text
from openstile.terms import BadInputError, utc_from_epoch
from openstile.terms.limits import EPOCH_SECONDS_MAX

LIVE_EVERY_S = 10
"""How often a phone makes a new code: well inside the time for which one is accepted."""
ISSUED_AT = 6
"""Claim `iat` (RFC 8392, section 3.1.6): the one claim of a proof."""


@dataclass(frozen=True, slots=True)
class WalletPass:
    """What the holder's phone keeps of a pass: its content in the clear and the gate group to seal it to.

    It holds the rider's own reference; it belongs on the rider's own phone and nowhere else. Never shown by repr.
    """

    token: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    data: bytes = field(repr=False)
    gate_group: GateGroupPublicKey


@dataclass(frozen=True, slots=True)
class LiveProof:
    """A parsed proof: when it says it was made, and the message to verify. Nothing is verified yet."""

    made_at: datetime
    message: Sign1

    def to_be_signed(self, token: bytes) -> bytes:
        """What the holder signed, if it was for this token."""
        return self.message.to_be_signed(external_aad=hashlib.sha256(token).digest())


def show_live(*, wallet: WalletPass, holder: HolderKey, now: datetime, random: Callable[[int], bytes]) -> str:
    """The text of a live code made at `now` (an aware instant; whole seconds count), for the next seconds only."""
    proof = write_proof(holder=holder, token=wallet.token, now=now)
    content = SealedContent(wallet.token, wallet.salt, wallet.data, proof)
    return to_text(write_seal(key=wallet.gate_group, content=content, random=random))


def is_named(*, wallet: WalletPass, holder: HolderPublicKey) -> bool:
    """Whether the pass names this holder's key. Verifies nothing: it spares a rider a code that no gate would take."""
    try:
        claims = decode_claims(read_token(wallet.token).message.payload)
    except (CborError, CoseError, ClaimsError):
        return False
    return claims.holder == holder


def write_proof(*, holder: HolderKey, token: bytes, now: datetime) -> bytes:
    """The holder's signed statement that this token is shown at `now`."""
    if now.tzinfo is None:
        raise BadInputError("now: has no time zone; pass an aware instant")
    return encode_sign1(
        protected={HEADER_ALG: ALG_ES256},
        unprotected={},
        payload=encode({ISSUED_AT: int(now.astimezone(UTC).timestamp())}),
        sign=holder.signer.sign,
        external_aad=hashlib.sha256(token).digest(),
    )


def read_proof(proof: bytes) -> LiveProof:
    """Parses a proof. Raises CborError or CoseError for any form but the one that `write_proof` writes."""
    message = decode_sign1(proof, what="live proof")
    if message.protected != {HEADER_ALG: ALG_ES256} or message.unprotected:
        raise ProfileError("live proof: its headers are not {alg: ES256}, protected")
    if len(message.signature) != SIGNATURE_BYTES:
        raise ProfileError(f"live proof: its signature does not have {SIGNATURE_BYTES} bytes")
    match decode(message.payload, what="live proof"):
        case {6: int() as issued_at, **rest} if not rest and 0 <= issued_at <= EPOCH_SECONDS_MAX:
            return LiveProof(utc_from_epoch(issued_at), message)
        case _:
            raise ProfileError("live proof: its claims are not {iat}")
