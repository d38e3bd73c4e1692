"""Payments: what was paid in through a provider, given back, and disputed. Card data never comes here."""

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, String, Table, UniqueConstraint

from openstile.office.store.metadata import METADATA, column
from openstile.terms.held import Holds, Until

PAYMENT = Table(
    "payment",
    METADATA,
    column("payment_id", String(32), primary_key=True, until=Until.BOOKS_CLOSE),
    column("account_id", String(32), ForeignKey("account.account_id"), index=True, holds=Holds.ACCOUNT,
           until=Until.BOOKS_CLOSE),
    column("provider", String(20)),
    column("provider_ref", String(255), nullable=True, until=Until.BOOKS_CLOSE),
    column("amount_minor", BigInteger, holds=Holds.MONEY, until=Until.BOOKS_CLOSE),
    column("currency", String(3)),
    column("state", String(10)),
    column("opened_on", Date, holds=Holds.DAY, until=Until.BOOKS_CLOSE),
    column("posting_id", String(32), nullable=True, until=Until.BOOKS_CLOSE),
    UniqueConstraint("provider", "provider_ref"),
    CheckConstraint("state IN ('started', 'succeeded', 'failed', 'mismatch')", name="state"),
)  # fmt: skip
"""A top-up. `mismatch`: the provider took another amount than was asked for; somebody must look."""

REFUND = Table(
    "refund",
    METADATA,
    column("refund_id", String(32), primary_key=True, until=Until.BOOKS_CLOSE),
    column("payment_id", String(32), ForeignKey("payment.payment_id"), index=True, until=Until.BOOKS_CLOSE),
    column("provider_ref", String(255), nullable=True, unique=True, until=Until.BOOKS_CLOSE),
    column("amount_minor", BigInteger, holds=Holds.MONEY, until=Until.BOOKS_CLOSE),
    column("state", String(10)),
    column("posting_id", String(32), nullable=True, until=Until.BOOKS_CLOSE),
    CheckConstraint("state IN ('asked', 'succeeded', 'failed')", name="state"),
)

DISPUTE = Table(
    "dispute",
    METADATA,
    column("dispute_ref", String(255), primary_key=True, until=Until.BOOKS_CLOSE),
    column("payment_id", String(32), ForeignKey("payment.payment_id"), index=True, until=Until.BOOKS_CLOSE),
    column("amount_minor", BigInteger, holds=Holds.MONEY, until=Until.BOOKS_CLOSE),
    column("state", String(10)),
    column("posting_id", String(32), nullable=True, until=Until.BOOKS_CLOSE),
    CheckConstraint("state IN ('open', 'won', 'lost')", name="state"),
)

PROVIDER_EVENT = Table(
    "provider_event",
    METADATA,
    column("provider", String(20), primary_key=True),
    column("event_id", String(255), primary_key=True, until=Until.AUDIT_ENDS),
    column("kind", String(20)),
    column("received_on", Date, index=True, holds=Holds.DAY, until=Until.AUDIT_ENDS),
)
"""Events that were taken, so that none is taken twice."""
