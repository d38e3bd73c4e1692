"""A provider for demo and tests: moves no money, decides by rule, and signs its events as a real one does.

Amounts whose minor units end in 13 fail; every other payment succeeds. Events are JSON, signed with HMAC-SHA256.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from openstile.office.payments.provider import EventKind, EventRefusedError, ProviderEvent, Started
from openstile.terms.money import Money

SIGNATURE_HEADER = "openstile-demo-signature"
_UNLUCKY = 13


class DemonstrationProvider:
    """Deterministic: the same order gives the same answer and the same event."""

    name = "demo"

    def __init__(self, secret: bytes) -> None:
        """`secret`: 16 bytes or more, shared by the webhook and whoever plays the provider."""
        if len(secret) < 16:
            raise ValueError("the demo provider's secret needs 16 bytes or more")
        self._secret = secret

    def start(self, *, payment_id: str, amount: Money) -> Started:
        """Opens a payment."""
        return Started(f"demo_{payment_id}", f"demo_secret_{self._tag(payment_id.encode())[:16]}")

    def refund(self, *, refund_id: str, payment_ref: str, amount: Money) -> str:
        """Accepts the refund."""
        return f"demo_refund_{refund_id}"

    def read_event(self, *, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """The event in a request. Raises EventRefusedError."""
        given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._tag(body).encode()):
            raise EventRefusedError("event: its signature is not the demo provider's")
        try:
            value = json.loads(body)
            amount = (
                None if value.get("amount") is None else Money(value["amount"]["minor"], value["amount"]["currency"])
            )
            texts = {name: _text(value.get(name)) for name in ("payment_ref", "payment_id", "item_ref", "refund_id")}
            return ProviderEvent(event_id=str(value["id"]), kind=EventKind(value["kind"]), amount=amount, **texts)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EventRefusedError("event: is not one of the demo provider's") from None

    def outcome(self, *, payment_id: str, amount: Money) -> tuple[dict[str, str], bytes]:
        """The event that tells how a payment ended, as headers and body: what a real provider would send."""
        kind = EventKind.FAILED if amount.minor % 100 == _UNLUCKY else EventKind.PAID
        return self.event(kind, payment_id=payment_id, payment_ref=f"demo_{payment_id}", amount=amount)

    def event(
        self,
        kind: EventKind,
        *,
        payment_ref: str,
        amount: Money,
        payment_id: str | None = None,
        item_ref: str | None = None,
        refund_id: str | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """A signed event, as headers and body. Its id follows from what it says."""
        value: dict[str, Any] = {
            "kind": kind.value,
            "payment_ref": payment_ref,
            "payment_id": payment_id,
            "amount": {"minor": amount.minor, "currency": amount.currency},
            "item_ref": item_ref,
            "refund_id": refund_id,
        }
        value["id"] = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
        body = json.dumps(value).encode()
        return {SIGNATURE_HEADER: self._tag(body), "content-type": "application/json"}, body

    def _tag(self, message: bytes) -> str:
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("must be a text")
    return value
