"""Sign-in of staff with an OpenID provider: a real one over HTTP, and everything that must not get in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey
from tests.databases import NewDatabase
from tests.office.office_world import START, OfficeWorld, problem_name
from tests.office.provider import Provider, running_provider

from openstile.office.staff.members import OidcSubject, add_staff, remove_staff
from openstile.office.staff.oidc import OidcClient, OidcProvider
from openstile.office.staff.roles import Role
from openstile.terms import BadInputError
from openstile.terms.limits import OIDC_ANSWER_BYTES_MAX

_NOW = int(START.timestamp())


@dataclass
class _Scene:
    world: OfficeWorld
    provider: Provider
    staff_id: str

    def begin(self) -> dict[str, str]:
        """A sign-in that has begun and been agreed to: what the browser posts."""
        answer = self.world.ask("POST", "/v1/oidc/authorizations")
        assert answer.status_code == 201, answer.text
        code, state = self.provider.agree(answer.json()["authorization_url"])
        return {"code": code, "state": state, "binding": answer.json()["binding"]}

    def finish(self, told: dict[str, str]) -> httpx.Response:
        """The answer of the office."""
        return self.world.ask("POST", "/v1/oidc/sessions", json=told)


@pytest.fixture
def scene(database_url: str) -> Iterator[_Scene]:
    """An office with a provider that vouches for one auditor."""
    with running_provider(now=_NOW) as provider:
        client = OidcClient(provider.issuer, "office", "https://office.example/signed-in", provider.client_secret)
        world = OfficeWorld.open(database_url, oidc=OidcProvider(client))
        with world.office.database.write() as connection:
            subject = OidcSubject(provider.issuer, "subject-1")
            member = add_staff(connection, name="Ada", role=Role.AUDITOR, oidc=subject, random=world.office.random)
        yield _Scene(world, provider, member.staff_id)
        world.close()


def test_staff_sign_in_with_the_provider_has_the_role_of_the_offices_list(scene: _Scene) -> None:
    scene.provider.claims = {"role": "operator", "aud": ["office"], "azp": "office"}
    answer = scene.finish(scene.begin())
    assert answer.status_code == 201, answer.text
    assert answer.json()["signed_in"] == {"kind": "staff", "id": scene.staff_id, "name": "Ada", "role": "auditor"}
    header = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert scene.world.ask("GET", "/v1/audit", headers=header).status_code == 200


_WRONG_CLAIMS: tuple[dict[str, Any], ...] = (
    {"iss": "https://evil.example"},
    {"iss": None},
    {"aud": "another-client"},
    {"aud": ["office", "another"]},
    {"aud": None},
    {"azp": "another"},
    {"nonce": "another"},
    {"nonce": None},
    {"sub": "somebody-else"},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 300},
    {"exp": _NOW - 61},
    {"exp": None},
    {"iat": _NOW + 3600},
    {"iat": None},
    {"nbf": _NOW + 3600},
)


def test_id_token_that_does_not_hold_is_refused(scene: _Scene) -> None:
    for claims in _WRONG_CLAIMS:
        scene.provider.claims = claims
        answer = scene.finish(scene.begin())
        assert problem_name(answer) == "sign-in-failed", claims
        assert set(answer.json()) == {"type", "title", "status", "detail"}
        scene.world.release_brake()


def test_id_token_signed_by_another_key_or_with_a_shared_secret_is_refused(scene: _Scene) -> None:
    provider = scene.provider
    provider.published = ECKey.generate_key("P-256", {"kid": "one"})
    assert problem_name(scene.finish(scene.begin())) == "sign-in-failed"
    provider.published, provider.key, provider.alg = provider.key, OctKey.import_key("s3cret" * 8), "HS256"
    assert problem_name(scene.finish(scene.begin())) == "sign-in-failed"


def test_junk_in_place_of_an_id_token_is_refused(scene: _Scene) -> None:
    for answer in [b'{"id_token": "e30.e30."}', b"{}", b'{"id_token": 7}', b'{"id_token": "a.b.c.d.e"}']:
        scene.provider.raw_token_answer = answer
        assert problem_name(scene.finish(scene.begin())) == "sign-in-failed", answer[:40]


def test_provider_that_answers_junk_is_unavailable(scene: _Scene) -> None:
    for answer in [b"", b"[]", b"<html>", b"[" * 5000, b'{"x": "' + b"x" * OIDC_ANSWER_BYTES_MAX + b'"}']:
        scene.provider.raw_token_answer = answer
        assert problem_name(scene.finish(scene.begin())) == "unavailable", answer[:40]


def test_client_without_a_secret_is_held_by_its_verifier(new_database: NewDatabase) -> None:
    with running_provider(now=_NOW) as provider:
        provider.client_secret = None
        client = OidcClient(provider.issuer, "office", "https://office.example/signed-in")
        world = OfficeWorld.open(new_database(), oidc=OidcProvider(client))
        scene = _Scene(world, provider, "")
        assert problem_name(scene.finish(scene.begin())) == "sign-in-failed"  # nobody of the staff
        with world.office.database.write() as connection:
            subject = OidcSubject(provider.issuer, "subject-1")
            add_staff(connection, name="Ada", role=Role.AGENT, oidc=subject, random=world.office.random)
        assert scene.finish(scene.begin()).status_code == 201
        world.close()


def test_state_is_good_once_in_its_browser_and_for_five_minutes(scene: _Scene) -> None:
    told = scene.begin()
    assert scene.finish(told).status_code == 201
    assert problem_name(scene.finish(told)) == "sign-in-failed"
    other = scene.begin()
    assert problem_name(scene.finish({**scene.begin(), "binding": other["binding"]})) == "sign-in-failed"
    assert problem_name(scene.finish({**other, "code": "guessed"})) == "sign-in-failed"
    late = scene.begin()
    scene.world.clock.turn(minutes=5)
    assert problem_name(scene.finish(late)) == "sign-in-failed"


def test_code_of_another_sign_in_is_of_no_use(scene: _Scene) -> None:
    mine, theirs = scene.begin(), scene.begin()
    assert problem_name(scene.finish({**mine, "code": theirs["code"]})) == "sign-in-failed"


def test_who_has_left_signs_in_no_more_and_their_subject_is_free(scene: _Scene) -> None:
    with scene.world.office.database.write() as connection:
        remove_staff(connection, scene.staff_id)
    assert problem_name(scene.finish(scene.begin())) == "sign-in-failed"
    with scene.world.office.database.write() as connection:
        subject = OidcSubject(scene.provider.issuer, "subject-1")
        add_staff(connection, name="Eve", role=Role.AGENT, oidc=subject, random=scene.world.office.random)
    assert scene.finish(scene.begin()).json()["signed_in"]["name"] == "Eve"


def test_subject_of_another_issuer_is_another_person(scene: _Scene) -> None:
    with scene.world.office.database.write() as connection:
        remove_staff(connection, scene.staff_id)
        subject = OidcSubject("https://another.example", "subject-1")
        add_staff(connection, name="Eve", role=Role.OPERATOR, oidc=subject, random=scene.world.office.random)
    assert problem_name(scene.finish(scene.begin())) == "sign-in-failed"


_WRONG_METADATA: tuple[dict[str, Any], ...] = (
    {"issuer": "https://evil.example"},
    {"token_endpoint": "http://idp.example/token"},
    {"jwks_uri": None},
    {"authorization_endpoint": "javascript:alert(1)"},
)


def test_provider_that_says_it_is_another_or_is_not_https_is_not_used(scene: _Scene) -> None:
    for metadata in _WRONG_METADATA:
        scene.provider.metadata = metadata
        assert problem_name(scene.world.ask("POST", "/v1/oidc/authorizations")) == "unavailable", metadata


def test_subject_belongs_to_one_member_of_staff(scene: _Scene) -> None:
    operator = scene.world.staff()
    body = {"name": "Twin", "role": "agent", "oidc_subject": "subject-1"}
    assert problem_name(scene.world.ask("POST", "/v1/staff", as_=operator, json=body)) == "conflict"
    added = scene.world.ask("POST", "/v1/staff", as_=operator, json={**body, "oidc_subject": "subject-2"})
    assert added.json()["invitation"] is None
    scene.provider.claims = {"sub": "subject-2"}
    assert scene.finish(scene.begin()).json()["signed_in"]["role"] == "agent"


def test_issuer_must_be_https_or_this_machine() -> None:
    for issuer in ("http://idp.example", "idp.example", "", "https://", "ftp://127.0.0.1"):
        with pytest.raises(BadInputError, match=r"office\.oidc_issuer"):
            OidcClient(issuer, "office", "https://office.example/signed-in")


def test_office_without_a_provider_has_no_such_sign_in(world: OfficeWorld) -> None:
    assert problem_name(world.ask("POST", "/v1/oidc/authorizations")) == "not-found"
