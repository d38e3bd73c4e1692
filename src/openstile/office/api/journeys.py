"""Journeys and the statement of an account: what was ridden and what was paid, as its rider can read it."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Query
from sqlalchemy import Row, and_, or_, select

from openstile.fares.words import say
from openstile.journal.taps import instant_of
from openstile.ledger.store import Ledger
from openstile.office.api.access import AccountDep
from openstile.office.api.bodies import Instant, Told
from openstile.office.api.dependencies import AgentDep, OfficeDep
from openstile.office.api.money import Amount
from openstile.office.api.pages import PageAsked, cursor, page_asked
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.pricing.books import rider_account
from openstile.office.pricing.rows import read_explanation, read_products
from openstile.office.riders.accounts import read_account
from openstile.office.store.journeys import JOURNEY, UNFADED
from openstile.terms import BadInputError
from openstile.terms.money import Money

router = new_router("journeys")

Language = Annotated[Literal["en", "de"], Query(description="Of the explanations.")]
PageDep = Annotated[PageAsked, Depends(page_asked)]
_SHOWN = ("complete", "open", "missing_exit", "missing_entry", "unknown", "faded")


class LineTold(Told):
    """One line of an explanation; its amount is null where it only tells."""

    text: str
    amount: Amount | None


class JourneyTold(Told):
    """A journey. Once it has faded, only day, products and amount are left of it."""

    journey_id: str
    day: date
    state: str
    products: list[str]
    amount: Amount
    started: Instant | None
    ended: Instant | None
    from_stop: str | None
    to_stop: str | None
    lines: list[LineTold]


class JourneyPage(Told):
    """Some journeys, the newest day first."""

    items: list[JourneyTold]
    next: str | None


class UnknownTold(Told):
    """A journey whose fare no rule of the feed says."""

    account_id: str
    journey: JourneyTold


class UnknownPage(Told):
    """Journeys that somebody must look at."""

    items: list[UnknownTold]
    next: str | None


class StatementLine(Told):
    """One entry on the account: what was paid in is positive, what was ridden negative."""

    posting_id: str
    day: date
    kind: str
    amount: Amount
    memo: str


class StatementPage(Told):
    """Some entries, oldest first."""

    items: list[StatementLine]
    next: str | None


@router.get("/v1/accounts/{account_id}/journeys", responses=declare("unknown-account", "bad-cursor"))
def list_journeys(office: OfficeDep, access: AccountDep, page: PageDep, language: Language = "en") -> JourneyPage:
    """The account's journeys, each with the explanation of its price. That staff looked is in the audit log."""
    chosen = select(JOURNEY).where(JOURNEY.c.account_id == access.account_id, JOURNEY.c.state.in_(_SHOWN))
    position = page.position(str, str)
    if position is not None:
        day, last = _day(position[0]), str(position[1])
        chosen = chosen.where(or_(JOURNEY.c.day < day, and_(JOURNEY.c.day == day, JOURNEY.c.journey_id > last)))
    with office.database.read() as connection:
        read_account(connection, access.account_id)
        rows = connection.execute(
            chosen.order_by(JOURNEY.c.day.desc(), JOURNEY.c.journey_id).limit(page.limit + 1)
        ).all()
    if access.staff is not None:
        with office.database.write() as connection:
            access.record(connection, "account.journeys")
    shown = rows[: page.limit]
    after = cursor(shown[-1].day.isoformat(), shown[-1].journey_id) if len(rows) > page.limit else None
    return JourneyPage(items=[_told(row, language) for row in shown], next=after)


@router.get("/v1/unknown-fares", responses=declare("bad-cursor"))
def list_unknown_fares(office: OfficeDep, staff: AgentDep, page: PageDep) -> UnknownPage:
    """Journeys that cost nothing because the feed does not say their fare: correct the feed, or the gate's stop.

    That staff looked is in the audit log, where there were any.
    """
    chosen = select(JOURNEY).where(UNFADED, JOURNEY.c.state == "unknown")
    position = page.position(str)
    if position is not None:
        chosen = chosen.where(JOURNEY.c.journey_id > position[0])
    with office.database.read() as connection:
        rows = connection.execute(chosen.order_by(JOURNEY.c.journey_id).limit(page.limit + 1)).all()
    if rows:
        with office.database.write() as connection:
            staff.record(connection, "unknown-fares.list")
    shown = rows[: page.limit]
    return UnknownPage(
        items=[UnknownTold(account_id=row.account_id, journey=_told(row, "en")) for row in shown],
        next=cursor(shown[-1].journey_id) if len(rows) > page.limit else None,
    )


@router.get("/v1/accounts/{account_id}/statement", responses=declare("unknown-account", "bad-cursor"))
def show_statement(office: OfficeDep, access: AccountDep, page: PageDep) -> StatementPage:
    """Every entry on the account: top-ups, fares, their corrections, refunds."""
    position = page.position(str)
    after = None if position is None else str(position[0])
    with office.database.read() as connection:
        read_account(connection, access.account_id)
        try:
            found = Ledger(connection).entries(rider_account(access.account_id), after=after, limit=page.limit + 1)
        except BadInputError:
            raise ProblemError("bad-cursor") from None
    items = [
        StatementLine(
            posting_id=entry.posting_id,
            day=entry.day,
            kind=entry.kind,
            amount=Amount.of(-entry.amount),
            memo=entry.memo,
        )
        for entry in found[: page.limit]
    ]
    return StatementPage(items=items, next=cursor(found[page.limit - 1].cursor) if len(found) > page.limit else None)


def _told(row: Row[tuple[object, ...]], language: Language) -> JourneyTold:
    lines = () if row.explanation is None else read_explanation(row.explanation, row.currency)
    return JourneyTold(
        journey_id=row.journey_id,
        day=row.day,
        state=row.state,
        products=list(read_products(row.products)),
        amount=Amount.of(Money(row.amount_minor, row.currency)),
        started=None if row.started_us is None else instant_of(row.started_us),
        ended=None if row.ended_us is None else instant_of(row.ended_us),
        from_stop=row.from_stop,
        to_stop=row.to_stop,
        lines=[
            LineTold(text=say(line, language), amount=None if line.amount is None else Amount.of(line.amount))
            for line in lines
        ],
    )


def _day(value: int | str) -> date:
    """A day in a cursor that somebody may have written by hand."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ProblemError("bad-cursor") from None
