"""The steps by which a pass is opened, each refusing with its reason. open_pass takes all of them; inspect_pass as many
as the given keys allow."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from openstile.passes.cbor import CborError
from openstile.passes.claims import Audience, Claims
from openstile.passes.claims_codec import ClaimsError, VersionUnknownError, decode_claims
from openstile.passes.cose import CoseError
from openstile.passes.envelope import (
    SealedContent,
    SealedPass,
    SignedToken,
    commit,
    open_seal,
    read_content,
    read_seal,
    read_token,
)
from openstile.passes.faults import PassFault, PassRefusedError
from openstile.passes.hpke import HpkeError
from openstile.passes.keyring import GateKeyring
from openstile.passes.keys import GateGroupKey, IssuerPublicKey
from openstile.passes.live import LiveProof, read_proof
from openstile.passes.reference import Reference
from openstile.passes.signing import SignatureWrongError
from openstile.passes.text import from_text
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import LIVE_AGE_S_MAX, LIVE_AHEAD_S_MAX


def read_presented(presented: str | bytes) -> SealedPass:
    """Text, Base45 and the outer layer's form."""
    data = from_text(presented)
    with _refuse(PassFault.PASS_UNREADABLE, CborError, CoseError):
        return read_seal(data)


def find_gate_group_key(sealed: SealedPass, keyring: GateKeyring, now: datetime | None) -> GateGroupKey:
    """The key of the ring that the seal names, unless it was retired by `now` (None: not asked)."""
    if now is not None and keyring.is_retired(sealed.kid, now):
        raise PassRefusedError(PassFault.PASS_OUTDATED, f"sealed to key {sealed.kid.hex()}, which is retired")
    key = keyring.gate_group_key(sealed.kid)
    if key is None:
        raise PassRefusedError(PassFault.PASS_FOR_OTHER_GATES, f"sealed to key {sealed.kid.hex()}, not held here")
    return key


def unseal(sealed: SealedPass, key: GateGroupKey) -> SealedContent:
    """Opens the seal and parses what is under it."""
    with _refuse(PassFault.PASS_DAMAGED, HpkeError):
        plaintext = open_seal(sealed=sealed, key=key)
    with _refuse(PassFault.PASS_UNREADABLE, CborError, CoseError):
        return read_content(plaintext)


def read_signed(content: SealedContent) -> SignedToken:
    """The inner layer's form."""
    with _refuse(PassFault.PASS_UNREADABLE, CborError, CoseError):
        return read_token(content.token)


def find_issuer(token: SignedToken, keyring: GateKeyring) -> IssuerPublicKey:
    """The trusted, unrevoked issuer key that the token names, which also decides the algorithm."""
    issuer = keyring.issuer(token.kid)
    if issuer is None:
        raise PassRefusedError(PassFault.ISSUER_UNKNOWN, f"signed with key {token.kid.hex()}, not known here")
    if issuer.revoked:
        raise PassRefusedError(PassFault.ISSUER_REVOKED, f"signed with key {token.kid.hex()}, which is revoked")
    if token.algorithm != issuer.key.algorithm.number:
        raise PassRefusedError(PassFault.PASS_FORGED, "its algorithm is not that of the key it names")
    return issuer.key


def verify_signature(token: SignedToken, issuer: IssuerPublicKey) -> bytes:
    """The signed payload, after its signature was verified."""
    with _refuse(PassFault.PASS_FORGED, SignatureWrongError):
        issuer.verify(message=token.message.to_be_signed(), signature=token.message.signature)
    return token.message.payload


def read_claims(payload: bytes) -> Claims:
    """The claims of a payload."""
    try:
        return decode_claims(payload)
    except VersionUnknownError as error:
        raise PassRefusedError(PassFault.PASS_VERSION_UNKNOWN, str(error)) from None
    except (CborError, ClaimsError) as error:
        raise PassRefusedError(PassFault.PASS_UNREADABLE, str(error)) from None


def check_keys_cover(claims: Claims, issuer: IssuerPublicKey, key: GateGroupKey) -> None:
    """The claims name the issuer whose key signed them, and expire no later than the keys."""
    if claims.issuer != issuer.name:
        raise PassRefusedError(PassFault.PASS_FORGED, "signed by a key of another issuer than it names")
    if claims.expires > min(issuer.not_after, key.public.not_after):
        raise PassRefusedError(PassFault.PASS_FORGED, "lasts longer than the keys it was made with")


def match_reference(claims: Claims, content: SealedContent) -> Reference:
    """The reference, after the sealed data was found to be what the issuer committed to."""
    if not hmac.compare_digest(commit(salt=content.salt, data=content.data), claims.reference.commitment):
        raise PassRefusedError(PassFault.PASS_FORGED, "holds another reference than the one that was signed")
    with _refuse(PassFault.PASS_UNREADABLE, BadInputError):
        return Reference(claims.reference.kind, claims.reference.pack_id, content.data)


def verify_proof(content: SealedContent, claims: Claims) -> LiveProof | None:
    """The live proof, signed over this token by the holder that the claims name; None for the printed form."""
    if content.proof is None:
        return None
    with _refuse(PassFault.PASS_UNREADABLE, CborError, CoseError):
        proof = read_proof(content.proof)
    if claims.holder is None:
        raise PassRefusedError(PassFault.PASS_FORGED, "is shown live, but names no holder's key")
    with _refuse(PassFault.PASS_FORGED, SignatureWrongError):
        claims.holder.verify(message=proof.to_be_signed(content.token), signature=proof.message.signature)
    return proof


def check_audience(claims: Claims, audience: Audience) -> None:
    """The pass is for these gates."""
    if claims.audience != audience:
        raise PassRefusedError(PassFault.PASS_FOR_OTHER_GATES, f"for {claims.audience}, these gates are {audience}")


def check_times(claims: Claims, now: datetime, clock_skew_s: int) -> None:
    """`now` lies in the time of the pass and of its product: from <= now < until, each widened by the skew."""
    skew = timedelta(seconds=clock_skew_s)
    if now < claims.usable_from - skew:
        raise PassRefusedError(PassFault.PASS_NOT_YET_VALID, f"valid from {claims.usable_from}")
    if now >= claims.usable_until + skew:
        raise PassRefusedError(PassFault.PASS_EXPIRED, f"valid until {claims.usable_until}")


def check_live_time(proof: LiveProof | None, now: datetime) -> None:
    """A live code is at most LIVE_AGE_S_MAX old, and made at most LIVE_AHEAD_S_MAX from now by the phone's clock."""
    if proof is None:
        return
    age = now - proof.made_at
    if not -timedelta(seconds=LIVE_AHEAD_S_MAX) <= age <= timedelta(seconds=LIVE_AGE_S_MAX):
        raise PassRefusedError(PassFault.LIVE_CODE_EXPIRED, f"made {proof.made_at}, {age.total_seconds():.0f} s ago")


@contextmanager
def _refuse(fault: PassFault, *errors: type[OpenstileError]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        raise PassRefusedError(fault, str(error)) from None
