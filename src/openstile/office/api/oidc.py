"""Sign-in of staff with the operator's OpenID provider."""

from typing import Annotated

from fastapi import Request
from pydantic import StringConstraints

from openstile.office.api.attempts import attempt
from openstile.office.api.bodies import Body, TokenText, Told
from openstile.office.api.dependencies import OfficeDep
from openstile.office.api.office import Office
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.api.sessions import NewSession, new_session
from openstile.office.staff.oidc import OidcProvider

router = new_router("oidc")


class AuthorizationTold(Told):
    """Where the browser goes. It keeps `binding` and brings it back with what the provider gave it."""

    authorization_url: str
    binding: str


class ProviderAnswer(Body):
    """What the provider's redirect brought (`code`, `state`), and the binding of this browser."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern="^[ -~]+$")]
    state: TokenText
    binding: TokenText


@router.post("/v1/oidc/authorizations", status_code=201, responses=declare("not-found", "too-many-attempts"))
def begin_oidc_sign_in(office: OfficeDep, request: Request) -> AuthorizationTold:
    """Begins a sign-in with the provider; `not-found` where the operator has set none."""
    provider, now = _provider(office), office.clock.now()
    asked = attempt(office, request, "begin", lambda: provider.begin(office.database, now=now, random=office.random))
    return AuthorizationTold(authorization_url=asked.url, binding=asked.binding)


@router.post(
    "/v1/oidc/sessions", status_code=201, responses=declare("not-found", "sign-in-failed", "too-many-attempts")
)
def finish_oidc_sign_in(body: ProviderAnswer, office: OfficeDep, request: Request) -> NewSession:
    """Begins a session of the member of staff whom the provider vouches for."""
    provider, now = _provider(office), office.clock.now()
    session = attempt(
        office,
        request,
        "oidc",
        lambda: provider.sign_in(
            office.database, code=body.code, state=body.state, binding=body.binding, now=now, random=office.random
        ),
    )
    return new_session(session)


def _provider(office: Office) -> OidcProvider:
    if office.oidc is None:
        raise ProblemError("not-found", "no OpenID provider is set")
    return office.oidc
