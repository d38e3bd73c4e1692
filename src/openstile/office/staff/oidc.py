"""Sign-in of staff with the operator's OpenID provider: authorization code with PKCE, by authlib and joserfc.

OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9700 (issuer and state checked, no implicit flow). The provider says
who somebody is; the role is what the office's own list says.
"""

import ssl
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import structlog
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import (
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from openstile.office.staff.addresses import check_https
from openstile.office.staff.bounded import BoundedTransport
from openstile.office.staff.challenges import Begun, Purpose, begin, take
from openstile.office.staff.faults import SignInError
from openstile.office.staff.members import OidcSubject, find_by_subject
from openstile.office.staff.sessions import Session, begin_session
from openstile.office.staff.tokens import RandomBytes, new_token
from openstile.office.store.database import Database
from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import OIDC_ANSWER_BYTES_MAX

_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Of ID tokens: signatures alone, never a shared secret or none."""
_LEEWAY_S: Final = 60
_TIMEOUT_S: Final = 10.0
_log = structlog.get_logger("openstile.office")


class OidcUnavailableError(OpenstileError):
    """The provider cannot be reached, or does not say what it must."""

    problem = "unavailable"


@dataclass(frozen=True, slots=True)
class OidcClient:
    """The office at its provider, as the operator registered it."""

    issuer: str
    client_id: str
    redirect_url: str
    client_secret: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        check_https(self.issuer, "office.oidc_issuer")


@dataclass(frozen=True, slots=True)
class AuthorizationAsked:
    """Where the browser goes, and what it must bring back beside what the provider gives it."""

    url: str
    binding: str = field(repr=False)


class OidcProvider:
    """The operator's provider. Everything it says is read anew at each sign-in: there are few, and keys change."""

    def __init__(self, client: OidcClient) -> None:
        """Asks nothing yet. Raises BadInputError for certificates that cannot be read."""
        self._client = client
        try:
            self._tls = ssl.create_default_context(cafile=client.ca_file)
        except (OSError, ssl.SSLError):
            raise BadInputError(
                f"certificates {client.ca_file}: are no readable PEM file; correct office.oidc_ca_file"
            ) from None

    @property
    def issuer(self) -> str:
        """Who says who somebody is."""
        return self._client.issuer

    def begin(self, database: Database, *, now: datetime, random: RandomBytes) -> AuthorizationAsked:
        """Begins a sign-in. Raises OidcUnavailableError."""
        state, nonce, verifier, binding = (new_token(random) for _ in range(4))
        with self._session() as session:
            endpoint = self._metadata(session)["authorization_endpoint"]
        url = prepare_grant_uri(
            endpoint,
            client_id=self._client.client_id,
            response_type="code",
            redirect_uri=self._client.redirect_url,
            scope="openid",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        with database.write() as connection:
            begun = Begun(bound=binding, nonce=nonce, verifier=verifier)
            begin(connection, state.encode(), Purpose.OIDC, begun, now=now)
        return AuthorizationAsked(url, binding)

    def sign_in(
        self, database: Database, *, code: str, state: str, binding: str, now: datetime, random: RandomBytes
    ) -> Session:
        """A session of the member of staff whom the provider vouches for.

        Raises SignInError, also for somebody who is not of the staff, and OidcUnavailableError.
        """
        # 1. The state is ours, young, of this browser (binding), and now used up.
        begun = take(database, state.encode(), Purpose.OIDC, bound=binding, now=now)
        # 2. The code is the provider's, for us (PKCE, client authentication).
        with self._session() as session:
            metadata = self._metadata(session)
            token = self._token(session, metadata["token_endpoint"], code, begun.verifier)
            keys = self._get(session, metadata["jwks_uri"])
        # 3. The ID token is signed by the provider, for us, for this sign-in, and fresh.
        subject = self._subject(token, keys, nonce=begun.nonce, now=now)
        # 4. The subject is a member of staff.
        with database.write() as connection:
            member = find_by_subject(connection, subject)
            if member is None:
                raise SignInError
            return begin_session(connection, member, now=now, random=random)

    def _session(self) -> httpx.Client:
        return httpx.Client(
            transport=BoundedTransport(httpx.HTTPTransport(verify=self._tls), OIDC_ANSWER_BYTES_MAX),
            timeout=_TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
        )

    def _metadata(self, session: httpx.Client) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 4)."""
        metadata = self._get(session, self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if metadata.get("issuer") != self.issuer:
            raise OidcUnavailableError("OpenID provider: says that it is another issuer; correct office.oidc_issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(metadata.get(name), str):
                raise OidcUnavailableError(f"OpenID provider: says no {name}; look at the provider")
            try:
                check_https(metadata[name], name)
            except BadInputError as error:
                raise OidcUnavailableError(f"OpenID provider: {error}") from None
            if self.issuer.startswith("https:") and not metadata[name].startswith("https:"):
                raise OidcUnavailableError(f"OpenID provider: {name}: is not https; look at the provider")
        return metadata

    def _get(self, session: httpx.Client, url: str) -> Mapping[str, Any]:
        document = _document(lambda: session.get(url), refused=())
        if document is None:
            raise OidcUnavailableError("OpenID provider: does not answer as it must; look at the provider")
        return document

    def _token(self, session: httpx.Client, endpoint: str, code: str, verifier: str | None) -> Mapping[str, Any]:
        client = self._client
        way = "none" if client.client_secret is None else "client_secret_basic"
        body = prepare_token_request(
            "authorization_code", redirect_uri=client.redirect_url, code=code, code_verifier=verifier
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        auth = ClientAuth(client.client_id, client.client_secret, way)
        uri, headers, body = auth.prepare("POST", endpoint, headers, body)
        refused = (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        document = _document(lambda: session.post(uri, content=body, headers=headers), refused=refused)
        if document is None:
            raise OidcUnavailableError("OpenID provider: does not answer as it must; look at the provider")
        return document

    def _subject(
        self, token: Mapping[str, Any], keys: Mapping[str, Any], *, nonce: str | None, now: datetime
    ) -> OidcSubject:
        try:
            decoded = jwt.decode(
                token["id_token"], KeySet.import_key_set({"keys": keys["keys"]}), algorithms=list(_ALGORITHMS)
            )
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client.client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": nonce or ""},
                },
                params={
                    "nonce": nonce,
                    "client_id": self._client.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_S)
            if not nonce or not isinstance(claims["sub"], str):
                raise SignInError
            return OidcSubject(self.issuer, claims["sub"])
        except Exception as error:  # noqa: BLE001 - hostile tokens make the libraries raise errors of many kinds
            _log.info("ID token refused", kind=type(error).__name__)
            raise SignInError from None


def _document(ask: Callable[[], httpx.Response], *, refused: Container[int]) -> Mapping[str, Any] | None:
    """The JSON object that the provider answers; None where it answers none. Raises SignInError for a refusal."""
    try:
        answer = ask()
        document = answer.json() if answer.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
        return None
    if answer.status_code in refused:
        raise SignInError
    return document if isinstance(document, dict) else None
