"""Explaining a pass to a person, as far as the keys at hand allow. Decides nothing: a gate uses open_pass."""

from dataclasses import dataclass, replace
from datetime import datetime

from openstile.passes import steps
from openstile.passes.claims import Claims
from openstile.passes.envelope import SignedToken
from openstile.passes.faults import PassFault, PassRefusedError
from openstile.passes.keyring import GateKeyring
from openstile.passes.text import PASS_PREFIX, from_text


@dataclass(frozen=True, slots=True)
class Inspection:
    """What can be said about a presented pass. Never holds the data of the reference.

    `fault` and `detail` are those of the first thing found wrong; None when nothing was, as far as was looked.
    `claims` are from inside a verified signature; `unverified_claims` are not, and prove nothing.
    """

    characters: int
    version: str | None = None
    sealed_bytes: int | None = None
    gate_group_kid: str | None = None
    """The key it is sealed to, in hexadecimal."""
    opened: bool = False
    """Whether the seal opened with a key of the ring."""
    issuer_kid: str | None = None
    """The key that its token names, in hexadecimal."""
    reference_bytes: int | None = None
    live_made_at: datetime | None = None
    """When a live code says it was made, by its holder's verified signature; None for the printed form."""
    claims: Claims | None = None
    unverified_claims: Claims | None = None
    fault: PassFault | None = None
    detail: str = ""


def inspect_pass(presented: str | bytes, keyring: GateKeyring | None = None, now: datetime | None = None) -> Inspection:
    """Explains a pass. Without a key ring: size, version and key id of its seal; with one, all that the ring opens.

    With `now` (an aware instant) the times are checked too; the audience never is. Raises for no presented bytes.
    """
    found = Inspection(characters=len(presented))
    try:
        sealed = steps.read_presented(presented)
        found = replace(found, version=PASS_PREFIX.rstrip(":"), sealed_bytes=len(from_text(presented)))
        found = replace(found, gate_group_kid=sealed.kid.hex())
        if keyring is None:
            return found
        key = steps.find_gate_group_key(sealed, keyring, now)
        content = steps.unseal(sealed, key)
        found = replace(found, opened=True, reference_bytes=len(content.data))
        token = steps.read_signed(content)
        found = replace(found, issuer_kid=token.kid.hex(), unverified_claims=_unverified(token))
        issuer = steps.find_issuer(token, keyring)
        claims = steps.read_claims(steps.verify_signature(token, issuer))
        found = replace(found, claims=claims, unverified_claims=None)
        steps.check_keys_cover(claims, issuer, key)
        steps.match_reference(claims, content)
        proof = steps.verify_proof(content, claims)
        found = replace(found, live_made_at=proof.made_at if proof else None)
        if now is not None:
            steps.check_times(claims, now, 0)
            steps.check_live_time(proof, now)
    except PassRefusedError as refusal:
        return replace(found, fault=refusal.fault, detail=refusal.detail)
    return found


def _unverified(token: SignedToken) -> Claims | None:
    try:
        return steps.read_claims(token.message.payload)
    except PassRefusedError:
        return None
