"""Strict reading of a TOML table: each key is asked for by name and kind, and none may be left over."""

import re
from collections.abc import Mapping
from pathlib import Path

from openstile.face.packs.errors import PackError

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
_TEXT_CHARS_MAX = 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Table:
    """One table of a manifest. Call the readers for each known key, then `end`."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise PackError(f"{where}: must be a table")
        self._values = dict(values)
        self._where = where

    def wrong(self, key: str, what: str) -> PackError:
        """The error for `key` of this table."""
        return PackError(f"{self._where}: {key}: {what}")

    def has(self, key: str) -> bool:
        """Whether `key` is present and not yet read."""
        return key in self._values

    def end(self) -> None:
        """Refuse keys nobody asked for: a misspelt threshold must not go unnoticed."""
        if self._values:
            known = ", ".join(sorted(map(str, self._values)))
            raise PackError(f"{self._where}: unknown key: {known}; see docs/model-packs.md for the keys there are")

    def take(self, key: str) -> object:
        """The value of `key`, whatever it is."""
        if key not in self._values:
            raise self.wrong(key, "is missing")
        return self._values.pop(key)

    def text(self, key: str) -> str:
        """A string of 1 to 1000 characters."""
        value = self.take(key)
        if not isinstance(value, str) or not 1 <= len(value) <= _TEXT_CHARS_MAX:
            raise self.wrong(key, f"must be text of 1 to {_TEXT_CHARS_MAX} characters")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of `choices`."""
        value = self.text(key)
        if value not in choices:
            raise self.wrong(key, f"is {value!r}, must be one of {', '.join(choices)}")
        return value

    def file_name(self, key: str) -> str:
        """The name of a file beside the manifest; no folders."""
        value = self.text(key)
        if not _FILE_NAME.fullmatch(value) or ".." in value:
            raise self.wrong(key, f"is {value!r}, must be a plain file name without folders")
        return value

    def member_path(self, key: str) -> str:
        """A path inside an archive: relative, with forward slashes."""
        value = self.text(key)
        if Path(value).is_absolute() or ".." in Path(value).parts:
            raise self.wrong(key, f"is {value!r}, must be a relative path inside the archive")
        return value

    def sha256(self, key: str) -> str:
        """64 lower-case hexadecimal digits."""
        value = self.text(key)
        if not _SHA256.fullmatch(value):
            raise self.wrong(key, "must be 64 lower-case hexadecimal digits")
        return value

    def integer(self, key: str, least: int, most: int) -> int:
        """A whole number in least..most."""
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, f"must be a whole number in {least}..{most}")
        return value

    def number(self, key: str, least: float, most: float) -> float:
        """A finite number in least..most."""
        return self._checked_number(key, self.take(key), least, most)

    def numbers(self, key: str, count: int | None, most: float = 1e6) -> tuple[float, ...]:
        """A list of `count` (any, if None) finite numbers of at most `most` in size."""
        values = self.take(key)
        if not isinstance(values, list) or (count is not None and len(values) != count):
            raise self.wrong(key, f"must be a list of {count} numbers")
        return tuple(self._checked_number(key, value, -most, most) for value in values)

    def points(self, key: str, count: int, most: float) -> tuple[tuple[float, float], ...]:
        """A list of `count` pairs [x, y], each in 0..most."""
        values = self.take(key)
        if not isinstance(values, list) or len(values) != count:
            raise self.wrong(key, f"must be a list of {count} points [x, y]")
        points: list[tuple[float, float]] = []
        for value in values:
            if not isinstance(value, list) or len(value) != 2:
                raise self.wrong(key, f"must be a list of {count} points [x, y]")
            x, y = (self._checked_number(key, part, 0, most) for part in value)
            points.append((x, y))
        return tuple(points)

    def texts(self, key: str, count: int) -> tuple[str, ...]:
        """A list of `count` strings."""
        values = self.take(key)
        if not isinstance(values, list) or len(values) != count or not all(isinstance(v, str) and v for v in values):
            raise self.wrong(key, f"must be a list of {count} names")
        return tuple(values)

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false; `default` when absent."""
        value = self._values.pop(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def _checked_number(self, key: str, value: object, least: float, most: float) -> float:
        # Compared before it is made a float: TOML has integers that no float can hold. NaN compares as outside.
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.wrong(key, f"must be a number in {least:g}..{most:g}")
        return float(value)
