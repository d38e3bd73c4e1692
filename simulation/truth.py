"""What really happened, kept beside the system: which taps must be in the office, which may be, and which may not."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from openstile.terms import GateId, PassId


class TapKey(NamedTuple):
    """A tap by what no two taps of a week share: gate, pass, and the time that the gate took it to be."""

    gate: GateId
    pass_id: PassId
    at: datetime


@dataclass(slots=True)
class Truth:
    """All taps that were ever journaled. Those on a disk that was lost may be in the office or not; all others must."""

    on_disk: set[TapKey] = field(default_factory=set)
    lost: set[TapKey] = field(default_factory=set)
    acked: set[TapKey] = field(default_factory=set)
    stored: Counter[TapKey] = field(default_factory=Counter)
    _copies: dict[GateId, set[TapKey]] = field(default_factory=dict)

    def journaled(self, tap: TapKey) -> None:
        """The journal took a tap."""
        assert tap not in self.on_disk, f"two taps are one: {tap}"
        self.on_disk.add(tap)

    def acknowledged(self, gate: GateId, taps: Iterable[TapKey]) -> None:
        """The gate has a receipt that covers these taps."""
        assert all(tap.gate == gate for tap in taps)
        self.acked.update(taps)

    def copied(self, gate: GateId) -> None:
        """A copy of the gate's disk was made."""
        self._copies[gate] = self._of(gate)

    def restored(self, gate: GateId) -> None:
        """The gate's disk is that of the copy again: what came later and has no receipt may be lost."""
        later = self._of(gate) - self._copies.pop(gate)
        self.lost |= later - self.acked
        self.on_disk -= later - self.acked

    def seen(self, taps: Iterable[TapKey]) -> None:
        """The office has stored these taps, seen for the first time."""
        self.stored.update(taps)

    def faults(self) -> list[str]:
        """What is wrong when all gates have sent all they have."""
        doubled = [tap for tap, count in self.stored.items() if count > 1]
        missing = self.on_disk - set(self.stored)
        unacked = self.acked - set(self.stored)
        unknown = set(self.stored) - self.on_disk - self.lost
        found = {"stored twice": doubled, "not stored": missing, "acknowledged, not stored": unacked,
                 "never journaled": unknown}  # fmt: skip
        return [f"{len(taps)} taps {what}, such as {min(taps, key=str)}" for what, taps in found.items() if taps]

    def _of(self, gate: GateId) -> set[TapKey]:
        return {tap for tap in self.on_disk if tap.gate == gate}
