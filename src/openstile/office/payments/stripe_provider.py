"""Stripe as the provider, through its own library: payment intents, refunds, disputes, signed webhooks."""

import json
from collections.abc import Mapping
from typing import Any

import stripe

from openstile.office.payments.provider import (
    EventKind,
    EventRefusedError,
    ProviderError,
    ProviderEvent,
    ProviderRefusedError,
    Started,
)
from openstile.terms import BadInputError
from openstile.terms.money import Money

_PAYMENT, _REFUND = "openstile_payment", "openstile_refund"
"""Our ids in Stripe's metadata. Nothing of a rider goes there."""
_PAYMENT_KINDS = {"payment_intent.succeeded": EventKind.PAID, "payment_intent.payment_failed": EventKind.FAILED}
_REFUND_EVENTS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_REFUND_KINDS = {
    "succeeded": EventKind.REFUNDED,
    "failed": EventKind.REFUND_FAILED,
    "canceled": EventKind.REFUND_FAILED,
}
_DISPUTE_KINDS = {
    "needs_response": EventKind.DISPUTED,
    "under_review": EventKind.DISPUTED,
    "won": EventKind.DISPUTE_WON,
    "lost": EventKind.DISPUTE_LOST,
}
"""By status, whichever event tells it: an inquiry (`warning_...`) takes no money, and may become a dispute later."""
_TOLERANCE_S = 300
_STEP_S = 10
"""For one try of three: all of them end before a request's lease does (store.repeats)."""
_REFUNDS_MAX = 100


class StripeProvider:
    """Stripe. Its keys come from files that only the office can read (settings, [office])."""

    name = "stripe"

    def __init__(self, *, api_key: str, webhook_secret: str, api_base: str | None = None) -> None:
        """`api_base`: another address of the API, for tests."""
        if not api_key or not webhook_secret:
            raise BadInputError("stripe: needs an API key and the webhook's signing secret; see docs/office.md")
        addresses: Any = {"api": api_base} if api_base else {}
        self._client = stripe.StripeClient(
            api_key, base_addresses=addresses, max_network_retries=2, http_client=stripe.RequestsClient(timeout=_STEP_S)
        )
        self._webhook_secret = webhook_secret

    def start(self, *, payment_id: str, amount: Money) -> Started:
        """Opens a payment intent; the same id again gives the same one. Raises ProviderError, ProviderRefusedError."""
        with _Explained():
            intent = self._client.v1.payment_intents.create(
                {
                    "amount": amount.minor,
                    "currency": amount.currency.lower(),
                    "automatic_payment_methods": {"enabled": True},
                    "metadata": {_PAYMENT: payment_id},
                },
                {"idempotency_key": f"payment-{payment_id}"},
            )
        if intent.client_secret is None:
            raise ProviderError("stripe: gave no client secret; look at the account's settings")
        return Started(intent.id, intent.client_secret)

    def refund(self, *, refund_id: str, payment_ref: str, amount: Money) -> str:
        """Asks for a refund; the same id again asks once. Raises ProviderError, ProviderRefusedError.

        Stripe forgets idempotency keys after a day, so what it has is looked at first.
        """
        with _Explained():
            known = self._client.v1.refunds.list({"payment_intent": payment_ref, "limit": _REFUNDS_MAX})
            for one in known.data:
                if (one.to_dict().get("metadata") or {}).get(_REFUND) == refund_id:
                    return one.id
            refund = self._client.v1.refunds.create(
                {"payment_intent": payment_ref, "amount": amount.minor, "metadata": {_REFUND: refund_id}},
                {"idempotency_key": f"refund-{refund_id}"},
            )
        return refund.id

    def read_event(self, *, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """The event in a request, its signature and age (5 minutes) checked. Raises EventRefusedError."""
        signature = {name.lower(): value for name, value in headers.items()}.get("stripe-signature")
        try:
            text = body.decode()
            stripe.WebhookSignature.verify_header(text, signature, self._webhook_secret, tolerance=_TOLERANCE_S)
            return _event_of(json.loads(text))
        except stripe.SignatureVerificationError:
            raise EventRefusedError("event: its signature is not Stripe's, or it is too old") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EventRefusedError("event: cannot be read as one of Stripe's") from None


class _Explained:
    """Errors of the library become ours, without what was sent."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (stripe.InvalidRequestError, stripe.CardError)):
            raise ProviderRefusedError("stripe: refuses it; look at the payment on Stripe's dashboard") from None
        if isinstance(error, stripe.StripeError):
            raise ProviderError(f"stripe: {type(error).__name__}; look at Stripe's dashboard, then try again") from None


def _event_of(event: dict[str, Any]) -> ProviderEvent:
    """Stripe's event in our words; what the office does not act on is OTHER."""
    event_id, kind, thing = str(event["id"]), str(event["type"]), event["data"]["object"]
    if kind in _PAYMENT_KINDS:
        return ProviderEvent(
            event_id=event_id,
            kind=_PAYMENT_KINDS[kind],
            payment_ref=str(thing["id"]),
            payment_id=(thing.get("metadata") or {}).get(_PAYMENT),
            amount=_money(thing.get("amount_received") if kind.endswith("succeeded") else thing["amount"], thing),
        )
    if kind in _REFUND_EVENTS:
        return ProviderEvent(
            event_id=event_id,
            kind=_REFUND_KINDS.get(thing["status"], EventKind.OTHER),
            payment_ref=thing.get("payment_intent"),
            amount=_money(thing["amount"], thing),
            item_ref=str(thing["id"]),
            refund_id=(thing.get("metadata") or {}).get(_REFUND),
        )
    if kind.startswith("charge.dispute."):
        return ProviderEvent(
            event_id=event_id,
            kind=_DISPUTE_KINDS.get(thing["status"], EventKind.OTHER),
            payment_ref=thing.get("payment_intent"),
            amount=_money(thing["amount"], thing),
            item_ref=str(thing["id"]),
        )
    return ProviderEvent(event_id=event_id, kind=EventKind.OTHER)


def _money(minor: Any, thing: dict[str, Any]) -> Money:
    if not isinstance(minor, int) or isinstance(minor, bool):
        raise TypeError("an amount is an integer of minor units")
    return Money(minor, str(thing["currency"]).upper())
