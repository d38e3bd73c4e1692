"""What a desk checks of a token that an issuer elsewhere signed for it, before it seals a reference with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from openstile.passes import steps
from openstile.passes.cbor import CborError
from openstile.passes.claims import Assurance, Audience, Claims, Entitlement
from openstile.passes.cose import CoseError
from openstile.passes.envelope import read_token
from openstile.passes.faults import PassRefusedError
from openstile.passes.holder import HolderPublicKey
from openstile.passes.keyring import GateKeyring, TrustedIssuer
from openstile.passes.reference import ReferenceClaim
from openstile.terms import OpenstileError

CLOCKS_APART_S_MAX = 300
"""How far the clocks of desk and issuer may differ."""


class TokenRefusedError(OpenstileError):
    """The token is not what was asked for, or not of an issuer that is trusted here. `str()` says which."""


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """What a token must say, and no more than that."""

    issuer: str
    audience: Audience
    entitlement: Entitlement
    assurance: Assurance
    reference: ReferenceClaim
    valid_for: timedelta
    holder: HolderPublicKey | None = None


def check_received(*, token: bytes, order: TokenOrder, issuers: Iterable[TrustedIssuer], now: datetime) -> Claims:
    """The claims of a token that a trusted, unrevoked issuer signed and that says what was ordered, from now on.

    Its pass id and its place in a status list are the issuer's to choose. Whether the gate group's key lasts as long
    is still to be checked (issue.check_lasts). Raises TokenRefusedError.
    """
    try:
        # 1. Form: strict CBOR, exactly the headers of the profile, a signature of exact length.
        signed = read_token(token)
        # 2. The key id names a key that was imported here, not a revoked one; the key decides the algorithm.
        issuer = steps.find_issuer(signed, GateKeyring((), tuple(issuers)))
        # 3. The signature. Nothing of the payload was looked at before this line.
        claims = steps.read_claims(steps.verify_signature(signed, issuer))
    except (CborError, CoseError):
        raise TokenRefusedError("token: cannot be read") from None
    except PassRefusedError as refused:
        raise TokenRefusedError(f"token: {refused.detail}") from None
    # 4. It is by the issuer whose key signed, and ends no later than that key.
    if claims.issuer != issuer.name or claims.expires > issuer.not_after:
        raise TokenRefusedError("token: names another issuer than the one that signed, or outlives its key")
    # 5. It says what was asked for: above all the commitment, and nothing that was not asked for.
    said = (claims.issuer, claims.audience, claims.entitlement, claims.assurance, claims.reference, claims.holder)
    asked = (order.issuer, order.audience, order.entitlement, order.assurance, order.reference, order.holder)
    for name, one, other in zip(
        ("issuer", "gates", "product", "assurance", "reference", "holder"), said, asked, strict=True
    ):
        if one != other:
            raise TokenRefusedError(f"token: says another {name} than was asked for")
    # 6. It is valid for as long as was asked for, from now on.
    if claims.expires - claims.not_before != order.valid_for:
        raise TokenRefusedError("token: is valid for another time than was asked for")
    if abs(claims.not_before - now) > timedelta(seconds=CLOCKS_APART_S_MAX):
        raise TokenRefusedError("token: begins at another time than now; look at the clocks of desk and office")
    return claims
