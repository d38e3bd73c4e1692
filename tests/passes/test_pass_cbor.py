"""Every rule of the strict CBOR profile, at its limit and one past it."""

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openstile.passes.cbor import Cbor, CborError, decode, encode
from openstile.terms.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, PASS_BYTES_MAX

KEYS = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=8)
VALUES: st.SearchStrategy[Cbor] = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


def refusal(data: bytes, tag: int | None = None) -> str:
    with pytest.raises(CborError) as caught:
        decode(data, what="sample", tag=tag)
    assert str(caught.value).startswith("sample: ")
    return str(caught.value)


def nested(depth: int) -> bytes:
    return b"\x81" * depth + b"\x00"


@given(VALUES)
def test_what_is_encoded_decodes_to_the_same(value: Cbor) -> None:
    try:
        data = encode(value)
    except CborError:
        return  # nested too deep
    assert decode(data, what="sample") == value
    assert encode(decode(data, what="sample")) == data


@given(VALUES, st.integers(0, 2**64 - 1))
@example([b"three", [b"three"]], 256)  # within this tag cbor2 writes references to strings
def test_a_tag_is_around_the_whole_value_or_nowhere(value: Cbor, tag: int) -> None:
    try:
        data = encode(value, tag=tag)
    except CborError:
        return
    assert decode(data, what="sample", tag=tag) == value
    refusal(data)
    refusal(encode(value), tag=tag)
    refusal(data, tag=(tag + 1) % 2**64)


@given(st.binary(max_size=120))
def test_any_bytes_decode_to_what_encodes_to_them_or_are_refused(data: bytes) -> None:
    try:
        value = decode(data, what="sample")
    except CborError:
        return
    assert encode(value) == data


@given(VALUES)
def test_cbor2_reads_what_we_write(value: Cbor) -> None:
    try:
        data = encode(value)
    except CborError:
        return
    assert cbor2.loads(data) == value


def test_keys_are_in_bytewise_order_not_shortest_first() -> None:
    # RFC 8949, section 4.2.1 gives the order 10, 100, -1, "z", "aa"; length first would put -1 before 100.
    assert encode({"aa": 5, "z": 4, -1: 3, 100: 2, 10: 1}).hex() == "a50a0118640220036" + "17a0462616105"
    assert "out of order" in refusal(cbor2.dumps({-1: 3, 100: 2}, canonical=True))


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "ends in the middle"),
        ("1800", "shortest form"),
        ("1817", "shortest form"),
        ("1900ff", "shortest form"),
        ("1a0000ffff", "shortest form"),
        ("1b00000000ffffffff", "shortest form"),
        ("3817", "shortest form"),
        ("5800", "shortest form"),
        ("7801" + "61", "shortest form"),
        ("980100", "shortest form"),
        ("b8010000", "shortest form"),
        ("5f4100ff", "indefinite"),
        ("7f6161ff", "indefinite"),
        ("9f00ff", "indefinite"),
        ("bf0000ff", "indefinite"),
        ("1c", "indefinite or reserved"),
        ("1d", "indefinite or reserved"),
        ("1e", "indefinite or reserved"),
        ("f4", "float or a simple"),
        ("f5", "float or a simple"),
        ("f6", "float or a simple"),
        ("f7", "float or a simple"),
        ("e0", "float or a simple"),
        ("f8ff", "float or a simple"),
        ("f93c00", "float or a simple"),
        ("fa3f800000", "float or a simple"),
        ("fb3ff0000000000000", "float or a simple"),
        ("ff", "float or a simple"),
        ("c249010000000000000000", "tag 2"),
        ("c349010000000000000000", "tag 3"),
        ("c100", "tag 1"),
        ("81c100", "tag 1"),
        ("d9d9f700", "tag 55799"),
        ("a200000001", "repeated or out of order"),
        ("a201000000", "repeated or out of order"),
        ("a2616200616100", "repeated or out of order"),
        ("a2200018640" + "0", "repeated or out of order"),
        ("a1410000", "neither an integer nor text"),
        ("a1800000", "neither an integer nor text"),
        ("a1a00000", "neither an integer nor text"),
        ("61ff", "not UTF-8"),
        ("62c080", "not UTF-8"),
        ("63eda080", "not UTF-8"),
        ("0000", "1 bytes after its end"),
        ("8000", "1 bytes after its end"),
        ("81", "ends in the middle"),
        ("a100", "ends in the middle"),
        ("42ff", "ends in the middle"),
        ("5affffffff00", "ends in the middle"),
        ("7bffffffffffffffff", "ends in the middle"),
        ("9bffffffffffffffff", "ends in the middle"),
        ("bbffffffffffffffff", "ends in the middle"),
        ("19", "ends in the middle"),
    ],
)
def test_encoding_outside_the_profile_is_refused(encoded: str, reason: str) -> None:
    assert reason in refusal(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("17", 23),
        ("1818", 24),
        ("18ff", 255),
        ("190100", 256),
        ("1a00010000", 65536),
        ("1b0000000100000000", 2**32),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3bffffffffffffffff", -(2**64)),
        ("40", b""),
        ("60", ""),
        ("80", []),
        ("a0", {}),
    ],
)
def test_the_shortest_form_is_accepted(encoded: str, value: Cbor) -> None:
    assert decode(bytes.fromhex(encoded), what="sample") == value
    assert encode(value).hex() == encoded


def test_size_at_the_limit_and_one_past_it() -> None:
    longest = PASS_BYTES_MAX - 3
    assert decode(encode(bytes(longest)), what="sample") == bytes(longest)
    assert f"{PASS_BYTES_MAX + 1} bytes" in refusal(encode(bytes(longest + 1)))


def test_depth_at_the_limit_and_one_past_it() -> None:
    decode(nested(CBOR_DEPTH_MAX), what="sample")
    assert "nested deeper" in refusal(nested(CBOR_DEPTH_MAX + 1))
    assert "nested deeper" in refusal(nested(PASS_BYTES_MAX - 1))
    value: Cbor = 0
    for _ in range(CBOR_DEPTH_MAX):
        value = [value]
    encode(value)
    with pytest.raises(CborError, match="nested deeper"):
        encode([value])


def test_items_at_the_limit_and_one_past_it() -> None:
    decode(encode([0] * (CBOR_ITEMS_MAX - 1)), what="sample")
    assert "more than" in refusal(encode([0] * CBOR_ITEMS_MAX))
    pairs = (CBOR_ITEMS_MAX - 2) // 2
    decode(encode(dict.fromkeys(range(pairs), 0)), what="sample")
    assert "more than" in refusal(encode(dict.fromkeys(range(pairs + 1), 0)))


@pytest.mark.parametrize("value", [True, None, 1.5, 2**64, -(2**64) - 1, [None], {1: False}, {b"key": 1}, {None: 1}])
def test_a_value_outside_the_profile_is_never_written(value: object) -> None:
    with pytest.raises(CborError):
        encode(value)  # type: ignore[arg-type]
