"""Attacks on money: events that name nothing, more given back than is held, one thing paid for twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.office.office_world import problem_name
from tests.office.rider_world import RiderWorld
from tests.office.sync_workshop import new_id

from openstile.office.api.services import RiderServices
from openstile.office.payments import EventKind, PaymentProvider, ProviderEvent, Started
from openstile.office.payments.payments import PaymentError, take_event
from openstile.office.payments.stripe_provider import _event_of
from openstile.terms.money import Money

DAY = date(2026, 6, 1)


def _eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def _take(riders: RiderWorld, event: ProviderEvent) -> bool:
    with riders.world.office.database.write() as connection:
        return take_event(connection, provider="demo", event=event, today=DAY, new_id=new_id)


@pytest.mark.parametrize("kind", [EventKind.REFUNDED, EventKind.DISPUTED, EventKind.PAID])
def test_event_that_names_no_payment_takes_over_none_that_has_begun(riders: RiderWorld, kind: EventKind) -> None:
    account = riders.account()
    path = f"/v1/accounts/{account}/payments"
    begun = riders.pay(path, {"provider": "demo", "amount": _eur(1000)}).json()["payment_id"]
    with riders.world.office.database.write() as connection:  # as between the two transactions that open a payment
        connection.exec_driver_sql("UPDATE payment SET provider_ref = NULL")
    event = ProviderEvent(new_id(), kind, payment_ref=None, amount=Money(1000, "EUR"), item_ref="item-of-another-shop")
    assert not _take(riders, event)
    headers, body = riders.provider.outcome(payment_id=begun, amount=Money(1000, "EUR"))
    assert riders.tell(headers, body).status_code == 204
    assert riders.balance(account) == 1000
    riders.check_books()


def test_refunds_of_two_payments_give_back_no_more_than_the_account_holds(riders: RiderWorld) -> None:
    account = riders.account()
    first, second = riders.top_up(account, 4000), riders.top_up(account, 4000)
    bought = riders.pay(f"/v1/accounts/{account}/periods", {"product": "month", "from_day": "2026-06-01"})
    assert bought.status_code == 201
    assert riders.balance(account) == 4000
    answers = [
        riders.pay(f"/v1/accounts/{account}/payments/{one}/refunds", _eur(4000)) for one in (first, second)
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [201, 409]
    assert problem_name(answers[1]) == "insufficient-funds"


def test_nothing_is_bought_with_money_that_is_being_given_back(riders: RiderWorld) -> None:
    account = riders.account()
    payment = riders.top_up(account, 4000)
    refund = riders.pay(f"/v1/accounts/{account}/payments/{payment}/refunds", _eur(4000))
    assert refund.status_code == 201
    bought = riders.pay(f"/v1/accounts/{account}/periods", {"product": "month", "from_day": "2026-06-01"})
    assert problem_name(bought) == "insufficient-funds"
    riders.tell_refund(payment, EventKind.REFUNDED, 4000, refund_id=refund.json()["refund_id"])
    assert riders.balance(account) == 0
    riders.check_books()


def test_balance_is_spent_once_by_purchases_at_the_same_time(riders: RiderWorld) -> None:
    account = riders.account()
    riders.top_up(account, 4000)
    path, body = f"/v1/accounts/{account}/periods", {"product": "month", "from_day": "2026-06-01"}
    riders.world.token_of(riders.operator)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: riders.pay(path, body).status_code, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]
    assert riders.balance(account) == 0


class Forgetful:
    """A provider that has forgotten a request after a day, as real ones do, and opens another payment for it."""

    name = "demo"

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider, self.started = provider, 0

    def start(self, **asked: Any) -> Started:
        self.started += 1
        started: Started = self._provider.start(**asked)
        return replace(started, provider_ref=f"{started.provider_ref}_{self.started}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


def test_key_of_yesterday_opens_no_payment_whose_money_nobody_would_find(riders: RiderWorld) -> None:
    account = riders.account()
    riders.world.office.service(RiderServices).providers["demo"] = Forgetful(riders.provider)  # type: ignore[index]
    path, body = f"/v1/accounts/{account}/payments", {"provider": "demo", "amount": _eur(1000)}
    assert riders.pay(path, body, key="one").status_code == 201
    riders.world.clock.turn(hours=25)
    riders.world.sign_in_again(riders.operator)
    answer = riders.pay(path, body, key="one")
    assert problem_name(answer) == "payment-state"


def test_refund_that_was_refused_here_and_made_there_is_booked(riders: RiderWorld) -> None:
    account = riders.account()
    payment = riders.top_up(account, 1000)
    refund = riders.pay(f"/v1/accounts/{account}/payments/{payment}/refunds", _eur(1000)).json()["refund_id"]
    with riders.world.office.database.write() as connection:  # it was asked for again, later, and refused
        connection.exec_driver_sql("UPDATE refund SET state = 'failed', provider_ref = NULL")
    assert riders.tell_refund(payment, EventKind.REFUNDED, 1000, refund_id=refund).status_code == 204
    assert riders.balance(account) == 0
    riders.check_books()


@pytest.mark.parametrize("kind", [EventKind.REFUNDED, EventKind.DISPUTED])
def test_event_in_another_currency_is_not_booked_in_ours(riders: RiderWorld, kind: EventKind) -> None:
    account = riders.account()
    payment = riders.top_up(account, 1000)
    event = ProviderEvent(new_id(), kind, payment_ref=f"demo_{payment}", amount=Money(1000, "JPY"), item_ref="item")
    with pytest.raises(PaymentError, match="JPY"):
        _take(riders, event)
    assert riders.balance(account) == 1000


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("warning_needs_response", EventKind.OTHER), ("warning_under_review", EventKind.OTHER),
        ("warning_closed", EventKind.OTHER), ("needs_response", EventKind.DISPUTED),
        ("under_review", EventKind.DISPUTED), ("won", EventKind.DISPUTE_WON), ("lost", EventKind.DISPUTE_LOST),
    ],
)  # fmt: skip
@pytest.mark.parametrize("event", ["created", "updated", "funds_withdrawn"])
def test_inquiry_of_a_bank_takes_no_money_and_a_dispute_does(event: str, status: str, kind: EventKind) -> None:
    thing = {"id": "dp_1", "payment_intent": "pi_1", "amount": 1000, "currency": "eur", "status": status}
    told = {"id": "evt_1", "type": f"charge.dispute.{event}", "data": {"object": thing}}
    assert _event_of(told).kind is kind


def test_money_that_is_paid_while_the_rider_is_erased_is_left_on_no_account(riders: RiderWorld) -> None:
    account = riders.account()
    path = f"/v1/accounts/{account}/payments"
    payments = [
        riders.pay(path, {"provider": "demo", "amount": _eur(1000)}).json()["payment_id"] for _ in range(6)
    ]  # fmt: skip
    events = [riders.provider.outcome(payment_id=one, amount=Money(1000, "EUR")) for one in payments]
    riders.world.token_of(riders.operator)

    def work(number: int) -> int:
        if number == 3:
            return riders.pay(f"/v1/accounts/{account}/erasure", {}).status_code
        return riders.tell(*events[number]).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(work, range(6)))
    assert answers == [204, 204, 204, 200, 204, 204]
    assert riders.balance(account) == 0
    riders.check_books()
