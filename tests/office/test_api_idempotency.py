"""Requests that move money: each is done once, however often it comes and whatever fails in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import pytest
from fastapi import Response
from sqlalchemy import Connection, func, insert, select
from tests.office.office_world import OfficeWorld, problem_name

from openstile.office.api.bodies import Body, Told
from openstile.office.api.dependencies import AgentDep
from openstile.office.api.idempotency import Answer, OperationDep
from openstile.office.api.problems import ProblemError
from openstile.office.api.routing import new_router
from openstile.office.staff.roles import Principal, Role
from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.people import AUDIT, IDEMPOTENCY


class _Asked(Body):
    amount: int


class _Moved(Told):
    total: int


@dataclass
class _Probe:
    """An operation that moves one row in a table of the office; the test says what happens inside."""

    world: OfficeWorld
    account: str
    inside: Callable[[Connection], None] = lambda _connection: None
    before: Callable[[], None] = lambda: None
    keys: list[str] = field(default_factory=list)

    def add(self) -> None:
        router = new_router("probe")

        @router.post("/probe/money")
        def move(body: _Asked, operation: OperationDep) -> Response:
            self.keys.append(operation.key)
            return operation.run_after(self.before, lambda connection, _none: self._move(connection, body))

        @router.post("/probe/staff-money")
        def move_by_staff(body: _Asked, staff: AgentDep, operation: OperationDep) -> Response:
            def work(connection: Connection) -> Answer:
                staff.record(connection, "money.move")
                return self._move(connection, body)

            return operation.run(work)

        self.world.app.include_router(router)

    def _move(self, connection: Connection, body: _Asked) -> Answer:
        connection.execute(insert(PRICING_DUE).values(account_id=self.account, due_us=body.amount))
        self.inside(connection)
        return Answer(201, _Moved(total=body.amount))

    def moved(self) -> int:
        with self.world.office.database.read() as connection:
            return connection.execute(select(func.count()).select_from(PRICING_DUE)).scalar_one()


@pytest.fixture
def probe(world: OfficeWorld) -> _Probe:
    probe = _Probe(world, world.rider().account_id)
    probe.add()
    return probe


def _post(world: OfficeWorld, as_: Principal, key: str | None, amount: int = 5, path: str = "/probe/money"):  # type: ignore[no-untyped-def]
    headers = {} if key is None else {"Idempotency-Key": key}
    return world.ask("POST", path, as_=as_, json={"amount": amount}, headers=headers)


def test_same_request_again_moves_nothing_and_is_answered_as_before(world: OfficeWorld, probe: _Probe) -> None:
    rider = world.rider()
    first, again = _post(world, rider, "k1"), _post(world, rider, "k1")
    assert (first.status_code, first.json()) == (201, {"total": 5})
    assert (again.status_code, again.content) == (201, first.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert probe.moved() == 1
    assert len(set(probe.keys)) == 1


def test_missing_reused_and_malformed_keys_are_refused(world: OfficeWorld, probe: _Probe) -> None:
    rider = world.rider()
    assert problem_name(_post(world, rider, None)) == "idempotency-key-missing"
    assert problem_name(_post(world, rider, "")) == "invalid-request"
    assert problem_name(_post(world, rider, "a b")) == "invalid-request"
    assert problem_name(_post(world, rider, "x" * 129)) == "invalid-request"
    assert probe.moved() == 0
    assert _post(world, rider, "x" * 128).status_code == 201
    assert problem_name(_post(world, rider, "x" * 128, amount=6)) == "idempotency-key-reused"
    assert probe.moved() == 1


def test_key_of_one_principal_says_nothing_of_anothers(world: OfficeWorld, probe: _Probe) -> None:
    assert _post(world, world.rider(), "shared").status_code == 201
    other = _post(world, world.rider(), "shared", amount=7)
    assert problem_name(other) != "idempotency-key-reused"  # it was done, and failed on its own
    assert len(set(probe.keys)) == 2


def test_key_is_not_stored_in_the_clear(world: OfficeWorld, probe: _Probe) -> None:
    _post(world, world.rider(), "very-secret-key")
    with world.office.database.read() as connection:
        assert "very-secret-key" not in str(connection.execute(select(IDEMPOTENCY)).all())


def test_second_request_while_the_first_is_at_work_is_in_flight(world: OfficeWorld, probe: _Probe) -> None:
    rider, begun, go_on = world.rider(), Event(), Event()
    world.token_of(rider)

    def wait() -> None:
        begun.set()
        assert go_on.wait(20)

    probe.before = wait
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_post, world, rider, "k1")
        assert begun.wait(20)
        second = _post(world, rider, "k1")
        assert (problem_name(second), second.headers["retry-after"]) == ("in-flight", "1")
        assert problem_name(_post(world, rider, "k1", amount=6)) == "idempotency-key-reused"
        go_on.set()
        assert first.result().status_code == 201
    assert probe.moved() == 1


def test_attempt_that_was_overtaken_writes_nothing(world: OfficeWorld, probe: _Probe) -> None:
    rider = world.rider()

    def overtaken() -> None:
        probe.before = lambda: None
        world.clock.turn(seconds=61)
        assert _post(world, rider, "k1").status_code == 201

    probe.before = overtaken
    assert problem_name(_post(world, rider, "k1")) in ("in-flight", "unavailable")
    assert probe.moved() == 1
    assert _post(world, rider, "k1").headers["idempotency-replayed"] == "true"


def test_what_died_between_claim_and_work_is_done_by_the_next_after_the_lease(
    world: OfficeWorld, probe: _Probe
) -> None:
    rider = world.rider()
    assert _post(world, rider, "k1").status_code == 201
    with world.office.database.write() as connection:  # as a process leaves it that dies before its second transaction
        connection.execute(IDEMPOTENCY.update().values(done=False, status=None, body=None, media_type=None))
        connection.execute(PRICING_DUE.delete())
    assert problem_name(_post(world, rider, "k1")) == "in-flight"
    world.clock.turn(seconds=60)
    assert _post(world, rider, "k1").status_code == 201
    assert probe.moved() == 1


def test_bug_in_the_work_leaves_nothing_and_the_key_free(world: OfficeWorld, probe: _Probe) -> None:
    rider = world.rider()

    def fail(_connection: Connection) -> None:
        raise ZeroDivisionError

    probe.inside = fail
    assert problem_name(_post(world, rider, "k1")) == "internal"
    assert probe.moved() == 0
    probe.inside = lambda _connection: None
    assert _post(world, rider, "k1").status_code == 201


def test_refusal_is_kept_as_the_answer_and_its_changes_are_not(world: OfficeWorld, probe: _Probe) -> None:
    rider = world.rider()

    def refuse(_connection: Connection) -> None:
        raise ProblemError("insufficient-funds", "account: holds too little")

    probe.inside = refuse
    first = _post(world, rider, "k1")
    probe.inside = lambda _connection: None
    again = _post(world, rider, "k1")
    assert problem_name(first) == problem_name(again) == "insufficient-funds"
    assert first.json() == again.json()
    assert probe.moved() == 0


def test_answer_is_forgotten_after_a_day(world: OfficeWorld, probe: _Probe) -> None:
    agent = world.staff(Role.AGENT)
    assert _post(world, agent, "k1", path="/probe/staff-money").status_code == 201
    world.clock.turn(hours=11)
    assert "idempotency-replayed" in _post(world, agent, "k1", path="/probe/staff-money").headers
    with world.office.database.write() as connection:
        assert len(connection.execute(select(AUDIT)).all()) == 1
        connection.execute(PRICING_DUE.delete())
    world.clock.turn(hours=13)
    world.sign_in_again(agent)
    assert "idempotency-replayed" not in _post(world, agent, "k1", amount=9, path="/probe/staff-money").headers
    assert probe.moved() == 1
