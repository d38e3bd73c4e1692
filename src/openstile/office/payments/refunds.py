"""Asking a provider for refunds: when staff want one, and again where the answer was lost."""

from collections.abc import Mapping

from sqlalchemy import select

from openstile.office.payments.payments import refund_opened, refund_refused
from openstile.office.payments.provider import PaymentProvider, ProviderError, ProviderRefusedError
from openstile.office.store.database import Database
from openstile.office.store.payments import PAYMENT, REFUND
from openstile.terms.money import Money

_AT_ONCE = 100


def ask_provider(
    database: Database, provider: PaymentProvider, *, refund_id: str, payment_ref: str, amount: Money
) -> None:
    """Asks for a refund that was noted; asked twice it is made once. One that is refused is noted as failed.

    Raises ProviderError, ProviderRefusedError.
    """
    try:
        provider_ref = provider.refund(refund_id=refund_id, payment_ref=payment_ref, amount=amount)
    except ProviderRefusedError:
        with database.write() as connection:
            refund_refused(connection, refund_id=refund_id)
        raise
    with database.write() as connection:
        refund_opened(connection, refund_id=refund_id, provider_ref=provider_ref)


def ask_again(database: Database, providers: Mapping[str, PaymentProvider]) -> int:
    """Asks for the refunds that were noted and that no provider has a name for; returns how many it took.

    Each is tried; then ProviderError is raised if a provider could not be reached.
    """
    unanswered = (
        select(REFUND.c.refund_id, REFUND.c.amount_minor, PAYMENT.c.currency, PAYMENT.c.provider,
               PAYMENT.c.provider_ref.label("payment_ref"))
        .join(PAYMENT, PAYMENT.c.payment_id == REFUND.c.payment_id)
        .where(REFUND.c.state == "asked", REFUND.c.provider_ref.is_(None), PAYMENT.c.provider.in_(list(providers)))
        .order_by(REFUND.c.refund_id)
        .limit(_AT_ONCE)
    )  # fmt: skip
    with database.read() as connection:
        found = connection.execute(unanswered).all()
    taken, failed = 0, None
    for row in found:
        try:
            ask_provider(
                database, providers[row.provider], refund_id=row.refund_id, payment_ref=row.payment_ref,
                amount=Money(row.amount_minor, row.currency),
            )  # fmt: skip
            taken += 1
        except ProviderRefusedError:
            continue
        except ProviderError as error:
            failed = error
    if failed is not None:
        raise failed
    return taken
