"""Payments: the provider's events in any order, twice or late, and the ledger that follows from them."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe
from tests.office.sync_workshop import new_id, office_at

from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify
from openstile.office.payments import EventKind, EventRefusedError, ProviderEvent, ProviderRefusedError
from openstile.office.payments.demonstration import DemonstrationProvider
from openstile.office.payments.payments import (
    PaymentError,
    PaymentStateError,
    begin,
    begin_refund,
    opened,
    read_payment,
    take_event,
)
from openstile.office.payments.stripe_provider import StripeProvider
from openstile.office.pricing import rider_account
from openstile.office.riders.accounts import open_account
from openstile.office.riders.faults import FundsError
from openstile.office.store.database import Database
from openstile.terms import BadInputError
from openstile.terms.money import Money

DAY = date(2026, 6, 1)
TEN = Money(1000, "EUR")
SECRET = b"a secret of the tests"
STRIPE_SECRET = "whsec_of_the_tests"
STRIPE_KEY = "sk_test_of_the_tests"


class Till:
    """An account that pays in through a provider."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as connection:
            self.account = open_account(
                connection, currency="EUR", category=None, contact=None, on=DAY, new_id=new_id
            ).account_id
            self.payment = begin(
                connection, account_id=self.account, provider="demo", amount=TEN, today=DAY, payment_id=new_id()
            )
            opened(connection, payment_id=self.payment, provider_ref="ref-1")

    def take(self, kind: EventKind, minor: int = 1000, *, event_id: str | None = None, **more: Any) -> bool:
        event = ProviderEvent(
            event_id=event_id or new_id(), kind=kind, payment_ref="ref-1", amount=Money(minor, "EUR"), **more
        )
        if kind in (EventKind.PAID, EventKind.FAILED):
            event = ProviderEvent(event.event_id, kind, "ref-1", self.payment, event.amount)
        with self.database.write() as connection:
            return take_event(connection, provider="demo", event=event, today=DAY, new_id=new_id)

    def refund(self, minor: int) -> str:
        with self.database.write() as connection:
            return begin_refund(
                connection,
                payment_id=self.payment,
                amount=Money(minor, "EUR"),
                account_id=self.account,
                refund_id=new_id(),
            )[0]

    @property
    def balance(self) -> int:
        with self.database.read() as connection:
            assert verify(connection).findings == ()
            return Ledger(connection).balance(rider_account(self.account)).minor


@pytest.fixture
def till(database_url: str) -> Iterator[Till]:
    with office_at(database_url) as database:
        yield Till(database)


def test_payment_counts_when_the_provider_says_so_and_once(till: Till) -> None:
    assert till.balance == 0
    assert till.take(EventKind.PAID, event_id="one")
    assert not till.take(EventKind.PAID, event_id="one")
    assert till.take(EventKind.PAID, event_id="two")
    assert till.balance == 1000


def test_payment_that_failed_may_still_succeed(till: Till) -> None:
    till.take(EventKind.FAILED)
    assert till.balance == 0
    till.take(EventKind.PAID)
    till.take(EventKind.FAILED)
    assert till.balance == 1000


def test_other_amount_than_asked_for_is_posted_by_nobody(till: Till) -> None:
    till.take(EventKind.PAID, 900)
    assert till.balance == 0
    with till.database.read() as connection:
        assert read_payment(connection, till.payment).state == "mismatch"


def test_events_give_the_same_books_in_every_order(new_database: Any) -> None:
    told: list[tuple[EventKind, dict[str, Any]]] = [
        (EventKind.PAID, {}),
        (EventKind.REFUNDED, {"item_ref": "re-1", "minor": 300}),
        (EventKind.DISPUTED, {"item_ref": "dp-1", "minor": 700}),
        (EventKind.DISPUTE_WON, {"item_ref": "dp-1", "minor": 700}),
    ]
    for order in itertools.permutations(told):
        with office_at(new_database()) as database:
            till = Till(database)
            for kind, values in order:
                till.take(kind, **values)
                till.take(kind, **values)
            assert till.balance == 700, order


def test_lost_dispute_takes_the_money_back(till: Till) -> None:
    till.take(EventKind.PAID)
    till.take(EventKind.DISPUTED, item_ref="dp-1")
    assert till.balance == 0
    till.take(EventKind.DISPUTE_LOST, item_ref="dp-1")
    assert till.balance == 0


def test_refund_is_booked_when_it_was_made_and_undone_when_it_came_back(till: Till) -> None:
    till.take(EventKind.PAID)
    refund_id = till.refund(400)
    assert till.balance == 1000
    till.take(EventKind.REFUNDED, 400, item_ref="re-1", refund_id=refund_id)
    assert till.balance == 600
    till.take(EventKind.REFUND_FAILED, 400, item_ref="re-1", refund_id=refund_id)
    till.take(EventKind.REFUNDED, 400, item_ref="re-1", refund_id=refund_id)
    assert till.balance == 1000


def test_no_more_is_given_back_than_was_paid_and_is_held(till: Till) -> None:
    with pytest.raises(PaymentStateError):
        till.refund(100)
    till.take(EventKind.PAID)
    till.refund(600)
    with pytest.raises(PaymentStateError):
        till.refund(401)
    till.take(EventKind.DISPUTED, 900, item_ref="dp-1")
    with pytest.raises(FundsError):
        till.refund(400)


def test_event_of_an_unknown_payment_is_refused_to_come_again(till: Till) -> None:
    event = ProviderEvent("e", EventKind.REFUNDED, payment_ref="ref-2", amount=TEN, item_ref="re-9")
    with pytest.raises(PaymentError), till.database.write() as connection:
        take_event(connection, provider="demo", event=event, today=DAY, new_id=new_id)


def test_payment_in_another_currency_is_refused(till: Till) -> None:
    with pytest.raises(BadInputError), till.database.write() as connection:
        begin(
            connection, account_id=till.account, provider="demo", amount=Money(1, "USD"), today=DAY, payment_id=new_id()
        )


def test_demonstration_event_without_its_signature_is_refused() -> None:
    provider = DemonstrationProvider(SECRET)
    headers, body = provider.outcome(payment_id="p" * 32, amount=TEN)
    assert provider.read_event(headers=headers, body=body).kind is EventKind.PAID
    assert provider.read_event(headers=headers, body=body) == provider.read_event(headers=headers, body=body)
    for wrong_headers, wrong_body in (
        ({}, body),
        (headers, body + b" "),
        ({k: v[:-1] for k, v in headers.items()}, body),
    ):
        with pytest.raises(EventRefusedError):
            provider.read_event(headers=wrong_headers, body=wrong_body)


def test_demonstration_fails_unlucky_amounts() -> None:
    provider = DemonstrationProvider(SECRET)
    headers, body = provider.outcome(payment_id="p" * 32, amount=Money(1013, "EUR"))
    assert provider.read_event(headers=headers, body=body).kind is EventKind.FAILED


class StripeDouble(BaseHTTPRequestHandler):
    """Stripe's edge of the process: answers as its API does, and remembers what it was asked."""

    asked: ClassVar[list[tuple[str, dict[str, list[str]], str]]] = []
    refuse: ClassVar[bool] = False

    def do_GET(self) -> None:
        assert urlsplit(self.path).path == "/v1/refunds"
        made = [body for path, body, _ in self.asked if path == "/v1/refunds"]
        data = [
            {"id": "re_1", "object": "refund", "metadata": {"openstile_refund": one["metadata[openstile_refund]"][0]}}
            for one in made
        ]
        self._answer(200, {"object": "list", "url": "/v1/refunds", "has_more": False, "data": data})

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.asked.append((self.path, body, self.headers.get("idempotency-key", "")))
        status, answer = 200, {"id": "pi_1", "object": "payment_intent", "client_secret": "pi_1_secret_x"}
        if self.path == "/v1/refunds":
            answer = {"id": "re_1", "object": "refund", "status": "pending"}
        if self.refuse:
            status, answer = 402, {"error": {"type": "card_error", "message": "rider 4711 has no money"}}  # type: ignore[dict-item]
        self._answer(status, answer)

    def _answer(self, status: int, answer: Any) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def stripe_provider() -> Iterator[StripeProvider]:
    server = HTTPServer(("127.0.0.1", 0), StripeDouble)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    StripeDouble.asked.clear()
    StripeDouble.refuse = False
    yield StripeProvider(
        api_key=STRIPE_KEY, webhook_secret=STRIPE_SECRET, api_base=f"http://127.0.0.1:{server.server_port}"
    )
    server.shutdown()
    thread.join()
    server.server_close()


def test_stripe_is_asked_once_for_one_payment_and_told_nothing_of_the_rider(stripe_provider: StripeProvider) -> None:
    started = stripe_provider.start(payment_id="p" * 32, amount=TEN)
    assert (started.provider_ref, started.client_secret) == ("pi_1", "pi_1_secret_x")
    assert "secret_x" not in repr(started)
    assert stripe_provider.refund(refund_id="r" * 32, payment_ref="pi_1", amount=Money(400, "EUR")) == "re_1"
    assert stripe_provider.refund(refund_id="r" * 32, payment_ref="pi_1", amount=Money(400, "EUR")) == "re_1"
    (path, body, key), (refund_path, refund_body, refund_key) = StripeDouble.asked
    assert (path, refund_path) == ("/v1/payment_intents", "/v1/refunds")
    assert body == {
        "amount": ["1000"], "currency": ["eur"], "automatic_payment_methods[enabled]": ["true"],
        "metadata[openstile_payment]": ["p" * 32],
    }  # fmt: skip
    assert refund_body["payment_intent"] == ["pi_1"]
    assert (key, refund_key) == (f"payment-{'p' * 32}", f"refund-{'r' * 32}")


def test_what_stripe_refuses_is_said_without_its_words(stripe_provider: StripeProvider) -> None:
    StripeDouble.refuse = True
    with pytest.raises(ProviderRefusedError) as caught:
        stripe_provider.start(payment_id="p" * 32, amount=TEN)
    assert "4711" not in str(caught.value)


def signed(value: Any, *, secret: str = STRIPE_SECRET, age_s: int = 0) -> tuple[dict[str, str], bytes]:
    """An event as Stripe sends it, signed by its own library."""
    body = json.dumps(value)
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()) - age_s)
    return {"Stripe-Signature": header}, body.encode()


def stripe_event(kind: str, **thing: Any) -> dict[str, Any]:
    return {"id": "evt_1", "type": kind, "data": {"object": {"currency": "eur", **thing}}}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            stripe_event("payment_intent.succeeded", id="pi_1", amount_received=1000, amount=1000,
                         metadata={"openstile_payment": "p1"}),
            ProviderEvent("evt_1", EventKind.PAID, "pi_1", "p1", TEN),
        ),
        (
            stripe_event("payment_intent.payment_failed", id="pi_1", amount=1000, metadata={}),
            ProviderEvent("evt_1", EventKind.FAILED, "pi_1", None, TEN),
        ),
        (
            stripe_event("refund.updated", id="re_1", payment_intent="pi_1", amount=1000, status="succeeded",
                         metadata={"openstile_refund": "r1"}),
            ProviderEvent("evt_1", EventKind.REFUNDED, "pi_1", None, TEN, "re_1", "r1"),
        ),
        (
            stripe_event("refund.failed", id="re_1", payment_intent="pi_1", amount=1000, status="failed"),
            ProviderEvent("evt_1", EventKind.REFUND_FAILED, "pi_1", None, TEN, "re_1"),
        ),
        (
            stripe_event("charge.dispute.created", id="dp_1", payment_intent="pi_1", amount=1000,
                         status="needs_response"),
            ProviderEvent("evt_1", EventKind.DISPUTED, "pi_1", None, TEN, "dp_1"),
        ),
        (
            stripe_event("charge.dispute.closed", id="dp_1", payment_intent="pi_1", amount=1000, status="won"),
            ProviderEvent("evt_1", EventKind.DISPUTE_WON, "pi_1", None, TEN, "dp_1"),
        ),
        (stripe_event("customer.created", id="cus_1"), ProviderEvent("evt_1", EventKind.OTHER)),
    ],
    ids=["paid", "failed", "refunded", "refund failed", "disputed", "dispute won", "other"],
)  # fmt: skip
def test_stripe_event_in_our_words(told: dict[str, Any], expected: ProviderEvent) -> None:
    provider = StripeProvider(api_key=STRIPE_KEY, webhook_secret=STRIPE_SECRET)
    headers, body = signed(told)
    assert provider.read_event(headers=headers, body=body) == expected


def test_stripe_event_that_stripe_did_not_sign_now_is_refused() -> None:
    provider = StripeProvider(api_key=STRIPE_KEY, webhook_secret=STRIPE_SECRET)
    good = stripe_event("payment_intent.succeeded", id="pi_1", amount_received=1000)
    headers, body = signed(good)
    for wrong in (
        ({}, body),
        (headers, body.replace(b"1000", b"9000")),
        ({"stripe-signature": "t=1,v1=é"}, body),
        ({"stripe-signature": "v1="}, body),
        signed(good, secret="whsec_of_others"),
        signed(good, age_s=301),
        signed({"id": "evt"}),
        signed([]),
        signed(stripe_event("payment_intent.succeeded", id="pi_1", amount_received="1000")),
        (headers, b"\xff"),
    ):
        with pytest.raises(EventRefusedError):
            provider.read_event(headers=wrong[0], body=wrong[1])
