"""The books: the trial balance of a day, whether they are sound, and exports that accountants' tools read."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Final, TextIO

from fastapi import Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from openstile.ledger.store import Ledger
from openstile.ledger.store.export import write_beancount, write_csv
from openstile.ledger.store.verify import verify
from openstile.office.api.bodies import Told
from openstile.office.api.dependencies import OfficeDep, OperatorDep
from openstile.office.api.money import Amount
from openstile.office.api.office import Office
from openstile.office.api.routing import new_router
from openstile.office.api.services import RiderServices
from openstile.office.pricing.books import totals

router = new_router("ledger")
_PART_CHARS: Final = 2**16
Day = Annotated[
    date | None,
    Query(le=date(9998, 12, 31), description="Up to the end of which local day; without it, of all days."),
]


class TrialLine(Told):
    """One account: a debit balance is positive, a credit balance negative. All riders together are one line."""

    account: str
    kind: str
    balance: Amount


class TrialBalanceTold(Told):
    """All accounts with entries; in each currency they sum to zero."""

    day: date | None
    balanced: bool
    lines: list[TrialLine]


class VerificationTold(Told):
    """What was recomputed from the entries, and what is wrong: nothing, when the books are sound."""

    accounts: int
    postings: int
    entries: int
    findings: list[str]


@router.get("/v1/ledger/trial-balance")
def show_trial_balance(office: OfficeDep, _staff: OperatorDep, day: Day = None) -> TrialBalanceTold:
    """Every account's balance; those of riders are summed, in each currency."""
    with office.database.read() as connection:
        trial = totals(Ledger(connection).trial_balance(day))
    return TrialBalanceTold(
        day=trial.day,
        balanced=trial.balanced,
        lines=[
            TrialLine(account=line.account, kind=line.kind.value, balance=Amount.of(line.balance))
            for line in trial.lines
        ],
    )


@router.get("/v1/ledger/verification")
def verify_ledger(office: OfficeDep, _staff: OperatorDep) -> VerificationTold:
    """Recomputes the books from their entries. Takes a while where there are many."""
    with office.database.read() as connection:
        found = verify(connection)
    return VerificationTold(
        accounts=found.accounts, postings=found.postings, entries=found.entries, findings=list(found.findings)
    )


@router.get("/v1/ledger/entries.csv", response_class=StreamingResponse,
            responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})  # fmt: skip
def export_csv(office: OfficeDep, _staff: OperatorDep, day: Day = None) -> StreamingResponse:
    """One line an entry, debits positive."""
    return _file(office, "text/csv", lambda connection, out: write_csv(connection, out, through=day))


@router.get("/v1/ledger/books.beancount", response_class=StreamingResponse,
            responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})  # fmt: skip
def export_beancount(office: OfficeDep, _staff: OperatorDep, day: Day = None) -> StreamingResponse:
    """The books in Beancount's text format, with the balances of the day as checks."""
    through = day or office.service(RiderServices).today(office.clock.now())
    return _file(office, "text/plain", lambda connection, out: write_beancount(connection, out, through=through))


def _file(office: Office, media_type: str, write: Callable[[Connection, TextIO], int]) -> StreamingResponse:
    """A file that is written whole before its first byte is sent: what goes wrong is still a problem then."""
    file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115 (closed behind the last part)
    try:
        with office.database.read() as connection:
            write(connection, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return StreamingResponse(_parts(file), media_type=media_type)


def _parts(file: TextIO) -> Iterator[str]:
    with file:
        while part := file.read(_PART_CHARS):
            yield part
