"""The key of a pass's holder: on the rider's phone, named in the pass (`cnf`, RFC 8747), signing live codes (ES256).

P-256 because the key stores of phones and every browser hold it. It proves that the code comes from that phone, never
who holds the phone: for that there is the reference.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from openstile.passes.hpke import HpkeError, p256_public, point_of
from openstile.passes.signing import Algorithm, Signer, SoftwareSigner, verify_signature
from openstile.terms import BadInputError


@dataclass(frozen=True, slots=True)
class HolderPublicKey:
    """What a pass says of its holder's key: an uncompressed P-256 point, 65 bytes. Raises BadInputError."""

    point: bytes

    def __post_init__(self) -> None:
        try:
            p256_public(self.point)
        except HpkeError as error:
            raise BadInputError(f"holder key: {error}") from None

    def verify(self, *, message: bytes, signature: bytes) -> None:
        """Returns when `signature` is this key's over `message`, else raises SignatureWrongError."""
        verify_signature(
            algorithm=Algorithm.ES256, public=self.point, message=message, signature=signature, whose="the holder"
        )


@dataclass(frozen=True, slots=True)
class HolderKey:
    """A holder's key with its private half behind a Signer, never shown by repr."""

    public: HolderPublicKey
    signer: Signer = field(repr=False)


def holder_key_of(private: ec.EllipticCurvePrivateKey) -> HolderKey:
    """The holder key of a P-256 private key in memory."""
    return HolderKey(HolderPublicKey(point_of(private.public_key())), SoftwareSigner(private))


def generate_holder_key() -> HolderKey:
    """A new holder key from the operating system's randomness."""
    return holder_key_of(ec.generate_private_key(ec.SECP256R1()))
