"""Targets of what a gate and the office say to each other: batches, receipts, signed requests."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz import seeds_files as seeds
from fuzz.target import Target, demand
from fuzz.workshop import steady
from openstile.journal import Direction, Journal, JournalError, Tap, batches, receipts, requests
from openstile.journal.sending import next_batch
from openstile.journal.taps import JournaledTap
from openstile.terms import PassId

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_URL = "https://office.example/v1/gate/batches?a=b"


def _parse_batch(data: bytes, folder: Path) -> object:
    batch = batches.read_batch(data, gate=seeds.JOURNAL_GATE)
    batches.verify_head(batch=batch, public_key=seeds.journal_key().public_key)
    return batch


def _check_batch(data: bytes, value: object) -> None:
    demand(isinstance(value, batches.Batch), "not a Batch")
    assert isinstance(value, batches.Batch)
    demand(_again(value) == data, "a batch that was read has another encoding")
    demand(_signed_part(value) in _signed_parts(), "a batch was verified that no gate signed")


def _signed_part(batch: batches.Batch) -> tuple[object, ...]:
    """What the journal's key covers; the epoch, the run and the times of sending are covered by the request's."""
    return (batch.previous_hash, batch.taps, batch.head_signature)


@cache
def _signed_parts() -> tuple[tuple[object, ...], ...]:
    return tuple(_signed_part(batches.read_batch(one, gate=seeds.JOURNAL_GATE)) for one in _batches())


def _again(batch: batches.Batch) -> bytes:
    previous, taps = batch.previous_hash, []
    for one in batch.taps:
        taps.append(JournaledTap(one.seq, one.tap, one.run, one.mono_us, one.salt, previous, one.hash))
        previous = one.hash
    return batches.encode_batch(
        epoch=batch.epoch,
        run=batch.run,
        sent_at_us=batch.sent_at_us,
        sent_mono_us=batch.sent_mono_us,
        taps=taps,
        head_signature=batch.head_signature,
    )


@cache
def _batches() -> tuple[bytes, ...]:
    """The taps of a journal in one batch, and in two."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "own" / "journal.db"
        steps = count(0, 1000)
        with Journal.open(
            path,
            key=seeds.journal_key(),
            gate=seeds.JOURNAL_GATE,
            random=steady("batch"),
            monotonic_ns=lambda: next(steps),
        ) as journal:
            for number in range(1, 4):
                at, way = _NOW + timedelta(minutes=number), Direction.IN if number % 2 else Direction.OUT
                journal.append(Tap(PassId(bytes([number]) * 16), at, seeds.JOURNAL_GATE, "Annüal", way))
            places = [place for place in (journal.place(0), journal.place(2)) if place is not None]
            made = [next_batch(journal, after=place, now=_NOW, taps_max=size) for place in places for size in (2, 3)]
    return tuple(one for one in made if one is not None)


def _batch_seeds() -> tuple[bytes, ...]:
    whole = _batches()[1]
    return (*_batches(), whole[:-1], whole + b"\0", whole[:90], whole.replace(b"Ann", b"Bnn"), b"")


def _parse_receipt(data: bytes, folder: Path) -> object:
    return receipts.Receipt.from_json(data)


def _check_receipt(data: bytes, value: object) -> None:
    demand(isinstance(value, receipts.Receipt), "not a Receipt")
    assert isinstance(value, receipts.Receipt)
    again = json.dumps(value.to_json()).encode()
    demand(receipts.Receipt.from_json(again) == value, "a receipt that cannot be written and read again")


def _receipt_seeds() -> tuple[bytes, ...]:
    receipt = receipts.Receipt(seeds.JOURNAL_GATE, bytes(16), 7, bytes(range(32)))
    whole = json.dumps(receipt.to_json()).encode()
    doubled = whole.replace(b'{"gate"', b'{"seq": 1, "gate"')
    return (whole, doubled, whole[:-1], whole.replace(b"7", b"7.0"), whole.replace(b"7", b"-1"), b"[]", b"null", b"")


def _parse_request(data: bytes, folder: Path) -> object:
    """Three lines of header fields, then the body; an empty line is a field that is not there."""
    lines = data.split(b"\n", 3)
    names = ("Signature-Input", "Signature", "Content-Digest")
    fields = {name: line.decode("latin-1") for name, line in zip(names, lines, strict=False) if line}
    body = lines[3] if len(lines) > 3 else b""
    key = seeds.journal_key().public_key
    return requests.verify_request(
        method="POST",
        url=_URL,
        headers=fields,
        body=body,
        public_key_of={requests.key_id(key): key}.get,
        now=_NOW,
    )


def _check_request(data: bytes, value: object) -> None:
    demand(isinstance(value, requests.VerifiedRequest), "not a VerifiedRequest")
    said, signed = (one.split(b"\n", 3) for one in (data, _requests()[0]))
    demand([said[0], *said[2:]] == [signed[0], *signed[2:]], "a request was verified that no gate signed")


@cache
def _requests() -> tuple[bytes, ...]:
    body = b"taps\nand more"
    signed = requests.sign_request(
        key=seeds.journal_key(), method="POST", url=_URL, headers={}, body=body, now=_NOW, nonce="07" * 16
    )
    lines = [signed[name].encode() for name in ("Signature-Input", "Signature", "Content-Digest")]
    return (b"\n".join((*lines, body)), b"\n".join((*lines, b"more")), b"\n".join(lines), b"\n\n\n", b"")


TARGETS = (
    Target(
        name="batch",
        parser="openstile.journal.batches.read_batch",
        promise="a batch is read from its one encoding, and only one that the fixed gate signed is verified",
        parse=_parse_batch,
        check=_check_batch,
        seeds=_batch_seeds,
        refusals=(JournalError,),
    ),
    Target(
        name="receipt",
        parser="openstile.journal.receipts.Receipt.from_json",
        promise="a receipt that was read can be written and read again",
        parse=_parse_receipt,
        check=_check_receipt,
        seeds=_receipt_seeds,
        refusals=(JournalError,),
    ),
    Target(
        name="request",
        parser="openstile.journal.requests.verify_request",
        promise="only a request whose every covered part is that of the fixed gate's own is verified",
        parse=_parse_request,
        check=_check_request,
        seeds=_requests,
        refusals=(JournalError,),
    ),
)
