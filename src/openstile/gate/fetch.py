"""Fetching what a gate is told: status lists and bundles, over HTTPS, only when they changed (ETag, RFC 9110).

What comes is untrusted bytes up to a limit: who reads them verifies the signature and never goes back to older ones.
"""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx

from openstile.terms import BadInputError, OpenstileError
from openstile.terms.limits import ETAG_CHARS_MAX

_STAYS = "what is here stays in use"
_LOOK = "look at that server, or at the address"
_TIMEOUT_S = 10.0
"""For one step: to connect, or until something more of an answer comes."""
_WHOLE_S = 120.0
"""For one answer from beginning to end: the largest bundle takes that at 4 Mbit/s, and a usual list a second."""


class FetchError(OpenstileError):
    """A server that cannot be reached, or an answer that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer's body and the server's name for it."""

    data: bytes = field(repr=False)
    etag: str | None


class Fetcher:
    """Asks servers. Follows no redirect, uses no proxy of the environment, sends nothing but the ETag it has."""

    def __init__(
        self,
        *,
        ca_file: Path | None = None,
        timeout_s: float = _TIMEOUT_S,
        whole_s: float = _WHOLE_S,
        setting: str = "trust.ca_file",
    ) -> None:
        """`ca_file` (PEM) takes the place of the system's certificate authorities; `setting` is where it was named.

        Raises BadInputError.
        """
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise BadInputError(f"certificates {ca_file}: are no readable PEM file; correct {setting}") from None
        self._whole_s = whole_s
        self._client = httpx.Client(
            verify=context,
            timeout=timeout_s,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # each answer has a connection that its deadline knows
        )

    def get(self, url: str, *, etag: str | None, bytes_max: int) -> Fetched | None:
        """What lies at `url` now; None when it is still what `etag` names.

        Raises FetchError, BadInputError for an address that is neither https nor on this machine.
        """
        check_address(url)
        headers = {"Accept-Encoding": "identity"} | ({"If-None-Match": etag} if etag else {})
        with (
            _explained(url),
            _deadline(url, self._whole_s) as traced,
            self._client.stream("GET", url, headers=headers, extensions=traced) as answer,
        ):
            if answer.status_code == httpx.codes.NOT_MODIFIED and etag is not None:
                return None
            if answer.status_code != httpx.codes.OK:
                raise FetchError(f"{url}: answered {answer.status_code}; look at the server, or at the address")
            return Fetched(_body(answer, url, bytes_max), _etag_of(answer))

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, bytes_max: int
    ) -> tuple[int, dict[str, str], bytes]:
        """The answer to any request, whatever its status: that, its header fields and its body.

        Raises FetchError, BadInputError for an address that is neither https nor on this machine.
        """
        check_address(url)
        content = body if body or method == "POST" else None
        fields = {"Accept-Encoding": "identity", **headers}
        with (
            _explained(url, then=_LOOK),
            _deadline(url, self._whole_s, then=_LOOK) as traced,
            self._client.stream(method, url, headers=fields, content=content, extensions=traced) as answer,
        ):
            return answer.status_code, dict(answer.headers), _body(answer, url, bytes_max)

    def close(self) -> None:
        """End all connections."""
        self._client.close()


def check_address(url: str) -> None:
    """Refuses, with BadInputError, what is not https; plain http is for this machine alone."""
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError):  # of IDNA, for one
        raise BadInputError(f"{url!r}: is not an address; write https://host/path") from None
    if not host or parsed.userinfo or not _is_safe(parsed):
        raise BadInputError(f"{host!r}: write https://host/path, without a password; http only for this machine")


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


def _etag_of(answer: httpx.Response) -> str | None:
    """The server's name for the answer, if it is one that can be sent back (RFC 9110, section 8.8.3)."""
    etag = answer.headers.get("ETag", "")
    return etag if 0 < len(etag) <= ETAG_CHARS_MAX and etag.isascii() and etag.isprintable() else None


class _Deadline:
    """Cuts an answer's connection when its time is over.

    The timeouts of httpx are for one step each: a server that sends a byte a second would hold the gate for days.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self.is_over = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpx as it goes: takes note of a connection that was made, before TLS begins on it."""
        if event == "connection.connect_tcp.complete":
            connection: socket.socket = info["return_value"].get_extra_info("socket").dup()  # TLS takes the first over
            with self._lock:
                self._connections.append(connection)
                if self.is_over:
                    self._cut()

    def end(self) -> None:
        """The time is over."""
        with self._lock:
            self.is_over = True
            self._cut()

    def close(self) -> None:
        """All went well, or something else went wrong."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def _cut(self) -> None:
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def _deadline(url: str, whole_s: float, *, then: str = _STAYS) -> Iterator[dict[str, Any]]:
    """The extensions of a request that has so long for all. Raises FetchError, also where half an answer came."""
    deadline = _Deadline()
    timer = threading.Timer(whole_s, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": deadline.trace}
    except httpx.HTTPError:
        if not deadline.is_over:
            raise
    finally:
        timer.cancel()
        deadline.close()
    if deadline.is_over:
        raise FetchError(f"{url}: took more than {whole_s:.0f} s; {then}")


@contextmanager
def _explained(url: str, *, then: str = _STAYS) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException:
        raise FetchError(f"{url}: did not answer in time; {then}") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # a name that no DNS takes is a UnicodeError
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        reason = "no authority known here vouches for it" if untrusted else type(error).__name__
        raise FetchError(f"{url}: cannot be reached ({reason}); {then}") from None
