"""Live codes whose proof or time breaks a rule."""

from collections.abc import Iterator

from tests.vectors.pass_case import AUD, CTI, EXP, WITH_HOLDER, Case, claims, content, of_live
from tests.vectors.raw_cbor import Raw, Value, write
from tests.vectors.vector_keys import CLOCK, HOLDER, METRO, OTHER_HOLDER, drawn, proof, seal, text, token

UNREADABLE, FORGED = "pass_unreadable", "pass_forged"
TOKEN = token(write(claims()))


def invalid_live() -> Iterator[Case]:
    yield from _proofs()
    yield from _live_times()


def _proofs() -> Iterator[Case]:
    held = claims(WITH_HOLDER)
    signed = token(write(held))
    now: Value = {6: CLOCK}

    def live(name: str, made: bytes, fault: str, rule: str = "The live form: its form", shown: bytes = signed) -> Case:
        return Case(f"proof: {name}", rule, text(seal(content(shown, live=made))), fault)

    good = proof(signed, now)
    yield live("empty", b"", UNREADABLE)
    yield live("no tag", good[1:], UNREADABLE)
    yield live("tag of COSE_Encrypt0", b"\xd0" + good[1:], UNREADABLE)
    yield live("a byte after the end", good + b"\x00", UNREADABLE)
    yield live("a key id", proof(signed, now, protected={1: -7, 4: HOLDER.kid}), UNREADABLE)
    yield live("an unprotected header", proof(signed, now, unprotected={4: HOLDER.kid}), UNREADABLE)
    yield live("EdDSA", proof(signed, now, key=METRO, protected={1: -8}), UNREADABLE)
    yield live("no algorithm", proof(signed, now, protected={}), UNREADABLE)
    yield live("crit", proof(signed, now, protected={1: -7, 2: [1]}), UNREADABLE)
    yield live("a further claim", proof(signed, {4: CLOCK + 1, 6: CLOCK}), UNREADABLE)
    yield live("no claim", proof(signed, {}), UNREADABLE)
    yield live("another claim", proof(signed, {5: CLOCK}), UNREADABLE)
    yield live("an array of claims", proof(signed, [6, CLOCK]), UNREADABLE)
    yield live("a time of text", proof(signed, {6: "now"}), UNREADABLE)
    yield live("a negative time", proof(signed, {6: -1}), UNREADABLE)
    yield live("a time above 2^33", proof(signed, {6: 2**33 + 1}), UNREADABLE)
    yield live("a time as a float", proof(signed, {6: Raw(b"\xfb\x41\xda\x69\x00\x00\x00\x00\x00")}), UNREADABLE)
    yield live("a signature of 63 bytes", good.replace(b"\x58\x40", b"\x58\x3f")[:-1], UNREADABLE)
    bound = "The live form: the hash of the token's bytes binds the proof to one token"
    yield live("by another key", proof(signed, now, key=OTHER_HOLDER), FORGED, "Opening a pass, step 10")
    other = token(write(claims({**WITH_HOLDER, CTI: drawn("second pass id", 16)})))
    yield live("of another pass of this holder", proof(other, now), FORGED, bound)
    yield live("bound to nothing", proof(signed, now, external=b""), FORGED, bound)
    yield live("bound to the token itself", proof(signed, now, external=signed), FORGED, bound)
    yield live("with its time changed", _later(good), FORGED, "Opening a pass, step 10")
    none = "Opening a pass, step 10: the claims have a holder's key"
    yield live("for a pass without a holder", proof(TOKEN, now), FORGED, none, TOKEN)
    rule = "Opening a pass: the first step that fails"
    yield live("unreadable, for a pass without a holder", b"", UNREADABLE, rule, TOKEN)
    far = token(write(claims({**WITH_HOLDER, AUD: "metro/south"})))
    yield live("by another key, for others", proof(far, now, key=OTHER_HOLDER), FORGED, rule, far)


def _later(made: bytes) -> bytes:
    return made.replace(write({6: CLOCK}), write({6: CLOCK + 1}))


def _live_times() -> Iterator[Case]:
    held, expired = claims(WITH_HOLDER), "live_code_expired"
    step = "Opening a pass, step 13"
    yield Case("live, made 26 seconds ago", step, of_live(held, iat=CLOCK - 26), expired)
    yield Case("live, made 6 seconds from now", step, of_live(held, iat=CLOCK + 6), expired)
    yield Case("live, made an hour ago", step, of_live(held, iat=CLOCK - 3600), expired)
    skew = f"{step}: no skew is added"
    yield Case(
        "live, 26 seconds ago by a gate with skew", skew, of_live(held, iat=CLOCK - 26), expired, clock_skew_s=600
    )
    rule = "Opening a pass: the first step that fails"
    yield Case("live, old, of an expired pass", rule, of_live(held), "pass_expired", clock=EXP)
