"""Opening the barrier over HTTP. The controller never learns whose pass it was."""

import stat
from ipaddress import ip_address
from pathlib import Path

import httpx

from openstile.gate.barrier import BarrierError
from openstile.journal import Direction
from openstile.terms import BadInputError
from openstile.terms.limits import KEY_FILE_BYTES_MAX


class HttpBarrier:
    """POSTs `{"direction": "in", "open_ms": 3000}` to a controller; any answer of the 200s means that it opens.

    No redirect is followed, no proxy of the environment is used and the answer's body is not read. `timeout_s` bounds
    each of connecting, sending and waiting. A token (from a file that only its owner can read) goes into the header
    `Authorization: Bearer`; over plain HTTP that is refused except to this machine itself.
    """

    def __init__(self, url: str, *, open_ms: int, timeout_s: float = 1.0, token_file: Path | None = None) -> None:
        """Raises BadInputError for an address or token file that cannot be used."""
        self._url = _barrier_url(url, with_token=token_file is not None)
        self._open_ms = open_ms
        headers = {} if token_file is None else {"Authorization": f"Bearer {_read_token(token_file)}"}
        self._client = httpx.Client(timeout=timeout_s, headers=headers, trust_env=False)

    def open(self, direction: Direction) -> None:
        """Raises BarrierError: refused, unreachable, too slow, or an answer that is not one of the 200s."""
        command: dict[str, str | int] = {"direction": direction.value, "open_ms": self._open_ms}
        try:
            with self._client.stream("POST", self._url, json=command) as answer:
                status = answer.status_code
        except httpx.TimeoutException as error:
            raise BarrierError(f"barrier {self._url}: did not answer in time; check its network and power") from error
        except httpx.HTTPError as error:
            raise BarrierError(f"barrier {self._url}: cannot be reached ({error}); check its address") from error
        if not 200 <= status < 300:
            raise BarrierError(f"barrier {self._url}: answered {status}; look into the controller's own log")

    def close(self) -> None:
        """Ends the connection to the controller."""
        self._client.close()


def _barrier_url(url: str, *, with_token: bool) -> str:
    try:
        parsed = httpx.URL(url)
        host = parsed.host.encode("idna")  # as a resolver will, and it may refuse what the parser takes
    except (httpx.InvalidURL, UnicodeError) as error:
        raise BadInputError(f"barrier {url!r}: not an address; use http://host/path or https://host/path") from error
    well_formed = host and b"%20" not in host and (parsed.port is None or 1 <= parsed.port <= 65535)
    if parsed.scheme not in ("http", "https") or not well_formed:
        raise BadInputError(f"barrier {url!r}: not an address; use http://host/path or https://host/path")
    if parsed.userinfo:
        raise BadInputError("barrier: its address carries a password; put it into a token file")
    if with_token and parsed.scheme == "http" and not _is_this_machine(parsed.host):
        raise BadInputError(f"barrier {url}: its token could be read on the network; use https")
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _read_token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            token = file.read(KEY_FILE_BYTES_MAX + 1).decode("ascii").strip()
    except OSError as error:
        raise BadInputError(f"barrier token {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"barrier token {path}: must be one line of ASCII text") from error
    if mode & 0o077:
        raise BadInputError(f"barrier token {path}: others can read it (mode {mode:04o}); run chmod 600")
    if not token or len(token) > KEY_FILE_BYTES_MAX or not token.isprintable() or " " in token:
        raise BadInputError(f"barrier token {path}: must be one line of ASCII text")
    return token
