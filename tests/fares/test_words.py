"""Explanations in words: every code in every language, and a full stop to what nobody knows."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openstile.fares.rides import Line
from openstile.fares.words import _WORDS, CODES, say
from openstile.terms import BadInputError
from openstile.terms.money import Money

VALUES = {
    "fare": ("Zone 1-2, peak", "Bank", "Stratford"),
    "joined": ("Zone 1-2, peak", "Bank", "Stratford"),
    "transfer": ("Change", "Bank", "", "3600"),
    "unknown": ("Bank", ""),
    "period": ("Month", "2026-12-31"),
    "period_extension": ("Month", "2026-12-31"),
    "period_ride": ("Ten", "2026-12-31", "3", "10"),
}


def line(code: str, minor: int | None = -280) -> Line:
    """A line with values that fit its code."""
    values = VALUES.get(code, ("Bank", "8.90", "7"))
    return Line(code, values, None if minor is None else Money(minor, "EUR"))


def test_both_languages_have_the_same_codes() -> None:
    assert list(_WORDS["en"]) == list(_WORDS["de"]) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_words_with_and_without_an_amount(code: str) -> None:
    english, german = say(line(code), "en"), say(line(code), "de")
    assert english.endswith(": -2.80")
    assert german.endswith(": -2,80")
    assert say(line(code, None), "en") == english.removesuffix(": -2.80")
    assert not set("{}") & {*english, *german}


@pytest.mark.parametrize(
    ("spoken", "english", "german"),
    [
        (line("fare", 280), "Zone 1-2, peak (Bank – Stratford): 2.80", "Zone 1-2, peak (Bank – Stratford): 2,80"),
        (line("transfer"), "transfer within 60 min (Bank), Change: -2.80", "Umstieg in 60 min (Bank), Change: -2,80"),
        (Line("transfer", ("", "A", "B", "90"), None), "transfer within 90 s (A – B)", "Umstieg in 90 s (A – B)"),
        (Line("transfer", ("", "A", "B", ""), None), "transfer (A – B)", "Umstieg (A – B)"),
        (
            line("missing_exit_maximum", 940),
            "maximum fare, no exit tap after Bank: 9.40",
            "Höchstpreis, keine Abmeldung nach Bank: 9,40",
        ),
    ],
)
def test_lines_as_a_rider_reads_them(spoken: Line, english: str, german: str) -> None:
    assert (say(spoken, "en"), say(spoken, "de")) == (english, german)


def test_yen_have_no_decimals() -> None:
    assert say(Line("cap_day", ("Day", "800", "1"), Money(-80, "JPY")), "de") == (
        "Tageshöchstpreis erreicht (Day, 800): -80"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        Line("nothing", (), None),
        Line("fare", (), None),
        Line("transfer", ("a",), None),
        Line("transfer", ("a", "b", "c", "soon"), None),
        Line("period", ("a", "some day"), None),
        Line("unknown", ("a", "b", "c"), None),
    ],
)
def test_line_of_another_make_is_refused(wrong: Line) -> None:
    with pytest.raises(BadInputError, match="has no words"):
        say(wrong, "en")


@given(st.text(alphabet=string.printable + "{}ß", max_size=20))
def test_names_of_a_feed_are_said_as_they_are(name: str) -> None:
    assert say(Line("fare", (name, "A", "B"), None), "en") == f"{name} (A – B)"
