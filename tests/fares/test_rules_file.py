"""The operator's file of rules: read whole, or refused with the table and the key."""

import contextlib
import re
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fares.tariff_workshop import LONDON_RULES, london_feed, tariff

import openstile.fares.rules_file as rules_module
import openstile.fares.rules_table as tables_module
from openstile.fares import Tariff, read_rules
from openstile.fares.rules import Amounts, Cap, FareRules, MissingExit, Mode, Period, Scope, System, Window
from openstile.fares.rules_file import parse_rules
from openstile.terms import BadInputError
from openstile.terms.limits import FARE_RULES_FILE_BYTES_MAX, FARE_RULES_TABLES_MAX
from openstile.terms.money import Money

SYSTEM = '[systems.a]\nmode = "entry"\n'
CAP = '[caps.a]\nwindow = "service_day"\nkind = "amount"\nlimit = "1.00"\n'
PERIOD = '[periods.a]\ndays = 7\nprice = "1.00"\neverything = true\n'


def rules(text: str, *, currency: str = 'currency = "EUR"\n') -> FareRules:
    """The rules of a text."""
    return parse_rules((currency + text).encode(), source="fares.toml")


def _eur(minor: int) -> Money:
    return Money(minor, "EUR")


def test_every_key_is_read() -> None:
    text = """
    [service_day]
    starts = "04:30"
    [transfers]
    gap_hours_max = 3
    [media]
    default = "card"
    [systems.rail]
    networks = ["tube", "rail"]
    mode = "entry_exit"
    journey_minutes_max = 110
    double_tap_seconds = 30
    missing_exit = "entry_zone"
    maximum = "9.40"
    maximum_by_category = { child = "4.70" }
    [caps.week]
    name = "Week"
    window = "calendar_week"
    starts_on = "sunday"
    kind = "amount"
    limit = "40"
    limit_by_category = { child = "20" }
    products = ["p"]
    networks = ["tube"]
    maximum_fares = true
    categories = ["adult", "child"]
    [caps.rides]
    window = "rolling_days"
    days = 30
    kind = "count"
    limit = 12
    [periods.month]
    name = "Month"
    months = 1
    rides = 40
    price = "99.00"
    price_by_category = { child = "1.00" }
    products = ["p"]
    networks = ["tube"]
    maximum_fares = true
    extension = { q = "2.00" }
    [categories.student]
    pays_as = "child"
    """
    tube = frozenset({"tube"})
    assert rules(text) == FareRules(
        currency="EUR",
        day_starts=time(4, 30),
        gap_s_max=3 * 3600,
        systems=(
            System("rail", frozenset({"tube", "rail"}), Mode.ENTRY_EXIT, 6600, 30, MissingExit.ENTRY_ZONE,
                   Amounts(_eur(940), {"child": _eur(470)})),
        ),
        caps=(
            Cap("week", "Week", Window.CALENDAR_WEEK, Amounts(_eur(4000), {"child": _eur(2000)}), None,
                Scope(frozenset({"p"}), tube, True), frozenset({"adult", "child"}), 1, 6),
            Cap("rides", "rides", Window.ROLLING_DAYS, None, 12, Scope(), None, 30, 0),
        ),
        periods={
            "month": Period("month", "Month", Amounts(_eur(9900), {"child": _eur(100)}), None, 1, 40,
                            Scope(frozenset({"p"}), tube, True), {"q": _eur(200)}),
        },
        pays_as={"student": "child"},
        media_id="card",
    )  # fmt: skip


def test_empty_file_is_no_rules() -> None:
    assert rules("", currency="") == FareRules()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("typo = 1", "typo: is not known here"),
        (SYSTEM + "typo = 1", r"\[systems\.a\] typo: is not known"),
        (CAP + "typo = 1", r"\[caps\.a\] typo: is not known"),
        (CAP + "days = 7", r"\[caps\.a\] days: is not known"),
        (CAP + 'starts_on = "monday"', r"\[caps\.a\] starts_on: is not known"),
        (PERIOD + "typo = 1", r"\[periods\.a\] typo: is not known"),
        ('[service_day]\nstart = "04:30"', r"\[service_day\] start: is not known"),
        ('[service_day]\nstarts = "4:30"', "starts: must be a local time"),
        ('[service_day]\nstarts = "12:00"', "starts: must be a local time"),
        ("[service_day]\nstarts = 04:30:00", "starts: must be a text"),
        ("[transfers]\ngap_hours_max = 0", "gap_hours_max: must be a whole number from 1 to 168"),
        ("[transfers]\ngap_hours_max = 169", "gap_hours_max: must be a whole number"),
        ("[transfers]\ngap_hours_max = true", "gap_hours_max: must be a whole number"),
        ("systems = 1", r"systems: must be a table"),
        ("systems.a = 1", r"a: must be a table"),
        ('[systems."a b"]\nmode = "entry"', "a name has 1 to 40"),
        (f'[systems.{"a" * 41}]\nmode = "entry"', "a name has 1 to 40"),
        ("[systems.a]", r"\[systems\.a\] mode: is missing"),
        ('[systems.a]\nmode = "exit"', 'mode: must be one of "entry", "entry_exit"'),
        ("[systems.a]\nmode = []", "mode: must be one of"),
        ('[systems.a]\nmode = "entry_exit"', "maximum: is missing"),
        (SYSTEM + "networks = []", "networks: must be a list of ids"),
        (SYSTEM + 'networks = "tube"', "networks: must be a list of ids"),
        (SYSTEM + 'networks = ["x", "x"]', "networks: names one id twice"),
        (SYSTEM + "journey_minutes_max = 1441", "journey_minutes_max: must be a whole number from 1 to 1440"),
        (SYSTEM + "double_tap_seconds = -1", "double_tap_seconds: must be a whole number from 0"),
        (SYSTEM + '[systems.b]\nmode = "entry"', "only one system can be for all the rest"),
        (
            '[systems.a]\nmode = "entry"\nnetworks = ["x"]\n[systems.b]\nmode = "entry"\nnetworks = ["y", "x"]',
            "'x' is in system a too",
        ),
        (CAP.replace('"1.00"', "1.00"), "limit: must be an amount of zero or more, in quotes"),
        (CAP.replace('"1.00"', '"-1.00"'), "limit: must be an amount of zero or more"),
        (CAP.replace('"1.00"', '"1.005"'), "limit: amount '1.005'"),
        (CAP.replace('"amount"', '"count"'), "limit: must be a whole number from 1"),
        (CAP.replace('"amount"', '"money"'), 'kind: must be one of "amount", "count"'),
        (CAP.replace("service_day", "rolling_days"), "days: is missing"),
        (CAP.replace("service_day", "rolling_days") + "days = 1", "days: must be a whole number from 2 to 366"),
        (CAP + 'name = ""', "name: must be a text"),
        (CAP + 'name = "a\\u0007"', "name: must be a text of 1 to 80 printable"),
        (CAP + "maximum_fares = 1", "maximum_fares: must be true or false"),
        (CAP + "limit_by_category = 1", "limit_by_category: must be a table of amounts"),
        (CAP + "limit_by_category = { child = 1 }", "limit_by_category.child: must be an amount"),
        (PERIOD.replace("everything = true", ""), "say what it pays for"),
        (PERIOD + 'products = ["p"]', "say what it pays for"),
        (PERIOD.replace("days = 7", ""), "days or months"),
        (PERIOD + "months = 1", "days or months"),
        (PERIOD + "rides = 0", "rides: must be a whole number from 1"),
        (PERIOD.replace('price = "1.00"', ""), "price: is missing"),
        (
            PERIOD.replace("everything = true", 'products = ["p"]') + 'extension = { p = "1.00" }',
            "'p' is among its products already",
        ),
        ("[categories.a]", r"\[categories\.a\] pays_as: is missing"),
        ('[categories.a]\npays_as = "b"\n[categories.b]\npays_as = "a"', "break the circle"),
        ('[categories.a]\npays_as = "a"', "break the circle"),
        ('[categories.a]\npays_as = "b"\n[categories.b]\npays_as = "c"\n[categories.c]\npays_as = "b"', "circle"),
        (
            "".join(f'[categories.c{n}]\npays_as = "x"\n' for n in range(FARE_RULES_TABLES_MAX + 1)),
            f"more than {FARE_RULES_TABLES_MAX} tables",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_table(text: str, complaint: str) -> None:
    with pytest.raises(BadInputError, match=rf"^rules fares\.toml, .*{complaint}"):
        rules(text)


@pytest.mark.parametrize("currency", ['currency = "eur"\n', 'currency = "EURO"\n', "currency = 1\n"])
def test_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(BadInputError, match="currency"):
        rules("", currency=currency)


def test_amount_without_a_currency_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"\[caps\.a\] limit: an amount needs a currency"):
        rules(CAP, currency="")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\xff", "is not UTF-8"),
        (b"a = ", "is not TOML"),
        (b"a = 1\na = 2", "is not TOML"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
        (b"#" * (FARE_RULES_FILE_BYTES_MAX + 1), "has more than"),
    ],
)
def test_file_that_is_no_toml_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(BadInputError, match=complaint):
        parse_rules(data, source="fares.toml")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_rules_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadInputError):
        parse_rules(data, source="fares.toml")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3).map(lambda text: f'"{ascii(text)[1:-1]}"'),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=4,
    ),
    st.sampled_from(LONDON_RULES.splitlines()),
)
def test_any_value_in_place_of_another_is_rules_or_refused(value: object, line: str) -> None:
    changed = LONDON_RULES.replace(line, f"{line.split('=')[0]}= {value}", 1) if "=" in line else LONDON_RULES
    with contextlib.suppress(BadInputError):
        parse_rules(changed.encode(), source="fares.toml")


def test_file_is_read_and_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fares.toml"
    path.write_text(LONDON_RULES)
    assert read_rules(path) == tariff().rules
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        read_rules(tmp_path / "other.toml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (SYSTEM + 'networks = ["tram"]', r"\[systems\.a\]: the feed has no network 'tram'"),
        (SYSTEM + 'maximum_by_category = { dog = "1" }', r"\[systems\.a\]: the feed has no rider category 'dog'"),
        (CAP + 'products = ["p"]', r"\[caps\.a\]: the feed has no fare product 'p'"),
        (CAP + 'categories = ["dog"]', "the feed has no rider category 'dog'"),
        (CAP + 'networks = ["tram"]', "the feed has no network 'tram'"),
        (PERIOD + 'extension = { p = "1.00" }', r"\[periods\.a\]: the feed has no fare product 'p'"),
        (PERIOD + 'price_by_category = { dog = "1" }', "the feed has no rider category 'dog'"),
        ('[categories.dog]\npays_as = "adult"', r"\[categories\]: the feed has no rider category 'dog'"),
        ('[categories.adult]\npays_as = "dog"', r"\[categories\]: the feed has no rider category 'dog'"),
        ('[media]\ndefault = "card"', r"\[media\]: the feed has no fare media 'card'"),
    ],
)
def test_id_that_the_feed_does_not_have_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadInputError, match=complaint):
        Tariff(london_feed(), rules(text))


def test_feed_of_two_currencies_needs_a_word_on_which_counts() -> None:
    from tests.fares.rule_workshop import feed_of, product, rule

    feed = feed_of([product("p", 100), product("p", 100, currency="CHF")], [rule("p")])
    with pytest.raises(BadInputError, match="CHF, EUR; say in the rules which currency counts"):
        Tariff(feed)
    assert Tariff(feed, FareRules(currency="CHF")).currency == "CHF"
    with pytest.raises(BadInputError, match="nowhere to be seen"):
        Tariff(feed_of([], []))


FARES_PAGE = Path(__file__).resolve().parents[2] / "docs" / "fares.md"


def test_example_of_the_documentation_is_read_whole() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", FARES_PAGE.read_text(), re.MULTILINE | re.DOTALL)
    found = parse_rules(example.encode(), source="docs/fares.md")
    assert [system.name for system in found.systems] == ["rail", "bus"]
    assert (len(found.caps), list(found.periods)) == (3, ["month", "ten"])


def test_every_key_that_is_read_is_documented() -> None:
    code = "".join(path.read_text() for path in (Path(rules_module.__file__), Path(tables_module.__file__)))
    keys = set(
        re.findall(r"(?:text|whole|whole_or_none|yes|choice|ids|money|money_by_id|table|tables)\(\"(\w+)\"", code)
    )
    assert len(keys) >= 20
    page = FARES_PAGE.read_text()
    assert {key for key in keys if not re.search(rf"(`|\[){key}\b", page)} == set()
