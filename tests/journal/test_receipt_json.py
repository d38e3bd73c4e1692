"""A receipt is read strictly: exactly its members, exactly their types."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.sample import GATE

from openstile.journal.receipts import Receipt, ReceiptError
from openstile.journal.taps import SEQ_MAX, Head
from openstile.terms.limits import RECEIPT_BYTES_MAX

_RECEIPT = Receipt(GATE, bytes(range(16)), 7, bytes(range(32)))
_MEMBERS = _RECEIPT.to_json()


def test_receipt_is_read_as_it_was_written() -> None:
    assert Receipt.from_json(json.dumps(_MEMBERS).encode()) == _RECEIPT
    assert {"gate": "north-1", "epoch": bytes(range(16)).hex(), "seq": 7, "hash": bytes(range(32)).hex()} == _MEMBERS
    assert _RECEIPT.head == Head(7, bytes(range(32)))


@pytest.mark.parametrize(
    "change",
    [
        {"gate": "NORTH"},
        {"gate": 7},
        {"gate": None},
        {"gate": ["north-1"]},
        {"epoch": "00" * 15},
        {"epoch": "00" * 17},
        {"epoch": "AA" * 16},
        {"epoch": " 0" * 16},
        {"epoch": None},
        {"hash": "00" * 31},
        {"hash": "0x" + "00" * 31},
        {"hash": 7},
        {"seq": -1},
        {"seq": SEQ_MAX + 1},
        {"seq": 7.0},
        {"seq": "7"},
        {"seq": True},
        {"seq": None},
        {"also": 1},
    ],
)
def test_receipt_with_another_member_or_type_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ReceiptError):
        Receipt.from_json(json.dumps(_MEMBERS | change).encode())


@pytest.mark.parametrize("name", _MEMBERS)
def test_receipt_without_a_member_or_with_it_twice_is_refused(name: str) -> None:
    rest = {other: value for other, value in _MEMBERS.items() if other != name}
    with pytest.raises(ReceiptError):
        Receipt.from_json(json.dumps(rest).encode())
    twice = json.dumps(_MEMBERS)[:-1] + f', "{name}": {json.dumps(_MEMBERS[name])}}}'
    with pytest.raises(ReceiptError):
        Receipt.from_json(twice.encode())


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"7", b"[]", b"{}", b"[[]]", b'[{"gate": 1}]', b"[" * 900, b"\xff", b'{"seq": 1', b'"seq"',
     json.dumps(_MEMBERS).encode() + b" " * RECEIPT_BYTES_MAX, json.dumps(_MEMBERS).encode("utf-16"),
     json.dumps(_MEMBERS).encode() + b"{}"],
)  # fmt: skip
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    with pytest.raises(ReceiptError):
        Receipt.from_json(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_receipt_or_refused(data: bytes) -> None:
    with pytest.raises(ReceiptError):
        Receipt.from_json(data)
