"""Top-ups, refunds, period products over the API, each moved once; the provider's events; the books."""

import json
from typing import Any

import pytest
from beancount import loader
from tests.office.office_world import problem_name
from tests.office.rider_world import RiderWorld

from openstile.ledger.store.verify import verify
from openstile.office.api.services import RiderServices
from openstile.office.payments import EventKind, PaymentProvider, ProviderError, ProviderRefusedError
from openstile.office.payments.refunds import ask_again, ask_provider
from openstile.office.store.payments import REFUND
from openstile.terms.money import Money


class Unwilling:
    """A provider that takes payments as the demo provider does, and fails when it is asked for a refund."""

    name = "demo"

    def __init__(self, provider: PaymentProvider, error: ProviderError) -> None:
        self._provider, self._error = provider, error
        self.asked: list[str] = []

    def start(self, **asked: Any) -> Any:
        return self._provider.start(**asked)

    def read_event(self, **asked: Any) -> Any:
        return self._provider.read_event(**asked)

    def refund(self, *, refund_id: str, payment_ref: str, amount: Money) -> str:
        self.asked.append(refund_id)
        raise self._error


def _eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def _use(riders: RiderWorld, provider: Any) -> None:
    riders.world.office.service(RiderServices).providers["demo"] = provider  # type: ignore[index]


def _restore(riders: RiderWorld) -> None:
    _use(riders, riders.provider)


def test_top_up_counts_once_however_often_it_is_told_and_asked_for(riders: RiderWorld) -> None:
    account = riders.account()
    path, body = f"/v1/accounts/{account}/payments", {"provider": "demo", "amount": _eur(1000)}
    first = riders.pay(path, body, key="one")
    again = riders.pay(path, body, key="one")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again.headers["idempotency-replayed"] == "true"
    headers, event = riders.provider.outcome(payment_id=first.json()["payment_id"], amount=Money(1000, "EUR"))
    assert [riders.tell(headers, event).status_code for _ in range(3)] == [204, 204, 204]
    assert riders.balance(account) == 1000
    listed = riders.ask("GET", path).json()["items"]
    assert [(one["state"], one["amount"]["minor"]) for one in listed] == [("succeeded", 1000)]
    riders.check_books()


def test_payment_that_fails_moves_nothing(riders: RiderWorld) -> None:
    account = riders.account()
    riders.top_up(account, 1013)
    assert riders.balance(account) == 0
    assert riders.ask("GET", f"/v1/accounts/{account}/payments").json()["items"][0]["state"] == "failed"


def test_event_that_the_provider_did_not_sign_is_refused_and_posts_nothing(riders: RiderWorld) -> None:
    account = riders.account()
    started = riders.pay(f"/v1/accounts/{account}/payments", {"provider": "demo", "amount": _eur(1000)}).json()
    headers, body = riders.provider.outcome(payment_id=started["payment_id"], amount=Money(1000, "EUR"))
    for bad_headers, bad_body in (
        ({}, body), ({**headers, "openstile-demo-signature": "0" * 64}, body), (headers, body + b" "),
        (headers, body.replace(b"1000", b"9000")), (headers, b""),
    ):  # fmt: skip
        answer = riders.tell(bad_headers, bad_body)
        assert (answer.status_code, problem_name(answer)) == (400, "bad-webhook")
    assert riders.balance(account) == 0
    answer = riders.world.ask("POST", "/v1/providers/stripe/events", content=body, headers=headers)
    assert problem_name(answer) == "not-found"
    foreign = riders.provider.event(
        EventKind.PAID, payment_ref="demo_x", payment_id="0" * 32, amount=Money(1, "EUR")
    )  # fmt: skip
    assert problem_name(riders.tell(*foreign)) == "unknown-payment"


MONEY_POSTS = ["payments", "periods", "refunds", "period refunds", "erasure"]


def _money_post(riders: RiderWorld, which: str) -> tuple[str, Any, Any]:
    """A request that moves money, and another body for its address."""
    account = riders.account()
    path = f"/v1/accounts/{account}"
    payment = riders.top_up(account)
    if which == "payments":
        return f"{path}/payments", {"provider": "demo", "amount": _eur(5)}, {"provider": "demo", "amount": _eur(6)}
    if which == "periods":
        month = {"product": "month", "from_day": "2026-06-01"}
        return f"{path}/periods", month, {**month, "from_day": "2026-06-02"}
    if which == "refunds":
        return f"{path}/payments/{payment}/refunds", _eur(5), _eur(6)
    if which == "erasure":
        return f"{path}/erasure", None, {}
    bought = riders.pay(f"{path}/periods", {"product": "ten", "from_day": "2026-06-01"}).json()
    return f"{path}/periods/{bought['period']['period_id']}/refund", _eur(5), _eur(6)


@pytest.mark.parametrize("which", MONEY_POSTS)
def test_request_that_moves_money_is_done_once(riders: RiderWorld, which: str) -> None:
    path, body, other = _money_post(riders, which)
    missing = riders.ask("POST", path, json=body)
    assert (missing.status_code, problem_name(missing)) == (400, "idempotency-key-missing")
    first = riders.pay(path, body, key="one")
    assert first.status_code in (200, 201), first.text
    with riders.database_read() as connection:
        postings = verify(connection).postings
    again = riders.pay(path, body, key="one")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    reused = riders.pay(path, other, key="one")
    assert (reused.status_code, problem_name(reused)) == (422, "idempotency-key-reused")
    with riders.database_read() as connection:
        assert verify(connection).postings == postings
    assert riders.pay(path, body, key="one", as_=riders.agent).status_code != first.status_code or which in (
        "payments", "periods",
    )  # fmt: skip
    riders.check_books()


def test_key_that_comes_again_after_its_day_does_not_open_or_refund_another_payment(riders: RiderWorld) -> None:
    account, other = riders.account(), riders.account()
    body = {"provider": "demo", "amount": _eur(1000)}
    for key in ("one", "three"):
        assert riders.pay(f"/v1/accounts/{account}/payments", body, key=key).status_code == 201
    payment = riders.top_up(account)
    assert riders.pay(f"/v1/accounts/{account}/payments/{payment}/refunds", _eur(5), key="two").status_code == 201
    riders.world.clock.turn(hours=25)
    riders.world.sign_in_again(riders.operator)
    for path, key in ((account, "one"), (other, "three")):
        changed = {"provider": "demo", "amount": _eur(2000)}
        answer = riders.pay(f"/v1/accounts/{path}/payments", changed, key=key)
        assert (answer.status_code, problem_name(answer)) == (409, "payment-state")
    answer = riders.pay(f"/v1/accounts/{account}/payments/{payment}/refunds", _eur(6), key="two")
    assert (answer.status_code, problem_name(answer)) == (409, "payment-state")


def test_refund_is_booked_when_it_was_made_and_never_more_than_there_is(riders: RiderWorld) -> None:
    account = riders.account()
    payment = riders.top_up(account, 1000)
    path = f"/v1/accounts/{account}/payments/{payment}/refunds"
    assert problem_name(riders.pay(path, _eur(1001))) == "payment-state"
    asked = riders.pay(path, _eur(600))
    assert asked.status_code == 201
    assert riders.balance(account) == 1000
    assert problem_name(riders.pay(path, _eur(401))) == "payment-state"
    told = riders.tell_refund(payment, EventKind.REFUNDED, 600, refund_id=asked.json()["refund_id"])
    assert told.status_code == 204
    assert riders.balance(account) == 400
    bought = riders.pay(f"/v1/accounts/{account}/periods", {"product": "ten", "from_day": "2026-06-01"})
    assert problem_name(bought) == "insufficient-funds"
    assert problem_name(riders.pay(path.replace(account, riders.account()), _eur(1))) == "unknown-payment"
    riders.check_books()


def test_refund_that_nobody_answered_is_asked_for_again_by_the_same_name(riders: RiderWorld) -> None:
    account = riders.account()
    payment = riders.top_up(account, 1000)
    silent = Unwilling(riders.provider, ProviderError("demo: does not answer"))
    _use(riders, silent)
    answer = riders.pay(f"/v1/accounts/{account}/payments/{payment}/refunds", _eur(600))
    assert (answer.status_code, problem_name(answer)) == (503, "unavailable")
    with pytest.raises(ProviderError):
        riders.jobs["refunds"].run()
    _restore(riders)
    riders.jobs["refunds"].run()
    with riders.database_read() as connection:
        row = connection.execute(REFUND.select()).one()
    assert set(silent.asked) == {row.refund_id}
    assert (row.state, row.provider_ref) == ("asked", f"demo_refund_{row.refund_id}")
    assert ask_again(riders.world.office.database, {"demo": riders.provider}) == 0


def test_refund_that_the_provider_refuses_has_failed_and_is_not_asked_for_again(riders: RiderWorld) -> None:
    account = riders.account()
    payment = riders.top_up(account, 1000)
    _use(riders, Unwilling(riders.provider, ProviderRefusedError("demo: refuses")))
    path = f"/v1/accounts/{account}/payments/{payment}/refunds"
    answers = [riders.pay(path, _eur(600), key="one") for _ in range(2)]
    assert [problem_name(answer) for answer in answers] == ["conflict", "conflict"]
    _restore(riders)
    riders.jobs["refunds"].run()
    with riders.database_read() as connection:
        row = connection.execute(REFUND.select()).one()
    assert (row.state, row.provider_ref) == ("failed", None)
    assert riders.pay(path, _eur(1000)).status_code == 201


def test_dispute_takes_the_money_back_and_a_won_one_brings_it(riders: RiderWorld) -> None:
    account = riders.account()
    payment = riders.top_up(account, 1000)
    riders.tell_refund(payment, EventKind.DISPUTED, 1000, item_ref="dp-1")
    assert riders.balance(account) == 0
    riders.tell_refund(payment, EventKind.DISPUTE_WON, 1000, item_ref="dp-1")
    assert riders.balance(account) == 1000
    riders.check_books()


def test_offers_are_at_the_riders_own_price_and_a_period_is_paid_from_the_balance(riders: RiderWorld) -> None:
    rider = riders.rider(category="child")
    path = f"/v1/accounts/{rider.account_id}"
    offers = {one["product"]: one for one in riders.ask("GET", f"{path}/offers", as_=rider).json()["items"]}
    assert (offers["month"]["price"]["minor"], offers["ten"]["rides"]) == (2000, 10)
    month = {"product": "month", "from_day": "2026-06-01"}
    assert problem_name(riders.pay(f"{path}/periods", month, as_=rider)) == "insufficient-funds"
    riders.top_up(rider.account_id, 2500)
    bought = riders.pay(f"{path}/periods", month, as_=rider).json()
    assert bought["price"] == _eur(2000)
    assert riders.balance(rider.account_id) == 500
    assert riders.ask("GET", f"{path}/periods", as_=rider).json()["items"] == [bought["period"]]
    riders.check_books()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"product": "month", "from_day": "2026-05-31"}, "period-product"),
        ({"product": "year", "from_day": "2026-06-01"}, "period-product"),
        ({"product": "month", "from_day": "9999-12-31"}, "invalid-request"),
        ({"product": "month", "from_day": "2026-06-31"}, "invalid-request"),
    ],
)
def test_period_of_a_day_that_is_over_or_that_is_not_sold_is_refused(
    riders: RiderWorld, body: dict[str, Any], problem: str
) -> None:
    account = riders.account()
    riders.top_up(account)
    assert problem_name(riders.pay(f"/v1/accounts/{account}/periods", body)) == problem
    assert riders.balance(account) == 5000


def test_period_covers_rides_and_given_back_it_does_not(riders: RiderWorld) -> None:
    riders.open_gates()
    account = riders.account()
    riders.top_up(account)
    path = f"/v1/accounts/{account}/periods"
    bought = riders.pay(path, {"product": "month", "from_day": "2026-06-01"}).json()
    riders.ride(riders.pass_of(account))
    assert riders.balance(account) == 1000
    refund = f"{path}/{bought['period']['period_id']}/refund"
    assert problem_name(riders.pay(refund, _eur(4001))) == "period-product"
    assert problem_name(riders.pay(refund, {"minor": 1, "currency": "USD"})) == "period-product"
    assert riders.pay(refund, _eur(3000)).status_code == 200
    assert problem_name(riders.pay(refund, _eur(1))) == "period-product"
    riders.city.price()
    assert riders.balance(account) == 1000 + 3000 - 280
    riders.check_books()


def test_trial_balance_sums_riders_and_exports_load_in_beancount(riders: RiderWorld) -> None:
    riders.open_gates()
    for _ in range(2):
        account = riders.account()
        riders.top_up(account, 1000)
        riders.ride(riders.pass_of(account))
    trial = riders.ask("GET", "/v1/ledger/trial-balance", as_=riders.auditor).json()
    lines = {line["account"]: line["balance"]["minor"] for line in trial["lines"]}
    assert trial["balanced"]
    assert lines == {"funds:demo:eur": 2000, "revenue:fares:eur": -560, "rider": -1440}
    before = riders.ask("GET", "/v1/ledger/trial-balance?day=2026-05-31").json()
    assert (before["balanced"], before["lines"]) == (True, [])
    books = riders.ask("GET", "/v1/ledger/books.beancount", as_=riders.auditor)
    entries, errors, _ = loader.load_string(books.text)
    assert errors == []
    assert entries
    csv = riders.ask("GET", "/v1/ledger/entries.csv").text
    assert csv.count("\n") == 1 + 8
    for day in ("9999-12-31", "yesterday", "0001-01-01"):
        for address in ("trial-balance", "books.beancount", "entries.csv"):
            assert riders.ask("GET", f"/v1/ledger/{address}?day={day}").status_code in (200, 422)
    found = riders.ask("GET", "/v1/ledger/verification").json()
    assert (found["postings"], found["entries"], found["findings"]) == (4, 8, [])


def test_paid_event_after_erasure_is_booked_as_unclaimed(riders: RiderWorld) -> None:
    account = riders.account()
    started = riders.pay(f"/v1/accounts/{account}/payments", {"provider": "demo", "amount": _eur(700)}).json()
    assert riders.pay(f"/v1/accounts/{account}/erasure", None).status_code == 200
    headers, body = riders.provider.outcome(payment_id=started["payment_id"], amount=Money(700, "EUR"))
    assert [riders.tell(headers, body).status_code for _ in range(2)] == [204, 204]
    assert riders.balance(account) == 0
    trial = riders.ask("GET", "/v1/ledger/trial-balance").json()["lines"]
    assert {line["account"]: line["balance"]["minor"] for line in trial if line["balance"]["minor"]} == {
        "funds:demo:eur": 700, "unclaimed:eur": -700,
    }  # fmt: skip
    riders.check_books()


def test_asking_twice_for_a_refund_is_told_the_same(riders: RiderWorld) -> None:
    account = riders.account()
    payment = riders.top_up(account, 1000)
    path = f"/v1/accounts/{account}/payments/{payment}/refunds"
    refund_id = riders.pay(path, _eur(100), key="one").json()["refund_id"]
    for _ in range(2):
        ask_provider(
            riders.world.office.database, riders.provider, refund_id=refund_id, payment_ref=f"demo_{payment}",
            amount=Money(100, "EUR"),
        )  # fmt: skip
    shown = riders.ask("GET", f"/v1/accounts/{account}/payments").json()["items"][0]
    assert (shown["refund_asked"], shown["refunded"]) == (_eur(100), _eur(0))
    assert json.dumps(shown).count(account) == 0
