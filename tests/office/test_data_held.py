"""The open books: every column says what it holds and until when, and the page says what the columns say."""

import re
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, text

from openstile.office.forgetting.data_held import WHY, as_markdown, declared_tables, live_tables, with_tables
from openstile.office.store.database import Database
from openstile.office.store.metadata import column
from openstile.office.store.migrations import migrate
from openstile.office.store.schema import all_tables
from openstile.terms.held import Held, Holds, Until

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data-held.md"
SMELLS = re.compile(
    r"(^|_)(account|accounts|at|contact|counted|day|days|detail|explanation|from|gate|hash|id|ids|journey|key|lat|lon"
    r"|name|network|no|note|on|pass|passes|person|phone|place|ref|rider|seq|staff|stop|stops|tap|taps|target|time|to|trip"
    r"|us|when|where|who|zone|zones)(_|$)"
)
"""Names of what says where, when, who or which pass."""

_OF_A_GATE = "names a gate or its journal, on which every rider's taps are"
_OF_THE_OFFICE = "is of the office's own work, not of a rider's"
NOTHING_AFTER_ALL = {
    "fading.fading_id": _OF_THE_OFFICE,
    "fading.faded_until_us": _OF_THE_OFFICE,
    "fading.rewritten_us": _OF_THE_OFFICE,
    "gate.gate_id": _OF_A_GATE,
    "gate.stop_id": "where a gate stands",
    "gate.network_id": "where a gate stands",
    "gate_claim.gate_id": _OF_A_GATE,
    "gate_epoch.epoch_id": _OF_A_GATE,
    "gate_epoch.gate_id": _OF_A_GATE,
    "gate_epoch.journal_key": "a gate's public key",
    "gate_epoch.after_seq": "how many taps a gate's older journal had, whoever's",
    "gate_epoch.seq": "how many taps a gate's journal has, whoever's",
    "gate_epoch.hash": "the head of a chain with random salts: nothing of a tap that faded can be found from it",
    "gate_key.gate_id": _OF_A_GATE,
    "gate_key.public_key": "a gate's public key",
    "gate_run.epoch_id": _OF_A_GATE,
    "journey.counted": "what caps count of a faded journey: its day, amounts and rides, which stay as the day does",
    "tap_day.day": "a day on which somebody rode",
    "tap_day.taps": "how many, whoever's",
}
"""Columns that smell and stay all the same, each with its reason."""


def _every_column() -> list[tuple[str, Held]]:
    return [(str(c), c.info["held"]) for table in all_tables() for c in table.columns]


def test_every_column_of_every_table_is_declared() -> None:
    for table in all_tables():
        for one in table.columns:
            assert isinstance(one.info.get("held"), Held), f"{one}: declare what it holds (store.metadata.column)"


def test_name_that_smells_of_place_time_pass_or_person_is_declared_or_excused() -> None:
    smelling = {
        name
        for name, held in _every_column()
        if SMELLS.search(name.partition(".")[2]) and held.holds is Holds.NOTHING and held.until is Until.STAYS
    }
    assert smelling - set(NOTHING_AFTER_ALL) == set(), "say what it holds and until when, or give a reason"


def test_excuse_for_a_column_that_is_gone_or_declared_is_removed() -> None:
    staying = {name for name, held in _every_column() if held.until is Until.STAYS}
    assert set(NOTHING_AFTER_ALL) - staying == set()
    assert all(NOTHING_AFTER_ALL.values())


def test_what_says_where_when_or_which_pass_never_stays() -> None:
    for name, held in _every_column():
        if held.holds in (Holds.PLACE, Holds.TIME, Holds.PASS, Holds.CONTACT):
            assert held.until is not Until.STAYS, name
        if held.holds in (Holds.PLACE, Holds.PASS):
            assert held.until in (Until.TRIPS_FADE, Until.PASS_FORGOTTEN), f"{name}: {held.until.value} is too long"


@pytest.mark.parametrize("name", ["gate_id", "at_us", "pass_id", "stop", "journey_no", "from_zone", "seq"])
def test_smell_of_a_new_column_would_be_noticed(name: str) -> None:
    assert SMELLS.search(name)
    assert column(name, BigInteger).info["held"] == Held(Holds.NOTHING, Until.STAYS)


def test_every_table_says_why_it_is_there() -> None:
    assert {table.name for table in all_tables()} == set(WHY), "say in office/forgetting/data_held.py why"


def test_page_is_what_the_schema_declares() -> None:
    page = PAGE.read_text()
    assert page == with_tables(page), "run: python -m openstile.office.forgetting.data_held docs/data-held.md"
    assert "architecture.md#the-pledge" in page
    for until in Until:
        used = any(held.until is until for _, held in _every_column() if until is not Until.STAYS)
        assert not used or until.value in page


def test_running_database_shows_what_it_has_and_nothing_else(database_url: str) -> None:
    database = Database.open(database_url)
    migrate(database)
    with database.write() as connection:
        live = live_tables(connection)
        assert {t.name: set(t.columns) for t in live} == {t.name: set(t.columns) for t in declared_tables()}
        connection.execute(text("ALTER TABLE gate ADD COLUMN camera VARCHAR(40)"))
        connection.execute(text("CREATE TABLE face (template VARCHAR(40))"))
    with database.read() as connection:
        shown = as_markdown(live_tables(connection))
    assert shown.count("not declared") == 4
    assert "`camera`" in shown
    assert "### face" in shown
    database.close()


def test_declaration_of_a_place_that_stays_is_refused() -> None:
    for holds in (Holds.PLACE, Holds.TIME):
        with pytest.raises(ValueError, match="for ever"):
            Held(holds, Until.STAYS)
