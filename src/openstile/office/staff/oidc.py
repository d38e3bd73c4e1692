"""Sign-in of staff with the operator's OpenID provider: authorization code with PKCE, by authlib and joserfc.

OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9700 (issuer and state checked, no implicit flow). The provider says
who somebody is; the role is what the office's own list says.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import structlog
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import KeySet

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
        _check_address(self.issuer, "office.oidc_issuer")


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
        """Begins a sign-in. Raises OidcUnavailableError, TooManyChallengesError."""
        state, nonce, verifier, binding = (new_token(random) for _ in range(4))
        with self._session() as session:
            endpoint = self._metadata(session)["authorization_endpoint"]
            url, _state = session.create_authorization_url(endpoint, state=state, code_verifier=verifier, nonce=nonce)
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
            member = find_by_subject(connection, OidcSubject(self.issuer, subject))
            if member is None:
                raise SignInError
            return begin_session(connection, member, now=now, random=random)

    def _session(self) -> OAuth2Client:
        client = self._client
        return OAuth2Client(
            client_id=client.client_id,
            client_secret=client.client_secret,
            scope="openid",
            redirect_uri=client.redirect_url,
            code_challenge_method="S256",
            transport=BoundedTransport(httpx.HTTPTransport(verify=self._tls), OIDC_ANSWER_BYTES_MAX),
            timeout=_TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
        )

    def _metadata(self, session: OAuth2Client) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 4)."""
        metadata = self._get(session, self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if metadata.get("issuer") != self.issuer:
            raise OidcUnavailableError("OpenID provider: says that it is another issuer; correct office.oidc_issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(metadata.get(name), str):
                raise OidcUnavailableError(f"OpenID provider: says no {name}; look at the provider")
            try:
                _check_address(metadata[name], name)
            except BadInputError as error:
                raise OidcUnavailableError(f"OpenID provider: {error}") from None
        return metadata

    def _get(self, session: OAuth2Client, url: str) -> Mapping[str, Any]:
        try:
            answer = session.request("GET", url, withhold_token=True)
            document = answer.json() if answer.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise OidcUnavailableError("OpenID provider: does not answer as it must; look at the provider")
        return document

    def _token(self, session: OAuth2Client, endpoint: str, code: str, verifier: str | None) -> Mapping[str, Any]:
        try:
            token = session.fetch_token(endpoint, grant_type="authorization_code", code=code, code_verifier=verifier)
        except httpx.TransportError:
            raise OidcUnavailableError("OpenID provider: does not answer; look at the provider") from None
        except Exception as error:  # noqa: BLE001 - authlib raises its own errors, and others for answers it cannot read
            _log.info("code refused", kind=type(error).__name__)
            raise SignInError from None
        return dict(token)

    def _subject(self, token: Mapping[str, Any], keys: Mapping[str, Any], *, nonce: str | None, now: datetime) -> str:
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
            subject = claims["sub"]
        except Exception as error:  # noqa: BLE001 - hostile tokens make the libraries raise errors of many kinds
            _log.info("ID token refused", kind=type(error).__name__)
            raise SignInError from None
        if not isinstance(subject, str) or not nonce:
            raise SignInError
        return subject


def _check_address(url: str, name: str) -> None:
    """Refuses what is not https; plain http is for this machine alone."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise BadInputError(f"{name}: is no address; write https://...") from None
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and _is_loopback(host):
        return
    raise BadInputError(f"{name}: is not https; write https://...")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
