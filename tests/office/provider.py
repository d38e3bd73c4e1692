"""A small OpenID provider over real HTTP on loopback: discovery, keys, and codes for ID tokens (with PKCE).

What it signs and says can be changed field by field, as an attacker or a misconfigured provider would.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey


@dataclass
class Provider:
    """The provider's state. `claims` go over the right ones; `key` signs, `published` is what it says it signs with."""

    port: int
    now: int
    client_id: str = "office"
    client_secret: str | None = "s3cret"
    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    published: Key | None = None
    alg: str = "ES256"
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    raw_token_answer: bytes | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """Its name."""
        return f"http://127.0.0.1:{self.port}"

    def agree(self, authorization_url: str) -> tuple[str, str]:
        """What the person does at the provider's page; the `code` and `state` that the redirect brings."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return code, asked["state"]

    def token(self, form: dict[str, str], authorization: str | None) -> tuple[int, bytes]:
        """The token endpoint's answer (RFC 6749, section 4.1.3; RFC 7636, section 4.6)."""
        if self.raw_token_answer is not None:
            return 200, self.raw_token_answer
        asked = self.codes.pop(form.get("code", ""), None)
        if not self._is_client(form, authorization):
            return 401, b'{"error": "invalid_client"}'
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, b'{"error": "invalid_grant"}'
        claims = {
            "iss": self.issuer, "aud": self.client_id, "sub": "subject-1", "nonce": asked["nonce"],
            "iat": self.now, "exp": self.now + 300,
        }  # fmt: skip
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        token = jwt.encode({"alg": self.alg, "kid": "one"}, claims, self.key, algorithms=[self.alg])
        return 200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}).encode()

    def _is_client(self, form: dict[str, str], authorization: str | None) -> bool:
        if self.client_secret is None:
            return authorization is None and form.get("client_id") == self.client_id
        told = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return authorization == f"Basic {told}"

    def discovery(self) -> bytes:
        """What it says of itself."""
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return json.dumps(told | self.metadata).encode()

    def keys(self) -> bytes:
        """Its public keys."""
        key = self.published or self.key
        return json.dumps({"keys": [] if isinstance(key, OctKey) else [key.as_dict(private=False)]}).encode()


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        pages = {"/.well-known/openid-configuration": self.provider.discovery, "/keys": self.provider.keys}
        page = pages.get(self.path)
        self._answer(404, b"") if page is None else self._answer(200, page())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(*self.provider.token(form, self.headers.get("Authorization")))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@contextmanager
def running_provider(*, now: int) -> Iterator[Provider]:
    """A provider that answers until the end of the block; `now` in seconds since 1970."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    provider = Provider(server.server_address[1], now)
    server.RequestHandlerClass = type("_Bound", (_Handler,), {"provider": provider})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
