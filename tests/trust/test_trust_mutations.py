"""Bundles changed at random: refused with a BundleError every time, and never anything else.

OPENSTILE_MUTATIONS sets how many in all (20,000 if unset, of which a tenth is spent here); _SEED repeats a run.
"""

import os
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.passes.test_pass_mutations import mutate
from tests.trust.trust_workshop import OPERATOR, bundle, envelope, read, signed

from openstile.trust import BundleError
from openstile.trust.bundle_codec import decode_bundle, encode_bundle
from openstile.trust.signed import reread_bundle

COUNT = int(os.environ.get("OPENSTILE_MUTATIONS", "20000")) // 10
SEED = int(os.environ.get("OPENSTILE_MUTATIONS_SEED", "1"))


def _splice(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))] + other[dice.randrange(len(other)) :]


def test_mutated_bundles_are_refused_and_nothing_else_comes_out() -> None:
    dice = random.Random(SEED)
    originals = [signed(), signed(sequence=9, status_lists=())]
    for at in range(COUNT):
        original, other = dice.sample(originals, 2)
        changed = _splice(original, other, dice) if dice.randrange(4) == 0 else mutate(original, dice)
        if changed in originals:
            continue
        try:
            read(changed)
        except BundleError:
            continue
        raise AssertionError(f"seed {SEED}, round {at}: a changed bundle was accepted")


def test_mutated_contents_under_a_right_signature_are_bundles_or_bundle_errors() -> None:
    """A signer that is broken or malicious: what it signs is a valid bundle, or refused; nothing crashes."""
    dice = random.Random(SEED + 1)
    payload, refused = encode_bundle(bundle()), 0
    for _ in range(COUNT):
        changed = mutate(payload, dice)
        try:
            read(envelope(changed, key=OPERATOR))
        except BundleError:
            refused += 1
    assert refused > COUNT // 2


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_no_bundle(data: bytes) -> None:
    for reader in (read, decode_bundle, reread_bundle):
        try:
            reader(data)
        except BundleError:
            continue
        raise AssertionError(data.hex())
