"""Period products: what is sold, buying one from the balance, giving it back."""

from datetime import date
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field
from sqlalchemy import Connection

from openstile.fares.rides import HeldPeriod
from openstile.office.api.access import AccountDep, AccountId
from openstile.office.api.bodies import Body, HexId, Told
from openstile.office.api.dependencies import OfficeDep, OperatorDep
from openstile.office.api.idempotency import MONEY_PROBLEMS, Answer, OperationDep
from openstile.office.api.money import Amount, PositiveAmount
from openstile.office.api.problems import declare
from openstile.office.api.routing import new_router
from openstile.office.api.services import RiderServices
from openstile.office.pricing.rows import periods_of
from openstile.office.riders.accounts import read_account
from openstile.office.riders.periods import buy, give_back
from openstile.office.staff.tokens import new_id

router = new_router("period products")

PeriodId = Annotated[HexId, Path(description="The id of the period product that is held.")]


class OfferTold(Told):
    """A period product as it is sold to the account's rider, beginning today."""

    product: str
    name: str
    price: Amount
    until_day: date
    rides: int | None


class Offers(Told):
    """What is sold to the account's rider."""

    items: list[OfferTold]


class PeriodTold(Told):
    """A period product that the account holds. `rides`: in all, null for any number."""

    period_id: str
    product: str
    from_day: date
    until_day: date
    rides: int | None


class Periods(Told):
    """The period products that the account holds."""

    items: list[PeriodTold]


class PurchaseAsked(Body):
    """Which period product, from which service day on."""

    product: Annotated[str, Field(min_length=1, max_length=48)]
    from_day: Annotated[date, Field(strict=False)]


class Purchase(Told):
    """What was bought, and what it cost."""

    period: PeriodTold
    price: Amount
    posting_id: str


class RefundTold(Told):
    """What was booked."""

    posting_id: str


@router.get("/v1/accounts/{account_id}/offers", responses=declare("unknown-account"))
def list_offers(office: OfficeDep, access: AccountDep) -> Offers:
    """The period products that the rider can buy, with their prices for the account's rider category."""
    riders = office.service(RiderServices)
    tariff, today = riders.tariff(), riders.today(office.clock.now())
    with office.database.read() as connection:
        category = read_account(connection, access.account_id).category
    found = (
        (name, period, tariff.offer(name, category_id=category, from_day=today))
        for name, period in sorted(tariff.rules.periods.items())
    )
    return Offers(
        items=[
            OfferTold(
                product=name, name=period.name, price=Amount.of(offer.price), until_day=offer.until_day,
                rides=offer.rides,
            )
            for name, period, offer in found
            if offer is not None
        ]
    )  # fmt: skip


@router.get("/v1/accounts/{account_id}/periods", responses=declare("unknown-account"))
def list_periods(office: OfficeDep, access: AccountDep) -> Periods:
    """The period products that the account holds."""
    with office.database.read() as connection:
        read_account(connection, access.account_id)
        held = periods_of(connection, access.account_id)
    return Periods(items=[_told(one) for one in held])


@router.post("/v1/accounts/{account_id}/periods", status_code=201, response_model=Purchase,
             responses=declare(*MONEY_PROBLEMS, "unknown-account", "insufficient-funds", "period-product"))  # fmt: skip
def buy_period(office: OfficeDep, access: AccountDep, body: PurchaseAsked, operation: OperationDep) -> Response:
    """Buys a period product from the account's balance."""
    tariff = office.service(RiderServices).tariff()

    def work(connection: Connection) -> Answer:
        access.record(connection, "period.buy")
        sale = buy(
            connection,
            tariff=tariff,
            account_id=access.account_id,
            product_id=body.product,
            from_day=body.from_day,
            now=office.clock.now(),
            new_id=lambda: new_id(office.random),
        )
        return Answer(201, Purchase(period=_told(sale.period), price=Amount.of(sale.price), posting_id=sale.posting_id))

    return operation.run(work)


@router.post("/v1/accounts/{account_id}/periods/{period_id}/refund", response_model=RefundTold,
             responses=declare(*MONEY_PROBLEMS, "unknown-account", "period-product"))  # fmt: skip
def refund_period(
    office: OfficeDep,
    staff: OperatorDep,
    account_id: AccountId,
    period_id: PeriodId,
    body: PositiveAmount,
    operation: OperationDep,
) -> Response:
    """Takes a period product back for an amount of at most its price, onto the account's balance."""
    tariff = office.service(RiderServices).tariff()

    def work(connection: Connection) -> Answer:
        staff.record(connection, "period.refund", account_id)
        posting_id = give_back(
            connection,
            tariff=tariff,
            account_id=account_id,
            period_id=period_id,
            amount=body.money(),
            now=office.clock.now(),
        )
        return Answer(200, RefundTold(posting_id=posting_id))

    return operation.run(work)


def _told(held: HeldPeriod) -> PeriodTold:
    return PeriodTold(
        period_id=held.period_id,
        product=held.product_id,
        from_day=held.from_day,
        until_day=held.until_day,
        rides=held.rides,
    )
