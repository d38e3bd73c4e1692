"""A batch has one encoding, its chain is computed anew, and every bit of it is looked at."""

import struct
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.sample import GATE, START, break_in, journal_of, pass_id, tap

from openstile.journal import GateKey, Journal, JournalBrokenError
from openstile.journal.batches import Batch, BatchError, encode_batch, read_batch, verify_head
from openstile.journal.sending import next_batch
from openstile.journal.taps import Head, JournaledTap, microseconds_of
from openstile.terms import GateId
from openstile.terms.limits import BATCH_BYTES_MAX, BATCH_TAPS_MAX

_SENT = START + timedelta(hours=1)
_START_BYTES = 23
_FIELDS = {"epoch": (0, 16), "first_seq": (16, 8), "previous_hash": (24, 32), "run": (56, 4), "sent_at_us": (60, 8),
           "sent_mono_us": (68, 8), "count": (76, 2)}  # fmt: skip
_TAP_FIELDS = {"seq": (0, 8), "salt": (8, 16), "pass_id": (24, 16), "at_us": (40, 8), "mono_us": (48, 8),
               "run": (56, 4), "direction": (60, 1), "status_unsure": (61, 1), "length": (62, 2),
               "product": (64, 13)}  # fmt: skip
_FIRST_TAP = _START_BYTES + 78
_TAP_BYTES = 77


class _Ticks:
    """A monotonic clock that goes on by a millisecond with each look."""

    def __init__(self) -> None:
        self.ns = 5_000_000_000

    def __call__(self) -> int:
        self.ns += 1_000_000
        return self.ns


def _journal(path: Path, key: GateKey, *, taps: int) -> Journal:
    journal = Journal.open(path, key=key, gate=GATE, monotonic_ns=_Ticks())
    for number in range(1, taps + 1):
        journal.append(tap(number))
    return journal


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, gate_key: GateKey) -> tuple[bytes, tuple[JournaledTap, ...], bytes]:
    """A batch of taps 2 to 4 of a journal, these taps, and the journal's epoch."""
    with _journal(tmp_path_factory.mktemp("batch") / "gate" / "journal.db", gate_key, taps=5) as journal:
        after = journal.place(1)
        assert after is not None
        data = next_batch(journal, after=after, now=_SENT, taps_max=3)
        assert data is not None
        return data, tuple(reversed(journal.taps()))[1:4], journal.epoch


def _read(data: bytes, key: GateKey) -> Batch:
    """As the office does: the batch, the signature of its end, the place that it follows."""
    batch = read_batch(data, gate=GATE)
    verify_head(batch=batch, public_key=key.public_key)
    return batch


def test_batch_is_the_documented_encoding(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes], gate_key: GateKey
) -> None:
    data, taps, epoch = made
    batch = read_batch(data, gate=GATE)
    encoded = b"openstile tap batch v1\0" + epoch + struct.pack(">Q", 2) + taps[0].previous_hash
    encoded += struct.pack(">IqqH", taps[0].run, microseconds_of(_SENT), batch.sent_mono_us, 3)
    for one in taps:
        way = 1 if one.tap.direction == "in" else 2
        encoded += struct.pack(">Q", one.seq) + one.salt + one.tap.pass_id.value
        encoded += (
            struct.pack(">qqIBB", microseconds_of(one.tap.at), one.mono_us, one.run, way, 0) + b"\0\x0dadult-monthly"
        )
    head = b"openstile journal head v1\0" + struct.pack(">Q", 4) + taps[-1].hash
    assert data == encoded + gate_key.sign(head)


def test_batch_says_what_the_journal_does(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes], gate_key: GateKey
) -> None:
    data, taps, epoch = made
    batch = read_batch(data, gate=GATE)
    assert (batch.epoch, batch.first_seq, batch.last_seq, batch.run) == (epoch, 2, 4, taps[0].run)
    assert (batch.previous_hash, batch.head_hash) == (taps[0].previous_hash, taps[-1].hash)
    assert [(one.seq, one.tap, one.run, one.mono_us, one.salt, one.hash) for one in batch.taps] == [
        (one.seq, one.tap, one.run, one.mono_us, one.salt, one.hash) for one in taps
    ]
    assert batch.sent_mono_us > taps[-1].mono_us > taps[0].mono_us > 0
    assert verify_head(batch=batch, public_key=gate_key.public_key) == Head(4, taps[-1].hash)


@pytest.mark.parametrize(
    "name", [name for name in _FIELDS if name not in ("epoch", "sent_at_us", "sent_mono_us", "run")]
)
def test_batch_with_another_value_in_its_beginning_is_refused(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes], gate_key: GateKey, name: str
) -> None:
    offset, length = _FIELDS[name]
    for at in range(offset, offset + length):
        changed = bytearray(made[0])
        changed[_START_BYTES + at] ^= 1
        with pytest.raises(BatchError):
            _read(bytes(changed), gate_key)


@pytest.mark.parametrize("name", _TAP_FIELDS)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_tap_with_another_value_is_refused(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes], gate_key: GateKey, name: str, number: int
) -> None:
    offset, length = _TAP_FIELDS[name]
    for at in range(offset, offset + length):
        for bit in range(8):
            changed = bytearray(made[0])
            changed[_FIRST_TAP + number * _TAP_BYTES + at] ^= 1 << bit
            with pytest.raises(BatchError):
                _read(bytes(changed), gate_key)


@given(st.data())
def test_batch_with_any_bit_changed_is_refused_or_says_the_same_of_riders(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes], gate_key: GateKey, data: st.DataObject
) -> None:
    changed = bytearray(made[0])
    bit = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    try:
        batch = _read(bytes(changed), gate_key)
    except BatchError:
        return
    assert batch.taps == read_batch(made[0], gate=GATE).taps


@given(st.binary(max_size=600))
def test_any_bytes_without_a_chain_are_refused(data: bytes) -> None:
    for candidate in (data, b"openstile tap batch v1\0" + data):
        with pytest.raises(BatchError, match="batch: "):
            read_batch(candidate, gate=GATE)


def test_batch_that_is_cut_off_anywhere_or_goes_on_is_refused(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes],
) -> None:
    data = made[0]
    for end in range(len(data)):
        with pytest.raises(BatchError):
            read_batch(data[:end], gate=GATE)
    with pytest.raises(BatchError, match="65 bytes behind its taps"):
        read_batch(data + b"\0", gate=GATE)


def _with(data: bytes, name: str, value: bytes) -> bytes:
    offset, length = _FIELDS[name]
    assert len(value) == length
    begin = _START_BYTES + offset
    return data[:begin] + value + data[begin + length :]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run", struct.pack(">I", 0)),
        ("run", struct.pack(">I", 2**31)),
        ("sent_mono_us", struct.pack(">q", -1)),
        ("sent_mono_us", struct.pack(">q", 0)),
        ("sent_at_us", struct.pack(">q", 2**62)),
        ("first_seq", struct.pack(">Q", 0)),
        ("first_seq", struct.pack(">Q", 2**63)),
        ("count", struct.pack(">H", 0)),
        ("count", struct.pack(">H", BATCH_TAPS_MAX + 1)),
    ],
)
def test_batch_with_a_value_out_of_range_is_refused(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes], name: str, value: bytes
) -> None:
    with pytest.raises(BatchError):
        read_batch(_with(made[0], name, value), gate=GATE)


def test_batch_of_too_many_bytes_is_refused_before_it_is_read() -> None:
    with pytest.raises(BatchError, match="at most"):
        read_batch(bytes(BATCH_BYTES_MAX + 1), gate=GATE)


def test_head_signed_by_another_key_is_refused(made: tuple[bytes, tuple[JournaledTap, ...], bytes]) -> None:
    batch = read_batch(made[0], gate=GATE)
    with pytest.raises(BatchError, match="did not sign"):
        verify_head(batch=batch, public_key=GateKey.generate().public_key)


def test_head_of_fewer_taps_does_not_sign_more(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes], gate_key: GateKey
) -> None:
    data, taps, epoch = made
    forged = encode_batch(
        epoch=epoch,
        run=taps[0].run,
        sent_at_us=0,
        sent_mono_us=2**40,
        taps=taps[:2],
        head_signature=data[-64:],
    )
    with pytest.raises(BatchError, match="did not sign"):
        _read(forged, gate_key)


def test_taps_that_do_not_follow_one_another_make_no_batch(
    made: tuple[bytes, tuple[JournaledTap, ...], bytes],
) -> None:
    taps, epoch = made[1], made[2]
    for wrong in ((), (taps[0], taps[2]), (taps[1], taps[0]), (taps[0], taps[1]._replace(previous_hash=bytes(32)))):
        with pytest.raises(BatchError):
            encode_batch(epoch=epoch, run=1, sent_at_us=0, sent_mono_us=0, taps=wrong, head_signature=bytes(64))


def test_largest_batch_is_read(journal_path: Path, gate_key: GateKey) -> None:
    with Journal.open(journal_path, key=gate_key, gate=GateId("a" * 40)) as journal:
        journal._connection.execute("PRAGMA synchronous = OFF")  # only for the speed of this test
        for number in range(BATCH_TAPS_MAX + 1):
            journal.append(replace(tap(number, product="𝄞" * 48), gate=GateId("a" * 40)))
        data = next_batch(journal, after=Head(0, journal.place(0).hash), now=_SENT)  # type: ignore[union-attr]
        assert data is not None
        assert len(data) < BATCH_BYTES_MAX
        assert len(read_batch(data, gate=GateId("a" * 40)).taps) == BATCH_TAPS_MAX


def test_batches_follow_one_another_to_the_end_and_no_further(journal_path: Path, gate_key: GateKey) -> None:
    with _journal(journal_path, gate_key, taps=7) as journal:
        place, seen = journal.place(0), []
        while place is not None and (data := next_batch(journal, after=place, now=_SENT, taps_max=3)) is not None:
            batch = _read(data, gate_key)
            assert batch.previous_hash == place.hash
            place = Head(batch.last_seq, batch.head_hash)
            seen.append([one.tap.pass_id for one in batch.taps])
        assert place == journal.head()
    assert seen == [[pass_id(number) for number in numbers] for numbers in ((1, 2, 3), (4, 5, 6), (7,))]


def test_batch_of_a_later_run_shows_both_runs(journal_path: Path, gate_key: GateKey) -> None:
    journal_of(journal_path, gate_key, taps=2)
    with _journal(journal_path, gate_key, taps=1) as journal:
        place = journal.place(0)
        assert place is not None
        data = next_batch(journal, after=place, now=_SENT)
        assert data is not None
        batch = _read(data, gate_key)
        first, second = batch.taps[0].run, journal.run
        assert (batch.run, [one.run for one in batch.taps]) == (second, [first, first, second])
        assert second > first
        with pytest.raises(BatchError, match="run or time that is still to come"):
            read_batch(_with(data, "run", struct.pack(">I", first)), gate=GATE)


def test_broken_tap_is_not_sent(journal_path: Path, gate_key: GateKey) -> None:
    break_in(journal_of(journal_path, gate_key, taps=3), "UPDATE tap SET product = 'child' WHERE seq = 2")
    with Journal.open(journal_path, key=gate_key, gate=GATE) as journal:
        place = journal.place(0)
        assert place is not None
        with pytest.raises(JournalBrokenError, match="tap 2"):
            next_batch(journal, after=place, now=_SENT)


def test_hashes_do_not_depend_on_who_computes_them(made: tuple[bytes, tuple[JournaledTap, ...], bytes]) -> None:
    data, taps, _ = made
    record = data[_FIRST_TAP : _FIRST_TAP + _TAP_BYTES]
    assert sha256(b"openstile journal tap v3\0" + taps[0].previous_hash + record).digest() == taps[0].hash
