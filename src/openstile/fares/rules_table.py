"""One table of a TOML file, read strictly: each value of one type and in its range, and no key that nobody knows."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from openstile.terms import BadInputError
from openstile.terms.limits import FARE_ID_CHARS_MAX, FARE_NAME_CHARS_MAX, FARE_RULES_TABLES_MAX
from openstile.terms.money import Money, parse_money

_Choice = TypeVar("_Choice", bound=StrEnum)


class RulesTable:
    """Takes values out of a table; `end` refuses what was not taken. All methods raise BadInputError."""

    def __init__(self, source: str, path: str, values: Mapping[str, Any]) -> None:
        self._source, self._path, self._values = source, path, dict(values)

    def fault(self, key: str, what: str) -> NoReturn:
        """Raises the error that names file, table and key."""
        table = f"[{self._path}] " if self._path else ""
        raise BadInputError(f"{self._source}, {table}{key[:48]}: {what}")

    def end(self) -> None:
        """Refuses a key that nothing asked for."""
        for key in self._values:
            self.fault(key, "is not known here; docs/fares.md lists the keys of each table")

    def has(self, key: str) -> bool:
        """Whether the key is there and not taken yet."""
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is shown or matched, of 1 to 80 printable characters."""
        value = self._take(key, default)
        if not _is_name(value):
            self.fault(key, f"must be a text of 1 to {FARE_NAME_CHARS_MAX} printable characters")
        return str(value)

    def whole(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self._take(key, default)
        if type(value) is not int or not least <= value <= most:
            self.fault(key, f"must be a whole number from {least} to {most}")
        return int(value)

    def whole_or_none(self, key: str, *, least: int, most: int) -> int | None:
        """As `whole`, None where the key is left out."""
        return self.whole(key, least=least, most=most) if self.has(key) else None

    def yes(self, key: str) -> bool:
        """True or false; false where the key is left out."""
        value = self._values.pop(key, False)
        if type(value) is not bool:
            self.fault(key, "must be true or false")
        return value

    def choice(self, key: str, kind: type[_Choice], default: _Choice | None = None) -> _Choice:
        """One of the words of an enumeration."""
        value = self._take(key, default)
        try:
            return kind(value)
        except ValueError:
            self.fault(key, "must be one of " + ", ".join(f'"{one.value}"' for one in kind))

    def ids(self, key: str) -> frozenset[str] | None:
        """A list of ids of the feed, with at least one; None where the key is left out."""
        if not self.has(key):
            return None
        value = self._values.pop(key)
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            self.fault(key, 'must be a list of ids of the feed, such as ["a", "b"]; leave the key out for all')
        if len(set(value)) != len(value):
            self.fault(key, "names one id twice")
        return frozenset(value)

    def money(self, key: str, currency: str | None) -> Money:
        """An amount of zero or more in major units, written as a text."""
        return self._money(key, self._take(key, None), currency)

    def money_by_id(self, key: str, currency: str | None) -> dict[str, Money]:
        """A table of amounts, by an id of the feed; empty where it is left out."""
        table = self._values.pop(key, {})
        if not isinstance(table, dict):
            self.fault(key, 'must be a table of amounts, such as { child = "1.40" }')
        return {name: self._money(f"{key}.{name}", value, currency) for name, value in table.items()}

    def table(self, key: str) -> "RulesTable":
        """The table of this name; an empty one where it is left out."""
        value = self._values.pop(key, {})
        if not isinstance(value, dict):
            self.fault(key, f"must be a table, [{self._child(key)}]")
        return RulesTable(self._source, self._child(key), value)

    def tables(self, key: str, *, free_names: bool = False) -> Iterator[tuple[str, "RulesTable"]]:
        """All tables of the table of this name, with their names.

        The names are ours (letters, digits, - and _), or `free_names` of the feed.
        """
        outer = self.table(key)
        if len(outer._values) > FARE_RULES_TABLES_MAX:
            self.fault(key, f"has more than {FARE_RULES_TABLES_MAX} tables")
        for name in list(outer._values):
            if not free_names and not (_is_id(name) and len(name) <= FARE_ID_CHARS_MAX):
                self.fault(f"{key}.{name}", f"a name has 1 to {FARE_ID_CHARS_MAX} of a-z, A-Z, 0-9, - and _")
            yield name, outer.table(name)

    def _child(self, key: str) -> str:
        return f"{self._path}.{key[:48]}" if self._path else key[:48]

    def _take(self, key: str, default: Any) -> Any:
        value = self._values.pop(key, default)
        if value is None:
            self.fault(key, "is missing")
        return value

    def _money(self, key: str, value: Any, currency: str | None) -> Money:
        if currency is None:
            self.fault(key, 'an amount needs a currency; add currency = "EUR", say, at the top of the file')
        if not isinstance(value, str) or value.startswith("-"):
            self.fault(key, 'must be an amount of zero or more, in quotes, such as "2.80"')
        try:
            return parse_money(value, currency)
        except BadInputError as error:
            self.fault(key, str(error))


def _is_id(name: str) -> bool:
    return bool(name) and name.isascii() and name.replace("-", "").replace("_", "").isalnum()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= FARE_NAME_CHARS_MAX and value.isprintable()
