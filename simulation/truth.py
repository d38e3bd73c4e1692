"""What really happened, kept beside the system: which taps must be in the office, which may be, and which may not."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from openstile.terms import GateId, PassId
from openstile.terms.limits import REQUEST_AGE_S_MAX

_TIME_WRONG = timedelta(seconds=REQUEST_AGE_S_MAX + 125)
"""The office bears clocks that are 120 s wrong, and takes a batch that was long under way for one of a slow clock: as
long as a request is good for.
"""


class TapKey(NamedTuple):
    """A tap by what no two taps of a week share: gate, pass, and the time that the gate took it to be."""

    gate: GateId
    pass_id: PassId
    at: datetime


@dataclass(slots=True)
class Truth:
    """All taps that were ever journaled. Those on a disk that was lost may be in the office or not; all others must."""

    made_at: dict[TapKey, datetime] = field(default_factory=dict)
    """When taps were really made."""
    on_disk: set[TapKey] = field(default_factory=set)
    lost: set[TapKey] = field(default_factory=set)
    acked: set[TapKey] = field(default_factory=set)
    undated: set[TapKey] = field(default_factory=set)
    """Taps whose true time the office may not be able to know: their gate began anew before it sent them."""
    stored: Counter[TapKey] = field(default_factory=Counter)
    _copies: dict[GateId, set[TapKey]] = field(default_factory=dict)

    def journaled(self, tap: TapKey, made_at: datetime) -> None:
        """The journal took a tap."""
        assert tap not in self.made_at, f"two taps are one: {tap}"
        self.made_at[tap] = made_at
        self.on_disk.add(tap)

    def acknowledged(self, gate: GateId, taps: Iterable[TapKey]) -> None:
        """The gate has a receipt that covers these taps."""
        assert all(tap.gate == gate for tap in taps)
        self.acked.update(taps)

    def began_anew(self, gate: GateId) -> None:
        """The gate's monotonic clock is another one from now on."""
        self.undated |= self._of(gate) - self.acked

    def copied(self, gate: GateId) -> None:
        """A copy of the gate's disk was made."""
        self._copies[gate] = self._of(gate)

    def restored(self, gate: GateId) -> None:
        """The gate's disk is that of the copy again: what came later and has no receipt may be lost."""
        later = self._of(gate) - self._copies.pop(gate)
        self.lost |= later - self.acked
        self.on_disk -= later - self.acked

    def office_restored(self, stored: Counter[TapKey], on_gates: set[TapKey]) -> None:
        """The office is that of a backup again, which had `stored`; gates send anew what they still have."""
        gone = self.on_disk - set(stored) - on_gates
        self.lost |= gone
        self.on_disk -= gone
        self.acked &= set(stored)
        self.undated |= on_gates - set(stored)
        self.stored = Counter(stored)

    def may_be_lost(self, taps: set[TapKey]) -> None:
        """These are on no disk any more; what the office has of them it has."""
        gone = taps - set(self.stored)
        self.lost |= gone
        self.on_disk -= gone

    def seen(self, taps: Iterable[TapKey]) -> None:
        """The office has stored these taps, seen for the first time."""
        self.stored.update(taps)

    def rejected(self, taps: Iterable[TapKey]) -> None:
        """Staff decided that the office has these already: they were stored once, or are lost."""
        for tap in taps:
            self.stored[tap] -= 1
            if not self.stored[tap]:
                del self.stored[tap]
                self.may_be_lost({tap})
                self.acked.discard(tap)

    def faults(self) -> list[str]:
        """What is wrong when all gates have sent all they have."""
        missing = self.on_disk - set(self.stored)
        return [*self.faults_now(), *_told({"not stored": missing})]

    def faults_now(self) -> list[str]:
        """What is wrong at any time, when the office was looked at just now."""
        stored = set(self.stored)
        doubled = {tap for tap, count in self.stored.items() if count > 1}
        unknown = stored - self.on_disk - self.lost
        return _told(
            {"stored twice": doubled, "acknowledged, not stored": self.acked - stored, "never journaled": unknown}
        )

    def misdated(self, priced_at: Mapping[TapKey, datetime]) -> list[str]:
        """Taps that are priced by a time which they were not made at, although the office could know."""
        wrong = {
            tap
            for tap, at in priced_at.items()
            if tap in self.made_at and tap not in self.undated and abs(at - self.made_at[tap]) > _TIME_WRONG
        }
        return _told({"priced by a wrong time": wrong})

    def timeless(self, taps: set[TapKey]) -> list[str]:
        """Taps that are not priced for want of a time, although the office could know it."""
        return _told({"without a time": taps - self.undated})

    def _of(self, gate: GateId) -> set[TapKey]:
        return {tap for tap in self.on_disk if tap.gate == gate}


def _told(found: Mapping[str, set[TapKey]]) -> list[str]:
    return [f"{len(taps)} taps {what}, such as {min(taps, key=str)}" for what, taps in found.items() if taps]
