"""Roles of staff: who may do what, what is written down of it, and that nothing takes it back."""

import secrets

import pytest
from sqlalchemy import Connection, Executable, delete, insert, select, text, update
from tests.office.office_world import OfficeWorld, problem_name

from openstile.journal.taps import microseconds_of
from openstile.office.staff.roles import Role, may
from openstile.office.store.database import OfficeDatabaseError
from openstile.office.store.people import AUDIT
from openstile.office.store.people_triggers import drop_statements, statements
from openstile.terms.instants import SystemClock
from openstile.terms.limits import AUDIT_DAYS_MIN, PAGE_ITEMS_MAX


def test_table_of_roles() -> None:
    agent, operator, auditor = Role.AGENT, Role.OPERATOR, Role.AUDITOR
    changing = {(one, needed): may(one, needed, reading=False) for one in Role for needed in Role}
    assert {pair for pair, allowed in changing.items() if allowed} == {
        (agent, agent), (operator, agent), (operator, operator),
    }  # fmt: skip
    reading = {(one, needed) for one in Role for needed in Role if may(one, needed, reading=True)}
    assert reading == {
        (agent, agent), (operator, agent), (operator, operator),
        (auditor, agent), (auditor, operator), (auditor, auditor),
    }  # fmt: skip


def test_wrong_role_and_riders_are_forbidden(world: OfficeWorld) -> None:
    body = {"name": "New", "role": "operator"}
    for who in (world.staff(Role.AGENT), world.staff(Role.AUDITOR), world.rider()):
        assert problem_name(world.ask("POST", "/v1/staff", as_=who, json=body)) == "forbidden"
    for who in (world.staff(Role.AGENT), world.rider()):
        assert problem_name(world.ask("GET", "/v1/staff", as_=who)) == "forbidden"
    for who in (world.staff(Role.AGENT), world.staff(Role.OPERATOR), world.rider()):
        assert problem_name(world.ask("GET", "/v1/audit", as_=who)) == "forbidden"
    account = world.rider().account_id
    for who in (world.staff(Role.AUDITOR), world.rider()):
        assert problem_name(world.ask("POST", f"/v1/accounts/{account}/invitation", as_=who)) == "forbidden"


def test_who_asks_without_a_role_is_told_nothing_of_what_is_wrong_with_the_body(world: OfficeWorld) -> None:
    assert problem_name(world.ask("GET", "/v1/staff", headers={"Authorization": "Bearer x"})) == "unauthenticated"


def test_what_staff_do_is_in_the_log_and_reads_page_by_page(world: OfficeWorld) -> None:
    operator, agent, auditor = world.staff(), world.staff(Role.AGENT), world.staff(Role.AUDITOR)
    added = world.ask("POST", "/v1/staff", as_=operator, json={"name": "Ada", "role": "auditor"}).json()
    account = world.rider().account_id
    assert world.ask("POST", f"/v1/accounts/{account}/invitation", as_=agent).status_code == 201
    ada = added["staff"]["staff_id"]
    assert world.ask("POST", f"/v1/staff/{ada}/invitation", as_=operator).status_code == 201
    assert world.ask("DELETE", f"/v1/staff/{ada}", as_=operator).status_code == 204
    seen, after = [], None
    while True:
        query = {"limit": 1} | ({} if after is None else {"after": after})
        page = world.ask("GET", "/v1/audit", as_=auditor, params=query).json()
        seen += [(one["who"], one["action"], one["target"], one["at"]) for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    at = "2026-06-01T08:00:00Z"
    assert seen == [
        (operator.name, "staff.add.auditor", ada, at),
        (agent.name, "account.invite", account, at),
        (operator.name, "staff.invite", ada, at),
        (operator.name, "staff.remove", ada, at),
    ]


def test_what_was_refused_is_not_in_the_log_as_done(world: OfficeWorld) -> None:
    operator = world.staff()
    missing = secrets.token_hex(16)
    assert problem_name(world.ask("DELETE", f"/v1/staff/{missing}", as_=operator)) == "unknown-staff"
    assert problem_name(world.ask("POST", f"/v1/accounts/{missing}/invitation", as_=operator)) == "unknown-account"
    own = world.ask("DELETE", f"/v1/staff/{operator.staff_id}", as_=operator)
    assert problem_name(own) == "conflict"
    assert world.ask("GET", "/v1/audit", as_=world.staff(Role.AUDITOR)).json() == {"items": [], "next": None}


def test_who_is_let_go_is_out_at_once(world: OfficeWorld) -> None:
    operator, leaving = world.staff(), world.staff(Role.AGENT)
    assert world.ask("GET", "/v1/session", as_=leaving).status_code == 200
    assert world.ask("DELETE", f"/v1/staff/{leaving.staff_id}", as_=operator).status_code == 204
    assert problem_name(world.ask("GET", "/v1/session", as_=leaving)) == "unauthenticated"
    assert leaving.name not in world.ask("GET", "/v1/staff", as_=operator).text


def test_cursor_that_is_none_of_ours_is_refused(world: OfficeWorld) -> None:
    auditor = world.staff(Role.AUDITOR)
    for after in ("!", "AAAA", "W10", "WzEuNV0", "WyIxIl0", "WzFd" * 250, "Wy0xLDJd", "bnVsbA"):
        answer = world.ask("GET", "/v1/audit", as_=auditor, params={"after": after})
        assert problem_name(answer) in ("bad-cursor", "invalid-request"), after


def test_page_has_a_limit(world: OfficeWorld) -> None:
    auditor = world.staff(Role.AUDITOR)
    for limit, status in ((0, 422), (1, 200), (PAGE_ITEMS_MAX, 200), (PAGE_ITEMS_MAX + 1, 422)):
        assert world.ask("GET", "/v1/audit", as_=auditor, params={"limit": limit}).status_code == status


def _log(connection: Connection, days_ago: int) -> None:
    at = microseconds_of(SystemClock().now()) - days_ago * 86_400 * 10**6
    connection.execute(insert(AUDIT).values(at_us=at, who="x", action=f"days.{days_ago}"))


def test_log_cannot_be_changed_and_keeps_what_is_young(world: OfficeWorld) -> None:
    database = world.office.database
    with database.write() as connection:
        _log(connection, AUDIT_DAYS_MIN - 1)
        _log(connection, AUDIT_DAYS_MIN + 1)
    whole = (
        "INSERT OR REPLACE INTO audit (audit_id, at_us, who, action) VALUES (1, 1, 'y', 'z')"
        if database.is_sqlite
        else "TRUNCATE audit"
    )
    attempts: list[Executable] = [update(AUDIT).values(who="y"), delete(AUDIT), text(whole)]
    for attempt in attempts:
        with pytest.raises(OfficeDatabaseError), database.write() as connection:
            connection.execute(attempt)
    with database.write() as connection:
        old = microseconds_of(SystemClock().now()) - AUDIT_DAYS_MIN * 86_400 * 10**6
        assert connection.execute(delete(AUDIT).where(AUDIT.c.at_us < old)).rowcount == 1
    with database.read() as connection:
        assert list(connection.scalars(select(AUDIT.c.action))) == [f"days.{AUDIT_DAYS_MIN - 1}"]


def test_triggers_can_be_taken_away_and_put_back(world: OfficeWorld) -> None:
    database = world.office.database
    name = "sqlite" if database.is_sqlite else "postgresql"
    for _ in range(2):
        with database.write() as connection:
            for statement in statements(name):
                connection.exec_driver_sql(statement)
    with database.write() as connection:
        _log(connection, 1)
        for statement in drop_statements(name):
            connection.exec_driver_sql(statement)
        assert connection.execute(delete(AUDIT)).rowcount == 1
