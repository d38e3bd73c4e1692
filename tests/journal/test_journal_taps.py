"""A tap is valid once built, and the bytes that are hashed are documented and unambiguous."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.sample import GATE, START, pass_id, tap

from openstile.journal import Direction, Tap
from openstile.journal.chain import (
    DayCount,
    anchor_message,
    counts_digest,
    genesis_hash,
    head_message,
    tap_hash,
    tap_record,
)
from openstile.journal.taps import Head, instant_of, microseconds_of
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import PRODUCT_CHARS_MAX


@pytest.mark.parametrize("at", [datetime(2026, 3, 1), datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=1)))])
def test_tap_without_utc_is_refused(at: datetime) -> None:
    with pytest.raises(BadInputError, match="must be in UTC"):
        tap(1, at=at)


@pytest.mark.parametrize("product", ["", "x" * (PRODUCT_CHARS_MAX + 1), "two\nlines", "nul\0", "half \ud800"])
def test_tap_with_unusable_product_is_refused(product: str) -> None:
    with pytest.raises(BadInputError, match="product"):
        tap(1, product=product)


def test_tap_with_longest_product_is_taken() -> None:
    assert len(tap(1, product="ü" * PRODUCT_CHARS_MAX).product) == PRODUCT_CHARS_MAX


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_as_microseconds(at: datetime) -> None:
    assert instant_of(microseconds_of(at)) == at


@pytest.mark.parametrize("unsure", [False, True])
def test_tap_hash_is_the_documented_encoding(*, unsure: bool) -> None:
    salt, previous = bytes(range(16)), bytes(range(32))
    encoded = (
        struct.pack(">Q", 7)
        + salt
        + pass_id(7).value
        + struct.pack(">q", int((START + timedelta(minutes=7)).timestamp()) * 1_000_000)
        + struct.pack(">qI", 5_000_001, 3)
        + b"\x01"
        + (b"\x01" if unsure else b"\x00")
        + b"\x00\x0dadult-monthly"
    )
    marked = replace(tap(7), status_unsure=unsure)
    assert tap_record(seq=7, tap=marked, salt=salt, run=3, mono_us=5_000_001) == encoded
    hashed = sha256(b"openstile journal tap v3\0" + previous + encoded).digest()
    assert tap_hash(previous_hash=previous, record=encoded) == hashed


def test_genesis_binds_gate_key_and_epoch() -> None:
    key, epoch = bytes(32), bytes(range(16))
    genesis = genesis_hash(gate=GATE, public_key=key, epoch=epoch)
    assert genesis == sha256(b"openstile journal genesis v2\0" + key + epoch + b"\x00\x07north-1").digest()
    assert genesis != genesis_hash(gate=GateId("north-2"), public_key=key, epoch=epoch)
    assert genesis != genesis_hash(gate=GATE, public_key=b"\1" * 32, epoch=epoch)
    assert genesis != genesis_hash(gate=GATE, public_key=key, epoch=bytes(16))


def test_signed_messages_of_different_kinds_never_coincide() -> None:
    head = Head(1, bytes(32))
    assert head_message(head) == b"openstile journal head v1\0" + struct.pack(">Q", 1) + bytes(32)
    assert anchor_message(head, counts_hash=bytes(32))[:26] != head_message(head)[:26]


_PRODUCTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5)
_DAY_COUNTS = st.lists(
    st.builds(DayCount, st.just("2026-03-01"), _PRODUCTS, st.sampled_from(["in", "out"]), st.integers(1, 9)),
    max_size=4,
)


@given(_DAY_COUNTS, _DAY_COUNTS)
def test_counts_digest_tells_all_different_counts_apart(one: list[DayCount], other: list[DayCount]) -> None:
    assert (counts_digest(one) == counts_digest(other)) == (sorted(one) == sorted(other))


@given(
    st.tuples(
        st.integers(1, 2**63 - 1), st.integers(0, 2**20), _PRODUCTS, st.sampled_from(Direction), st.integers(1, 9)
    ),
    st.tuples(
        st.integers(1, 2**63 - 1), st.integers(0, 2**20), _PRODUCTS, st.sampled_from(Direction), st.integers(1, 9)
    ),
)
def test_tap_hash_tells_all_different_taps_apart(
    one: tuple[int, int, str, Direction, int], other: tuple[int, int, str, Direction, int]
) -> None:
    def hashed(seq: int, minute: int, product: str, direction: Direction, run: int) -> bytes:
        made = Tap(pass_id(1), START + timedelta(minutes=minute), GATE, product, direction)
        record = tap_record(seq=seq, tap=made, salt=bytes(16), run=run, mono_us=10 - run)
        return tap_hash(previous_hash=bytes(32), record=record)

    assert (hashed(*one) == hashed(*other)) == (one == other)
