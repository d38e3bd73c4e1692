"""Passes over the API: a commitment is signed, the desk seals, gates open it; and what withdraws one withdraws it."""

import base64
import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
from tests.office.office_world import problem_name
from tests.office.rider_world import LIST_URI, DeskSide, RiderWorld

from openstile.assembly.issuing import issue_registered
from openstile.issuer import PassState
from openstile.office.staff.roles import RiderAccount
from openstile.passes import PassFault, PassRefusedError, open_pass
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.issue import seal
from openstile.passes.pin import make_pin_reference
from openstile.passes.status_list import read_status_list
from openstile.passes.text import to_text
from openstile.terms import PassId


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sealed(riders: RiderWorld, desk: DeskSide, told: dict[str, Any]) -> str:
    """What the desk does with the office's answer; the gate group's key is its own."""
    key = riders.installation.keys.gate_group_public_key(now=riders.world.clock.now())
    assert told["gate_group"]["audience"] == str(key.audience)
    assert _unb64(told["gate_group"]["point"]) == key.point
    return to_text(
        seal(
            gate_group_key=key, token=_unb64(told["token"]), salt=desk.salt, data=desk.reference.data,
            random=secrets.token_bytes,
        )
    )  # fmt: skip


def _withdrawn(riders: RiderWorld, pass_id: PassId) -> bool:
    """Whether the status list that the office shows says so, once its job has run."""
    riders.jobs["status lists"].run()
    answer = riders.world.ask("GET", "/v1/status-lists/1")
    told = read_status_list(answer.content, issuers=riders.installation.keys.gate_keyring().issuers)
    with riders.register() as register:
        found = register.get(pass_id)
    assert found is not None
    assert found.status is not None
    assert told.uri == found.status.uri == LIST_URI
    return told.is_set(found.status.index)


def test_pass_signed_by_the_office_and_sealed_at_the_desk_opens_at_a_gate(riders: RiderWorld) -> None:
    account, desk = riders.account(), DeskSide()
    told = riders.issue(account, desk, rider_category="child", zones=["1", "2"])
    opened = open_pass(
        presented=_sealed(riders, desk, told), keyring=riders.installation.keys.gate_keyring(),
        audience=riders.installation.settings.audience(), now=riders.world.clock.now(), clock_skew_s=0,
    )  # fmt: skip
    assert opened.reference.data == desk.reference.data
    assert str(opened.claims.pass_id) == told["pass_id"]
    assert opened.claims.entitlement == Entitlement("single", "child", ("1", "2"))
    assert opened.claims.assurance is Assurance.SUPERVISED
    assert opened.claims.status is not None
    assert not _withdrawn(riders, opened.claims.pass_id)


def test_office_is_told_a_commitment_and_never_the_template(riders: RiderWorld) -> None:
    desk = DeskSide()
    sent = json.dumps(desk.order())
    told = riders.issue(riders.account(), desk)
    secret = (desk.reference.data, desk.salt)
    for held in (sent.encode(), json.dumps(told).encode(), _unb64(told["token"])):
        for one in secret:
            assert one not in held
            assert one.hex().encode() not in held
            assert base64.b64encode(one).rstrip(b"=") not in held
    for extra in ({"template": "00"}, {"salt": "00"}):
        order = desk.order()
        order["reference"] |= extra
        answer = riders.ask("POST", f"/v1/accounts/{riders.account()}/passes", json=order)
        assert problem_name(answer) == "invalid-request"


def test_pin_pass_is_issued_the_same_way(riders: RiderWorld) -> None:
    desk = DeskSide(make_pin_reference("4711"))
    told = riders.issue(riders.account(), desk)
    opened = open_pass(
        presented=_sealed(riders, desk, told), keyring=riders.installation.keys.gate_keyring(),
        audience=riders.installation.settings.audience(), now=riders.world.clock.now(), clock_skew_s=0,
    )  # fmt: skip
    assert opened.reference == desk.reference


def test_pass_sealed_with_another_template_than_was_committed_to_opens_nothing(riders: RiderWorld) -> None:
    told, other = riders.issue(riders.account(), DeskSide()), DeskSide()
    with pytest.raises(PassRefusedError) as refused:
        open_pass(
            presented=_sealed(riders, other, told), keyring=riders.installation.keys.gate_keyring(),
            audience=riders.installation.settings.audience(), now=riders.world.clock.now(), clock_skew_s=0,
        )  # fmt: skip
    assert refused.value.fault is PassFault.PASS_FORGED


@pytest.mark.parametrize(
    "changed",
    [
        {"product": ""}, {"product": "a\nb"}, {"product": "x" * 200}, {"valid_days": 0}, {"valid_days": 100_000},
        {"zones": ["1", "1"]}, {"zones": [""]}, {"supervised": "yes"}, {"rider_category": "No Name"},
        {"reference": {"kind": "face", "commitment": "00" * 32}}, {"reference": {"kind": "pin", "commitment": "00"}},
        {"reference": {"kind": "pin", "pack_id": "x", "commitment": "00" * 32}},
        {"holder": {"x": "00" * 32, "y": "00" * 32}}, {"valid_days": 1460, "product": "single"},
    ],
)  # fmt: skip
def test_pass_that_cannot_be_is_refused_and_leaves_nothing(riders: RiderWorld, changed: dict[str, Any]) -> None:
    account = riders.account()
    answer = riders.ask("POST", f"/v1/accounts/{account}/passes", json=DeskSide().order(**changed))
    assert (answer.status_code, problem_name(answer)) == (422, "invalid-request"), answer.text
    assert riders.ask("GET", f"/v1/accounts/{account}/passes").json() == {"items": []}
    with riders.register() as register:
        assert register.passes() == ()


def test_replaced_pass_is_revoked_in_register_and_list_and_once(riders: RiderWorld) -> None:
    account = riders.account()
    old = riders.pass_of(account)
    path = f"/v1/accounts/{account}/passes/{old}/replacement"
    answer = riders.ask("POST", path, as_=riders.agent, json=DeskSide().order())
    assert answer.status_code == 201
    new = PassId(bytes.fromhex(answer.json()["pass_id"]))
    assert _withdrawn(riders, old)
    assert not _withdrawn(riders, new)
    shown = {one["pass_id"]: one for one in riders.ask("GET", f"/v1/accounts/{account}/passes").json()["items"]}
    assert (shown[str(old)]["state"], shown[str(old)]["replaced_by"]) == ("revoked", str(new))
    assert shown[str(new)]["state"] == "valid"
    again = riders.ask("POST", path, as_=riders.agent, json=DeskSide().order())
    assert (again.status_code, problem_name(again)) == (409, "pass-state")
    strange = f"/v1/accounts/{riders.account()}/passes/{new}/replacement"
    assert problem_name(riders.ask("POST", strange, json=DeskSide().order())) == "unknown-pass"


def test_pass_is_suspended_reinstated_and_revoked_for_good(riders: RiderWorld) -> None:
    rider = riders.rider()
    pass_id = riders.pass_of(rider.account_id)
    path = f"/v1/accounts/{rider.account_id}/passes/{pass_id}/state"
    assert riders.ask("PUT", path, as_=rider, json={"state": "suspended"}).json()["state"] == "suspended"
    assert _withdrawn(riders, pass_id)
    assert riders.ask("PUT", path, as_=riders.agent, json={"state": "valid"}).json()["state"] == "valid"
    assert not _withdrawn(riders, pass_id)
    assert riders.ask("PUT", path, as_=rider, json={"state": "revoked"}).json()["state"] == "revoked"
    assert riders.ask("PUT", path, as_=rider, json={"state": "revoked"}).json()["state"] == "revoked"
    assert _withdrawn(riders, pass_id)
    for state in ("valid", "suspended"):
        answer = riders.ask("PUT", path, json={"state": state})
        assert (answer.status_code, problem_name(answer)) == (409, "pass-state")


def test_what_was_withdrawn_at_the_issuers_own_desk_stays_withdrawn(riders: RiderWorld) -> None:
    account = riders.account()
    pass_id = riders.pass_of(account)
    with riders.register() as register:
        register.set_state(pass_id, PassState.REVOKED, at=riders.world.clock.now())
    path = f"/v1/accounts/{account}/passes/{pass_id}/state"
    assert problem_name(riders.ask("PUT", path, json={"state": "valid"})) == "pass-state"
    assert riders.ask("PUT", path, json={"state": "revoked"}).json()["state"] == "revoked"
    lost = riders.pass_of(account)
    riders.ask("PUT", f"/v1/accounts/{account}/passes/{lost}/state", json={"state": "suspended"})
    with riders.register() as register:
        register.set_state(lost, PassState.VALID, at=riders.world.clock.now())
    riders.ask("PUT", f"/v1/accounts/{account}/passes/{lost}/state", json={"state": "suspended"})
    assert _withdrawn(riders, lost)


def test_pass_of_an_offline_desk_is_adopted_once_and_only_if_this_issuer_made_it(riders: RiderWorld) -> None:
    here, account = riders.installation, riders.account()
    issued = issue_registered(
        home=here.home, settings=here.settings, keys=here.keys, entitlement=Entitlement("single"),
        reference=make_pin_reference("4711"), now=riders.world.clock.now(), valid_for=timedelta(days=9),
        assurance=Assurance.SUPERVISED,
    )  # fmt: skip
    path, body = f"/v1/accounts/{account}/known-passes", {"pass_id": str(issued.pass_id), "reference": "pin"}
    adopted = riders.ask("POST", path, json=body)
    assert adopted.status_code == 201
    assert (adopted.json()["pass_id"], adopted.json()["state"]) == (str(issued.pass_id), "valid")
    assert problem_name(riders.ask("POST", path, json=body)) == "pass-state"
    assert problem_name(riders.ask("POST", path, json={**body, "pass_id": "0" * 32})) == "unknown-pass"


def test_office_without_an_issuers_key_says_so_and_shows_no_path(riders: RiderWorld) -> None:
    for file in riders.installation.home.keys.glob("*"):
        if file.is_file():
            file.unlink()
    answer = riders.ask("POST", f"/v1/accounts/{riders.account()}/passes", json=DeskSide().order())
    assert (answer.status_code, problem_name(answer)) == (503, "unavailable")
    assert str(riders.installation.home.folder) not in answer.text
    riders.jobs["status lists"].run()


def test_rider_sees_passes_but_not_those_of_an_erased_account(riders: RiderWorld) -> None:
    account = riders.account()
    riders.pass_of(account)
    riders.pay(f"/v1/accounts/{account}/erasure", None)
    answer = riders.ask("GET", f"/v1/accounts/{account}/passes", as_=riders.agent)
    assert problem_name(answer) == "unknown-account"
    answer = riders.ask("POST", f"/v1/accounts/{account}/passes", json=DeskSide().order())
    assert problem_name(answer) == "unknown-account"
    assert riders.world.ask("GET", f"/v1/accounts/{account}", as_=RiderAccount(account)).status_code in (401, 404)
