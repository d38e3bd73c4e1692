"""Fetching what a gate is told: status lists and bundles, over HTTPS, only when they changed (ETag, RFC 9110).

What comes is untrusted bytes up to a limit: who reads them verifies the signature and never goes back to older ones.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpx

from openstile.terms import BadInputError, OpenstileError

_TIMEOUT_S = 10.0


class FetchError(OpenstileError):
    """A server that cannot be reached, or an answer that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer's body and the server's name for it."""

    data: bytes = field(repr=False)
    etag: str | None


class Fetcher:
    """Asks servers. Follows no redirect, uses no proxy of the environment, sends nothing but the ETag it has."""

    def __init__(self, *, ca_file: Path | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        """`ca_file` (PEM) takes the place of the system's certificate authorities. Raises BadInputError."""
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise BadInputError(f"certificates {ca_file}: are no readable PEM file; correct trust.ca_file") from None
        self._client = httpx.Client(verify=context, timeout=timeout_s, trust_env=False, follow_redirects=False)

    def get(self, url: str, *, etag: str | None, bytes_max: int) -> Fetched | None:
        """What lies at `url` now; None when it is still what `etag` names.

        Raises FetchError, BadInputError for an address that is neither https nor on this machine.
        """
        check_address(url)
        headers = {"Accept-Encoding": "identity"} | ({"If-None-Match": etag} if etag else {})
        with _explained(url), self._client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED and etag is not None:
                return None
            if answer.status_code != httpx.codes.OK:
                raise FetchError(f"{url}: answered {answer.status_code}; look at the server, or at the address")
            return Fetched(_body(answer, url, bytes_max), answer.headers.get("ETag"))

    def close(self) -> None:
        """End all connections."""
        self._client.close()


def check_address(url: str) -> None:
    """Refuses, with BadInputError, what is not https; plain http is for this machine alone."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise BadInputError(f"{url!r}: is not an address; write https://host/path") from None
    if not parsed.host or parsed.userinfo or not _is_safe(parsed):
        raise BadInputError(f"{parsed.host!r}: write https://host/path, without a password; http only for this machine")


def _is_safe(url: httpx.URL) -> bool:
    if url.scheme == "https":
        return True
    try:
        here = url.host == "localhost" or ip_address(url.host).is_loopback
    except ValueError:
        here = False
    return url.scheme == "http" and here


def _body(answer: httpx.Response, url: str, bytes_max: int) -> bytes:
    """The body, read no further than the limit: a server cannot fill the memory."""
    data = bytearray()
    for piece in answer.iter_raw():
        data += piece
        if len(data) > bytes_max:
            raise FetchError(f"{url}: sends more than {bytes_max} bytes; it is not what was asked for")
    return bytes(data)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException:
        raise FetchError(f"{url}: did not answer in time; what is here stays in use") from None
    except httpx.HTTPError as error:
        raise FetchError(f"{url}: cannot be fetched ({type(error).__name__}); what is here stays in use") from None
