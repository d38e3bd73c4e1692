"""Accounts: opened and served by staff, seen by their riders; a copy of everything held, and erasure."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Response
from pydantic import Field
from sqlalchemy import Connection, select

from openstile.journal.taps import microseconds_of
from openstile.office.api.access import AccountDep
from openstile.office.api.bodies import Body, Told
from openstile.office.api.dependencies import AgentDep, OfficeDep
from openstile.office.api.idempotency import MONEY_PROBLEMS, Answer, OperationDep
from openstile.office.api.journeys import Language
from openstile.office.api.money import Amount
from openstile.office.api.pages import PageAsked, cursor, page_asked
from openstile.office.api.problems import declare
from openstile.office.api.routing import new_router
from openstile.office.api.services import RiderServices
from openstile.office.riders.accounts import Account, change_account, open_account, read_account
from openstile.office.riders.erase import erase
from openstile.office.riders.held import held_about
from openstile.office.staff.tokens import new_id
from openstile.office.store.accounts import ACCOUNT
from openstile.terms.limits import CONTACT_CHARS_MAX

router = new_router("accounts")

Contact = Annotated[
    str,
    Field(min_length=3, max_length=CONTACT_CHARS_MAX, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", examples=["a@b.example"]),
]
Category = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[!-~]+$", description="Of the feed.")]


class NewAccount(Body):
    """What an account begins with; everything may be left out."""

    category: Category | None = None
    contact: Contact | None = None


class AccountChange(Body):
    """What the account shall say from now on."""

    category: Category | None
    contact: Contact | None


class AccountTold(Told):
    """An account. A negative balance is owed by the rider."""

    account_id: str
    category: str | None
    contact: str | None
    opened_on: date
    balance: Amount


class AccountPage(Told):
    """Some accounts, by their ids, which say nothing."""

    items: list[str]
    next: str | None


class Erased(Told):
    """What an erasure did: `settled` was still held for the rider, or owed, and is booked as unclaimed."""

    passes_revoked: int
    passes_left: int
    settled: Amount


@router.post("/v1/accounts", status_code=201)
def open_an_account(office: OfficeDep, staff: AgentDep, body: NewAccount) -> AccountTold:
    """Opens an account: a random id, in the office's currency."""
    riders = office.service(RiderServices)
    with office.database.write() as connection:
        account = open_account(
            connection,
            currency=office.values.currency,
            category=riders.category(body.category),
            contact=body.contact,
            on=riders.today(office.clock.now()),
            new_id=lambda: new_id(office.random),
        )
        staff.record(connection, "account.open", account.account_id)
    return told(account)


@router.get("/v1/accounts", responses=declare("bad-cursor"))
def list_accounts(office: OfficeDep, _staff: AgentDep, page: Annotated[PageAsked, Depends(page_asked)]) -> AccountPage:
    """The ids of all accounts that were not erased."""
    position = page.position(str)
    chosen = select(ACCOUNT.c.account_id).where(ACCOUNT.c.state != "erased").order_by(ACCOUNT.c.account_id)
    if position is not None:
        chosen = chosen.where(ACCOUNT.c.account_id > position[0])
    with office.database.read() as connection:
        found = list(connection.execute(chosen.limit(page.limit + 1)).scalars())
    items = found[: page.limit]
    return AccountPage(items=items, next=cursor(items[-1]) if len(found) > page.limit else None)


@router.get("/v1/accounts/{account_id}", responses=declare("unknown-account"))
def show_account(office: OfficeDep, access: AccountDep) -> AccountTold:
    """The account."""
    with office.database.read() as connection:
        return told(read_account(connection, access.account_id))


@router.put("/v1/accounts/{account_id}", responses=declare("unknown-account"))
def change_an_account(office: OfficeDep, access: AccountDep, body: AccountChange) -> AccountTold:
    """Sets contact and rider category; only staff, who saw a proof, set another category."""
    riders = office.service(RiderServices)
    category = riders.category(body.category)
    with office.database.write() as connection:
        if access.staff is None:
            category = read_account(connection, access.account_id).category
        account = change_account(
            connection,
            access.account_id,
            category=category,
            contact=body.contact,
            now_us=microseconds_of(office.clock.now()),
        )
        access.record(connection, "account.change")
    return told(account)


@router.get("/v1/accounts/{account_id}/export", responses=declare("unknown-account"))
def export_account(office: OfficeDep, access: AccountDep, language: Language = "en") -> dict[str, Any]:
    """Everything that is held about the rider, in one answer; trips that have not faded with their explanations.

    That staff took it is in the audit log.
    """
    with office.database.read() as connection:
        held = held_about(connection, access.account_id, language=language)
    if access.staff is not None:
        with office.database.write() as connection:
            access.record(connection, "account.export")
    return held


@router.post("/v1/accounts/{account_id}/erasure", response_model=Erased,
             responses=declare(*MONEY_PROBLEMS, "unknown-account"))  # fmt: skip
def erase_account(office: OfficeDep, access: AccountDep, operation: OperationDep) -> Response:
    """Erases the rider: passes are revoked, trips fade at once, contact and passkeys go, the books keep amounts by day.

    What the account holds is booked as unclaimed: pay it back first.
    """
    riders = office.service(RiderServices)
    tariff = riders.tariff()

    def work(connection: Connection) -> Answer:
        access.record(connection, "account.erase")
        done = erase(
            connection,
            tariff=tariff,
            signer=riders.signer,
            account_id=access.account_id,
            now=office.clock.now(),
            new_id=lambda: new_id(office.random),
        )
        told = Erased(passes_revoked=done.passes_revoked, passes_left=done.passes_left, settled=Amount.of(done.settled))
        return Answer(200, told)

    return operation.run(work)


def told(account: Account) -> AccountTold:
    """The account as the API tells it."""
    return AccountTold(
        account_id=account.account_id,
        category=account.category,
        contact=account.contact,
        opened_on=account.opened_on,
        balance=Amount.of(account.balance),
    )
