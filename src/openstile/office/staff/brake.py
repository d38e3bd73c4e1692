"""A brake on failed sign-ins: in memory, by the client's network address, forgotten after a quarter of an hour.

Tokens, challenges and passkeys cannot be guessed; the brake keeps one client from keeping the office busy with trying.
It is per process, and gone with it.
"""

from collections import OrderedDict, deque
from ipaddress import ip_address, ip_network
from threading import Lock

from openstile.terms.limits import SIGN_IN_CLIENTS_WATCHED_MAX, SIGN_IN_FAILURES_MAX, SIGN_IN_WINDOW_S


class Brake:
    """Counts failures by client. Safe for use from several threads."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[int]] = OrderedDict()
        self._lock = Lock()

    def wait_s(self, client: str, *, now_ns: int) -> int:
        """For how many seconds `client` must wait before another try; 0: it need not. `now_ns` is monotonic."""
        with self._lock:
            failures = self._recent(_network(client), now_ns)
            if len(failures) < SIGN_IN_FAILURES_MAX:
                return 0
            return max(1, SIGN_IN_WINDOW_S - (now_ns - failures[0]) // 10**9)

    def failed(self, client: str, *, now_ns: int) -> None:
        """Notes a failed try of `client`. The oldest client is forgotten where there are too many."""
        with self._lock:
            key = _network(client)
            failures = self._recent(key, now_ns)
            failures.append(now_ns)
            while len(failures) > SIGN_IN_FAILURES_MAX:
                failures.popleft()
            self._failures[key] = failures
            self._failures.move_to_end(key)
            while len(self._failures) > SIGN_IN_CLIENTS_WATCHED_MAX:
                self._failures.popitem(last=False)

    def _recent(self, key: str, now_ns: int) -> deque[int]:
        failures = self._failures.get(key, deque())
        while failures and now_ns - failures[0] >= SIGN_IN_WINDOW_S * 10**9:
            failures.popleft()
        if not failures:
            self._failures.pop(key, None)
        return failures


def _network(client: str) -> str:
    """The client's address; of IPv6 the /64, which one subscriber has as a whole."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
