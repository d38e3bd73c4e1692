"""PIN passes: Argon2id verifiers, right and wrong PINs."""

import time

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.passes.pass_workshop import FACE, issue, opened, steady

from openstile.passes.pin import PinWrongError, make_pin_reference, verify_pin
from openstile.passes.reference import Reference, ReferenceKind
from openstile.terms import BadInputError
from openstile.terms.limits import PIN_DIGITS_MAX, PIN_DIGITS_MIN

REFERENCE = make_pin_reference("4711", random=steady("pin"))


def test_right_pin_is_verified_from_the_opened_pass() -> None:
    reference = opened(issue(reference=REFERENCE).text).reference
    assert verify_pin(pin="4711", reference=reference).reference == REFERENCE


@pytest.mark.parametrize("pin", ["4710", "04711", "47110", "1174", "0000"])
def test_wrong_pin_is_refused(pin: str) -> None:
    with pytest.raises(PinWrongError, match="not the one in the pass"):
        verify_pin(pin=pin, reference=REFERENCE)


@pytest.mark.parametrize("pin", ["", "471", "4" * 13, "47a1", "４７１１", "٤٧١١", "4711 ", "+4711", "4711\n", "4²11"])
def test_what_is_no_pin_is_refused_before_any_work(pin: str) -> None:
    with pytest.raises(PinWrongError, match="is not 4 to 12 digits"):
        verify_pin(pin=pin, reference=REFERENCE)
    with pytest.raises(BadInputError, match="use 4 to 12 digits"):
        make_pin_reference(pin)


@pytest.mark.parametrize("length", [PIN_DIGITS_MIN, PIN_DIGITS_MAX])
def test_shortest_and_longest_pin(length: int) -> None:
    pin = "9" * length
    verify_pin(pin=pin, reference=make_pin_reference(pin))


@settings(max_examples=15, deadline=None)
@given(st.text("0123456789", min_size=4, max_size=12), st.text("0123456789", min_size=4, max_size=12))
def test_only_the_same_pin_is_verified(right: str, tried: str) -> None:
    reference = make_pin_reference(right, random=steady(right))
    verify_pin(pin=right, reference=reference)
    if tried != right:
        with pytest.raises(PinWrongError):
            verify_pin(pin=tried, reference=reference)


def test_same_pin_makes_another_reference_each_time() -> None:
    assert make_pin_reference("4711").data != make_pin_reference("4711").data


def test_verifier_is_argon2id_with_the_fixed_cost() -> None:
    # The parameters belong to the reference kind: a change of cost must come with another kind.
    salt, tag = REFERENCE.data[:16], REFERENCE.data[16:]
    kdf = Argon2id(salt=salt, length=16, iterations=2, lanes=1, memory_cost=19456)
    assert kdf.derive(b"4711") == tag


def test_face_pass_takes_no_pin() -> None:
    with pytest.raises(BadInputError, match="has a face, not a PIN"):
        verify_pin(pin="4711", reference=FACE)


def test_any_single_changed_byte_of_the_reference_fails() -> None:
    for at in (0, 15, 16, 31):
        data = bytes(value ^ (index == at) for index, value in enumerate(REFERENCE.data))
        with pytest.raises(PinWrongError):
            verify_pin(pin="4711", reference=Reference(ReferenceKind.PIN, None, data))


def test_one_verification_costs_an_attacker_something_and_a_rider_nothing() -> None:
    begin = time.perf_counter()
    verify_pin(pin="4711", reference=REFERENCE)
    assert 0.001 < time.perf_counter() - begin < 2
