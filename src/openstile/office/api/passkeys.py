"""Sign-in and registration with passkeys, of riders and of staff."""

from typing import Annotated, Any, Literal

from fastapi import Path, Request
from pydantic import ConfigDict, StringConstraints

from openstile.office.api.attempts import attempt
from openstile.office.api.bodies import Body, HexId, TokenText, Told
from openstile.office.api.dependencies import OfficeDep, PrincipalDep
from openstile.office.api.office import Office
from openstile.office.api.problems import ProblemError, declare
from openstile.office.api.routing import new_router
from openstile.office.api.sessions import NewSession, new_session
from openstile.office.staff.audit import record_action
from openstile.office.staff.passkeys import Passkeys, RelyingParty, list_passkeys, remove_passkey
from openstile.office.staff.roles import StaffMember
from openstile.terms.limits import WEBAUTHN_TEXT_CHARS_MAX

router = new_router("passkeys")

_Base64Url = Annotated[
    str, StringConstraints(min_length=1, max_length=WEBAUTHN_TEXT_CHARS_MAX, pattern="^[A-Za-z0-9_-]+$")
]


class _FromBrowser(Body):
    """What PublicKeyCredential.toJSON() of a browser gives, which may hold more than is read here."""

    model_config = ConfigDict(extra="ignore")


class Attestation(_FromBrowser):
    """An authenticator's answer to navigator.credentials.create()."""

    clientDataJSON: _Base64Url  # noqa: N815 - WebAuthn's own names
    attestationObject: _Base64Url  # noqa: N815


class Assertion(_FromBrowser):
    """An authenticator's answer to navigator.credentials.get()."""

    clientDataJSON: _Base64Url  # noqa: N815
    authenticatorData: _Base64Url  # noqa: N815
    signature: _Base64Url
    userHandle: _Base64Url | None = None  # noqa: N815


class NewPasskey(_FromBrowser):
    """A public key credential that was made."""

    id: _Base64Url
    rawId: _Base64Url  # noqa: N815
    type: Literal["public-key"]
    response: Attestation


class UsedPasskey(_FromBrowser):
    """A public key credential that signed."""

    id: _Base64Url
    rawId: _Base64Url  # noqa: N815
    type: Literal["public-key"]
    response: Assertion


class Invited(Body):
    """An invitation, as it was handed over at the desk or printed by the command line."""

    invitation: TokenText


class Registration(Body):
    """The passkey that the invited one made."""

    invitation: TokenText
    credential: NewPasskey


class SignIn(Body):
    """A signature with a passkey."""

    credential: UsedPasskey


class CeremonyOptions(Told):
    """The argument `publicKey` of navigator.credentials.create() or get(), as its parse…OptionsFromJSON() takes it."""

    publicKey: dict[str, Any]  # noqa: N815


class PasskeyList(Told):
    """Ids of the passkeys of who is signed in."""

    items: list[str]


@router.post("/v1/passkey-options", responses=declare("invitation-refused", "too-many-attempts"))
def begin_registration(body: Invited, office: OfficeDep, request: Request) -> CeremonyOptions:
    """Begins the registration of a passkey. Needs an invitation."""
    now = office.clock.now()
    options = attempt(
        office, request, "register", lambda: _passkeys(office).begin_registration(body.invitation, now=now)
    )
    return CeremonyOptions(publicKey=options)


@router.post(
    "/v1/passkeys",
    status_code=201,
    responses=declare("sign-in-failed", "invitation-refused", "too-many-attempts"),
)
def register_passkey(body: Registration, office: OfficeDep, request: Request) -> NewSession:
    """Registers a passkey, uses the invitation up, and begins a session."""
    told = body.credential.model_dump(exclude_none=True)
    now = office.clock.now()
    return new_session(
        attempt(office, request, "register", lambda: _passkeys(office).register(body.invitation, told, now=now))
    )


@router.post("/v1/sessions/options", responses=declare("too-many-attempts"))
def begin_sign_in(office: OfficeDep, request: Request) -> CeremonyOptions:
    """Begins a sign-in. The options are the same for everybody, but for the challenge."""
    now = office.clock.now()
    options = attempt(office, request, "begin", lambda: _passkeys(office).begin_sign_in(now=now))
    return CeremonyOptions(publicKey=options)


@router.post("/v1/sessions", status_code=201, responses=declare("sign-in-failed", "too-many-attempts"))
def sign_in(body: SignIn, office: OfficeDep, request: Request) -> NewSession:
    """Begins a session of whose passkey signed the challenge."""
    told = body.credential.model_dump(exclude_none=True)
    now = office.clock.now()
    return new_session(attempt(office, request, "passkey", lambda: _passkeys(office).sign_in(told, now=now)))


@router.get("/v1/passkeys")
def show_passkeys(office: OfficeDep, principal: PrincipalDep) -> PasskeyList:
    """The passkeys of who is signed in."""
    with office.database.read() as connection:
        return PasskeyList(items=list(list_passkeys(connection, principal)))


@router.delete("/v1/passkeys/{passkey_id}", status_code=204, responses=declare("not-found"))
def delete_passkey(passkey_id: Annotated[HexId, Path()], office: OfficeDep, principal: PrincipalDep) -> None:
    """Removes one of one's own passkeys. Sessions that it began go on: sign out everywhere ends them."""
    with office.database.write() as connection:
        if not remove_passkey(connection, principal, passkey_id):
            raise ProblemError("not-found")
        if isinstance(principal, StaffMember):
            record_action(connection, principal, "passkey.remove", passkey_id, now=office.clock.now())


def _passkeys(office: Office) -> Passkeys:
    return Passkeys(office.database, RelyingParty(office.values.name, office.values.public_url), office.random)
