"""The other end of the wire for tests of the uplink: an office in memory that checks what a real one must, and a wire
that loses what the test says.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from openstile.journal.batches import read_batch, verify_head
from openstile.journal.chain import genesis_hash
from openstile.journal.receipts import Receipt
from openstile.journal.requests import RequestSignatureError, key_id, verify_key_proof, verify_request
from openstile.terms import GateId, OpenstileError

OFFICE = "https://office.example"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

Answer = tuple[int, Mapping[str, str], bytes]


class LostError(OpenstileError):
    """The wire lost something."""


class TurnedClock:
    """Wall and monotonic time that go only when told to."""

    def __init__(self) -> None:
        self.wall = NOON
        self.mono_ns = 10**9

    def now(self) -> datetime:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.mono_ns

    def go(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.mono_ns += int(seconds * 1e9)


@dataclass
class KnownEpoch:
    """An epoch as the office holds it: `taps` are passes and hashes by their order, the genesis hash in front."""

    journal_key: bytes
    hashes: list[bytes]
    passes: list[bytes] = field(default_factory=list)
    after: dict[str, Any] | None = None
    reason: str = "new"
    faded_through: int = 0


@dataclass
class Office:
    """One gate's office. `clock` is its own; `token` admits once."""

    gate: GateId
    clock: TurnedClock
    token: str = "claim-me"
    keys: dict[str, bytes] = field(default_factory=dict)
    epochs: dict[bytes, KnownEpoch] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    locked: bool = False
    bundle: bytes = b""
    asked: list[str] = field(default_factory=list)
    lose: list[str] = field(default_factory=list)
    """For the next requests, one word each: `""` nothing, `request` before it came, `answer` after it took effect."""
    tamper: Callable[[Answer], Answer] = lambda answer: answer

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        fault = self.lose.pop(0) if self.lose else ""
        if fault == "request":
            raise LostError("office: no answer")
        answer = self._answer(method, url, headers, body)
        if fault == "answer":
            raise LostError("office: no answer")
        return self.tamper(answer)

    def all_passes(self) -> list[bytes]:
        """What the office would price, of all epochs."""
        return [one for epoch in self.epochs.values() for one in epoch.passes]

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        self.asked.append(f"{method} {parts.path}")
        keys = dict(self.keys)
        if parts.path == "/v1/gates/claim":
            claimed = bytes.fromhex(json.loads(body)["uplink_key"])
            keys[key_id(claimed)] = claimed
        try:
            verified = verify_request(
                method=method, url=url, headers=headers, body=body, public_key_of=keys.get, now=self.clock.now()
            )
        except RequestSignatureError:
            return self._problem(401, "bad-signature")
        assert verified.nonce not in self.nonces, "a nonce was used twice"
        self.nonces.add(verified.nonce)
        if self.locked:
            return self._problem(403, "gate-locked")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        handlers: dict[str, Callable[[], Answer]] = {
            "POST /v1/gates/claim": lambda: self._claim(json.loads(body)),
            "POST /v1/gate/epochs": lambda: self._epoch(json.loads(body)),
            "POST /v1/gate/batches": lambda: self._batch(body),
            "GET /v1/gate/position": lambda: self._position(bytes.fromhex(query["epoch"])),
            "GET /v1/gate/heads": lambda: self._head(bytes.fromhex(query["epoch"]), int(query["through"])),
            "POST /v1/gate/keys": lambda: self._keys(json.loads(body), verified.kid),
            "GET /v1/gate/bundle": lambda: self._bundle(headers),
        }
        return handlers[self.asked[-1]]()

    def _claim(self, asked: dict[str, str]) -> Answer:
        if asked["token"] != self.token:
            return self._problem(401, "claim-refused")
        self.token = ""
        public_key = bytes.fromhex(asked["uplink_key"])
        self.keys[key_id(public_key)] = public_key
        self._register(bytes.fromhex(asked["epoch"]), bytes.fromhex(asked["journal_key"]))
        return self._json(201, {"gate": asked["gate"], "kid": key_id(public_key)})

    def _epoch(self, asked: dict[str, Any]) -> Answer:
        epoch = bytes.fromhex(asked["epoch"])
        known = epoch in self.epochs
        if not known:
            self._register(epoch, bytes.fromhex(asked["journal_key"]))
            self.epochs[epoch].after, self.epochs[epoch].reason = asked["after"], asked["reason"]
        return self._json(200 if known else 201, {})

    def _register(self, epoch: bytes, journal_key: bytes) -> None:
        genesis = genesis_hash(gate=self.gate, public_key=journal_key, epoch=epoch)
        self.epochs[epoch] = KnownEpoch(journal_key, [genesis])

    def _batch(self, body: bytes) -> Answer:
        batch = read_batch(body, gate=self.gate)
        known = self.epochs.get(batch.epoch)
        if known is None:
            return self._problem(404, "unknown-epoch")
        verify_head(batch=batch, public_key=known.journal_key)
        end = len(known.hashes) - 1
        if batch.first_seq > end + 1:
            return self._problem(409, "gap", expected_seq=end + 1)
        stored = known.hashes[batch.first_seq - 1 : batch.last_seq + 1]
        sent = [batch.previous_hash, *(tap.hash for tap in batch.taps)]
        if sent[: len(stored)] != stored:
            return self._problem(409, "fork", seq=end, hash=known.hashes[-1].hex())
        for tap in batch.taps:
            if tap.seq > end:
                known.hashes.append(tap.hash)
                known.passes.append(tap.tap.pass_id.value)
        return self._position(batch.epoch)

    def _position(self, epoch: bytes) -> Answer:
        known = self.epochs.get(epoch)
        if known is None:
            return self._problem(404, "unknown-epoch")
        return self._json(200, Receipt(self.gate, epoch, len(known.hashes) - 1, known.hashes[-1]).to_json())

    def _head(self, epoch: bytes, through: int) -> Answer:
        known = self.epochs[epoch]
        if through <= known.faded_through:
            return self._json(200, None)
        return self._json(200, {"seq": through, "hash": known.hashes[through].hex()})

    def _keys(self, asked: dict[str, str], old_kid: str) -> Answer:
        public_key = bytes.fromhex(asked["uplink_key"])
        kid = verify_key_proof(
            public_key=public_key, proof=bytes.fromhex(asked["proof"]), gate=self.gate, old_kid=old_kid
        )
        self.keys[kid] = public_key
        return self._json(201, {"kid": kid, "old_until": "2026-03-02T12:00:00Z"})

    def _bundle(self, headers: Mapping[str, str]) -> Answer:
        if not self.bundle:
            return self._problem(404, "no-bundle")
        if headers.get("If-None-Match") == '"1"':
            return 304, {}, b""
        return 200, {"ETag": '"1"'}, self.bundle

    def _problem(self, status: int, name: str, **members: Any) -> Answer:
        return self._json(status, {"type": f"urn:openstile:problem:{name}", "status": status, **members})

    def _json(self, status: int, value: Any) -> Answer:
        return status, {"Date": format_datetime(self.clock.now(), usegmt=True)}, json.dumps(value).encode()
