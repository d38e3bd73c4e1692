"""Payments through a provider: top-ups, refunds and disputes, each on the ledger once, in whatever order they come."""

from openstile.office.payments.provider import (
    EventKind,
    EventRefusedError,
    PaymentProvider,
    ProviderError,
    ProviderEvent,
    ProviderRefusedError,
    Started,
)

__all__ = [
    "EventKind",
    "EventRefusedError",
    "PaymentProvider",
    "ProviderError",
    "ProviderEvent",
    "ProviderRefusedError",
    "Started",
]
