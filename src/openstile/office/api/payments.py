"""Top-ups through a payment provider, refunds of them, and the provider's events."""

from typing import Annotated

from fastapi import Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from sqlalchemy import Connection, select

from openstile.office.api.access import AccountDep, AccountId
from openstile.office.api.bodies import Body, HexId, Told
from openstile.office.api.dependencies import OfficeDep, OperatorDep
from openstile.office.api.idempotency import MONEY_PROBLEMS, Answer, OperationDep
from openstile.office.api.money import Amount, PositiveAmount
from openstile.office.api.office import Office
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.api.services import RiderServices
from openstile.office.payments import EventRefusedError, ProviderEvent
from openstile.office.payments.payments import (
    Payment,
    begin,
    begin_refund,
    opened,
    read_payment,
    take_event,
)
from openstile.office.payments.refunds import ask_provider
from openstile.office.riders.accounts import read_account
from openstile.office.staff.tokens import new_id
from openstile.office.store.payments import PAYMENT

router = new_router("payments")

ProviderName = Annotated[str, Path(pattern="^[a-z]{1,20}$", description="The payment provider.")]
PaymentId = Annotated[HexId, Path(description="The payment's id.")]
_PAYMENTS_SHOWN_MAX = 200


class TopUpAsked(Body):
    """How much is to be paid in, and through whom."""

    provider: Annotated[str, Field(pattern="^[a-z]{1,20}$")]
    amount: PositiveAmount


class TopUpStarted(Told):
    """A payment that was opened. `client_secret` is for the provider's own code in the rider's browser."""

    payment_id: str
    client_secret: str


class PaymentTold(Told):
    """A payment. It counts once it has succeeded, which the provider tells."""

    payment_id: str
    provider: str
    state: str
    amount: Amount
    refunded: Amount
    refund_asked: Amount


class PaymentList(Told):
    """The payments of an account."""

    items: list[PaymentTold]


class RefundStarted(Told):
    """A refund that the provider was asked for; it is booked when the provider tells that it was made."""

    refund_id: str


@router.post("/v1/accounts/{account_id}/payments", status_code=201, response_model=TopUpStarted,
             responses=declare(*MONEY_PROBLEMS, "unknown-account", "not-found", "payment-state",
                               "conflict"))  # fmt: skip
def start_top_up(office: OfficeDep, access: AccountDep, body: TopUpAsked, operation: OperationDep) -> Response:
    """Opens a payment with a provider. The balance grows when the provider tells that it was paid."""
    riders = office.service(RiderServices)
    provider = riders.provider(body.provider)

    def before() -> TopUpStarted:
        with office.database.write() as connection:
            payment_id = begin(
                connection,
                account_id=access.account_id,
                provider=provider.name,
                amount=body.amount.money(),
                today=riders.today(office.clock.now()),
                payment_id=operation.key[:32],
            )
        started = provider.start(payment_id=payment_id, amount=body.amount.money())
        with office.database.write() as connection:
            opened(connection, payment_id=payment_id, provider_ref=started.provider_ref)
        return TopUpStarted(payment_id=payment_id, client_secret=started.client_secret)

    def work(connection: Connection, started: TopUpStarted) -> Answer:
        access.record(connection, "payment.start")
        return Answer(201, started)

    return operation.run_after(before, work)


@router.get("/v1/accounts/{account_id}/payments", responses=declare("unknown-account"))
def list_payments(office: OfficeDep, access: AccountDep) -> PaymentList:
    """The account's payments, at most 200."""
    chosen = (
        select(PAYMENT.c.payment_id)
        .where(PAYMENT.c.account_id == access.account_id)
        .order_by(PAYMENT.c.opened_on.desc(), PAYMENT.c.payment_id)
        .limit(_PAYMENTS_SHOWN_MAX)
    )
    with office.database.read() as connection:
        read_account(connection, access.account_id)
        found = [read_payment(connection, one) for one in connection.execute(chosen).scalars()]
    return PaymentList(items=[_told(payment) for payment in found])


@router.post("/v1/accounts/{account_id}/payments/{payment_id}/refunds", status_code=201, response_model=RefundStarted,
             responses=declare(*MONEY_PROBLEMS, "unknown-account", "unknown-payment", "payment-state",
                               "insufficient-funds", "conflict", "not-found"))  # fmt: skip
def start_refund(
    office: OfficeDep,
    staff: OperatorDep,
    account_id: AccountId,
    payment_id: PaymentId,
    body: PositiveAmount,
    operation: OperationDep,
) -> Response:
    """Gives back money that was paid in, at most what the account holds, the way it came."""
    riders = office.service(RiderServices)

    def before() -> RefundStarted:
        with office.database.write() as connection:
            refund_id, payment = begin_refund(
                connection,
                payment_id=payment_id,
                amount=body.money(),
                account_id=account_id,
                refund_id=operation.key[:32],
            )
        ask_provider(
            office.database,
            riders.provider(payment.provider),
            refund_id=refund_id,
            payment_ref=str(payment.provider_ref),
            amount=body.money(),
        )
        return RefundStarted(refund_id=refund_id)

    def work(connection: Connection, started: RefundStarted) -> Answer:
        staff.record(connection, "payment.refund", payment_id)
        return Answer(201, started)

    return operation.run_after(before, work)


@router.post("/v1/providers/{provider}/events", status_code=204,
             responses=declare("bad-webhook", "not-found", "unknown-payment"))  # fmt: skip
async def take_provider_event(office: OfficeDep, request: Request, provider: ProviderName) -> None:
    """An event of a payment provider, signed by it. One that came before is answered the same and changes nothing."""
    body = await request.body()
    await run_in_threadpool(_take, office, provider, dict(request.headers), body)


def _take(office: Office, name: str, headers: dict[str, str], body: bytes) -> None:
    riders = office.service(RiderServices)
    provider = riders.provider(name)
    try:
        event: ProviderEvent = provider.read_event(headers=headers, body=body)
    except EventRefusedError as error:
        raise ProblemError("bad-webhook", str(error)) from None
    with office.database.write() as connection:
        take_event(
            connection,
            provider=provider.name,
            event=event,
            today=riders.today(office.clock.now()),
            new_id=lambda: new_id(office.random),
        )


def _told(payment: Payment) -> PaymentTold:
    return PaymentTold(
        payment_id=payment.payment_id,
        provider=payment.provider,
        state=payment.state,
        amount=Amount.of(payment.amount),
        refunded=Amount.of(payment.refunded),
        refund_asked=Amount.of(payment.asked),
    )
