"""What a gate remembers of passes, by pass id alone: never of faces, never of other gates."""

from collections import OrderedDict, deque
from datetime import datetime
from typing import Protocol

from openstile.terms.ids import PassId
from openstile.terms.limits import PASSES_WATCHED_MAX


class PassHistory(Protocol):
    """Read by the crossing, before any frame is."""

    def last_admitted(self, pass_id: PassId) -> datetime | None:
        """When this gate last admitted this pass, or None."""
        ...

    def latest(self) -> datetime | None:
        """The latest instant this gate has recorded for anything, or None: time cannot be before it."""
        ...

    def failed_attempts(self, pass_id: PassId) -> int:
        """How often somebody who was not its owner presented this pass within the policy's window."""
        ...


class AttemptBook:
    """Failed attempts by pass id within a sliding window, in memory only and bounded in size.

    When `PASSES_WATCHED_MAX` passes are watched, the one that failed longest ago is forgotten first.
    """

    def __init__(self) -> None:
        self._failures: OrderedDict[PassId, deque[int]] = OrderedDict()

    def add(self, pass_id: PassId, *, at_ns: int) -> None:
        """Record a failed attempt at the monotonic time `at_ns`."""
        self._failures.setdefault(pass_id, deque()).append(at_ns)
        self._failures.move_to_end(pass_id)
        if len(self._failures) > PASSES_WATCHED_MAX:
            self._failures.popitem(last=False)

    def count(self, pass_id: PassId, *, at_ns: int, window_s: int) -> int:
        """Failed attempts of this pass in the window that ends at the monotonic time `at_ns`."""
        times = self._failures.get(pass_id)
        if times is None:
            return 0
        while times and at_ns - times[0] >= window_s * 1_000_000_000:
            times.popleft()
        if not times:
            del self._failures[pass_id]
        return len(times)

    def clear(self, pass_id: PassId) -> None:
        """Forget the failures of a pass whose owner was admitted."""
        self._failures.pop(pass_id, None)
