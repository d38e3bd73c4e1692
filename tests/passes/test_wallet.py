"""The files of a phone: strict, and none of them a surprise."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st
from tests.passes.pass_workshop import issue

from openstile.passes.holder import HolderPublicKey, generate_holder_key
from openstile.passes.wallet import (
    decode_holder,
    decode_holder_public,
    decode_wallet,
    encode_holder,
    encode_holder_public,
    encode_wallet,
)
from openstile.terms import BadInputError
from openstile.terms.limits import WALLET_FILE_BYTES_MAX

HOLDER = generate_holder_key()
OTHER = generate_holder_key()


def test_holder_key_survives_its_file_and_the_public_file_has_no_private_half() -> None:
    again = decode_holder(encode_holder(HOLDER), what="holder.json")
    HOLDER.public.verify(message=b"m", signature=again.signer.sign(b"m"))
    assert decode_holder_public(encode_holder(HOLDER), what="holder.json") == HOLDER.public
    public = encode_holder_public(HOLDER.public)
    assert decode_holder_public(public, what="holder.pub.json") == HOLDER.public
    assert b"PRIVATE" not in public
    with pytest.raises(BadInputError, match="only the public half"):
        decode_holder(public, what="holder.pub.json")


def test_wallet_survives_its_file() -> None:
    wallet = issue().wallet
    assert decode_wallet(encode_wallet(wallet), what="pass.wallet") == wallet


def _pem(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    "change",
    [
        {"openstile_holder": 2},
        {"public": "04"},
        {"public": 5},
        {"public": "zz"},
        {"more": 1},
        {"private": ""},
        {"private": _pem(ed25519.Ed25519PrivateKey.generate())},
        {"private": _pem(ec.generate_private_key(ec.SECP384R1()))},
        {"private": _pem(ec.generate_private_key(ec.SECP256R1()))},
    ],
    ids=lambda change: str(change)[:40],
)
def test_holder_file_that_was_changed_is_refused(change: dict[str, object]) -> None:
    content = json.loads(encode_holder(HOLDER)) | change
    with pytest.raises(BadInputError, match=r"holder\.json: is not a holder key"):
        decode_holder(json.dumps(content).encode(), what="holder.json")


@pytest.mark.parametrize(
    "change",
    [
        {"openstile_wallet": 2},
        {"token": "%%%"},
        {"token": "QQ"},
        {"salt": 5},
        {"audience": "metro"},
        {"point": "04"},
        {"not_after": "later"},
        {"not_after": True},
        {"not_after": -1},
        {"more": 1},
    ],
    ids=str,
)
def test_wallet_file_that_was_changed_is_refused(change: dict[str, object]) -> None:
    content = json.loads(encode_wallet(issue().wallet)) | change
    with pytest.raises(BadInputError, match=r"pass\.wallet: is not a pass of a phone"):
        decode_wallet(json.dumps(content).encode(), what="pass.wallet")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_one_error(data: bytes) -> None:
    for decode in (decode_holder_public, decode_holder, decode_wallet):
        with pytest.raises(BadInputError):
            decode(data, what="file")


def test_file_at_the_limit_and_one_past_it() -> None:
    data = encode_holder(HOLDER).ljust(WALLET_FILE_BYTES_MAX)
    assert decode_holder(data, what="file").public == HOLDER.public
    with pytest.raises(BadInputError, match="more than"):
        decode_holder(data + b" ", what="file")


def test_point_off_the_curve_is_no_holder_key() -> None:
    with pytest.raises(BadInputError, match="holder key"):
        HolderPublicKey(b"\x04" + bytes(64))
