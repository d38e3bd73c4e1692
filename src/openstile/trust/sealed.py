"""A gate-group private key on its way to one gate: sealed to that gate's transport key, inside a trust bundle.

HPKE base mode (RFC 9180), the suite of the pass. The additional data binds the gate group, the bundle's sequence and
the key, so that a sealed key cannot be moved to another bundle. A stolen gate is left out of the next bundle.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from openstile.passes.cbor import encode_strings
from openstile.passes.claims import Audience
from openstile.passes.hpke import POINT_BYTES, TAG_BYTES, HpkeError, Sealed, open_sealed, seal
from openstile.passes.key_transport import PRIVATE_BYTES, gate_group_key_of_private, private_bytes_of
from openstile.passes.keys import GateGroupKey, GateGroupPublicKey, GateTransportKey, GateTransportPublicKey
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import KEY_ID_BYTES

SEAL_INFO = b"openstile group key v1"


class SealedKeyError(OpenstileError):
    """A sealed gate-group key does not open, or is not the key that the bundle lists."""

    exit_code = 7


@dataclass(frozen=True, slots=True)
class SealedGroupKey:
    """A gate-group private key that only the gate with the transport key `gate_kid` can open. Nothing in it shows."""

    gate_kid: bytes
    group_kid: bytes
    enc: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.gate_kid) != KEY_ID_BYTES or len(self.group_kid) != KEY_ID_BYTES:
            raise BadInputError(f"sealed key: its key ids do not have {KEY_ID_BYTES} bytes")
        if len(self.enc) != POINT_BYTES or len(self.ciphertext) != PRIVATE_BYTES + TAG_BYTES:
            raise BadInputError("sealed key: does not have the length of a sealed private key")


def seal_group_key(
    *, gate: GateTransportPublicKey, group_key: GateGroupKey, sequence: int, random: Callable[[int], bytes]
) -> SealedGroupKey:
    """`group_key`'s private half for `gate`, to go into the bundle of `sequence`.

    Raises BadInputError for a key whose private half is in hardware: it never leaves.
    """
    public = group_key.public
    sealed = seal(
        recipient=gate.point,
        plaintext=private_bytes_of(group_key),
        info=SEAL_INFO,
        aad=_bound(public.audience, sequence, public.kid),
        random=random,
    )
    return SealedGroupKey(gate.kid, public.kid, sealed.enc, sealed.ciphertext)


def open_group_key(
    *, sealed: SealedGroupKey, gate_key: GateTransportKey, listed: GateGroupPublicKey, sequence: int
) -> GateGroupKey:
    """The gate-group key with its private half, found to belong to the public key that the bundle lists.

    Raises SealedKeyError: sealed to another gate, for another bundle, changed, or another key than the listed one.
    """
    if sealed.gate_kid != gate_key.public.kid or sealed.group_kid != listed.kid:
        raise SealedKeyError(f"sealed key {listed.kid.hex()}: is for another gate or another key")
    try:
        private = open_sealed(
            recipient=gate_key.agreement,
            sealed=Sealed(sealed.enc, sealed.ciphertext),
            info=SEAL_INFO,
            aad=_bound(listed.audience, sequence, listed.kid),
        )
        opened = gate_group_key_of_private(private, audience=listed.audience, not_after=listed.not_after)
    except (HpkeError, BadInputError):
        raise SealedKeyError(
            f"sealed key {listed.kid.hex()}: does not open with this gate's key; ask for a new bundle"
        ) from None
    if opened.public != listed:
        raise SealedKeyError(f"sealed key {listed.kid.hex()}: is not the key that the bundle lists; ask for a new one")
    return opened


def _bound(audience: Audience, sequence: int, kid: bytes) -> bytes:
    return encode_strings(str(audience), str(sequence), kid)
