"""A gate-group private key in a bundle opens at one gate, in that bundle, and shows nowhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.passes.pass_workshop import AUDIENCE, GATE, GATE_BEFORE, KEYS_END, opened, steady
from tests.passes.pass_workshop import issue as issue_for
from tests.trust.trust_workshop import NORTH, STOLEN

from openstile.passes import GateKeyring
from openstile.passes.hpke import Sealed, open_sealed, seal
from openstile.passes.key_transport import gate_group_key_of_private, private_bytes_of
from openstile.passes.keys import GateGroupKey, GateTransportKey
from openstile.terms import BadInputError
from openstile.trust import open_group_key, seal_group_key
from openstile.trust.sealed import SEAL_INFO, SealedGroupKey, SealedKeyError

SEALED = seal_group_key(gate=NORTH.public, group_key=GATE, sequence=7, random=steady("seal"))


def _open(sealed: SealedGroupKey = SEALED, *, gate: GateTransportKey = NORTH, sequence: int = 7) -> GateGroupKey:
    return open_group_key(sealed=sealed, gate_key=gate, listed=GATE.public, sequence=sequence)


def test_gate_that_it_is_sealed_to_gets_the_key_and_opens_passes_with_it() -> None:
    key = _open()
    assert key.public == GATE.public
    issuers = opened(issue_for().text).claims.issuer
    ring = GateKeyring(gate_group_keys=(key,), issuers=())
    assert ring.gate_group_key(GATE.public.kid) is key
    assert issuers == "metro"
    assert private_bytes_of(key) == private_bytes_of(GATE)


def test_stolen_gate_opens_nothing_that_is_sealed_to_others() -> None:
    with pytest.raises(SealedKeyError, match="another gate"):
        _open(gate=STOLEN)
    relabelled = SealedGroupKey(STOLEN.public.kid, SEALED.group_kid, SEALED.enc, SEALED.ciphertext)
    with pytest.raises(SealedKeyError, match="does not open"):
        _open(relabelled, gate=STOLEN)


@pytest.mark.parametrize("sequence", [6, 8, 77])
def test_sealed_key_of_an_earlier_bundle_does_not_open_in_a_later_one(sequence: int) -> None:
    with pytest.raises(SealedKeyError, match="does not open"):
        _open(sequence=sequence)


def test_sealed_key_is_not_that_of_another_listed_key() -> None:
    relabelled = SealedGroupKey(SEALED.gate_kid, GATE_BEFORE.public.kid, SEALED.enc, SEALED.ciphertext)
    with pytest.raises(SealedKeyError, match="does not open"):
        open_group_key(sealed=relabelled, gate_key=NORTH, listed=GATE_BEFORE.public, sequence=7)


@pytest.mark.parametrize("private", [private_bytes_of(GATE_BEFORE), bytes(32), b"\xff" * 32])
def test_private_half_of_another_key_under_a_right_seal_is_refused(private: bytes) -> None:
    """The operator's office sealed the wrong key, or none: the listed public key decides."""
    from openstile.trust.sealed import _bound

    made = seal(
        recipient=NORTH.public.point,
        plaintext=private,
        info=SEAL_INFO,
        aad=_bound(AUDIENCE, 7, GATE.public.kid),
        random=steady("wrong"),
    )
    with pytest.raises(SealedKeyError):
        _open(SealedGroupKey(NORTH.public.kid, GATE.public.kid, made.enc, made.ciphertext))


@given(st.integers(0, 64 + 47), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_changed_sealed_key_never_opens(at: int, flip: int) -> None:
    enc, ciphertext = bytearray(SEALED.enc), bytearray(SEALED.ciphertext)
    (enc if at < 65 else ciphertext)[at if at < 65 else at - 65] ^= flip
    with pytest.raises(SealedKeyError):
        _open(SealedGroupKey(SEALED.gate_kid, SEALED.group_kid, bytes(enc), bytes(ciphertext)))


def test_private_half_shows_in_no_repr_and_no_error() -> None:
    secret = private_bytes_of(GATE)
    with pytest.raises(SealedKeyError) as caught:
        _open(sequence=8)
    for shown in (repr(SEALED), repr(_open()), str(caught.value), repr(caught.value)):
        assert secret.hex() not in shown
        assert str(int.from_bytes(secret, "big")) not in shown
        assert repr(secret) not in shown


def test_key_in_hardware_is_not_given_to_gates() -> None:
    class Token:
        point = GATE.public.point

        def agree(self, peer: bytes) -> bytes:
            raise AssertionError

    with pytest.raises(BadInputError, match="in hardware"):
        seal_group_key(
            gate=NORTH.public, group_key=GateGroupKey(GATE.public, Token()), sequence=1, random=steady("token")
        )


def test_pass_seal_and_key_seal_are_kept_apart_by_their_info() -> None:
    with pytest.raises(Exception, match="does not open"):
        open_sealed(recipient=NORTH.agreement, sealed=Sealed(SEALED.enc, SEALED.ciphertext), info=b"", aad=b"")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_private_half_of_another_length_is_none(length: int) -> None:
    with pytest.raises(BadInputError, match="is not a P-256 private key"):
        gate_group_key_of_private(b"\x01" * length, audience=AUDIENCE, not_after=KEYS_END)
