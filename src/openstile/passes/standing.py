"""How a pass stands: what the status lists at hand say of it. What follows from that is the gate's policy."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum

from openstile.passes.claims import Claims
from openstile.passes.status_list import StatusList
from openstile.terms.limits import CLOCK_SKEW_S_MAX


class Standing(Enum):
    """What is known of a pass, from "nothing to ask" to "not known"."""

    UNLISTED = "unlisted"
    """The pass names no list: it can end, but not be withdrawn."""
    GOOD = "good"
    """A fresh list has its bit clear."""
    WITHDRAWN = "withdrawn"
    """Its bit is set, in a fresh list or in an old one: revoked or suspended."""
    UNSURE = "unsure"
    """No list of that address by the pass's issuer is at hand, or it is too old and the bit clear, or too short."""


class StatusLists:
    """The lists at hand: of each issuer and address the newest one. They were verified when they were read."""

    def __init__(self, lists: Iterable[StatusList]) -> None:
        self._newest: dict[tuple[str, str], StatusList] = {}
        for status_list in lists:
            key = (status_list.issuer, status_list.uri)
            known = self._newest.get(key)
            if known is None or known.issued_at < status_list.issued_at:
                self._newest[key] = status_list

    def standing(self, claims: Claims, *, now: datetime, age_s_max: int) -> Standing:
        """How the pass of these verified claims stands at `now`, by a list made at most `age_s_max` seconds ago.

        A list counts only for passes of the issuer that signed it: nobody can withdraw, or vouch for, another's passes.
        A bit that is set counts however old the list is. A list made more than CLOCK_SKEW_S_MAX after `now` is not
        fresh: the clock was set back, and an old list must not look young by that. `ttl` plays no part: it says when
        to look for a newer list, not how long this one holds.
        """
        if claims.status is None:
            return Standing.UNLISTED
        status_list = self._newest.get((claims.issuer, claims.status.uri))
        if status_list is None or claims.status.index >= status_list.entries:
            return Standing.UNSURE
        if status_list.is_set(claims.status.index):
            return Standing.WITHDRAWN
        return Standing.GOOD if _is_fresh(status_list, now, age_s_max) else Standing.UNSURE

    def latest(self) -> datetime | None:
        """When the newest of all lists was made; None without any."""
        return max((made.issued_at for made in self._newest.values()), default=None)

    def issued_at(self, uri: str) -> datetime | None:
        """When the list of this address was made, the oldest where several issuers share one; None without any."""
        return min((made.issued_at for (_, at), made in self._newest.items() if at == uri), default=None)


def _is_fresh(status_list: StatusList, now: datetime, age_s_max: int) -> bool:
    """Neither too old nor from the future, and not expired: `expires` itself is too late (RFC 8392, section 3.1.4)."""
    age = now - status_list.issued_at
    return -timedelta(seconds=CLOCK_SKEW_S_MAX) <= age <= timedelta(seconds=age_s_max) and now < status_list.expires
