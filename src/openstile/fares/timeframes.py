"""Timeframes: which of a feed's timeframe groups hold at an instant, on the clock of a place (GTFS, timeframes.txt)."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from openstile.fares.values import Timeframe
from openstile.terms import BadInputError
from openstile.terms.limits import FARE_CACHED_MAX

_DAYS_CACHED_MAX = FARE_CACHED_MAX // 50
"""A day holds some dozens of intervals."""

_NONE: frozenset[str] = frozenset()


class Timeframes:
    """The timeframe groups of a feed.

    The day is the calendar day on the local clock, not the service day of a trip; the time of day is what the clock on
    the wall shows, so on the night of a change an hour is there twice or not at all (GTFS, "Timeframe Local Time
    Semantics"). Days are worked out once and remembered.
    """

    def __init__(self, groups: Mapping[str, tuple[Timeframe, ...]], services: Mapping[str, frozenset[date]]) -> None:
        self._rows = tuple(row for rows in groups.values() for row in rows)
        self._services = services
        self._days: dict[date, _Day] = {}

    def at(self, instant: datetime, timezone: str) -> frozenset[str]:
        """The groups that hold at `instant` (aware) where clocks follow `timezone` (an IANA name).

        Raises BadInputError for a name that is none.
        """
        if not self._rows:
            return _NONE
        local = instant.astimezone(_zone(timezone))
        day = local.date()
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _DAYS_CACHED_MAX:
                self._days.clear()
            running = [row for row in self._rows if day in self._services.get(row.service_id, ())]
            found = self._days[day] = _Day(running)
        return found.at(local.hour * 3600 + local.minute * 60 + local.second)


class _Day:
    """The groups of one local day by its seconds."""

    __slots__ = ("_bounds", "_groups")

    def __init__(self, rows: list[Timeframe]) -> None:
        self._bounds = sorted({bound for row in rows for bound in (row.start_s, row.end_s)})
        self._groups = [
            frozenset(row.group_id for row in rows if row.start_s <= bound < row.end_s) for bound in self._bounds
        ]

    def at(self, second: int) -> frozenset[str]:
        """The groups at so many seconds after local midnight."""
        place = bisect_right(self._bounds, second) - 1
        return self._groups[place] if place >= 0 else _NONE


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInputError(f"timezone {name[:64]!r}: is not in the IANA database; correct it in the feed") from error
