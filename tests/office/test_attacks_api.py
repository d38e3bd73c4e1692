"""Attacks on the API: what a signature leaves open, replays, floods of sign-ins, and staff who look unseen."""

import secrets
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select
from tests.office.office_world import OfficeWorld, problem_name
from tests.office.rider_world import RiderWorld
from tests.office.sync_workshop import START, office_at

from openstile.journal import GateKey
from openstile.journal.requests import RequestSignatureError, sign_request, verify_request
from openstile.office.staff import challenges
from openstile.office.staff.challenges import Begun, Purpose, begin, take
from openstile.office.staff.faults import SignInError
from openstile.office.staff.oidc import OidcClient, OidcProvider, OidcUnavailableError
from openstile.office.store.people import CHALLENGE
from openstile.office.sync.nonces import take_nonce

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("behind", ["#&through=9", "#", "\t&through=9", "&through=9", "\n", "\x7f", "é", " "])
def test_nothing_is_behind_the_address_that_was_signed(behind: str) -> None:
    key, url = GateKey.generate(), "https://office.example/v1/gate/heads?epoch=00&through=5"
    headers = sign_request(key=key, method="GET", url=url, headers={}, body=b"", now=NOW, nonce=secrets.token_hex(16))

    def verify(sent: str) -> None:
        verify_request(method="GET", url=sent, headers=headers, body=b"", public_key_of=lambda _: key.public_key,
                       now=NOW)  # fmt: skip

    verify(url)
    with pytest.raises(RequestSignatureError):
        verify(url + behind)


def test_nonce_is_remembered_while_a_request_may_wait_that_was_in_time(database_url: str) -> None:
    expires = START + timedelta(minutes=5)
    with office_at(database_url) as database, database.write() as connection:
        assert take_nonce(connection, kid="k", nonce="one", expires=expires, now=START)
        later = expires + timedelta(seconds=20)  # another request of the gate; it forgets what has expired
        assert take_nonce(connection, kid="k", nonce="two", expires=later + timedelta(minutes=5), now=later)
        waited = expires - timedelta(seconds=1)  # verified then, and let into the database only now
        assert not take_nonce(connection, kid="k", nonce="one", expires=expires, now=waited)


def test_flood_of_sign_ins_keeps_nobody_out(world: OfficeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenges, "CHALLENGES_OPEN_MAX", 50)
    begun = [secrets.token_bytes(32) for _ in range(80)]
    for challenge in begun:
        with world.office.database.write() as connection:
            begin(connection, challenge, Purpose.SIGN_IN, Begun(), now=world.clock.now())
        world.clock.turn(seconds=0.1)
    assert world.ask("POST", "/v1/sessions/options").status_code == 200
    with world.office.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(CHALLENGE)).scalar_one() == 50
    take(world.office.database, begun[-1], Purpose.SIGN_IN, bound=None, now=world.clock.now())
    with pytest.raises(SignInError):
        take(world.office.database, begun[0], Purpose.SIGN_IN, bound=None, now=world.clock.now())


def test_staff_look_at_no_trip_unseen(riders: RiderWorld) -> None:
    rider = riders.rider()
    riders.open_gates()
    riders.ride(riders.pass_of(rider.account_id), to="mill")
    path = f"/v1/accounts/{rider.account_id}/journeys"
    for who in (rider, riders.agent, riders.auditor):
        assert len(riders.ask("GET", path, as_=who).json()["items"]) == 1
    assert len(riders.ask("GET", "/v1/unknown-fares", as_=riders.agent).json()["items"]) == 1
    log = riders.ask("GET", "/v1/audit?limit=200", as_=riders.auditor).json()["items"]
    looks = [(one["staff_id"], one["target"]) for one in log if one["action"] == "account.journeys"]
    assert looks == [(riders.agent.staff_id, rider.account_id), (riders.auditor.staff_id, rider.account_id)]
    assert [one["staff_id"] for one in log if one["action"] == "unknown-fares.list"] == [riders.agent.staff_id]
    told = riders.ask("GET", f"/v1/accounts/{rider.account_id}/export", as_=rider).json()["audit"]
    assert [one["action"] for one in told].count("account.journeys") == 2, "the rider can read who looked, and when"


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "authorization_endpoint"])
def test_openid_provider_elsewhere_sends_the_office_to_nothing_on_its_own_machine(name: str) -> None:
    issuer = "https://provider.example"
    told = {one: f"{issuer}/{one}" for one in ("token_endpoint", "jwks_uri", "authorization_endpoint")}
    document = {"issuer": issuer, **told, name: "http://127.0.0.1:8080/v1/gates"}
    provider = OidcProvider(OidcClient(issuer, "office", "https://office.example/back"))
    answers = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    with httpx.Client(transport=answers) as session, pytest.raises(OidcUnavailableError, match="is not https"):
        provider._metadata(session)


def test_pass_of_an_erased_rider_goes_on_no_other_account_with_its_late_taps(riders: RiderWorld) -> None:
    rider, other = riders.rider(), riders.account()
    riders.open_gates()
    pass_id = riders.pass_of(rider.account_id)
    riders.city.tap(riders.city.gates["hill-in"], pass_id)
    assert riders.pay(f"/v1/accounts/{rider.account_id}/erasure", {}).status_code == 200
    riders.city.sync()
    known = {"pass_id": str(pass_id), "reference": "face"}
    answer = riders.ask("POST", f"/v1/accounts/{other}/known-passes", json=known, as_=riders.agent)
    assert problem_name(answer) == "pass-state"
    assert riders.ask("GET", f"/v1/accounts/{other}/export", as_=riders.agent).json()["tap"] == []
