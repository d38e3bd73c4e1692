"""When things are: services with their days, and timeframes of a feed."""

import re
from bisect import bisect_left
from datetime import date, timedelta

from openstile.fares.feed_rows import Row, Source
from openstile.fares.values import Timeframe
from openstile.terms.limits import FEED_DAYS_MAX, FEED_SERVICE_DAYS_MAX

_DATE = re.compile(r"[0-9]{8}")
_TIME = re.compile(r"([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])")
_DAY_S = 24 * 3600
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ADDED = 1


class _Services:
    """Services by id: from the calendar first and last day and days of the week, then exceptions."""

    def __init__(self) -> None:
        self.weeks: dict[str, tuple[date, date, frozenset[int]]] = {}
        self.changes: dict[str, dict[date, int]] = {}

    def days(self, service_id: str) -> frozenset[date]:
        """The days on which a service runs."""
        days = set()
        if service_id in self.weeks:
            first, last, weekdays = self.weeks[service_id]
            span = (first + timedelta(days=n) for n in range((last - first).days + 1))
            days = {day for day in span if day.weekday() in weekdays}
        for day, change in self.changes.get(service_id, {}).items():
            (days.add if change == _ADDED else days.discard)(day)
        return frozenset(days)


def read_times(source: Source) -> tuple[dict[str, tuple[Timeframe, ...]], dict[str, frozenset[date]]]:
    """Timeframes by group, and the days of the services that they name. Raises FeedError."""
    services = _Services()
    _read_calendar(source, services)
    _read_exceptions(source, services)
    known = services.weeks | services.changes
    seen: dict[tuple[object, ...], int] = {}
    groups: dict[str, list[Timeframe]] = {}
    lines: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    days: dict[str, frozenset[date]] = {}
    count = 0
    for row in source.rows("timeframes.txt", needed=("timeframe_group_id", "service_id")):
        group_id = row.need("timeframe_group_id")
        service_id = row.need_known("service_id", known, "calendar.txt or calendar_dates.txt")
        start_s, end_s = _span(row)
        row.once(seen, (group_id, service_id, start_s, end_s), "this record")
        _check_overlap(row, lines.setdefault((group_id, service_id), []), start_s, end_s)
        groups.setdefault(group_id, []).append(Timeframe(group_id, start_s, end_s, service_id))
        if service_id not in days:
            days[service_id] = services.days(service_id)
            count += len(days[service_id])
            if count > FEED_DAYS_MAX:
                raise row.fault(f"services have more than {FEED_DAYS_MAX} days in all; shorten the calendar")
            if not days[service_id]:
                row.warn("its service runs on no day, so it never applies")
    return {group_id: tuple(frames) for group_id, frames in groups.items()}, days


def _read_calendar(source: Source, services: _Services) -> None:
    seen: dict[str, int] = {}
    for row in source.rows("calendar.txt", needed=("service_id", *_WEEK, "start_date", "end_date")):
        service_id = row.need("service_id")
        row.once(seen, service_id, "service_id")
        weekdays = set()
        for number, name in enumerate(_WEEK):
            row.need(name)
            if row.choice(name, range(2)):
                weekdays.add(number)
        first, last = _day(row, "start_date"), _day(row, "end_date")
        if last < first:
            raise row.fault("end_date is before start_date; correct one of the two")
        if (last - first).days >= FEED_SERVICE_DAYS_MAX:
            raise row.fault(f"is longer than {FEED_SERVICE_DAYS_MAX} days; end it sooner")
        services.weeks[service_id] = (first, last, frozenset(weekdays))


def _read_exceptions(source: Source, services: _Services) -> None:
    seen: dict[tuple[str, date], int] = {}
    for row in source.rows("calendar_dates.txt", needed=("service_id", "date", "exception_type")):
        service_id, day = row.need("service_id"), _day(row, "date")
        row.once(seen, (service_id, day), "service_id and date")
        row.need("exception_type")
        services.changes.setdefault(service_id, {})[day] = row.choice("exception_type", range(1, 3)) or _ADDED


def _span(row: Row) -> tuple[int, int]:
    """First second and the one after the last of a timeframe; both fields empty is the whole day."""
    start, end = row.text("start_time"), row.text("end_time")
    if (start is None) != (end is None):
        raise row.fault("start_time and end_time are one empty and one not; give both or neither")
    if start is None or end is None:
        return 0, _DAY_S
    start_s, end_s = _seconds(row, "start_time", start), _seconds(row, "end_time", end)
    if start_s >= end_s:
        raise row.fault("does not end after it starts; write a night as two records, until 24:00:00 and from 00:00:00")
    return start_s, end_s


def _check_overlap(row: Row, earlier: list[tuple[int, int, int]], start_s: int, end_s: int) -> None:
    """`earlier`: starts, ends and lines of one group and service, sorted; they do not overlap with each other."""
    at = bisect_left(earlier, (start_s, end_s, row.line))
    for other_start, other_end, line in earlier[max(0, at - 1) : at + 1]:
        if start_s < other_end and other_start < end_s:
            raise row.fault(
                f"overlaps with line {line}, of the same group and service; let one end where the other starts"
            )
    earlier.insert(at, (start_s, end_s, row.line))


def _seconds(row: Row, column: str, text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise row.fault(f"{column} is {text[:40]!r}; write a time as 07:30:00")
    hours, minutes, seconds = map(int, found.groups())
    total = 3600 * hours + 60 * minutes + seconds
    if total > _DAY_S:
        raise row.fault(f"{column} is later than 24:00:00, which is forbidden; timeframes are of one local day")
    return total


def _day(row: Row, column: str) -> date:
    text = row.need(column)
    if _DATE.fullmatch(text):
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            pass
    raise row.fault(f"{column} is {text[:40]!r}; write a day as 20260131")
