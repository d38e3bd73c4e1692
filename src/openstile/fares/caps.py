"""Caps: what a rider has paid in each window so far, and by how much the next journey is reduced."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from openstile.fares.rides import Counted
from openstile.fares.rules import Scope, Window
from openstile.fares.tariff import ActiveCap


@dataclass(frozen=True, slots=True)
class Capped:
    """What is left to pay, the scopes for `Counted.cap_scopes`, and the cap that reduced it most (None: none did)."""

    minor: int
    scopes: tuple[str, ...]
    by: ActiveCap | None


class CapBook:
    """What counts towards the caps of one rider. Journeys are entered in the order of time.

    A cap's scope in `Counted.cap_scopes` is its id; a rolling window's first day follows, as in `week@2026-03-02`, so
    that later journeys find the window although what came before is gone.
    """

    def __init__(self, caps: Sequence[ActiveCap], counted: Iterable[Counted], currency: str) -> None:
        self._caps = caps
        self._used: dict[tuple[str, date], int] = {}
        self._rolling: dict[str, set[date]] = {one.cap.cap_id: set() for one in caps}
        by_id = {one.cap.cap_id: one for one in caps}
        for journey in counted if caps else ():
            for scope in journey.cap_scopes:
                cap_id, _, first = scope.partition("@")
                active = by_id.get(cap_id)
                if active is None or (rolls := active.cap.window is Window.ROLLING_DAYS) != bool(first):
                    continue  # the rules have changed since
                start = date.fromisoformat(first) if rolls else active.cap.starts(journey.day)
                charged = journey.charged.minor if journey.charged.currency == currency else 0
                self._enter(active, start, charged, journey.rides)

    def charge(
        self, minor: int, *, day: date, products: tuple[str, ...], networks: tuple[str | None, ...], at_maximum: bool
    ) -> Capped:
        """What a journey of `minor` costs on the service `day`, and enters it. One without cost does not count."""
        if minor <= 0 or not self._caps:
            return Capped(minor, (), None)
        left, binding = minor, None
        counting: list[tuple[ActiveCap, date]] = []
        for active in self._caps:
            if not _is_meant(active.cap.scope, products, networks, at_maximum):
                continue
            start = self._start(active, day)
            counting.append((active, start))
            used = self._used.get((active.cap.cap_id, start), 0)
            room = max(0, active.limit - used)
            if active.cap.amounts is None and room > 0:
                continue  # journeys are left, and each may cost anything
            if room < left:
                left, binding = room, active
        for active, start in counting:
            self._enter(active, start, left, 1)
        return Capped(left, tuple(_scope(active, start) for active, start in counting), binding)

    def _start(self, active: ActiveCap, day: date) -> date:
        cap = active.cap
        if cap.window is not Window.ROLLING_DAYS:
            return cap.starts(day)
        oldest = day - timedelta(days=cap.days - 1)
        return max((start for start in self._rolling[cap.cap_id] if oldest <= start <= day), default=day)

    def _enter(self, active: ActiveCap, start: date, charged: int, rides: int) -> None:
        key = (active.cap.cap_id, start)
        self._used[key] = self._used.get(key, 0) + (rides if active.cap.amounts is None else charged)
        if active.cap.window is Window.ROLLING_DAYS:
            self._rolling[active.cap.cap_id].add(start)


def _is_meant(scope: Scope, products: tuple[str, ...], networks: tuple[str | None, ...], at_maximum: bool) -> bool:
    return scope.maximum_fares and scope.has_networks(networks) if at_maximum else scope.has(products, networks)


def _scope(active: ActiveCap, start: date) -> str:
    rolls = active.cap.window is Window.ROLLING_DAYS
    return f"{active.cap.cap_id}@{start.isoformat()}" if rolls else active.cap.cap_id
