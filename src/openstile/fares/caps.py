"""Caps: what a rider has paid in each window so far, and by how much the next journey is reduced."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from openstile.fares.drafts import Draft
from openstile.fares.rides import Counted
from openstile.fares.rules import Window
from openstile.fares.tariff import ActiveCap


@dataclass(slots=True)
class Capped:
    """What is left to pay, the scopes for `Counted.cap_scopes`, and the cap that reduced it most (None: none did)."""

    minor: int
    scopes: tuple[str, ...]
    by: ActiveCap | None


@dataclass(slots=True)
class _Page:
    """One cap of the book: what was used of it, by the first day of the window."""

    active: ActiveCap
    rolls: bool
    counts_rides: bool
    used: dict[date, int] = field(default_factory=dict)
    _starts: dict[date, date] = field(default_factory=dict)

    def start(self, day: date) -> date:
        """The first day of the window that `day` is in; a rolling one that holds no journey yet begins with it."""
        cap = self.active.cap
        if not self.rolls:
            known = self._starts.get(day)
            if known is None:
                known = self._starts[day] = cap.starts(day)
            return known
        oldest = day - timedelta(days=cap.days - 1)
        return max((start for start in self.used if oldest <= start <= day), default=day)

    def enter(self, start: date, charged: int, rides: int) -> None:
        """Counts a journey."""
        self.used[start] = self.used.get(start, 0) + (rides if self.counts_rides else charged)

    def scope(self, start: date) -> str:
        """The scope for `Counted.cap_scopes`."""
        cap_id = self.active.cap.cap_id
        return f"{cap_id}@{start.isoformat()}" if self.rolls else cap_id

    def is_for(self, products: tuple[str, ...], networks: tuple[str | None, ...], at_maximum: bool) -> bool:
        """Whether a journey counts towards the cap."""
        scope = self.active.cap.scope
        return scope.maximum_fares and scope.has_networks(networks) if at_maximum else scope.has(products, networks)


class CapBook:
    """What counts towards the caps of one rider. Journeys are entered in the order of time.

    A cap's scope in `Counted.cap_scopes` is its id; a rolling window's first day follows, as in `week@2026-03-02`, so
    that later journeys find the window although what came before is gone.
    """

    def __init__(self, caps: Sequence[ActiveCap], counted: Iterable[Counted], currency: str) -> None:
        self._pages = tuple(_Page(one, one.cap.window is Window.ROLLING_DAYS, one.cap.amounts is None) for one in caps)
        self._meant_by: dict[tuple[tuple[str, ...], tuple[str | None, ...], bool], list[_Page]] = {}
        by_id = {page.active.cap.cap_id: page for page in self._pages}
        for journey in counted if caps else ():
            charged = journey.charged.minor if journey.charged.currency == currency else 0
            for scope in journey.cap_scopes:
                cap_id, _, first = scope.partition("@")
                page = by_id.get(cap_id)
                if page is not None and page.rolls == bool(first):  # else the rules have changed since
                    start = date.fromisoformat(first) if page.rolls else page.start(journey.day)
                    page.enter(start, charged, journey.rides)

    def charge(self, minor: int, *, day: date, draft: Draft) -> Capped:
        """What a journey is charged on the service `day` that would cost `minor`, and enters it.

        One without cost does not count.
        """
        if minor <= 0 or not self._pages:
            return Capped(minor, (), None)
        left, binding = minor, None
        counting = [(page, page.start(day)) for page in self._meant(draft)]
        for page, start in counting:
            room = page.active.limit - page.used.get(start, 0)
            if page.counts_rides and room > 0:
                continue  # journeys are left, and each may cost anything
            if room < left:
                left, binding = max(0, room), page.active
        for page, start in counting:
            page.enter(start, left, 1)
        return Capped(left, tuple([page.scope(start) for page, start in counting]), binding)

    def _meant(self, draft: Draft) -> list[_Page]:
        """The caps that a journey counts towards; a rider's journeys are much alike, so it is remembered."""
        key = draft.ride_products, draft.networks, draft.at_maximum
        found = self._meant_by.get(key)
        if found is None:
            found = self._meant_by[key] = [page for page in self._pages if page.is_for(*key)]
        return found
