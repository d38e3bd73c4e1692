"""The live form: only the phone with the holder's key makes it, for one pass, for half a minute."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.passes.pass_workshop import (
    FACE,
    GATE,
    ISSUER,
    NOW,
    SALT,
    claims_with,
    fault_of,
    issue,
    opened,
    sealed,
    steady,
    token,
)

from openstile.passes import PassFault, issue_pass
from openstile.passes.cbor import Cbor, CborKey, decode, encode
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.cose import encode_sign1
from openstile.passes.holder import HolderKey, HolderPublicKey, holder_key_of
from openstile.passes.hpke import derive_key_pair
from openstile.passes.live import WalletPass, is_named, show_live, write_proof
from openstile.passes.text import to_text
from openstile.terms import BadInputError
from openstile.terms.limits import LIVE_AGE_S_MAX, LIVE_AHEAD_S_MAX

HOLDER = holder_key_of(derive_key_pair(steady("holder")(32)))
OTHER = holder_key_of(derive_key_pair(steady("another holder")(32)))
SECOND = timedelta(seconds=1)


def wallet(holder: HolderPublicKey | None = HOLDER.public, *, seed: str = "live") -> WalletPass:
    return issue_pass(
        issuer_key=ISSUER,
        gate_group_key=GATE.public,
        entitlement=Entitlement("Annual"),
        assurance=Assurance.SUPERVISED,
        reference=FACE,
        now=NOW - timedelta(days=1),
        valid_for=timedelta(days=365),
        holder=holder,
        random=steady(seed),
    ).wallet


def shown(pass_: WalletPass, holder: HolderKey = HOLDER, *, age: timedelta = timedelta(0)) -> str:
    return show_live(wallet=pass_, holder=holder, now=NOW - age, random=steady("shown"))


def with_proof(pass_: WalletPass, proof: Cbor) -> str:
    return to_text(sealed(encode([pass_.token, pass_.salt, pass_.data, proof])))


def signed(payload: bytes, *, protected: dict[CborKey, Cbor] | None = None, **headers: bytes) -> bytes:
    import hashlib

    return encode_sign1(
        protected={1: -7} if protected is None else protected,
        unprotected={4: headers["kid"]} if "kid" in headers else {},
        payload=payload,
        sign=HOLDER.signer.sign,
        external_aad=hashlib.sha256(wallet().token).digest(),
    )


def test_live_code_opens_and_says_that_it_is_live() -> None:
    assert opened(shown(wallet())).live
    assert not opened(issue().text).live


@pytest.mark.parametrize(
    ("age", "fault"),
    [
        (LIVE_AGE_S_MAX * SECOND, None),
        (LIVE_AGE_S_MAX * SECOND + SECOND, PassFault.LIVE_CODE_EXPIRED),
        (-LIVE_AHEAD_S_MAX * SECOND, None),
        (-LIVE_AHEAD_S_MAX * SECOND - SECOND, PassFault.LIVE_CODE_EXPIRED),
    ],
)
def test_window_of_a_live_code_at_its_edges_whatever_skew_the_gate_allows(
    age: timedelta, fault: PassFault | None
) -> None:
    assert fault_of(shown(wallet(), age=age), skew=600) is fault


def test_live_code_is_dead_half_a_minute_after_it_was_accepted_first() -> None:
    assert LIVE_AGE_S_MAX + LIVE_AHEAD_S_MAX == 30


def test_live_code_by_another_phone_is_forged() -> None:
    assert fault_of(shown(wallet(), OTHER)) is PassFault.PASS_FORGED


def test_proof_moved_to_another_pass_of_the_same_phone_is_forged() -> None:
    first, second = wallet(), wallet(seed="another")
    proof = write_proof(holder=HOLDER, token=first.token, now=NOW)
    assert fault_of(with_proof(first, proof)) is None
    assert fault_of(with_proof(second, proof)) is PassFault.PASS_FORGED


def test_proof_on_a_pass_that_names_no_holder_is_forged() -> None:
    assert fault_of(shown(wallet(None))) is PassFault.PASS_FORGED


def test_printed_form_of_a_pass_with_a_holder_opens_and_is_not_live() -> None:
    held = wallet()
    printed = to_text(sealed(encode([held.token, held.salt, held.data])))
    assert not opened(printed).live


IAT = int(NOW.timestamp())


@pytest.mark.parametrize(
    "proof",
    [
        b"",
        b"\xa0",
        signed(encode({6: IAT}), protected={1: -8}),
        signed(encode({6: IAT}), protected={1: -7, 4: b"12345678"}),
        signed(encode({6: IAT}), protected={}),
        signed(encode({6: IAT}), kid=b"12345678"),
        signed(encode({6: IAT, 4: IAT + 9})),
        signed(encode({6: -1})),
        signed(encode({6: str(IAT)})),
        signed(encode({4: IAT})),
        signed(encode([IAT])),
        signed(encode({6: IAT}) + b"\x00"),
    ],
    ids=lambda proof: proof.hex()[:24],
)
def test_proof_of_another_form_is_unreadable(proof: bytes) -> None:
    assert fault_of(with_proof(wallet(), proof)) is PassFault.PASS_UNREADABLE


@pytest.mark.parametrize("extra", [5, "text", [], {}])
def test_fourth_part_that_is_no_byte_string_is_unreadable(extra: Cbor) -> None:
    assert fault_of(with_proof(wallet(), extra)) is PassFault.PASS_UNREADABLE


def test_fifth_part_is_unreadable() -> None:
    held = wallet()
    text = to_text(sealed(encode([held.token, held.salt, held.data, shown(held).encode(), b"more"])))
    assert fault_of(text) is PassFault.PASS_UNREADABLE


@given(at=st.integers(0, 63), bit=st.integers(0, 7))
def test_any_bit_of_the_proofs_signature_matters(at: int, bit: int) -> None:
    held = wallet()
    proof = bytearray(write_proof(holder=HOLDER, token=held.token, now=NOW))
    proof[-1 - at] ^= 1 << bit
    assert fault_of(with_proof(held, bytes(proof))) is PassFault.PASS_FORGED


@pytest.mark.parametrize(
    "cnf",
    [
        {},
        {1: {}},
        {2: b"x"},
        {1: {1: 2, -1: 1, -2: b"x" * 32, -3: b"y" * 32}},
        {1: {1: 1, -1: 6, -2: b"x" * 32}},
        {1: {1: 2, -1: 2, -2: HOLDER.public.point[1:33], -3: HOLDER.public.point[33:]}},
        {1: {1: 2, -1: 1, -2: HOLDER.public.point[1:32], -3: HOLDER.public.point[32:]}},
        {1: {1: 2, 3: -7, -1: 1, -2: HOLDER.public.point[1:33], -3: HOLDER.public.point[33:]}},
        {1: {1: 2, -1: 1, -2: HOLDER.public.point[1:33], -3: HOLDER.public.point[33:]}, 3: b"kid"},
    ],
    ids=str,
)
def test_holder_claim_that_is_no_p256_key_is_unreadable(cnf: Cbor) -> None:
    claims = decode(claims_with(), what="claims")
    assert isinstance(claims, dict)
    payload = encode({**claims, 8: cnf})
    text = to_text(sealed(encode([token(payload), SALT, FACE.data])))
    assert fault_of(text) is PassFault.PASS_UNREADABLE


def test_phone_knows_whether_a_pass_names_its_key() -> None:
    assert is_named(wallet=wallet(), holder=HOLDER.public)
    assert not is_named(wallet=wallet(), holder=OTHER.public)
    assert not is_named(wallet=WalletPass(b"\xff", SALT, FACE.data, GATE.public), holder=HOLDER.public)


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(BadInputError, match="time zone"):
        write_proof(holder=HOLDER, token=b"", now=NOW.replace(tzinfo=None))


def test_two_codes_of_one_moment_share_no_visible_bytes_but_the_frame() -> None:
    held = wallet()
    codes = [show_live(wallet=held, holder=HOLDER, now=NOW, random=steady(seed)) for seed in "ab"]
    assert codes[0][60:] != codes[1][60:]
    assert not any(name in repr(held) for name in ("token", "salt", "data"))
