"""How often a gate talks to the office: regularly while that works, ever less while it does not."""

from collections.abc import Callable
from dataclasses import dataclass

PAUSE_S_MAX = 300.0
"""However long an office was away, gates are back so soon after it is."""


@dataclass(slots=True)
class Pace:
    """Gives the pause after each attempt. `every_s` is in seconds; `random` gives numbers in [0, 1)."""

    every_s: float
    random: Callable[[], float]
    failures: int = 0

    def pause_s(self, *, failed: bool) -> float:
        """Seconds to the next attempt: doubled after each failure up to PAUSE_S_MAX, and then between half and all of
        it by chance, so that not all gates come back to an office at one moment.
        """
        self.failures = self.failures + 1 if failed else 0
        if not self.failures:
            return self.every_s
        whole_s = max(self.every_s, min(PAUSE_S_MAX, self.every_s * 2.0 ** min(self.failures, 32)))
        return whole_s * (0.5 + 0.5 * self.random())
