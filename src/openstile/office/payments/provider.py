"""What the office asks of a payment provider, and what a provider tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from openstile.terms import OpenstileError
from openstile.terms.money import Money


class ProviderError(OpenstileError):
    """The provider cannot be reached, or does not answer as it must: the same may be asked again."""

    problem = "unavailable"


class ProviderRefusedError(ProviderError):
    """The provider refuses what it was asked for, and will the next time."""

    problem = "conflict"


class EventRefusedError(OpenstileError):
    """An event that does not bear the provider's signature, or cannot be read."""


class EventKind(StrEnum):
    """What an event says."""

    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Started:
    """A payment that the provider has opened: its name for it, and what the rider's browser needs to pay."""

    provider_ref: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One event, verified. `payment_ref` is the provider's name of the payment, `payment_id` ours where it tells.

    `item_ref` is its name of the refund or dispute, `refund_id` ours of a refund that the office asked for.
    """

    event_id: str
    kind: EventKind
    payment_ref: str | None = None
    payment_id: str | None = None
    amount: Money | None = None
    item_ref: str | None = None
    refund_id: str | None = None


class PaymentProvider(Protocol):
    """A payment provider. Each call that moves money can be repeated with the same id and moves it once."""

    @property
    def name(self) -> str:
        """Its name in addresses and ledger accounts: lower-case letters."""
        ...

    def start(self, *, payment_id: str, amount: Money) -> Started:
        """Opens a payment. Raises ProviderError, ProviderRefusedError."""
        ...

    def refund(self, *, refund_id: str, payment_ref: str, amount: Money) -> str:
        """Asks for a refund; returns the provider's name for it. Whether it succeeded, an event says.

        Raises ProviderError, ProviderRefusedError.
        """
        ...

    def read_event(self, *, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """The event in a request to the webhook. Raises EventRefusedError unless the provider signed it."""
        ...
