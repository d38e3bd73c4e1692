"""A desk that asks an office for a signature: the commitment goes out, the template stays, what comes is checked."""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from openstile.passes.envelope import commit
from openstile.passes.holder import HolderPublicKey
from openstile.passes.issue import IssuedPass, check_lasts, seal
from openstile.passes.keyring import TrustedIssuer
from openstile.passes.keys import GateGroupPublicKey
from openstile.passes.live import WalletPass
from openstile.passes.received import TokenOrder, TokenRefusedError, check_received
from openstile.passes.reference import Reference
from openstile.passes.text import to_text
from openstile.terms import OpenstileError
from openstile.terms.errors import BadInputError
from openstile.terms.limits import PASS_BYTES_MAX, SALT_BYTES

_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_SESSION = re.compile(r"[A-Za-z0-9_-]{16,200}")
_DETAIL_CHARS_MAX = 300
_SAID = {
    401: "the session is over; sign in again and save its token in the session file",
    403: "who is signed in may not issue passes; sign in as an agent",
    404: "there is no such account, or the address is no office's; look at both",
}


class OfficeRefusedError(OpenstileError):
    """The office did not sign, or what it sent is not what was asked for. No pass was made."""


class OfficeTransport(Protocol):
    """Carries one request to the office."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, header fields and body of the answer, bounded in size and time. Raises OpenstileError."""
        ...


@dataclass(frozen=True, slots=True)
class SigningOffice:
    """Where signatures come from, for whom, and by whose leave."""

    address: str
    account_id: str
    session: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account_id):
            raise BadInputError("--account: must have 32 hexadecimal digits, as the office shows it")
        if not _SESSION.fullmatch(self.session):
            raise BadInputError("--session-file: does not hold a session's token; sign in and save it there")


def issue_at_office(
    *,
    office: SigningOffice,
    transport: OfficeTransport,
    order: Callable[[bytes], TokenOrder],
    reference: Reference,
    issuers: Iterable[TrustedIssuer],
    group_keys: Iterable[GateGroupPublicKey],
    now: Callable[[], datetime],
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> IssuedPass:
    """Commits, has the office sign, checks what it sent, seals.

    `order` gives what is wanted, over a commitment. `issuers` and `group_keys` are those imported here: the desk seals
    to no key that the office alone names. Raises OfficeRefusedError, BadInputError; then there is no pass.
    """
    salt = random(SALT_BYTES)
    asked = order(commit(salt=salt, data=reference.data))
    url = f"{office.address.rstrip('/')}/v1/accounts/{office.account_id}/passes"
    headers = {"Authorization": f"Bearer {office.session}", "Content-Type": "application/json"}
    status, _fields, answer = transport.request("POST", url, headers, json.dumps(_body(asked)).encode())
    if status != 201:
        raise OfficeRefusedError(_why(office, status, answer))
    told = _read(answer)
    group_key = next((key for key in group_keys if key.point == told.point and key.audience == asked.audience), None)
    if group_key is None:
        raise OfficeRefusedError(
            f"{office.address}: seals to a key of {asked.audience} that was not imported here or is out of use; "
            "get it from the operator by a way you trust: openstile keys import"
        )
    try:
        claims = check_received(token=told.token, order=asked, issuers=issuers, now=now())
    except TokenRefusedError as error:
        raise OfficeRefusedError(f"{office.address}: {error}; no pass was made") from None
    if str(claims.pass_id) != told.pass_id:
        raise OfficeRefusedError(f"{office.address}: names another pass than it signed; no pass was made")
    check_lasts(claims.expires, group_key.not_after, what=f"gate group {group_key.audience}")
    sealed = seal(gate_group_key=group_key, token=told.token, salt=salt, data=reference.data, random=random)
    wallet = WalletPass(told.token, salt, reference.data, group_key)
    return IssuedPass(to_text(sealed), claims.pass_id, claims.not_before, claims.expires, wallet)


@dataclass(frozen=True, slots=True)
class _Told:
    """The parts of the office's answer that a desk looks at."""

    pass_id: str
    token: bytes = field(repr=False)
    point: bytes


def _body(order: TokenOrder) -> dict[str, Any]:
    """The request: a commitment, and nothing that it was made from."""
    reference: dict[str, Any] = {
        "kind": order.reference.kind.value, "commitment": order.reference.commitment.hex(),
    }  # fmt: skip
    if order.reference.pack_id is not None:
        reference["pack_id"] = order.reference.pack_id
    body: dict[str, Any] = {
        "product": order.entitlement.product,
        "zones": list(order.entitlement.zones),
        "valid_days": order.valid_for.days,
        "supervised": order.assurance.name == "SUPERVISED",
        "reference": reference,
    }
    if order.entitlement.rider_category is not None:
        body["rider_category"] = order.entitlement.rider_category
    return body if order.holder is None else {**body, "holder": _point(order.holder)}


def _point(holder: HolderPublicKey) -> dict[str, str]:
    half = (len(holder.point) - 1) // 2
    return {"x": holder.point[1 : 1 + half].hex(), "y": holder.point[1 + half :].hex()}


def _read(answer: bytes) -> _Told:
    try:
        value = json.loads(answer)
        told = _Told(value["pass_id"], _bytes(value["token"]), _bytes(value["gate_group"]["point"]))
        if not isinstance(told.pass_id, str):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise OfficeRefusedError("office: its answer is not one of an office; look at the address") from None
    return told


def _bytes(text: Any) -> bytes:
    """Base64url without padding, of a text that is not too long."""
    if not isinstance(text, str) or len(text) > 2 * PASS_BYTES_MAX:
        raise ValueError
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError from None


def _why(office: SigningOffice, status: int, answer: bytes) -> str:
    """One line. What the office says of it is shown as far as a terminal can take it."""
    try:
        detail = json.loads(answer)["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        detail = None
    shown = "".join(filter(str.isprintable, detail))[:_DETAIL_CHARS_MAX] if isinstance(detail, str) else ""
    what = _SAID.get(status) or (shown or f"answered {status}") + "; no pass was made"
    return f"{office.address}: {what}"
