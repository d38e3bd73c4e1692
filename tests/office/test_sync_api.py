"""Gates at the office's API: signed requests, and what is refused."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.office.office_world import ORIGIN, START, OfficeWorld, problem_name
from tests.office.sync_workshop import WorkClock, WorkGate, add_riders

from openstile.journal import GateKey
from openstile.journal.receipts import Receipt
from openstile.journal.requests import key_id, sign_key_proof, sign_request
from openstile.office.api.gates import BATCH_TYPE, TrustService
from openstile.office.staff.roles import Role, StaffMember
from openstile.terms import GateId


class TwoFiles:
    """A bundle and one status list."""

    def bundle(self, gate_id: GateId) -> bytes | None:
        return f"bundle of {gate_id}".encode()

    def status_list(self, name: str) -> bytes | None:
        return b"list" if name == "one" else None


@dataclass
class Uplink:
    """A gate's side of the API."""

    world: OfficeWorld
    gate: WorkGate

    def ask(
        self, method: str, path: str, body: bytes = b"", *, key: GateKey | None = None, **headers: str
    ) -> httpx.Response:
        """A signed request."""
        return self.send(method, path, body, self.signed(method, path, body, key=key, **headers))

    def signed(
        self, method: str, path: str, body: bytes, *, key: GateKey | None = None, **headers: str
    ) -> dict[str, str]:
        """The headers of a signed request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return sign_request(key=key or self.gate.uplink_key, method=method, url=ORIGIN + path, headers=named, body=body,
                            now=self.world.clock.now(), nonce=secrets.token_hex(16))  # fmt: skip

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """A request with these headers."""
        return self.world.ask(method, path, content=body, headers=headers)

    def post(self, path: str, asked: dict[str, Any], *, key: GateKey | None = None) -> httpx.Response:
        """A signed request with JSON."""
        return self.ask("POST", path, json.dumps(asked).encode(), key=key, content_type="application/json")

    def batch(self, body: bytes) -> httpx.Response:
        """Sends a batch."""
        return self.ask("POST", "/v1/gate/batches", body, content_type=BATCH_TYPE)

    def claim(self, token: str) -> httpx.Response:
        """Makes the gate known."""
        gate = self.gate
        return self.post("/v1/gates/claim", {
            "gate": gate.gate_id.value, "token": token, "uplink_key": gate.uplink_key.public_key.hex(),
            "journal_key": gate.journal_key.public_key.hex(), "epoch": gate.journal.epoch.hex(),
        })  # fmt: skip


@pytest.fixture
def operator(world: OfficeWorld) -> StaffMember:
    return world.staff()


@pytest.fixture
def uplink(world: OfficeWorld, operator: StaffMember, tmp_path: Path) -> Iterator[Uplink]:
    """A gate that was added and claimed over the API, with six taps."""
    clock = WorkClock(at=START)
    gate = WorkGate(tmp_path / "north", clock=clock)
    world.app.state.office = replace(world.office, services=(TrustService(TwoFiles()),))
    with world.office.database.write() as connection:
        riders = add_riders(connection, 6)
    gate.tap(*riders)
    uplink = Uplink(world, gate)
    world.ask("POST", "/v1/gates", as_=operator, json={"gate": "north-1", "stop": "s1", "direction": "in"})
    issued = world.ask("POST", "/v1/gates/north-1/claims", as_=operator, json={})
    claimed = uplink.claim(issued.json()["token"])
    assert claimed.status_code == 201, claimed.text
    assert claimed.json() == {"gate": "north-1", "kid": key_id(gate.uplink_key.public_key)}
    yield uplink
    gate.journal.close()


def test_batch_is_receipted_and_the_position_says_the_same(uplink: Uplink) -> None:
    answer = uplink.batch(uplink.gate.batch())
    assert answer.status_code == 200, answer.text
    receipt = Receipt.from_json(answer.content)
    assert receipt.head == uplink.gate.journal.place(6)
    epoch = uplink.gate.journal.epoch.hex()
    position = uplink.ask("GET", f"/v1/gate/position?epoch={epoch}")
    assert Receipt.from_json(position.content) == receipt
    head = uplink.ask("GET", f"/v1/gate/heads?epoch={epoch}&through=2").json()
    place = uplink.gate.journal.place(2)
    assert place is not None
    assert head == {"seq": 2, "hash": place.hash.hex()}


def test_gap_and_fork_are_problems_with_what_the_gate_needs(uplink: Uplink) -> None:
    gap = uplink.batch(uplink.gate.batch(after=3))
    assert problem_name(gap) == "gap"
    assert gap.json()["expected_seq"] == 1
    assert problem_name(uplink.ask("GET", f"/v1/gate/position?epoch={'0' * 32}")) == "unknown-epoch"


def test_replayed_request_is_refused_and_its_batch_stored_once(uplink: Uplink) -> None:
    body = uplink.gate.batch()
    headers = uplink.signed("POST", "/v1/gate/batches", body, content_type=BATCH_TYPE)
    assert uplink.send("POST", "/v1/gate/batches", body, headers).status_code == 200
    assert problem_name(uplink.send("POST", "/v1/gate/batches", body, headers)) == "bad-signature"


def test_request_that_another_key_signed_anew_is_refused(uplink: Uplink) -> None:
    body = uplink.gate.batch()
    answer = uplink.ask("POST", "/v1/gate/batches", body, key=GateKey.generate(), content_type=BATCH_TYPE)
    assert problem_name(answer) == "bad-signature"


def test_signature_of_one_request_is_good_for_no_other(uplink: Uplink) -> None:
    body, path = uplink.gate.batch(), "/v1/gate/batches"
    headers = uplink.signed("POST", path, body, content_type=BATCH_TYPE)
    epoch = uplink.gate.journal.epoch.hex()
    position = uplink.signed("GET", f"/v1/gate/position?epoch={epoch}", b"")
    for method, other, content, signed in (
        ("POST", path, uplink.gate.batch(taps_max=2), headers),
        ("POST", f"{path}?again=1", body, headers),
        ("GET", f"/v1/gate/position?epoch={'0' * 32}", b"", position),
        ("GET", f"/v1/gate/heads?epoch={epoch}&through=1", b"", position),
    ):
        assert problem_name(uplink.send(method, other, content, dict(signed))) == "bad-signature"
    assert uplink.send("POST", path, body, headers).status_code == 200


def test_unsigned_and_expired_requests_are_refused(uplink: Uplink) -> None:
    path = "/v1/gate/batches"
    answer = uplink.send("POST", path, uplink.gate.batch(), {"content-type": BATCH_TYPE})
    assert problem_name(answer) == "bad-signature"
    headers = uplink.signed("POST", path, uplink.gate.batch(), content_type=BATCH_TYPE)
    uplink.world.clock.turn(minutes=5)
    assert problem_name(uplink.send("POST", path, uplink.gate.batch(), headers)) == "bad-signature"


def test_oversized_batch_is_refused_before_it_is_read(uplink: Uplink) -> None:
    assert problem_name(uplink.batch(bytes(512 * 2**10 + 1))) == "too-large"


def test_batch_of_another_media_type_or_of_nonsense_is_refused(uplink: Uplink) -> None:
    body = uplink.gate.batch()
    wrong = uplink.ask("POST", "/v1/gate/batches", body, content_type="application/json")
    assert problem_name(wrong) == "unsupported-media-type"
    assert problem_name(uplink.batch(b"nonsense")) == "bad-batch"


def test_locked_gate_is_refused_everything(uplink: Uplink, operator: StaffMember) -> None:
    assert uplink.world.ask("POST", "/v1/gates/north-1/lock", as_=operator).json()["state"] == "locked"
    assert problem_name(uplink.batch(uplink.gate.batch())) == "gate-locked"
    assert problem_name(uplink.ask("GET", "/v1/gate/bundle")) == "gate-locked"
    uplink.world.ask("POST", "/v1/gates/north-1/unlock", as_=operator)
    assert uplink.batch(uplink.gate.batch()).status_code == 200


def test_key_changes_with_overlap_and_is_revoked_by_staff(uplink: Uplink, operator: StaffMember) -> None:
    old, new = uplink.gate.uplink_key, GateKey.generate()
    proof = sign_key_proof(new_key=new, gate=uplink.gate.gate_id, old_kid=key_id(old.public_key))
    changed = uplink.post("/v1/gate/keys", {"uplink_key": new.public_key.hex(), "proof": proof.hex()})
    assert changed.status_code == 201
    assert changed.json()["kid"] == key_id(new.public_key)
    for key in (old, new):
        assert uplink.ask("GET", "/v1/gate/bundle", key=key).status_code == 200
    revoked = uplink.world.ask("DELETE", f"/v1/gates/north-1/keys/{key_id(old.public_key)}", as_=operator)
    assert revoked.status_code == 200
    assert problem_name(uplink.ask("GET", "/v1/gate/bundle", key=old)) == "bad-signature"
    keys = uplink.world.ask("GET", "/v1/gates/north-1/keys", as_=operator).json()["items"]
    assert {key["kid"]: key["retired"] is None for key in keys} == {
        key_id(old.public_key): False, key_id(new.public_key): True,
    }  # fmt: skip


def test_new_journal_is_told_once_and_raises_an_alarm(uplink: Uplink, operator: StaffMember) -> None:
    asked = {"epoch": "2" * 32, "journal_key": uplink.gate.journal_key.public_key.hex(), "reason": "restored",
             "after": {"epoch": uplink.gate.journal.epoch.hex(), "seq": 0}}  # fmt: skip
    assert [uplink.post("/v1/gate/epochs", asked).status_code for _ in range(2)] == [201, 200]
    (alarm,) = uplink.world.ask("GET", "/v1/alarms", as_=operator).json()["items"]
    assert alarm["kind"] == "restored"
    cleared = uplink.world.ask("POST", f"/v1/alarms/{alarm['alarm_id']}/clear", as_=operator)
    assert cleared.json()["cleared"] is not None
    assert uplink.world.ask("GET", "/v1/alarms", as_=operator).json()["items"] == []


def test_taps_in_review_are_accepted_or_rejected_by_an_operator(uplink: Uplink, operator: StaffMember) -> None:
    uplink.gate.clock.ahead = timedelta(hours=3)
    uplink.gate.tap(*(one.tap.pass_id for one in uplink.gate.journal.taps(limit=2)))
    uplink.batch(uplink.gate.batch())
    listed = uplink.world.ask("GET", "/v1/reviews?limit=1", as_=operator).json()
    rest = uplink.world.ask("GET", f"/v1/reviews?limit=1&after={listed['next']}", as_=operator).json()
    one, two = listed["items"][0]["tap_id"], rest["items"][0]["tap_id"]
    accepted = uplink.world.ask("POST", f"/v1/reviews/{one}/accept", as_=operator, json={"time": "corrected"})
    assert accepted.status_code == 200, accepted.text
    assert uplink.world.ask("POST", f"/v1/reviews/{two}/reject", as_=operator).status_code == 200
    assert problem_name(uplink.world.ask("POST", f"/v1/reviews/{two}/reject", as_=operator)) == "not-found"


def test_bundle_and_status_list_are_given_once_and_then_by_their_tags(uplink: Uplink) -> None:
    bundle = uplink.ask("GET", "/v1/gate/bundle")
    assert (bundle.status_code, bundle.content) == (200, b"bundle of north-1")
    assert uplink.ask("GET", "/v1/gate/bundle", if_none_match=bundle.headers["etag"]).status_code == 304
    first = uplink.world.ask("GET", "/v1/status-lists/one")
    again = uplink.world.ask("GET", "/v1/status-lists/one", headers={"if-none-match": first.headers["etag"]})
    assert (first.content, again.status_code, again.content) == (b"list", 304, b"")
    assert problem_name(uplink.world.ask("GET", "/v1/status-lists/two")) == "not-found"


def test_claim_with_a_wrong_token_or_signed_by_another_key_is_refused(uplink: Uplink, operator: StaffMember) -> None:
    assert problem_name(uplink.claim("A" * 52)) == "claim-refused"
    issued = uplink.world.ask("POST", "/v1/gates/north-1/claims", as_=operator, json={}).json()
    asked = {"gate": "north-1", "token": issued["token"], "uplink_key": GateKey.generate().public_key.hex(),
             "journal_key": uplink.gate.journal_key.public_key.hex(), "epoch": "3" * 32}  # fmt: skip
    assert problem_name(uplink.post("/v1/gates/claim", asked)) == "bad-signature"


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [("POST", "/v1/gates", {"gate": "g", "stop": "s", "direction": "in"}), ("POST", "/v1/gates/north-1/claims", {}),
     ("POST", "/v1/gates/north-1/lock", None), ("POST", "/v1/gates/north-1/unlock", None),
     ("DELETE", f"/v1/gates/north-1/keys/{'0' * 32}", None), ("POST", f"/v1/alarms/{'0' * 32}/clear", None),
     ("POST", "/v1/reviews/1/accept", {"time": "gate"}), ("POST", "/v1/reviews/1/reject", None),
     ("GET", "/v1/reviews", None)],
)  # fmt: skip
def test_operators_alone_change_gates_alarms_and_reviews(
    world: OfficeWorld, method: str, path: str, sent: dict[str, Any] | None
) -> None:
    more: dict[str, Any] = {} if sent is None else {"json": sent}
    assert problem_name(world.ask(method, path, **more)) == "unauthenticated"
    assert problem_name(world.ask(method, path, as_=world.staff(Role.AGENT), **more)) == "forbidden"
    assert problem_name(world.ask(method, path, as_=world.rider(), **more)) == "forbidden"
    if method != "GET":
        assert problem_name(world.ask(method, path, as_=world.staff(Role.AUDITOR), **more)) == "forbidden"
