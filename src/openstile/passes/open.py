"""Opening a presented pass: from the text of a QR code to verified claims and a reference, or a refusal."""

from dataclasses import dataclass
from datetime import datetime

from openstile.passes import steps
from openstile.passes.claims import Audience, Claims
from openstile.passes.keyring import GateKeyring
from openstile.passes.reference import Reference
from openstile.terms import BadInputError, PassId
from openstile.terms.limits import CLOCK_SKEW_S_MAX


@dataclass(frozen=True, slots=True)
class OpenedPass:
    """A pass that was opened and verified. Holds the reference in the clear: keep it in memory, and not for long.

    `live`: whether it was shown live, from the phone that holds its key, within the last seconds.
    """

    pass_id: PassId
    claims: Claims
    reference: Reference
    live: bool


def open_pass(
    *, presented: str | bytes, keyring: GateKeyring, audience: Audience, now: datetime, clock_skew_s: int
) -> OpenedPass:
    """Opens and verifies a presented pass.

    `presented` is the text of the pass (bytes: the same characters), `now` an aware instant, `clock_skew_s` how far
    this gate's clock may be wrong (0 to CLOCK_SKEW_S_MAX). Raises PassRefusedError, and nothing else for any bytes;
    HardwareError where the gate-group key is in a token that does not answer.
    The steps and their numbers are those of docs/pass-format.md, "Opening a pass".
    """
    _check_clock(now, clock_skew_s)
    # 1. Text and outer layer: prefix and Base45, size, strict CBOR, exactly the headers of the profile, HPKE-0.
    sealed = steps.read_presented(presented)
    # 2. The key id names the key; another group's gates hold another key. Not one that was retired.
    gate_group_key = steps.find_gate_group_key(sealed, keyring, now)
    # 3. Open the seal: nothing in the pass was changed since it was sealed. Then strict CBOR of its content.
    content = steps.unseal(sealed, gate_group_key)
    # 4. Inner layer: strict CBOR, exactly the headers of the profile, a signature of exact length.
    token = steps.read_signed(content)
    # 5. The key id names the issuer's key, and the key, never the token, decides the algorithm. Not a revoked one.
    issuer = steps.find_issuer(token, keyring)
    # 6. Verify the signature. Nothing of the payload was looked at before this line.
    payload = steps.verify_signature(token, issuer)
    # 7. Claims: version, exactly the known ones, each checked; `exp` and `nbf` are mandatory.
    claims = steps.read_claims(payload)
    # 8. The issuer named is the one whose key signed, and neither key ends before the pass does.
    steps.check_keys_cover(claims, issuer, gate_group_key)
    # 9. The sealed reference is the one that the issuer committed to.
    reference = steps.match_reference(claims, content)
    # 10. Of the live form: its proof was signed, over this token, by the holder's key that the claims name.
    proof = steps.verify_proof(content, claims)
    # 11. The pass is for these gates.
    steps.check_audience(claims, audience)
    # 12. It is the time of the pass and of its product.
    steps.check_times(claims, now, clock_skew_s)
    # 13. Of the live form: it was made within the last seconds. No skew is added: a copy must not live longer.
    steps.check_live_time(proof, now)
    # Left to the caller: is the pass withdrawn (claims.status), must its product be shown live (live), may product,
    # rider category and zones pass here, was it used just now (anti-passback) and, above all, is the person at the
    # gate its owner (reference).
    return OpenedPass(claims.pass_id, claims, reference, live=proof is not None)


def _check_clock(now: datetime, clock_skew_s: int) -> None:
    if now.tzinfo is None:
        raise BadInputError("now: has no time zone; pass an aware instant")
    if not 0 <= clock_skew_s <= CLOCK_SKEW_S_MAX:
        raise BadInputError(f"clock skew: {clock_skew_s} s is not 0 to {CLOCK_SKEW_S_MAX} s")
