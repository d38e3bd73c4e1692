"""Passkeys (WebAuthn level 2) of riders and staff, verified by py_webauthn.

User verification is required, credentials are discoverable, attestation is not asked for: what make of authenticator
somebody has is none of the office's business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json_dict,
    parse_attestation_object,
    parse_client_data_json,
)
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from openstile.office.staff.challenges import CHALLENGE_KEPT, Begun, Purpose, begin, take
from openstile.office.staff.faults import SignInError
from openstile.office.staff.invitations import invited, use_invitation
from openstile.office.staff.roles import Principal, RiderAccount, Role, StaffMember
from openstile.office.staff.sessions import Session, begin_session, owner_columns
from openstile.office.staff.tokens import TOKEN_BYTES, RandomBytes, new_id
from openstile.office.store.accounts import ACCOUNT
from openstile.office.store.database import Database
from openstile.office.store.people import CREDENTIAL, STAFF
from openstile.terms.limits import PASSKEYS_PER_OWNER_MAX, WEBAUTHN_ID_BYTES_MAX, WEBAUTHN_KEY_BYTES_MAX

_WAIT_MS: Final = int(CHALLENGE_KEPT.total_seconds() * 1000)
_FORMATS: Final = (AttestationFormat.NONE, AttestationFormat.PACKED)
_log = structlog.get_logger("openstile.office")

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The office as authenticators know it: by the origin of its address (WebAuthn, section 5.1.2)."""

    name: str
    origin: str

    @property
    def rp_id(self) -> str:
        """The host of the origin."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Ceremonies with passkeys, on one database."""

    database: Database
    party: RelyingParty
    random: RandomBytes

    def begin_registration(self, invitation: str, *, now: datetime) -> dict[str, Any]:
        """Options for navigator.credentials.create(). Raises InvitationError."""
        challenge = self.random(TOKEN_BYTES)
        with self.database.write() as connection:
            principal = invited(connection, invitation, now=now)
            begin(connection, challenge, Purpose.REGISTER, Begun(bound=invitation), now=now)
            known = _webauthn_ids(connection, principal)
        return options_to_json_dict(
            generate_registration_options(
                rp_id=self.party.rp_id,
                rp_name=self.party.name,
                user_id=bytes.fromhex(_owner_id(principal)),
                user_name=principal.name if isinstance(principal, StaffMember) else self.party.name,
                challenge=challenge,
                timeout=_WAIT_MS,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            )
        )

    def register(self, invitation: str, answer: Mapping[str, Any], *, now: datetime) -> Session:
        """The passkey in `answer` is the invited one's from now on, who is signed in with it.

        Raises SignInError for an answer that does not hold, InvitationError.
        """
        challenge = _challenge_of(answer)
        take(self.database, challenge, Purpose.REGISTER, bound=invitation, now=now)
        verified = _read(lambda: self._verified_registration(answer, challenge))
        with self.database.write() as connection:
            principal = use_invitation(connection, invitation, now=now)
            self._store(connection, principal, verified)
            return begin_session(connection, principal, now=now, random=self.random)

    def begin_sign_in(self, *, now: datetime) -> dict[str, Any]:
        """Options for navigator.credentials.get(): the same for everybody."""
        challenge = self.random(TOKEN_BYTES)
        with self.database.write() as connection:
            begin(connection, challenge, Purpose.SIGN_IN, Begun(), now=now)
        return options_to_json_dict(
            generate_authentication_options(
                rp_id=self.party.rp_id,
                challenge=challenge,
                timeout=_WAIT_MS,
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )

    def sign_in(self, answer: Mapping[str, Any], *, now: datetime) -> Session:
        """A session of whose passkey signed. Raises SignInError."""
        # 1. The challenge is ours, for signing in, young, and now used up.
        challenge = _challenge_of(answer)
        take(self.database, challenge, Purpose.SIGN_IN, bound=None, now=now)
        with self.database.write() as connection:
            # 2. The passkey is known and its owner still here; nobody else changes the row meanwhile.
            credential, principal = _credential(connection, _read(lambda: base64url_to_bytes(answer["id"])))
            # 3. The authenticator names the same owner, where it names one.
            handle = answer["response"].get("userHandle")
            if handle is not None and _read(lambda: base64url_to_bytes(handle)).hex() != _owner_id(principal):
                raise SignInError
            # 4. Signature, origin, presence, verification of the user, and a counter that went on.
            verified = _read(lambda: self._verified_sign_in(answer, challenge, credential))
            connection.execute(
                update(CREDENTIAL)
                .where(CREDENTIAL.c.credential_id == credential.credential_id)
                .values(sign_count=verified.new_sign_count)
            )
            return begin_session(connection, principal, now=now, random=self.random)

    def _verified_registration(self, answer: Mapping[str, Any], challenge: bytes) -> VerifiedRegistration:
        # The other formats are parsers of certificates and of makers' formats, for attestation that nobody asked for.
        attestation = parse_attestation_object(base64url_to_bytes(answer["response"]["attestationObject"]))
        if attestation.fmt not in _FORMATS or attestation.att_stmt.x5c:
            raise SignInError
        return verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=self.party.rp_id,
            expected_origin=self.party.origin,
            require_user_verification=True,
        )

    def _verified_sign_in(self, answer: Mapping[str, Any], challenge: bytes, credential: Any) -> VerifiedAuthentication:
        return verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=self.party.rp_id,
            expected_origin=self.party.origin,
            credential_public_key=credential.public_key,
            credential_current_sign_count=credential.sign_count,
            require_user_verification=True,
        )

    def _store(self, connection: Connection, principal: Principal, verified: VerifiedRegistration) -> None:
        webauthn_id, public_key = verified.credential_id, verified.credential_public_key
        if len(webauthn_id) > WEBAUTHN_ID_BYTES_MAX or len(public_key) > WEBAUTHN_KEY_BYTES_MAX:
            raise SignInError
        if len(_webauthn_ids(connection, principal)) >= PASSKEYS_PER_OWNER_MAX:
            raise SignInError
        row = {
            "credential_id": new_id(self.random),
            "webauthn_id": webauthn_id,
            "public_key": public_key,
            "sign_count": verified.sign_count,
            **owner_columns(principal),
        }
        try:
            connection.execute(insert(CREDENTIAL), row)
        except IntegrityError:  # it is somebody's already (WebAuthn, section 7.1, step 22)
            raise SignInError from None


def list_passkeys(connection: Connection, principal: Principal) -> tuple[str, ...]:
    """The ids of the passkeys of `principal`."""
    return tuple(
        connection.scalars(select(CREDENTIAL.c.credential_id).where(_owned(principal)).order_by("credential_id"))
    )


def remove_passkey(connection: Connection, principal: Principal, credential_id: str) -> bool:
    """Removes a passkey of `principal`; whether there was one."""
    return (
        connection.execute(
            delete(CREDENTIAL).where(_owned(principal), CREDENTIAL.c.credential_id == credential_id)
        ).rowcount
        == 1
    )


def _challenge_of(answer: Mapping[str, Any]) -> bytes:
    return _read(lambda: parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"])).challenge)


def _credential(connection: Connection, webauthn_id: bytes) -> tuple[Any, Principal]:
    """The passkey and its owner. Raises SignInError where either is not here, or not any more."""
    row = connection.execute(
        select(CREDENTIAL, STAFF.c.name, STAFF.c.role, STAFF.c.state, ACCOUNT.c.state.label("account_state"))
        .join_from(CREDENTIAL, STAFF, CREDENTIAL.c.staff_id == STAFF.c.staff_id, isouter=True)
        .join(ACCOUNT, CREDENTIAL.c.account_id == ACCOUNT.c.account_id, isouter=True)
        .where(CREDENTIAL.c.webauthn_id == webauthn_id)
        .with_for_update(of=CREDENTIAL)
    ).one_or_none()
    if row is not None and row.account_id is not None and row.account_state != "erased":
        return row, RiderAccount(row.account_id)
    if row is not None and row.staff_id is not None and row.state == "active":
        return row, StaffMember(row.staff_id, row.name, Role(row.role))
    raise SignInError


def _webauthn_ids(connection: Connection, principal: Principal) -> tuple[bytes, ...]:
    return tuple(connection.scalars(select(CREDENTIAL.c.webauthn_id).where(_owned(principal))))


def _owned(principal: Principal) -> Any:
    if isinstance(principal, StaffMember):
        return CREDENTIAL.c.staff_id == principal.staff_id
    return CREDENTIAL.c.account_id == principal.account_id


def _owner_id(principal: Principal) -> str:
    return principal.staff_id if isinstance(principal, StaffMember) else principal.account_id


def _read(verify: Callable[[], _Read]) -> _Read:
    """What `verify` gives. Hostile bytes make the library and what it stands on raise errors of many kinds; each is a
    refusal."""
    try:
        return verify()
    except SignInError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        _log.info("passkey refused", kind=type(error).__name__)
        raise SignInError from None
