"""The office's answer to a batch: up to where it holds an epoch's taps durably, without a gap."""

import json
import re
from dataclasses import dataclass
from typing import Any

from openstile.journal.errors import JournalError
from openstile.journal.taps import EPOCH_BYTES, HASH_BYTES, SEQ_MAX, Head
from openstile.terms import BadInputError, GateId
from openstile.terms.limits import RECEIPT_BYTES_MAX

_HEX = re.compile(r"(?:[0-9a-f]{2})+")


class ReceiptError(JournalError):
    """A receipt that no office of ours makes: the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The office holds taps 1 to `seq` of this gate's `epoch`; `hash` is that of tap `seq`, of the genesis for 0.

    It is no signed document: it comes over the gate's own TLS connection to the office.
    """

    gate: GateId
    epoch: bytes
    seq: int
    hash: bytes

    def __post_init__(self) -> None:
        if len(self.epoch) != EPOCH_BYTES or len(self.hash) != HASH_BYTES or not 0 <= self.seq <= SEQ_MAX:
            raise ReceiptError("receipt: its epoch, number or hash is out of range; look at the office")

    @property
    def head(self) -> Head:
        """The place in the chain up to which the office has it."""
        return Head(self.seq, self.hash)

    def to_json(self) -> dict[str, Any]:
        """The receipt as a JSON object; bytes in lower-case hexadecimal digits."""
        return {"gate": self.gate.value, "epoch": self.epoch.hex(), "seq": self.seq, "hash": self.hash.hex()}

    @classmethod
    def from_json(cls, data: bytes) -> "Receipt":
        """The receipt in a JSON text. Raises ReceiptError for anything but `to_json`'s members and types."""
        members = _members_of(data)
        gate, epoch, seq, own_hash = (members[name] for name in ("gate", "epoch", "seq", "hash"))
        if not (isinstance(gate, str) and type(seq) is int):
            raise ReceiptError("receipt: its gate is no text or its number no integer; look at the office")
        try:
            return cls(GateId(gate), _bytes_of(epoch), seq, _bytes_of(own_hash))
        except BadInputError:
            raise ReceiptError("receipt: its gate has no name that a gate can have; look at the office") from None


def _members_of(data: bytes) -> dict[str, Any]:
    if len(data) > RECEIPT_BYTES_MAX:
        raise ReceiptError(f"receipt: has more than {RECEIPT_BYTES_MAX} bytes; look at the office's address")
    try:
        pairs = json.loads(data.decode("ascii"), object_pairs_hook=list)
    except (ValueError, RecursionError):
        raise ReceiptError("receipt: is no JSON object in ASCII; look at the office's address") from None
    names = [pair[0] for pair in pairs if isinstance(pair, tuple)] if isinstance(pairs, list) else []
    if sorted(names) != ["epoch", "gate", "hash", "seq"] or len(names) != len(pairs):
        raise ReceiptError("receipt: must have gate, epoch, seq and hash, once each; look at the office's address")
    return dict(pairs)


def _bytes_of(value: object) -> bytes:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ReceiptError("receipt: its epoch or hash is not in lower-case hexadecimal digits; look at the office")
    return bytes.fromhex(value)
