"""Passes changed at random: refused every time, with a reason, and never anything else.

OPENSTILE_MUTATIONS sets how many in all (20,000 if unset); OPENSTILE_MUTATIONS_SEED repeats a run.
"""

import os
import random
from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.passes.pass_workshop import (
    CLAIMS,
    FACE,
    ISSUER,
    ISSUER_ES256,
    RING,
    SALT,
    fault_of,
    issue,
    pass_of,
    sealed,
    steady,
    token,
)

from openstile.passes import PassFault, inspect_pass
from openstile.passes.cbor import encode
from openstile.passes.claims_codec import encode_claims
from openstile.passes.pin import make_pin_reference
from openstile.passes.text import from_text, to_text

COUNT = int(os.environ.get("OPENSTILE_MUTATIONS", "20000"))
SEED = int(os.environ.get("OPENSTILE_MUTATIONS_SEED", "1"))
HYPOTHESIS_SHARE = max(100, COUNT // 40)

PASSES = [
    from_text(issue(issuer=issuer, reference=reference).text)
    for issuer in (ISSUER, ISSUER_ES256)
    for reference in (FACE, make_pin_reference("4711", random=steady("pin")))
]
CONTENT = encode([token(), SALT, FACE.data])
TOKEN = token()
PAYLOAD = encode_claims(CLAIMS)


def mutate(data: bytes, dice: random.Random) -> bytes:
    """One to three changes: a bit, a byte, a cut, a repetition, a swap, an insertion."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        at = dice.randrange(len(changed)) if changed else 0
        match dice.randrange(7):
            case 0 if changed:
                changed[at] ^= 1 << dice.randrange(8)
            case 1 if changed:
                changed[at] = dice.randrange(256)
            case 2:
                del changed[at:]
            case 3:
                del changed[at : at + dice.randrange(1, 5)]
            case 4:
                changed[at:at] = dice.randbytes(dice.randrange(1, 5))
            case 5:
                changed += dice.randbytes(dice.randrange(1, 4))
            case _:
                other = dice.randrange(len(changed) + 1)
                changed[at : at + 4], changed[other : other + 4] = changed[other : other + 4], changed[at : at + 4]
    return bytes(changed)


def as_pass(data: bytes) -> str | None:
    return to_text(data) if 0 < len(data) <= 4096 else None


LAYERS: list[tuple[str, list[bytes], Callable[[bytes], str | None]]] = [
    ("sealed pass", PASSES, as_pass),
    ("text", [to_text(data).encode() for data in PASSES], lambda data: data.decode("latin-1")),
    ("sealed content", [CONTENT], lambda data: as_pass(sealed(data))),
    ("token", [TOKEN], lambda data: pass_of(data)),
    ("signed payload", [PAYLOAD], lambda data: pass_of(token(data))),
]


def test_mutated_passes_are_refused_and_never_crash_or_admit() -> None:
    dice = random.Random(SEED)
    weights = (5, 3, 1, 1, 1)
    refused: Counter[tuple[str, PassFault]] = Counter()
    still_valid = 0
    while refused.total() < COUNT:
        ((name, originals, present),) = dice.choices(LAYERS, weights)
        original = dice.choice(originals)
        changed = mutate(original, dice)
        presented = present(changed)
        if changed == original or presented is None or (name == "text" and changed == original + b"\n"):
            continue
        fault = fault_of(presented)
        if fault is not None:
            refused[name, fault] += 1
            continue
        # A trusted issuer signed this payload, so it may be a pass of other, valid claims. Nothing else may open.
        assert name == "signed payload", f"seed {SEED}, after {refused.total()}: a changed {name} was admitted"
        still_valid += 1
    assert {name for name, _ in refused} == {name for name, _, _ in LAYERS}
    assert still_valid < COUNT // 20
    print(f"seed {SEED}: {refused.total()} refused, {still_valid} signed anew with other valid claims")
    print(sorted((name, fault.value, count) for (name, fault), count in refused.items()))


def test_every_single_byte_of_a_pass_is_authenticated() -> None:
    for original in PASSES[:1]:
        for at in range(len(original)):
            changed = original[:at] + bytes([original[at] ^ 0xFF]) + original[at + 1 :]
            assert fault_of(to_text(changed)) is not None, f"byte {at}"


def test_every_cut_of_a_pass_is_refused() -> None:
    text = to_text(PASSES[0])
    for length in range(len(text)):
        assert fault_of(text[:length]) is not None


@settings(max_examples=HYPOTHESIS_SHARE, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_anything_presented_is_refused(presented: str | bytes) -> None:
    assert fault_of(presented) in {PassFault.PASS_UNREADABLE, PassFault.PASS_VERSION_UNKNOWN}
    assert inspect_pass(presented, RING).fault is not None


@settings(max_examples=HYPOTHESIS_SHARE, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_in_the_text_form_under_the_seal_as_token_or_as_claims_are_refused(data: bytes) -> None:
    for presented in (to_text(data), to_text(sealed(data)), pass_of(data), pass_of(token(data))):
        assert fault_of(presented) is not None
        assert inspect_pass(presented, RING).fault is not None


@settings(max_examples=HYPOTHESIS_SHARE, deadline=None)
@given(st.integers(0, len(PASSES[0]) - 1), st.binary(max_size=8), st.integers(0, 8))
def test_any_splice_into_a_pass_is_refused(at: int, inserted: bytes, dropped: int) -> None:
    changed = PASSES[0][:at] + inserted + PASSES[0][at + dropped :]
    if changed and changed != PASSES[0]:
        assert fault_of(to_text(changed)) is not None
