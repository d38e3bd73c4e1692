"""An office for tests: its app in this process, its clock, its staff and riders, and who they are signed in as."""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from tests.databases import opened_office

from openstile.office.api.app import create_app
from openstile.office.api.office import Office, OfficeValues
from openstile.office.staff.roles import Principal, RiderAccount, Role, StaffMember
from openstile.office.staff.sessions import begin_session
from openstile.office.store.accounts import ACCOUNT
from openstile.office.store.people import STAFF
from openstile.terms.limits import SIGN_IN_WINDOW_S

ORIGIN = "https://office.example"
START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@dataclass
class TurnedClock:
    """A clock that goes when the test says so."""

    at: datetime = START
    mono_ns: int = 0

    def now(self) -> datetime:
        """The wall clock."""
        return self.at

    def monotonic_ns(self) -> int:
        """The monotonic clock."""
        return self.mono_ns

    def turn(self, **by: float) -> None:
        """Both clocks go on by a timedelta of these arguments."""
        step = timedelta(**by)
        self.at += step
        self.mono_ns += int(step.total_seconds() * 10**9)


@dataclass
class OfficeWorld:
    """The office, and what a test needs around it."""

    office: Office
    clock: TurnedClock
    app: FastAPI
    _tokens: dict[Principal, str] = field(default_factory=dict)

    @classmethod
    def open(cls, database_url: str, **more: Any) -> "OfficeWorld":
        """An office on the empty database at this address; `more` are fields of Office."""
        database = opened_office(database_url)
        clock = TurnedClock()
        values = OfficeValues(name="Example", public_url=ORIGIN, currency="EUR", metrics_token="m" * 32)
        office = Office(
            database=database, clock=clock, random=secrets.token_bytes, values=values, is_current=lambda _: True, **more
        )
        return cls(office, clock, create_app(office))

    @classmethod
    def around(cls, office: Office) -> "OfficeWorld":
        """An office that was made elsewhere, with a clock that the test turns."""
        assert isinstance(office.clock, TurnedClock)
        return cls(office, office.clock, create_app(office))

    def close(self) -> None:
        """Ends connections."""
        self.office.database.close()

    def staff(self, role: Role = Role.OPERATOR, name: str = "Staff") -> StaffMember:
        """A new member of staff."""
        member = StaffMember(secrets.token_hex(16), f"{name} {secrets.token_hex(2)}", role)
        with self.office.database.write() as connection:
            connection.execute(
                STAFF.insert().values(staff_id=member.staff_id, name=member.name, role=role, state="active")
            )
        return member

    def rider(self) -> RiderAccount:
        """A new account, which has no place in the ledger."""
        account = RiderAccount(secrets.token_hex(16))
        with self.office.database.write() as connection:
            connection.execute(
                ACCOUNT.insert().values(
                    account_id=account.account_id, state="open", currency="EUR", opened_on=date(2026, 6, 1), version=0
                )
            )
        return account

    def token_of(self, principal: Principal) -> str:
        """A session's token of `principal`, begun when first asked for."""
        if principal not in self._tokens:
            with self.office.database.write() as connection:
                session = begin_session(connection, principal, now=self.clock.now(), random=self.office.random)
            self._tokens[principal] = session.token
        return self._tokens[principal]

    def release_brake(self) -> None:
        """Lets the window of failed sign-ins pass, by the monotonic clock alone."""
        self.clock.mono_ns += SIGN_IN_WINDOW_S * 10**9

    def sign_in_again(self, principal: Principal) -> str:
        """A new session's token, when the old one is over."""
        self._tokens.pop(principal, None)
        return self.token_of(principal)

    def ask(self, method: str, path: str, *, as_: Principal | None = None, **more: Any) -> httpx.Response:
        """A request, with the session of `as_`."""
        headers = dict(more.pop("headers", {}))
        if as_ is not None:
            headers["Authorization"] = f"Bearer {self.token_of(as_)}"
        return asyncio.run(self._send(method, path, headers=headers, **more))

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.1", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.request(method, path, **more)


def problem_name(answer: httpx.Response) -> str:
    """The name of the problem that `answer` is; fails when it is none."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    return str(document["type"]).removeprefix("urn:openstile:problem:")
