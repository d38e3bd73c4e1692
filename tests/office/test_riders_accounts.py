"""Accounts over the API: opened, listed, changed; and who may do what with whose."""

from typing import Any

import pytest
from tests.office.office_world import problem_name
from tests.office.rider_world import DeskSide, RiderWorld

from openstile.office.staff.roles import RiderAccount


def test_account_is_a_random_id_with_what_the_rider_left(riders: RiderWorld) -> None:
    told = riders.ask("POST", "/v1/accounts", json={"category": "child", "contact": "a@b.example"}).json()
    account = told.pop("account_id")
    assert len(bytes.fromhex(account)) == 16
    assert told == {
        "category": "child", "contact": "a@b.example", "opened_on": "2026-06-01",
        "balance": {"minor": 0, "currency": "EUR"},
    }  # fmt: skip
    shown = riders.ask("GET", f"/v1/accounts/{account}", as_=RiderAccount(account))
    assert shown.json() == {"account_id": account, **told}


@pytest.mark.parametrize(
    "body", [{"category": "pirate"}, {"contact": "x"}, {"contact": "a\nb"}, {"name": "Ada"}, {"contact": 7}]
)
def test_account_with_what_it_cannot_have_is_refused(riders: RiderWorld, body: dict[str, Any]) -> None:
    answer = riders.ask("POST", "/v1/accounts", json=body)
    assert (answer.status_code, problem_name(answer)) == (422, "invalid-request")


def test_accounts_are_listed_page_by_page_and_cursors_of_others_are_refused(riders: RiderWorld) -> None:
    accounts = sorted(riders.account() for _ in range(5))
    found, after = [], ""
    while True:
        page = riders.ask("GET", f"/v1/accounts?limit=2{after}").json()
        found += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == accounts
    for cursor in ("WzFd", "bm9uZQ", "____", "WyJhIiwiYiJd"):
        assert problem_name(riders.ask("GET", f"/v1/accounts?after={cursor}")) == "bad-cursor"


def test_rider_changes_the_contact_but_not_the_category(riders: RiderWorld) -> None:
    rider = riders.rider(category="child")
    path = f"/v1/accounts/{rider.account_id}"
    changed = riders.ask("PUT", path, as_=rider, json={"contact": "new@b.example", "category": "adult"}).json()
    assert (changed["contact"], changed["category"]) == ("new@b.example", "child")
    changed = riders.ask("PUT", path, as_=riders.agent, json={"contact": None, "category": "adult"}).json()
    assert (changed["contact"], changed["category"]) == (None, "adult")


def test_account_of_somebody_else_is_forbidden_whether_it_exists_or_not(riders: RiderWorld) -> None:
    rider, other = riders.rider(), riders.rider()
    for account in (other.account_id, "0" * 32):
        for path in ("", "/passes", "/journeys", "/statement", "/payments", "/periods", "/offers", "/export"):
            answer = riders.ask("GET", f"/v1/accounts/{account}{path}", as_=rider)
            assert (answer.status_code, problem_name(answer)) == (403, "forbidden"), path
    assert riders.pay(f"/v1/accounts/{other.account_id}/erasure", None, as_=rider).status_code == 403
    unknown = riders.ask("GET", f"/v1/accounts/{'0' * 32}")
    assert problem_name(unknown) == "unknown-account"
    assert riders.world.ask("GET", f"/v1/accounts/{rider.account_id}").status_code == 401


def test_riders_do_nothing_that_is_for_staff(riders: RiderWorld) -> None:
    rider = riders.rider()
    path, one = f"/v1/accounts/{rider.account_id}", {"minor": 1, "currency": "EUR"}
    pass_path = f"{path}/passes/{riders.pass_of(rider.account_id)}"
    asked = [
        ("POST", "/v1/accounts", {}), ("GET", "/v1/accounts", None), ("GET", "/v1/unknown-fares", None),
        ("POST", f"{path}/passes", DeskSide().order()), ("POST", f"{pass_path}/replacement", DeskSide().order()),
        ("POST", f"{path}/known-passes", {"pass_id": "0" * 32, "reference": "face"}),
        ("PUT", f"{pass_path}/state", {"state": "valid"}),
        ("POST", f"{path}/periods/{'0' * 32}/refund", one), ("POST", f"{path}/payments/{'0' * 32}/refunds", one),
        ("GET", "/v1/ledger/trial-balance", None), ("GET", "/v1/ledger/entries.csv", None),
    ]  # fmt: skip
    for method, address, body in asked:
        answer = riders.ask(method, address, as_=rider, json=body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, problem_name(answer)) == (403, "forbidden"), address


def test_agents_move_no_money_back_and_auditors_only_read(riders: RiderWorld) -> None:
    account = riders.account()
    path, one = f"/v1/accounts/{account}", {"minor": 1, "currency": "EUR"}
    payment = riders.top_up(account)
    for address in (f"{path}/payments/{payment}/refunds", f"{path}/periods/{'0' * 32}/refund"):
        assert problem_name(riders.pay(address, one, as_=riders.agent)) == "forbidden"
    for address in ("", "/passes", "/journeys", "/statement", "/payments", "/periods", "/offers", "/export"):
        assert riders.ask("GET", f"{path}{address}", as_=riders.auditor).status_code == 200, address
    for method, address, body in (
        ("POST", "/v1/accounts", {}), ("PUT", path, {"contact": None, "category": None}),
        ("POST", f"{path}/passes", DeskSide().order()), ("POST", f"{path}/erasure", None),
        ("POST", f"{path}/payments", {"provider": "demo", "amount": one}),
        ("POST", f"{path}/periods", {"product": "month", "from_day": "2026-06-01"}),
    ):  # fmt: skip
        answer = riders.ask(method, address, as_=riders.auditor, json=body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, problem_name(answer)) == (403, "forbidden"), address


def test_what_staff_do_for_riders_is_in_the_audit_log_and_what_riders_do_is_not(riders: RiderWorld) -> None:
    rider = riders.rider()
    path = f"/v1/accounts/{rider.account_id}"
    riders.ask("PUT", path, as_=rider, json={"contact": "a@b.example", "category": None})
    riders.ask("GET", f"{path}/export", as_=rider)
    pass_id = riders.pass_of(rider.account_id)
    riders.ask("PUT", f"{path}/passes/{pass_id}/state", as_=rider, json={"state": "suspended"})
    riders.ask("GET", f"{path}/export", as_=riders.auditor)
    riders.ask("PUT", f"{path}/passes/{pass_id}/state", as_=riders.agent, json={"state": "valid"})
    log = riders.ask("GET", "/v1/audit", as_=riders.auditor).json()["items"]
    mine = [one for one in log if one["target"] == rider.account_id]
    assert [one["action"] for one in mine] == ["account.open", "pass.issue", "account.export", "pass.valid"]
    assert [one["staff_id"] for one in mine[2:]] == [riders.auditor.staff_id, riders.agent.staff_id]
