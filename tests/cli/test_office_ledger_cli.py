"""`openstile office ledger`: balance, verify, export, as an accountant runs them, on both engines."""

import stat
from datetime import date
from pathlib import Path

import pytest
from beancount import loader
from tests.cli.conftest import Openstile
from tests.databases import opened_office

from openstile.ledger import AccountKind, Entry, Posting
from openstile.ledger.store import Ledger
from openstile.office.pricing import open_books, rider_account
from openstile.terms.money import Money

DAY = date(2026, 6, 1)
RIDERS = ("a" * 32, "b" * 32)


@pytest.fixture
def office(database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An office at which two riders rode for 3.50 each."""
    monkeypatch.setenv("OPENSTILE_OFFICE__DATABASE", database_url)
    home.mkdir(mode=0o700)
    database = opened_office(database_url)
    with database.write() as connection:
        ledger = Ledger(connection)
        open_books(ledger, "EUR", on=DAY)
        for number, rider in enumerate(RIDERS):
            ledger.open_account(rider_account(rider), AccountKind.LIABILITY, "EUR", overdraft_minor=None, on=DAY)
            fare = Money(350, "EUR")
            entries = (Entry(rider_account(rider), fare), Entry("revenue:fares:eur", -fare))
            ledger.post(Posting("fare", DAY, entries, f"journey:{number}", "ride: single"))
    database.close()
    return database_url


def test_balance_tells_riders_in_one_line_and_that_it_balances(openstile: Openstile, home: Path, office: str) -> None:
    told = openstile("office", "ledger", "balance", "--home", home, "--json").json
    assert told["balanced"] is True
    assert {(line["account"], line["minor"]) for line in told["lines"]} == {("rider", 700), ("revenue:fares:eur", -700)}
    shown = openstile("office", "ledger", "balance", "--home", home)
    assert "debits and credits are equal" in shown.out
    assert RIDERS[0] not in shown.out
    before = openstile("office", "ledger", "balance", "--day", "2026-05-31", "--home", home, "--json").json
    assert before["lines"] == []


def test_verification_finds_nothing_wrong(openstile: Openstile, home: Path, office: str) -> None:
    ran = openstile("office", "ledger", "verify", "--home", home, "--json")
    assert (ran.exit_code, ran.json["postings"], ran.json["findings"]) == (0, 2, [])


def test_exports_are_private_and_beancount_reads_them(
    openstile: Openstile, home: Path, office: str, tmp_path: Path
) -> None:
    books, table = tmp_path / "books.beancount", tmp_path / "entries.csv"
    assert openstile("office", "ledger", "export", books, "--format", "beancount", "--home", home).exit_code == 0
    assert openstile("office", "ledger", "export", table, "--home", home).exit_code == 0
    assert len(table.read_text().splitlines()) == 5
    assert stat.S_IMODE(books.stat().st_mode) == 0o600
    _, errors, _ = loader.load_file(str(books))
    assert errors == []
    again = openstile("office", "ledger", "export", table, "--home", home)
    assert (again.exit_code, "is there already" in again.err) == (2, True)
    wrong = openstile("office", "ledger", "export", tmp_path / "x", "--format", "xls", "--home", home)
    assert (wrong.exit_code, list(tmp_path.glob(".*.part"))) == (2, [])
