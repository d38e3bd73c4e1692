"""The operator's table `office` (docs/operator-guide.md)."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from openstile.office.staff.addresses import is_loopback
from openstile.passes.private_file import read_private_file
from openstile.terms.errors import BadInputError

_TOKEN_BYTES_MAX = 1024
_TOKEN_CHARS_MIN = 16

_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
_CURRENCY = re.compile(r"[A-Z]{3}")

_Text = Annotated[str, Field(max_length=1000)]


class OfficeTable(BaseModel):
    """The back office: where it stores, listens and is seen, and who vouches for its staff."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=64)] = "Openstile"
    database: _Text = ""
    listen: Annotated[str, Field(max_length=300)] = "127.0.0.1:8080"
    public_url: Annotated[str, Field(max_length=300)] = "http://localhost:8080"
    proxies: Annotated[list[str], Field(max_length=32)] = Field(default_factory=list)
    currency: Annotated[str, Field(max_length=3)] = "EUR"
    feed: _Text = ""
    fare_rules: _Text = ""
    payments: Annotated[list[Literal["stripe", "demo"]], Field(max_length=2)] = Field(default_factory=list)
    stripe_key_file: _Text = ""
    stripe_webhook_secret_file: _Text = ""
    demo_secret_file: _Text = ""
    clock_tolerance_s: Annotated[int, Field(ge=1, le=86_400)] = 120
    metrics_token_file: _Text = ""
    traces_url: _Text = ""
    oidc_issuer: _Text = ""
    oidc_client_id: _Text = ""
    oidc_client_secret_file: _Text = ""
    oidc_redirect_url: _Text = ""
    oidc_ca_file: _Text = ""

    @field_validator("listen")
    @classmethod
    def _port(cls, listen: str) -> str:
        if not _LISTEN.fullmatch(listen):
            raise ValueError("must be an address and a port, as 127.0.0.1:8080")
        if not 1 <= int(listen.rpartition(":")[2]) <= 65_535:
            raise ValueError("the port must be from 1 to 65535")
        return listen

    @field_validator("public_url")
    @classmethod
    def _origin(cls, url: str) -> str:
        parts = urlsplit(url) if _ORIGIN.fullmatch(url) else None
        if parts is None or parts.port == 0 or not parts.hostname:
            raise ValueError("must be an origin, as https://office.example, with nothing behind it")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must be https: browsers make passkeys nowhere else")
        return url

    @field_validator("currency")
    @classmethod
    def _code(cls, currency: str) -> str:
        if not _CURRENCY.fullmatch(currency):
            raise ValueError("must be a code of ISO 4217, as EUR")
        return currency

    @field_validator("proxies")
    @classmethod
    def _networks(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError("must be addresses or networks, as 10.0.0.0/24") from None
        return proxies

    @field_validator("traces_url")
    @classmethod
    def _exporter(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))):
            raise ValueError("must be https, or http to this machine")
        return url

    @model_validator(mode="after")
    def _rules_of_a_feed(self) -> Self:
        if self.fare_rules and not self.feed:
            raise ValueError("fare_rules goes with a feed; set feed too, or take fare_rules out")
        return self

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Where to listen."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def read_secret(path: Path, *, what: str) -> str:
    """The secret in a private file (0600), without the end of its line. Raises BadInputError."""
    data = read_private_file(path, what=what, bytes_max=_TOKEN_BYTES_MAX)
    try:
        secret = data.decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if len(secret) < _TOKEN_CHARS_MIN or not secret.isprintable():
        raise BadInputError(f"{what} {path}: must hold a secret of {_TOKEN_CHARS_MIN} and more ASCII characters")
    return secret
