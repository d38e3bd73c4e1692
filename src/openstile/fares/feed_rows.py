"""Rows of a feed's files: CSV as the GTFS reference wants it, each field checked, each fault with its line."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from openstile.fares.errors import FeedError
from openstile.fares.feed_files import FeedFiles
from openstile.terms.limits import FEED_FIELD_CHARS_MAX, FEED_ROWS_MAX, FEED_WARNINGS_MAX

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_INTEGER = re.compile(r"-?[0-9]{1,9}")

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something of a feed that the GTFS reference allows, or that does not stop pricing, and that is odd.

    `line` is None where the file as a whole is meant, `file` where the feed is.
    """

    file: str | None
    line: int | None
    text: str


@dataclass(slots=True)
class Notes:
    """What is found on the way: warnings until the limit, and how many there were in all."""

    kept: list[Oddity] = field(default_factory=list)
    count: int = 0

    def warn(self, text: str, *, file: str | None = None, line: int | None = None) -> None:
        """Keeps one warning."""
        self.count += 1
        if len(self.kept) < FEED_WARNINGS_MAX:
            self.kept.append(Oddity(file, line, text))


@dataclass(frozen=True, slots=True)
class Row:
    """One record. Fields are named as in the reference; what a column's absence means is what an empty field means."""

    source: "Source"
    file: str
    line: int
    columns: Mapping[str, int]
    values: list[str]

    def fault(self, fault: str) -> FeedError:
        """The error that says what is wrong with this record."""
        return FeedError(feed=self.source.files.path, file=self.file, line=self.line, fault=fault)

    def warn(self, text: str) -> None:
        """Notes what is odd about this record."""
        self.source.notes.warn(text, file=self.file, line=self.line)

    def text(self, column: str) -> str | None:
        """The value of a field, None when it is empty. Raises FeedError for what no field may hold."""
        at = self.columns.get(column)
        value = "" if at is None else self.values[at]
        if not value:
            return None
        if value.isprintable() and value[0] != " " != value[-1] and len(value) <= FEED_FIELD_CHARS_MAX:
            return value
        return self._odd(column, value)

    def _odd(self, column: str, value: str) -> str | None:
        """`text` of a value that has spaces around it, or what no field may hold, or characters that cannot be seen."""
        if len(value) > FEED_FIELD_CHARS_MAX:
            raise self.fault(f"{column} is longer than {FEED_FIELD_CHARS_MAX} characters; shorten it")
        if _CONTROL.search(value):
            raise self.fault(f"{column} holds a tab, a line end or another control character; remove it")
        trimmed = value.strip()
        if trimmed != value:
            self.warn(f"{column} has spaces around it, which were dropped")
        return trimmed or None

    def need(self, column: str) -> str:
        """As `text`, of a field that must not be empty."""
        value = self.text(column)
        if value is None:
            raise self.fault(f"{column} is empty; it is required")
        return value

    def integer(self, column: str) -> int | None:
        """An integer of at most nine digits."""
        value = self.text(column)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise self.fault(f"{column} is {_shown(value)}; write an integer of at most nine digits")
        return int(value)

    def choice(self, column: str, options: range) -> int | None:
        """One of the numbers of an enumeration."""
        value = self.text(column)
        if value is None:
            return None
        if not (len(value) == 1 and value.isascii() and value.isdigit() and int(value) in options):
            raise self.fault(f"{column} is {_shown(value)}; write one of {', '.join(map(str, options))}")
        return int(value)

    def known(self, column: str, among: Mapping[str, object], where: str) -> str | None:
        """An id that must stand in `among`, of which people say `where`."""
        value = self.text(column)
        if value is not None and value not in among:
            raise self._unknown(column, value, where)
        return value

    def need_known(self, column: str, among: Mapping[str, object], where: str) -> str:
        """As `known`, of a field that must not be empty."""
        value = self.need(column)
        if value not in among:
            raise self._unknown(column, value, where)
        return value

    def _unknown(self, column: str, value: str, where: str) -> FeedError:
        return self.fault(f"{column} {_shown(value)} is not in {where}; add it there or correct it here")

    def once(self, seen: dict[Key, int], key: Key, what: str) -> None:
        """Raises FeedError when `key`, of which people say `what`, stood on an earlier line."""
        if key in seen:
            raise self.fault(f"{what} is the same as on line {seen[key]}; remove one of the two")
        seen[key] = self.line


@dataclass(frozen=True, slots=True)
class Source:
    """A feed being read: its files, what is odd, and how many records each file had."""

    files: FeedFiles
    notes: Notes = field(default_factory=Notes)
    counts: dict[str, int] = field(default_factory=dict)

    def fault(self, fault: str, *, file: str | None = None, line: int | None = None) -> FeedError:
        """The error that says what is wrong with the feed or a file of it."""
        return FeedError(feed=self.files.path, file=file, line=line, fault=fault)

    def rows(self, file: str, *, needed: tuple[str, ...], rows_max: int = FEED_ROWS_MAX) -> Iterator[Row]:
        """The records of a file, none when the feed does not have it. Raises FeedError.

        `needed`: columns that must be there.
        """
        if not self.files.has(file):
            return
        with self.files.lines(file) as lines:
            reader = csv.reader(lines, strict=True)
            columns: dict[str, int] | None = None
            width = count = 0
            for line, values in self._records(file, reader):
                if columns is None:
                    columns, width = self._header(file, line, values, needed), len(values)
                    continue
                if len(values) != width:
                    what = f"has {len(values)} fields, the first line has {width}; give each column its field"
                    raise self.fault(what, file=file, line=line)
                count += 1
                if count > rows_max:
                    raise self.fault(f"has more than {rows_max} records; give a smaller feed", file=file, line=line)
                yield Row(self, file, line, columns, values)
        if columns is None:
            raise self.fault("is empty; write the names of its fields on the first line", file=file, line=1)
        self.counts[file] = count

    def _records(self, file: str, reader: "_Reader") -> Iterator[tuple[int, list[str]]]:
        """Records with the line that each begins on; empty lines are none."""
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self.fault(f"is not CSV ({error}); quote fields as RFC 4180 says", file=file, line=line) from None
            if values:
                yield line, values

    def _header(self, file: str, line: int, names: list[str], needed: tuple[str, ...]) -> dict[str, int]:
        columns: dict[str, int] = {}
        for at, name in enumerate(names):
            if name.strip() in columns:
                raise self.fault(f"has the column {_shown(name)} twice; remove one", file=file, line=line)
            columns[name.strip()] = at
        for name in needed:
            if name not in columns:
                raise self.fault(f"has no column {name}; it is required", file=file, line=line)
        return columns


class _Reader(Protocol):
    """What csv.reader gives; its own type has no name."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


def _shown(value: str) -> str:
    return repr(value[:40])
