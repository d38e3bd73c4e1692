"""Taps of many riders in a CSV file, for pricing by hand (docs/fares.md, "Pricing a file of taps")."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TextIO

from openstile.fares.rides import FareTap, Rider, Way
from openstile.fares.values import Feed
from openstile.terms import BadInputError
from openstile.terms.limits import FEED_LINE_BYTES_MAX, TAPS_FIELD_CHARS_MAX, TAPS_FILE_BYTES_MAX, TAPS_PRICED_MAX

_NEEDED = ("rider", "time", "stop_id", "direction")
_OPTIONAL = ("network_id", "category", "media")
_YEARS = range(1970, 2243)


@dataclass(frozen=True, slots=True)
class RiderTaps:
    """The taps of one rider of the file. `name` is what the file calls the rider; a tap's id is its line."""

    name: str
    rider: Rider
    taps: tuple[FareTap, ...]


@dataclass(frozen=True, slots=True)
class _Ids:
    """The ids that a feed has."""

    stops: Collection[str]
    networks: Collection[str]
    categories: Collection[str]
    media: Collection[str]


@dataclass(slots=True)
class _Found:
    rider: Rider
    line: int
    taps: list[FareTap] = field(default_factory=list)


def read_taps(path: Path, feed: Feed) -> tuple[RiderTaps, ...]:
    """The taps of a file, by rider in the order of their first lines. Raises BadInputError, naming the line.

    Columns: rider, time (ISO 8601 with its offset), stop_id, direction (in or out), and if wanted network_id, category
    and media; the ids are those of the feed, and an empty one is none.
    """
    ids, found = _Ids(feed.stops, feed.network_ids, feed.categories, feed.media), dict[str, _Found]()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in _rows(path, csv.reader(_lines(path, file), strict=True)):
                row.enter(found, ids)
    except OSError as error:
        raise BadInputError(f"taps {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInputError(f"taps {path}: is not UTF-8 text; save it as UTF-8") from None
    except csv.Error as error:
        raise BadInputError(f"taps {path}: is not CSV: {error}") from None
    return tuple(RiderTaps(name, one.rider, tuple(one.taps)) for name, one in found.items())


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines; counted as they come, for what is given may be a pipe or a device without an end."""
    left = TAPS_FILE_BYTES_MAX
    while line := file.readline(FEED_LINE_BYTES_MAX):
        if len(line) == FEED_LINE_BYTES_MAX:
            raise BadInputError(f"taps {path}: has a line of more than {FEED_LINE_BYTES_MAX} characters; it is no CSV")
        left -= len(line.encode())
        if left < 0:
            raise BadInputError(f"taps {path}: has more than {TAPS_FILE_BYTES_MAX} bytes; price it in parts")
        yield line


def _rows(path: Path, reader: "Iterator[list[str]]") -> "Iterator[_Row]":
    header = next(reader, [])
    _check_header(path, header)
    for count, values in enumerate(reader, start=1):
        line: int = reader.line_num  # type: ignore[attr-defined]  # the type of csv.reader has no name
        row = _Row(path, line, dict(zip(header, values, strict=False)))
        if len(values) != len(header):
            row.fault(f"has {len(values)} fields, the first line has {len(header)}")
        if count > TAPS_PRICED_MAX:
            row.fault(f"is more than {TAPS_PRICED_MAX} taps; price the file in parts")
        yield row


def _check_header(path: Path, header: Sequence[str]) -> None:
    known = ", ".join((*_NEEDED, *_OPTIONAL))
    missing = [name for name in _NEEDED if name not in header]
    wrong = [name for name in header if name not in (*_NEEDED, *_OPTIONAL)]
    if missing or wrong or len(set(header)) != len(header):
        what = f"has no column {missing[0]}" if missing else f"has an unknown column {wrong[0][:40]!r}" if wrong else ""
        raise BadInputError(f"taps {path} line 1: {what or 'has a column twice'}; the columns are {known}")


@dataclass(frozen=True, slots=True)
class _Row:
    path: Path
    line: int
    values: Mapping[str, str]

    def enter(self, found: dict[str, _Found], ids: _Ids) -> None:
        """Puts the tap of this row to those of its rider."""
        name = self._text("rider") or self.fault("rider is empty")
        category = self._known("category", ids.categories, "rider category")
        rider = Rider(category, self._known("media", ids.media, "fare media"))
        one = found.setdefault(name, _Found(rider, self.line))
        if one.rider != rider:
            self.fault(f"this rider has another category or media on line {one.line}; a rider has one of each")
        one.taps.append(self._tap(ids))

    def _tap(self, ids: _Ids) -> FareTap:
        stop_id = self._known("stop_id", ids.stops, "stop") or self.fault("stop_id is empty")
        direction = self._text("direction")
        if direction not in ("in", "out"):
            self.fault("direction must be in or out")
        network_id = self._known("network_id", ids.networks, "network")
        return FareTap(str(self.line), self._time(), stop_id, network_id, Way(direction))

    def _time(self) -> datetime:
        try:
            at = datetime.fromisoformat(self._text("time") or "")
        except ValueError:
            at = None
        if at is None or at.tzinfo is None or at.year not in _YEARS:
            self.fault("time must be ISO 8601 with its offset, such as 2026-03-02T08:15:00+01:00")
        return at.astimezone(UTC)

    def _known(self, column: str, known: Collection[str], what: str) -> str | None:
        value = self._text(column)
        if value is not None and value not in known:
            self.fault(f"{column} {value!r}: the feed has no such {what}")
        return value

    def _text(self, column: str) -> str | None:
        value = self.values.get(column, "")
        if len(value) > TAPS_FIELD_CHARS_MAX or not value.isprintable():
            self.fault(f"{column} must have at most {TAPS_FIELD_CHARS_MAX} printable characters")
        return value or None

    def fault(self, what: str) -> NoReturn:
        """Raises the error that names file and line."""
        raise BadInputError(f"taps {self.path} line {self.line}: {what}")
