"""Issuing a pass, in three steps that different parties can take.

The desk commits to the reference, the issuer signs the commitment and never sees a face, the desk seals. issue_pass
takes all three where one party is both.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from openstile.passes.claims import Assurance, Claims, Entitlement, StatusReference
from openstile.passes.claims_codec import encode_claims
from openstile.passes.envelope import SealedContent, commit, write_seal, write_token
from openstile.passes.holder import HolderPublicKey
from openstile.passes.keys import GateGroupPublicKey, IssuerKey
from openstile.passes.live import WalletPass
from openstile.passes.reference import Reference, ReferenceClaim
from openstile.passes.text import to_text
from openstile.terms import BadInputError, PassId
from openstile.terms.limits import PASS_ID_BYTES, SALT_BYTES


@dataclass(frozen=True, slots=True)
class IssuedPass:
    """A new pass as text for its QR code, what may be noted of it, and what goes to the rider's phone alone."""

    text: str = field(repr=False)
    pass_id: PassId
    not_before: datetime
    expires: datetime
    wallet: WalletPass = field(repr=False)


def issue_pass(
    *,
    issuer_key: IssuerKey,
    gate_group_key: GateGroupPublicKey,
    entitlement: Entitlement,
    assurance: Assurance,
    reference: Reference,
    now: datetime,
    valid_for: timedelta,
    status: StatusReference | None = None,
    holder: HolderPublicKey | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> IssuedPass:
    """Commits, signs and seals: a pass from `now` (in whole seconds) for `valid_for`, for that gate group's gates.

    Raises BadInputError when a value cannot go into a pass or a key ends before the pass would.
    """
    salt = random(SALT_BYTES)
    not_before = now.astimezone(UTC).replace(microsecond=0)
    claims = Claims(
        issuer=issuer_key.public.name,
        audience=gate_group_key.audience,
        not_before=not_before,
        expires=not_before + timedelta(seconds=int(valid_for.total_seconds())),
        pass_id=PassId(random(PASS_ID_BYTES)),
        entitlement=entitlement,
        assurance=assurance,
        reference=ReferenceClaim(reference.kind, reference.pack_id, commit(salt=salt, data=reference.data)),
        status=status,
        holder=holder,
    )
    token = sign_token(issuer_key=issuer_key, claims=claims)
    check_lasts(claims.expires, gate_group_key.not_after, what=f"gate group {gate_group_key.audience}")
    sealed = seal(gate_group_key=gate_group_key, token=token, salt=salt, data=reference.data, random=random)
    wallet = WalletPass(token, salt, reference.data, gate_group_key)
    return IssuedPass(to_text(sealed), claims.pass_id, claims.not_before, claims.expires, wallet)


def sign_token(*, issuer_key: IssuerKey, claims: Claims) -> bytes:
    """The issuer's step: a signed token over claims that hold a commitment to the reference, not the reference.

    Raises BadInputError when the claims name another issuer or last longer than its key.
    """
    if claims.issuer != issuer_key.public.name:
        raise BadInputError(f"claims: name issuer {claims.issuer}, the key is of {issuer_key.public.name}")
    check_lasts(claims.expires, issuer_key.public.not_after, what=f"issuer {claims.issuer}")
    return write_token(key=issuer_key, payload=encode_claims(claims))


def seal(
    *, gate_group_key: GateGroupPublicKey, token: bytes, salt: bytes, data: bytes, random: Callable[[int], bytes]
) -> bytes:
    """The desk's step: the signed token, with the salt and the data of the reference, sealed to a gate group."""
    return write_seal(key=gate_group_key, content=SealedContent(token, salt, data), random=random)


def check_lasts(expires: datetime, not_after: datetime, *, what: str) -> None:
    """Refuses, with BadInputError, a pass that would outlive a key that it needs."""
    if expires > not_after:
        raise BadInputError(
            f"validity: the pass would end {expires}, the key of {what} ends {not_after}; "
            "use fewer days or rotate the key"
        )
