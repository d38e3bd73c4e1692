"""Top-ups, refunds and disputes on the ledger: what a provider told is kept as facts, and postings follow from them.

Events may come twice, late and in any order: each fact is posted once, when all that it rests on is there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from sqlalchemy import Connection, Row, func, select

from openstile.ledger import AccountKind, Entry, Posting
from openstile.ledger.store import Ledger
from openstile.office.payments.provider import EventKind, ProviderEvent
from openstile.office.pricing.books import funds_account, rider_account
from openstile.office.riders.accounts import (
    being_given_back,
    lock_account,
    lock_any_account,
    read_account,
    settle_erased,
)
from openstile.office.riders.faults import FundsError, RiderError
from openstile.office.store.payments import DISPUTE, PAYMENT, PROVIDER_EVENT, REFUND
from openstile.terms import BadInputError
from openstile.terms.money import Money


class PaymentError(RiderError):
    """There is no such payment."""

    problem = "unknown-payment"


class PaymentStateError(RiderError):
    """A payment that cannot be given back as asked."""

    problem = "payment-state"


@dataclass(frozen=True, slots=True)
class Payment:
    """A top-up. `refunded` and `asked` (refunds under way) in its currency."""

    payment_id: str
    account_id: str
    provider: str
    provider_ref: str | None
    amount: Money
    state: str
    refunded: Money
    asked: Money


def begin(
    connection: Connection, *, account_id: str, provider: str, amount: Money, today: date, payment_id: str
) -> str:
    """Notes that a payment begins; the provider is asked after this is durable. The same id again notes nothing new.

    Raises UnknownAccountError, BadInputError, PaymentStateError for an id that was another payment's.
    """
    account = read_account(connection, account_id)
    if amount.minor <= 0 or amount.currency != account.currency:
        raise BadInputError(f"amount: must be more than zero, in {account.currency}")
    known = connection.execute(select(PAYMENT).where(PAYMENT.c.payment_id == payment_id)).one_or_none()
    if known is not None:
        same = (known.account_id, known.provider, known.amount_minor) == (account_id, provider, amount.minor)
        if not same or known.state != "started":
            raise PaymentStateError("payment: this Idempotency-Key was another payment's; take a new one")
    else:
        connection.execute(
            PAYMENT.insert().values(
                payment_id=payment_id, account_id=account_id, provider=provider, provider_ref=None,
                amount_minor=amount.minor, currency=amount.currency, state="started", opened_on=today, posting_id=None,
            )
        )  # fmt: skip
    return payment_id


def opened(connection: Connection, *, payment_id: str, provider_ref: str) -> None:
    """Notes the provider's name of a payment; an event may have told it already.

    Raises PaymentStateError where it has another one: the provider opened a second payment for a request that it had
    forgotten, and nobody would know whose money came with that.
    """
    connection.execute(
        PAYMENT.update()
        .where(PAYMENT.c.payment_id == payment_id, PAYMENT.c.provider_ref.is_(None))
        .values(provider_ref=provider_ref)
    )
    known = select(PAYMENT.c.provider_ref).where(PAYMENT.c.payment_id == payment_id)
    if connection.execute(known).scalar_one() != provider_ref:
        raise PaymentStateError("payment: was begun before, too long ago; take a new Idempotency-Key")


def read_payment(connection: Connection, payment_id: str, *, account_id: str | None = None) -> Payment:
    """The payment, of this account where one is named. Raises PaymentError."""
    row = connection.execute(select(PAYMENT).where(PAYMENT.c.payment_id == payment_id)).one_or_none()
    if row is None or (account_id is not None and row.account_id != account_id):
        raise PaymentError("payment: there is none with this id; look at the id")
    by_state = (
        select(REFUND.c.state, func.sum(REFUND.c.amount_minor).label("minor"))
        .where(REFUND.c.payment_id == payment_id)
        .group_by(REFUND.c.state)
    )
    sums = {row.state: int(row.minor) for row in connection.execute(by_state)}
    refunded, asked = (Money(sums.get(state, 0), row.currency) for state in ("succeeded", "asked"))
    amount = Money(row.amount_minor, row.currency)
    return Payment(row.payment_id, row.account_id, row.provider, row.provider_ref, amount, row.state, refunded, asked)


def begin_refund(
    connection: Connection, *, payment_id: str, amount: Money, account_id: str, refund_id: str
) -> tuple[str, Payment]:
    """Notes a refund that the provider is asked for next; returns its id and the payment. The same id again is fine.

    No more than was paid and is left of it, and no more than the account holds. Raises PaymentError,
    PaymentStateError, FundsError.
    """
    lock_account(connection, account_id)
    payment = read_payment(connection, payment_id, account_id=account_id)
    known = connection.execute(select(REFUND).where(REFUND.c.refund_id == refund_id)).one_or_none()
    if known is not None:
        if (known.payment_id, known.amount_minor) != (payment_id, amount.minor) or known.state == "failed":
            raise PaymentStateError("refund: this Idempotency-Key was another refund's; take a new one")
        return refund_id, payment
    left = payment.amount - payment.refunded - payment.asked
    if payment.state != "succeeded" or payment.provider_ref is None:
        raise PaymentStateError(f"payment: is {payment.state}, so there is nothing to give back")
    if not 0 < amount.minor <= left.minor or amount.currency != left.currency:
        raise PaymentStateError(f"amount: must be more than zero and at most {left}, which is left of the payment")
    balance = read_account(connection, account_id).balance
    asked = Money(being_given_back(connection, account_id), balance.currency)
    if balance.minor < amount.minor + asked.minor:
        raise FundsError(f"account: holds {balance}, of which {asked} is being given back already")
    connection.execute(
        REFUND.insert().values(
            refund_id=refund_id, payment_id=payment_id, provider_ref=None, amount_minor=amount.minor, state="asked",
            posting_id=None,
        )
    )  # fmt: skip
    return refund_id, payment


def refund_opened(connection: Connection, *, refund_id: str, provider_ref: str) -> None:
    """Notes the provider's name of a refund; an event may have told it already."""
    connection.execute(
        REFUND.update()
        .where(REFUND.c.refund_id == refund_id, REFUND.c.provider_ref.is_(None))
        .values(provider_ref=provider_ref)
    )


def refund_refused(connection: Connection, *, refund_id: str) -> None:
    """Notes that the provider will not make a refund."""
    connection.execute(
        REFUND.update()
        .where(REFUND.c.refund_id == refund_id, REFUND.c.state == "asked", REFUND.c.provider_ref.is_(None))
        .values(state="failed")
    )


def take_event(
    connection: Connection, *, provider: str, event: ProviderEvent, today: date, new_id: Callable[[], str]
) -> bool:
    """Takes in one verified event and posts what follows from it; False when it says nothing new.

    Raises PaymentError for a payment that is not known (yet): the provider sends the event again.
    """
    if event.kind is EventKind.OTHER or _is_foreign(event):
        return False
    payment = _find(connection, provider, event)
    seen = select(PROVIDER_EVENT.c.event_id).where(
        PROVIDER_EVENT.c.provider == provider, PROVIDER_EVENT.c.event_id == event.event_id
    )
    if connection.execute(seen).one_or_none() is not None:
        return False
    connection.execute(
        PROVIDER_EVENT.insert().values(
            provider=provider, event_id=event.event_id, kind=event.kind.value, received_on=today
        )
    )
    _note(connection, payment, event, new_id)
    _post_facts(connection, payment.payment_id, today)
    occasion = sha256(f"{provider}\0{event.event_id}".encode()).hexdigest()
    settle_erased(connection, payment.account_id, key=f"erased:{occasion}", today=today)
    return True


def _is_foreign(event: ProviderEvent) -> bool:
    """A payment that the provider took for somebody else on the same account with it, or none that it names."""
    return event.payment_ref is None or (event.kind in (EventKind.PAID, EventKind.FAILED) and event.payment_id is None)


def _find(connection: Connection, provider: str, event: ProviderEvent) -> Row[tuple[object, ...]]:
    """The event's payment, locked behind its account. What it says of its reference is kept if we did not know it."""
    by_id = PAYMENT.c.payment_id == event.payment_id
    by_ref = PAYMENT.c.provider_ref == event.payment_ref
    chosen = select(PAYMENT).where(PAYMENT.c.provider == provider, by_id if event.payment_id else by_ref)
    found = connection.execute(chosen).one_or_none()
    if found is not None:  # an erasure, a refund or a purchase of the account waits, or this does
        lock_any_account(connection, found.account_id)
    row = connection.execute(chosen.with_for_update()).one_or_none()
    if row is None or (row.provider_ref or event.payment_ref) != event.payment_ref:
        raise PaymentError("event: its payment is not known here; it may come again")
    of_item = event.kind not in (EventKind.PAID, EventKind.FAILED)  # another amount paid is a mismatch
    if of_item and event.amount is not None and event.amount.currency != row.currency:
        raise PaymentError(f"event: is in {event.amount.currency}, its payment in {row.currency}; look at both")
    opened(connection, payment_id=row.payment_id, provider_ref=str(event.payment_ref))
    return row


def _note(
    connection: Connection, payment: Row[tuple[object, ...]], event: ProviderEvent, new_id: Callable[[], str]
) -> None:
    """Keeps what the event says. What was settled for good is not changed by an event that comes late."""
    if event.kind in (EventKind.PAID, EventKind.FAILED):
        _note_payment(connection, payment, event)
    elif event.kind in (EventKind.REFUNDED, EventKind.REFUND_FAILED):
        _note_refund(connection, payment, event, new_id)
    else:
        _note_dispute(connection, payment, event)


def _note_payment(connection: Connection, payment: Row[tuple[object, ...]], event: ProviderEvent) -> None:
    if payment.state not in ("started", "failed"):  # a card may fail and then pay
        return
    state = "failed"
    if event.kind is EventKind.PAID:
        state = "succeeded" if event.amount == Money(payment.amount_minor, payment.currency) else "mismatch"
    connection.execute(PAYMENT.update().where(PAYMENT.c.payment_id == payment.payment_id).values(state=state))


def _note_refund(
    connection: Connection, payment: Row[tuple[object, ...]], event: ProviderEvent, new_id: Callable[[], str]
) -> None:
    state = "succeeded" if event.kind is EventKind.REFUNDED else "failed"
    mine = REFUND.c.refund_id == event.refund_id if event.refund_id else REFUND.c.provider_ref == event.item_ref
    row = connection.execute(select(REFUND).where(REFUND.c.payment_id == payment.payment_id, mine)).one_or_none()
    if row is None:  # somebody gave money back on the provider's own pages
        amount = event.amount.minor if event.amount else 0
        connection.execute(
            REFUND.insert().values(
                refund_id=new_id(), payment_id=payment.payment_id, provider_ref=event.item_ref, amount_minor=amount,
                state=state, posting_id=None,
            )
        )  # fmt: skip
    elif _goes_on(row, state):
        connection.execute(
            REFUND.update()
            .where(REFUND.c.refund_id == row.refund_id)
            .values(state=state, provider_ref=row.provider_ref or event.item_ref)
        )


def _goes_on(refund: Row[tuple[object, ...]], state: str) -> bool:
    """Whether an event changes what is known of a refund."""
    if refund.state == "succeeded":  # a bank may send it back
        return state == "failed"
    return refund.state == "asked" or refund.provider_ref is None  # refused when asked again; it had been made before


def _note_dispute(connection: Connection, payment: Row[tuple[object, ...]], event: ProviderEvent) -> None:
    state = {EventKind.DISPUTED: "open", EventKind.DISPUTE_WON: "won", EventKind.DISPUTE_LOST: "lost"}[event.kind]
    row = connection.execute(select(DISPUTE).where(DISPUTE.c.dispute_ref == event.item_ref)).one_or_none()
    if row is None:
        amount = event.amount.minor if event.amount else 0
        connection.execute(
            DISPUTE.insert().values(
                dispute_ref=event.item_ref, payment_id=payment.payment_id, amount_minor=amount, state=state,
                posting_id=None,
            )
        )  # fmt: skip
    elif row.state == "open":
        connection.execute(DISPUTE.update().where(DISPUTE.c.dispute_ref == row.dispute_ref).values(state=state))


def _post_facts(connection: Connection, payment_id: str, today: date) -> None:
    """Posts what follows from the facts and has not been posted; nothing before the payment itself."""
    payment = read_payment(connection, payment_id)
    if payment.state != "succeeded":
        return
    ledger = Ledger(connection)
    books = _Books(ledger, rider_account(payment.account_id), _funds_account(ledger, payment, today), payment, today)
    posted = connection.execute(select(PAYMENT.c.posting_id).where(PAYMENT.c.payment_id == payment_id)).scalar_one()
    if posted is None:
        posting_id = books.post("top_up", f"payment:{payment_id}", payment.amount)
        connection.execute(PAYMENT.update().where(PAYMENT.c.payment_id == payment_id).values(posting_id=posting_id))
    for row in connection.execute(select(REFUND).where(REFUND.c.payment_id == payment_id)).all():
        if row.state == "succeeded" and row.posting_id is None:
            posting_id = books.post("refund", f"refund:{row.refund_id}", -Money(row.amount_minor, books.currency))
            connection.execute(REFUND.update().where(REFUND.c.refund_id == row.refund_id).values(posting_id=posting_id))
        elif row.state == "failed" and row.posting_id is not None:
            books.undo(row.posting_id, f"refund-failed:{row.refund_id}", "refund came back")
            connection.execute(REFUND.update().where(REFUND.c.refund_id == row.refund_id).values(posting_id=None))
    for row in connection.execute(select(DISPUTE).where(DISPUTE.c.payment_id == payment_id)).all():
        which = DISPUTE.c.dispute_ref == row.dispute_ref
        if row.state in ("open", "lost") and row.posting_id is None:
            posting_id = books.post("dispute", f"dispute:{row.dispute_ref}", -Money(row.amount_minor, books.currency))
            connection.execute(DISPUTE.update().where(which).values(posting_id=posting_id))
        elif row.state == "won" and row.posting_id is not None:
            books.undo(row.posting_id, f"dispute-won:{row.dispute_ref}", "dispute won")
            connection.execute(DISPUTE.update().where(which).values(posting_id=None))


@dataclass(frozen=True, slots=True)
class _Books:
    """The two accounts that a payment moves money between: what the provider holds for us, and the rider's."""

    ledger: Ledger
    rider: str
    funds: str
    payment: Payment
    today: date

    @property
    def currency(self) -> str:
        return self.payment.amount.currency

    def post(self, kind: str, key: str, paid_in: Money) -> str:
        entries = (Entry(self.funds, paid_in), Entry(self.rider, -paid_in))
        return self.ledger.post(Posting(kind, self.today, entries, key, self.payment.provider), beyond_limit=True)

    def undo(self, posting_id: str, key: str, memo: str) -> None:
        self.ledger.reverse(posting_id, day=self.today, key=key, memo=memo, beyond_limit=True)


def _funds_account(ledger: Ledger, payment: Payment, today: date) -> str:
    name = funds_account(payment.provider, payment.amount.currency)
    ledger.open_account(name, AccountKind.ASSET, payment.amount.currency, overdraft_minor=None, on=today)
    return name
