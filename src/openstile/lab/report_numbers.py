"""Numbers as an operator reads them, in the language of the page. None is a dash: nothing was measured."""

import math
from collections.abc import Callable
from enum import StrEnum


class Language(StrEnum):
    """Of a page."""

    EN = "en"
    DE = "de"


NOTHING = "–"
_THOUSANDS = {Language.EN: ",", Language.DE: "."}
_POINT = {Language.EN: ".", Language.DE: ","}


def write_count(value: float, language: Language) -> str:
    """A whole number, with its thousands set apart."""
    return f"{round(value):,}".replace(",", _THOUSANDS[language])


def write_number(value: float, language: Language, *, digits: int = 3) -> str:
    """`digits` significant ones, no exponent, no zeros at the end of a fraction."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    whole, _, fraction = f"{value:,.{places}f}".partition(".")
    fraction = fraction.rstrip("0")
    return whole.replace(",", _THOUSANDS[language]) + (_POINT[language] + fraction if fraction else "")


def write_percent(value: float, language: Language) -> str:
    """A rate of 0 to 1 in percent."""
    return f"{write_number(100 * value, language)}\N{NO-BREAK SPACE}%"


def write_fixed(value: float, language: Language, *, places: int = 3) -> str:
    """So many places after the point: for distances, which are compared with each other."""
    return f"{value:.{places}f}".replace(".", _POINT[language])


def write_limit(value: float, language: Language) -> str:
    """A limit as it is set: no digit is rounded away that a limit may have."""
    return write_number(value, language, digits=6)


def write_milliseconds(value: float, language: Language) -> str:
    """A duration in milliseconds."""
    return f"{write_number(value, language)}\N{NO-BREAK SPACE}ms"


WRITERS: dict[str, Callable[[float, Language], str]] = {
    "count": write_count,
    "number": write_number,
    "percent": write_percent,
    "distance": write_fixed,
    "limit": write_limit,
    "ms": write_milliseconds,
}
"""By what a number is."""
