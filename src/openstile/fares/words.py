"""Explanation lines in words, in English and German."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Literal

from openstile.fares.rides import Line
from openstile.terms import BadInputError

Language = Literal["en", "de"]

_EN = {
    "fare": "{name}{places}",
    "joined": "{name}{places}",
    "transfer": "transfer{within}{places}{named}",
    "unknown": "no rule says the fare{places}; somebody will look at it",
    "not_below_zero": "a journey never costs less than nothing",
    "exit_only": "exit at {0}: nothing to pay, only entries are priced here",
    "double_tap": "tapped more than once at {0}, counted once",
    "open_maximum": "on the way since {0}; without an exit tap it will be the maximum fare",
    "open_unknown": "on the way since {0}",
    "open_entry_zone": "on the way since {0}; so far priced as a ride that ends there",
    "missing_exit_maximum": "maximum fare, no exit tap after {0}",
    "missing_exit_unknown": "no exit tap after {0}, and no maximum fare; somebody will look at it",
    "missing_exit_entry_zone": "no exit tap after {0}: priced as a ride that ends there",
    "missing_entry_maximum": "maximum fare, no entry tap before {0}",
    "missing_entry_unknown": "no entry tap before {0}, and no maximum fare; somebody will look at it",
    "period": "covered by {0} until {until}",
    "period_extension": "{0} until {until}: only the extension is paid",
    "period_ride": "ride {2} of {3}, {0}",
    "cap_day": "daily cap reached ({0}, {limit})",
    "cap_week": "weekly cap reached ({0}, {limit})",
    "cap_rolling": "cap of {2} days reached ({0}, {limit})",
    "count_day": "{1} paid journeys today, the others are free ({0})",
    "count_week": "{1} paid journeys this week, the others are free ({0})",
    "count_rolling": "{1} paid journeys in {2} days, the others are free ({0})",
}
_DE = {
    "fare": "{name}{places}",
    "joined": "{name}{places}",
    "transfer": "Umstieg{within}{places}{named}",
    "unknown": "keine Regel nennt den Fahrpreis{places}; das sieht sich jemand an",
    "not_below_zero": "eine Fahrt kostet nie weniger als nichts",
    "exit_only": "Ausgang {0}: nichts zu zahlen, hier zählt nur der Eingang",
    "double_tap": "mehrmals an {0} gehalten, einmal gezählt",
    "open_maximum": "unterwegs seit {0}; ohne Abmeldung gilt der Höchstpreis",
    "open_unknown": "unterwegs seit {0}",
    "open_entry_zone": "unterwegs seit {0}; bisher berechnet wie eine Fahrt, die dort endet",
    "missing_exit_maximum": "Höchstpreis, keine Abmeldung nach {0}",
    "missing_exit_unknown": "keine Abmeldung nach {0} und kein Höchstpreis; das sieht sich jemand an",
    "missing_exit_entry_zone": "keine Abmeldung nach {0}: berechnet wie eine Fahrt, die dort endet",
    "missing_entry_maximum": "Höchstpreis, keine Anmeldung vor {0}",
    "missing_entry_unknown": "keine Anmeldung vor {0} und kein Höchstpreis; das sieht sich jemand an",
    "period": "enthalten in {0} bis {until}",
    "period_extension": "{0} bis {until}: nur der Anschluss wird bezahlt",
    "period_ride": "Fahrt {2} von {3}, {0}",
    "cap_day": "Tageshöchstpreis erreicht ({0}, {limit})",
    "cap_week": "Wochenhöchstpreis erreicht ({0}, {limit})",
    "cap_rolling": "Höchstpreis für {2} Tage erreicht ({0}, {limit})",
    "count_day": "{1} bezahlte Fahrten heute, die anderen sind frei ({0})",
    "count_week": "{1} bezahlte Fahrten in dieser Woche, die anderen sind frei ({0})",
    "count_rolling": "{1} bezahlte Fahrten in {2} Tagen, die anderen sind frei ({0})",
}
_WORDS: Mapping[str, Mapping[str, str]] = {"en": _EN, "de": _DE}
CODES = tuple(_EN)
"""Every code that a line of an explanation can have."""


def say(line: Line, language: Language) -> str:
    """A line as a rider reads it, with its amount, as `Zone 1-2, peak: 2.80`. Raises BadInputError (unknown code)."""
    try:
        text = _WORDS[language][line.code].format(*line.values, **_parts(line, language))
    except (KeyError, IndexError, TypeError, ValueError):
        raise BadInputError(f"explanation line {line.code[:40]!r}: has no words in {language[:8]!r}") from None
    return text if line.amount is None else f"{text}: {_number(line.amount.decimal, language)}"


def _parts(line: Line, language: Language) -> dict[str, str]:
    of_code: Callable[[Line, Language], dict[str, str]] | None = _PARTS.get(line.code)
    return {} if of_code is None else of_code(line, language)


def _named(line: Line, language: Language) -> dict[str, str]:
    return {"name": line.values[0], "places": _places(*line.values[1:3])}


def _transfer(line: Line, language: Language) -> dict[str, str]:
    name, first, last, seconds = line.values
    within = "" if not seconds else f" {'in' if language == 'de' else 'within'} {_time(int(seconds))}"
    return {"within": within, "places": _places(first, last), "named": f", {name}" if name else ""}


def _unknown(line: Line, language: Language) -> dict[str, str]:
    return {"places": _places(*line.values)}


def _until(line: Line, language: Language) -> dict[str, str]:
    day = date.fromisoformat(line.values[1])
    return {"until": day.strftime("%d.%m.%Y") if language == "de" else day.isoformat()}


def _limit(line: Line, language: Language) -> dict[str, str]:
    return {"limit": _number(line.values[1], language)}


_PARTS: Mapping[str, Callable[[Line, Language], dict[str, str]]] = {
    "fare": _named,
    "joined": _named,
    "transfer": _transfer,
    "unknown": _unknown,
    "period": _until,
    "period_extension": _until,
    "cap_day": _limit,
    "cap_week": _limit,
    "cap_rolling": _limit,
}


def _places(first: str, last: str) -> str:
    return f" ({first} – {last})" if last and last != first else f" ({first})"


def _time(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _number(decimal: str, language: Language) -> str:
    return decimal.replace(".", ",") if language == "de" else decimal
