"""The gate's side of its talk with the office: signed requests out, strictly read answers in."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from openstile.journal import GateKey
from openstile.journal.epochs import Origin
from openstile.journal.receipts import Receipt
from openstile.journal.requests import NONCE_BYTES, key_id, sign_key_proof, sign_request
from openstile.journal.taps import HASH_BYTES, Head
from openstile.terms import Clock, GateId, OpenstileError
from openstile.terms.limits import BUNDLE_BYTES_MAX, ETAG_CHARS_MAX, REQUEST_BYTES_MAX

_log = logging.getLogger("openstile.gate")

BATCH_TYPE = "application/vnd.openstile.batch"

_PROBLEM = re.compile(r"urn:openstile:problem:([a-z0-9-]{1,40})")
_HASH = re.compile(rf"[0-9a-f]{{{2 * HASH_BYTES}}}")
_CLOCK_WRONG_S = 20
"""A difference to the office's clock from which on it is tried whether that is why a request was refused."""

_CLOCK_WRONG_MAX = timedelta(days=100 * 366)
"""Clocks that begin in 1970 are less wrong than this."""


class UplinkTransport(Protocol):
    """What carries requests to the office; tests put faults in between."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The answer's status, header fields and body. Raises OpenstileError where none came."""
        ...


class OfficeRefusedError(OpenstileError):
    """The office answered that it will not. `problem` is the name of its problem type (RFC 9457), "" for none of ours.

    `members` are the problem's others, not looked at yet.
    """

    def __init__(self, message: str, *, status: int, problem: str, members: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem
        self.members = members


class OfficeAnswerError(OpenstileError):
    """The office's answer is none that an office gives."""


@dataclass(frozen=True, slots=True)
class OfficeBundle:
    """A trust bundle as the office gave it, still to be verified, and the office's name for it."""

    data: bytes = field(repr=False)
    etag: str | None


class OfficeClient:
    """One gate's requests to one office; each call is one request, or two where the gate's clock is wrong."""

    def __init__(
        self,
        *,
        office: str,
        gate: GateId,
        key: Callable[[], GateKey],
        transport: UplinkTransport,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        """`office` is the address up to its path, as https://office.example; `key` gives the uplink key of now."""
        self._office = office.rstrip("/")
        self._gate = gate
        self._key = key
        self._transport = transport
        self._clock = clock
        self._random = random
        self._ahead = timedelta(0)
        """The office's clock less this gate's, where that mattered: for signing requests, never for taps."""

    def claim(self, *, token: str, journal_key: bytes, epoch: bytes, key: GateKey | None = None) -> None:
        """Asks for admission with a claim token, which works once. Raises OfficeRefusedError."""
        key = key or self._key()
        asked = {"gate": self._gate.value, "token": token, "uplink_key": key.public_key.hex(),
                 "journal_key": journal_key.hex(), "epoch": epoch.hex()}  # fmt: skip
        answer = self._post_json("/v1/gates/claim", asked, key=key)
        if answer.get("gate") != self._gate.value or answer.get("kid") != key_id(key.public_key):
            raise OfficeAnswerError(f"{self._office}: admitted something else than this gate; look at the office")

    def register_epoch(self, *, epoch: bytes, journal_key: bytes, origin: Origin | None) -> None:
        """Tells the office of a journal file of this gate; telling it again changes nothing."""
        after = None if origin is None else {"epoch": origin.epoch.hex(), "seq": origin.seq}
        reason = "new" if origin is None else origin.reason
        asked = {"epoch": epoch.hex(), "journal_key": journal_key.hex(), "after": after, "reason": reason}
        self._post_json("/v1/gate/epochs", asked, key=self._key())

    def send(self, batch: bytes, *, epoch: bytes) -> Receipt:
        """Sends a batch; the receipt says up to where the office holds the epoch durably."""
        headers = {"Content-Type": BATCH_TYPE, "Accept": "application/json"}
        _, body = self._ask("POST", "/v1/gate/batches", key=self._key(), headers=headers, body=batch, expected=(200,))
        return self._own(Receipt.from_json(body), epoch)

    def position(self, epoch: bytes, *, key: GateKey | None = None) -> Receipt:
        """Up to where the office holds `epoch`."""
        _, body = self._ask("GET", f"/v1/gate/position?epoch={epoch.hex()}", key=key or self._key(), expected=(200,))
        return self._own(Receipt.from_json(body), epoch)

    def head_at(self, epoch: bytes, seq: int) -> Head | None:
        """The office's tap `seq` of `epoch`, by its hash; None where it has forgotten that."""
        path = f"/v1/gate/heads?epoch={epoch.hex()}&through={seq}"
        _, body = self._ask("GET", path, key=self._key(), expected=(200,))
        answer = _json_of(body, self._office)
        if answer is None:
            return None
        known, own_hash = (answer.get(name) for name in ("seq", "hash")) if isinstance(answer, dict) else (0, 0)
        if known is None or own_hash is None:
            return None
        if type(known) is not int or not isinstance(own_hash, str) or not _HASH.fullmatch(own_hash):
            raise OfficeAnswerError(f"{self._office}: gave no place of a tap; look at the office")
        return Head(seq, bytes.fromhex(own_hash)) if known == seq else None

    def change_key(self, new_key: GateKey) -> None:
        """Tells the office that `new_key` follows the present one; telling it again changes nothing."""
        key = self._key()
        proof = sign_key_proof(new_key=new_key, gate=self._gate, old_kid=key_id(key.public_key))
        asked = {"uplink_key": new_key.public_key.hex(), "proof": proof.hex()}
        answer = self._post_json("/v1/gate/keys", asked, key=key)
        if answer.get("kid") != key_id(new_key.public_key):
            raise OfficeAnswerError(f"{self._office}: took another key than this gate's; look at the office")

    def bundle(self, etag: str | None) -> OfficeBundle | None:
        """The trust bundle for this gate; None where it is still what `etag` names, or the office has none."""
        headers = {"If-None-Match": etag} if etag else {}
        try:
            answered, body = self._ask("GET", "/v1/gate/bundle", key=self._key(), headers=headers,
                                       expected=(200, 304), bytes_max=BUNDLE_BYTES_MAX)  # fmt: skip
        except OfficeRefusedError as error:
            if error.status == 404:
                return None
            raise
        if not body:
            return None
        name = answered.get("etag", "")
        usable = 0 < len(name) <= ETAG_CHARS_MAX and name.isascii() and name.isprintable()
        return OfficeBundle(body, name if usable else None)

    def _post_json(self, path: str, asked: Mapping[str, Any], *, key: GateKey) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        body = json.dumps(asked).encode("ascii")
        _, answered = self._ask("POST", path, key=key, headers=headers, body=body, expected=(200, 201))
        answer = _json_of(answered, self._office)
        if not isinstance(answer, dict):
            raise OfficeAnswerError(f"{self._office}: gave no JSON object; look at the office's address")
        return answer

    def _ask(
        self,
        method: str,
        path: str,
        *,
        key: GateKey,
        expected: tuple[int, ...],
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        bytes_max: int = REQUEST_BYTES_MAX,
    ) -> tuple[dict[str, str], bytes]:
        """The answer's fields by lower-case name and its body. Raises OfficeRefusedError, OfficeAnswerError."""
        status, answered, data = self._signed(method, path, key=key, headers=headers or {}, body=body)
        if status == 401 and self._learn_clock(answered):
            status, answered, data = self._signed(method, path, key=key, headers=headers or {}, body=body)
        if len(data) > (bytes_max if status in expected else REQUEST_BYTES_MAX):
            raise OfficeAnswerError(f"{self._office}: sends more than is asked for; look at the office's address")
        if status not in expected:
            raise _refusal(self._office, status, data)
        return answered, data

    def _signed(
        self, method: str, path: str, *, key: GateKey, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        url = self._office + path
        signed = sign_request(key=key, method=method, url=url, headers=headers, body=body,
                              now=self._clock.now() + self._ahead, nonce=self._random(NONCE_BYTES).hex())  # fmt: skip
        status, answered, data = self._transport.request(method, url, signed, body)
        return status, {name.lower(): value for name, value in answered.items()}, data

    def _learn_clock(self, answered: Mapping[str, str]) -> bool:
        """Whether the office's clock says that the request was signed at a wrong time, and the next will not be."""
        try:
            ahead = parsedate_to_datetime(answered.get("date", "")).astimezone(UTC) - self._clock.now()
        except (ValueError, OverflowError):
            return False
        if abs(ahead - self._ahead) < timedelta(seconds=_CLOCK_WRONG_S) or abs(ahead) > _CLOCK_WRONG_MAX:
            return False
        self._ahead = ahead
        _log.warning("this gate's clock and the office's are %.0f s apart; look at both", abs(ahead.total_seconds()))
        return True

    def _own(self, receipt: Receipt, epoch: bytes) -> Receipt:
        if (receipt.gate, receipt.epoch) != (self._gate, epoch):
            raise OfficeAnswerError(f"{self._office}: gave the receipt of another gate or epoch; look at the office")
        return receipt


def is_office_address(url: str) -> bool:
    """Whether `url` is one of an office: a scheme and an authority, nothing behind it."""
    return re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", url) is not None


def _refusal(office: str, status: int, data: bytes) -> OfficeRefusedError:
    try:
        members = _json_of(data, office)
    except OfficeAnswerError:
        members = None
    members = members if isinstance(members, dict) else {}
    match = _PROBLEM.fullmatch(str(members.get("type", "")))
    problem = match.group(1) if match else ""
    said = f" ({problem})" if problem else ""
    message = f"{office}: answered {status}{said}; {_ADVICE.get(problem, 'look at the office, or at its address')}"
    return OfficeRefusedError(message, status=status, problem=problem, members=members)


_ADVICE = {
    "gate-locked": "the operator locked this gate; its taps stay here until it is unlocked",
    "bad-signature": "it does not take this gate's uplink key (any more), or the clocks differ: look at both; else ask "
    "the operator for a claim token, stop the gate, and openstile uplink join URL --token TOKEN",
    "claim-refused": "the claim token is used, expired or wrong; ask the operator for another",
}


def _json_of(data: bytes, office: str) -> Any:
    try:
        return json.loads(data.decode())
    except (ValueError, RecursionError):
        raise OfficeAnswerError(f"{office}: gave no JSON; look at the office's address") from None
