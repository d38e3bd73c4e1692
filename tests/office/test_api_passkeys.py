"""Passkeys of riders and staff: whole ceremonies with an authenticator, and everything that must not get in."""

import copy
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.office.authenticator import Authenticator, b64, unb64
from tests.office.office_world import OfficeWorld, problem_name

from openstile.office.staff.invitations import invite
from openstile.office.staff.roles import Principal, Role, StaffMember
from openstile.office.store.accounts import ACCOUNT
from openstile.office.store.people import CHALLENGE, CREDENTIAL, INVITATION, SESSION, STAFF
from openstile.terms.limits import SIGN_IN_FAILURES_MAX


def _invitation(world: OfficeWorld, principal: Principal) -> str:
    with world.office.database.write() as connection:
        return invite(connection, principal, now=world.clock.now(), random=world.office.random).token


def _register(world: OfficeWorld, invitation: str, authenticator: Authenticator) -> httpx.Response:
    options = world.ask("POST", "/v1/passkey-options", json={"invitation": invitation})
    assert options.status_code == 200, options.text
    credential = authenticator.create(options.json()["publicKey"])
    return world.ask("POST", "/v1/passkeys", json={"invitation": invitation, "credential": credential})


def _registered(world: OfficeWorld, principal: Principal, **fields: Any) -> Authenticator:
    authenticator = Authenticator(**fields)
    answer = _register(world, _invitation(world, principal), authenticator)
    assert answer.status_code == 201, answer.text
    return authenticator


def _options(world: OfficeWorld) -> dict[str, Any]:
    options: dict[str, Any] = world.ask("POST", "/v1/sessions/options").json()["publicKey"]
    return options


def _sign_in(world: OfficeWorld, authenticator: Authenticator) -> httpx.Response:
    return world.ask("POST", "/v1/sessions", json={"credential": authenticator.get(_options(world))})


def _whoami(world: OfficeWorld, token: str) -> httpx.Response:
    return world.ask("GET", "/v1/session", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("fmt", ["none", "packed"])
def test_invited_rider_registers_signs_in_and_out(world: OfficeWorld, fmt: str) -> None:
    rider = world.rider()
    authenticator = Authenticator(fmt=fmt)
    first = _register(world, _invitation(world, rider), authenticator)
    assert first.json()["signed_in"] == {"kind": "rider", "id": rider.account_id, "name": None, "role": None}
    again = _sign_in(world, authenticator)
    assert again.status_code == 201
    token = again.json()["token"]
    assert _whoami(world, token).json()["id"] == rider.account_id
    header = {"Authorization": f"Bearer {token}"}
    assert world.ask("DELETE", "/v1/session", headers=header).status_code == 204
    assert problem_name(_whoami(world, token)) == "unauthenticated"
    assert _whoami(world, first.json()["token"]).status_code == 200


def test_staff_sign_in_with_their_role_and_a_session_ends_in_time(world: OfficeWorld) -> None:
    member = world.staff(Role.AGENT)
    token = _sign_in(world, _registered(world, member)).json()["token"]
    assert _whoami(world, token).json() == {
        "kind": "staff", "id": member.staff_id, "name": member.name, "role": "agent",
    }  # fmt: skip
    world.clock.turn(hours=12, seconds=-1)
    assert _whoami(world, token).status_code == 200
    world.clock.turn(seconds=1)
    assert problem_name(_whoami(world, token)) == "unauthenticated"


def test_sign_out_everywhere_ends_every_session_and_nobody_elses(world: OfficeWorld) -> None:
    rider, other = world.rider(), world.rider()
    authenticator = _registered(world, rider)
    tokens = [_sign_in(world, authenticator).json()["token"] for _ in range(2)]
    header = {"Authorization": f"Bearer {tokens[0]}"}
    assert world.ask("DELETE", "/v1/sessions", headers=header).status_code == 204
    assert {problem_name(_whoami(world, token)) for token in tokens} == {"unauthenticated"}
    assert world.ask("GET", "/v1/session", as_=other).status_code == 200


def test_tokens_and_challenges_are_stored_as_hashes_alone(world: OfficeWorld) -> None:
    rider = world.rider()
    invitation = _invitation(world, rider)
    options = world.ask("POST", "/v1/passkey-options", json={"invitation": invitation}).json()
    token = world.token_of(rider)
    with world.office.database.read() as connection:
        stored = [connection.execute(select(table)).all() for table in (SESSION, INVITATION, CHALLENGE)]
    told = str(
        [[bytes(part) if isinstance(part, memoryview) else part for part in row] for rows in stored for row in rows]
    )
    for secret in (invitation, token, options["publicKey"]["challenge"]):
        assert secret not in told
        assert repr(unb64(secret))[2:-1] not in told


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é" * 43, "A" * 4300, "A" * 42 + "="])
def test_token_that_is_no_session_is_unauthenticated(world: OfficeWorld, token: str) -> None:
    answer = world.ask("GET", "/v1/session", headers={"Authorization": f"Bearer {token}".encode()})
    assert problem_name(answer) == "unauthenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_request_without_token_or_with_another_scheme_is_unauthenticated(world: OfficeWorld) -> None:
    assert problem_name(world.ask("GET", "/v1/session")) == "unauthenticated"
    token = world.token_of(world.rider())
    for header in (f"Basic {token}", token, "Bearer"):
        assert problem_name(world.ask("GET", "/v1/session", headers={"Authorization": header})) == "unauthenticated"


def test_invitation_is_good_once_for_a_day_and_until_the_next(world: OfficeWorld) -> None:
    rider = world.rider()
    first, second = _invitation(world, rider), _invitation(world, rider)
    asked = {"invitation": first}
    assert problem_name(world.ask("POST", "/v1/passkey-options", json=asked)) == "invitation-refused"
    assert _register(world, second, Authenticator()).status_code == 201
    asked = {"invitation": second}
    assert problem_name(world.ask("POST", "/v1/passkey-options", json=asked)) == "invitation-refused"
    third = _invitation(world, rider)
    world.clock.turn(hours=24)
    asked = {"invitation": third}
    assert problem_name(world.ask("POST", "/v1/passkey-options", json=asked)) == "invitation-refused"


def test_registration_begun_with_one_invitation_does_not_end_with_another(world: OfficeWorld) -> None:
    mine, theirs = _invitation(world, world.rider()), _invitation(world, world.rider())
    options = world.ask("POST", "/v1/passkey-options", json={"invitation": mine}).json()["publicKey"]
    credential = Authenticator().create(options)
    answer = world.ask("POST", "/v1/passkeys", json={"invitation": theirs, "credential": credential})
    assert problem_name(answer) == "sign-in-failed"


def test_passkey_that_is_somebodys_already_is_not_registered_again(world: OfficeWorld) -> None:
    authenticator = _registered(world, world.rider())
    assert problem_name(_register(world, _invitation(world, world.rider()), authenticator)) == "sign-in-failed"


def test_challenge_is_good_for_one_answer_right_or_wrong(world: OfficeWorld) -> None:
    authenticator = _registered(world, world.rider())
    options = _options(world)
    right = authenticator.get(options)
    wrong = copy.deepcopy(right)
    wrong["response"]["signature"] = b64(b"\x30" + bytes(70))
    assert problem_name(world.ask("POST", "/v1/sessions", json={"credential": wrong})) == "sign-in-failed"
    assert problem_name(world.ask("POST", "/v1/sessions", json={"credential": right})) == "sign-in-failed"
    right = authenticator.get(_options(world))
    assert world.ask("POST", "/v1/sessions", json={"credential": right}).status_code == 201
    assert problem_name(world.ask("POST", "/v1/sessions", json={"credential": right})) == "sign-in-failed"


def test_challenge_is_good_for_five_minutes_and_for_its_purpose(world: OfficeWorld) -> None:
    rider = world.rider()
    authenticator = _registered(world, rider)
    answer = authenticator.get(_options(world))
    world.clock.turn(minutes=5)
    assert problem_name(world.ask("POST", "/v1/sessions", json={"credential": answer})) == "sign-in-failed"
    asked = {"invitation": _invitation(world, rider)}
    challenge = world.ask("POST", "/v1/passkey-options", json=asked).json()["publicKey"]["challenge"]
    answer = authenticator.get({**_options(world), "challenge": challenge})
    assert problem_name(world.ask("POST", "/v1/sessions", json={"credential": answer})) == "sign-in-failed"


_WRONG_FIELDS: tuple[dict[str, Any], ...] = (
    {"origin": "https://office.example.evil.example"},
    {"origin": "http://office.example"},
    {"rp_id": "evil.example"},
    {"flags": 0x01},
    {"flags": 0x04},
    {"flags": 0x00},
)


def test_answer_of_another_origin_or_without_the_user_is_refused(world: OfficeWorld) -> None:
    authenticator = _registered(world, world.rider())
    for fields in _WRONG_FIELDS:
        wrong = replace(authenticator, **fields)
        assert problem_name(_sign_in(world, wrong)) == "sign-in-failed", fields
        answer = _register(world, _invitation(world, world.rider()), Authenticator(**fields))
        assert problem_name(answer) == "sign-in-failed", fields
        world.release_brake()
    authenticator.counter = 10
    assert _sign_in(world, authenticator).status_code == 201


def test_counter_that_does_not_go_on_is_refused(world: OfficeWorld) -> None:
    authenticator = _registered(world, world.rider(), counter=5)
    assert _sign_in(world, authenticator).status_code == 201
    authenticator.counter = 5
    assert problem_name(_sign_in(world, authenticator)) == "sign-in-failed"
    authenticator.counter = 9
    assert _sign_in(world, authenticator).status_code == 201


def test_passkey_of_one_account_does_not_sign_in_to_another(world: OfficeWorld) -> None:
    mine, theirs = _registered(world, world.rider()), _registered(world, world.rider())
    mine.user_handle = theirs.user_handle
    assert problem_name(_sign_in(world, mine)) == "sign-in-failed"
    mine.credential_id, mine.user_handle = theirs.credential_id, theirs.user_handle
    assert problem_name(_sign_in(world, mine)) == "sign-in-failed"


def test_unknown_passkey_and_one_that_was_removed_are_refused(world: OfficeWorld) -> None:
    assert problem_name(_sign_in(world, Authenticator())) == "sign-in-failed"
    rider, other = world.rider(), world.rider()
    authenticator = _registered(world, rider)
    (passkey,) = world.ask("GET", "/v1/passkeys", as_=rider).json()["items"]
    assert problem_name(world.ask("DELETE", f"/v1/passkeys/{passkey}", as_=other)) == "not-found"
    assert world.ask("DELETE", f"/v1/passkeys/{passkey}", as_=rider).status_code == 204
    assert problem_name(_sign_in(world, authenticator)) == "sign-in-failed"


def test_who_has_left_signs_in_no_more_and_their_sessions_are_over(world: OfficeWorld) -> None:
    rider, member = world.rider(), world.staff()
    keys: dict[Principal, Authenticator] = {rider: _registered(world, rider), member: _registered(world, member)}
    assert {world.ask("GET", "/v1/session", as_=one).status_code for one in keys} == {200}
    with world.office.database.write() as connection:
        connection.execute(ACCOUNT.update().values(state="erased"))
        connection.execute(STAFF.update().values(state="removed"))
    for one, authenticator in keys.items():
        assert problem_name(world.ask("GET", "/v1/session", as_=one)) == "unauthenticated"
        assert problem_name(_sign_in(world, authenticator)) == "sign-in-failed"


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
def test_junk_in_an_answer_is_refused_and_never_a_bug(world: OfficeWorld, part: str) -> None:
    authenticator = _registered(world, world.rider())
    for junk in (b"", b"\xff", b"{}", b'{"type":"webauthn.get"}', b"[" * 5000, bytes(300)):
        credential = authenticator.get(_options(world))
        credential["response"][part] = b64(junk)
        answer = world.ask("POST", "/v1/sessions", json={"credential": credential})
        assert problem_name(answer) in ("sign-in-failed", "invalid-request"), junk


def test_certificates_of_authenticator_makers_are_not_read(world: OfficeWorld) -> None:
    for fmt in ("tpm", "android-key", "apple", "fido-u2f", "android-safetynet", "other"):
        world.clock.turn(hours=1)
        assert (
            problem_name(_register(world, _invitation(world, world.rider()), Authenticator(fmt=fmt)))
            == "sign-in-failed"
        )


def test_client_that_fails_again_and_again_must_wait(world: OfficeWorld) -> None:
    authenticator = _registered(world, world.rider())
    stranger = Authenticator()
    for _ in range(SIGN_IN_FAILURES_MAX):
        assert problem_name(_sign_in(world, stranger)) == "sign-in-failed"
    answer = world.ask("POST", "/v1/sessions/options")
    assert (problem_name(answer), answer.headers["retry-after"]) == ("too-many-attempts", "900")
    world.clock.turn(minutes=15)
    assert _sign_in(world, authenticator).status_code == 201


def test_passkeys_row_says_nothing_of_make_or_time(world: OfficeWorld) -> None:
    member = world.staff()
    _registered(world, member)
    with world.office.database.read() as connection:
        (row,) = connection.execute(select(CREDENTIAL)).mappings().all()
    assert set(row) == {"credential_id", "webauthn_id", "public_key", "sign_count", "staff_id", "account_id"}
    assert isinstance(member, StaffMember)
    assert row["staff_id"] == member.staff_id
