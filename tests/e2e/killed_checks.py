"""What must hold when all that was killed has come up again, all taps are at the office, and all are priced."""

import json
import secrets
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select
from tests.e2e.killed_world import DrivenGate, KilledWorld

from openstile.assembly.home import open_home
from openstile.assembly.office_database import open_office_database
from openstile.assembly.office_keeping import tariff_of
from openstile.assembly.wire import Installation
from openstile.fares import Tariff, price_taps
from openstile.fares.rides import Rider
from openstile.journal.taps import microseconds_of
from openstile.journal.view import read_journal
from openstile.ledger.store import Ledger
from openstile.ledger.store.verify import verify
from openstile.office.pricing import price_due, rider_account
from openstile.office.pricing.rows import taps_of
from openstile.office.store.accounts import ACCOUNT, PASS
from openstile.office.store.database import Database
from openstile.office.store.gates import ALARM, GATE_EPOCH
from openstile.office.store.journeys import JOURNEY, PRICING_DUE
from openstile.office.store.taps import TAP, TAP_FRESH
from openstile.terms.money import Money

_NOT_POSTED = ("open",)


def is_priced(database: Database) -> bool:
    """Whether no account is due by now."""
    with database.read() as connection:
        due = select(func.count()).select_from(PRICING_DUE)
        return connection.scalar(due.where(PRICING_DUE.c.due_us <= microseconds_of(datetime.now(UTC)))) == 0


def check_receipts(world: KilledWorld) -> None:
    """Every receipt that was ever given covers only taps that the office holds; right after any kill, too."""
    with open_office_database(world.installation) as database, database.read() as connection:
        for gate in world.gates:
            stored = {row.seq: row.hash.hex() for row in _stored(connection, gate)}
            assert set(stored) == set(range(1, len(stored) + 1)), "without a gap"
            for receipt in gate.receipts:
                assert stored.get(receipt["seq"]) == receipt["hash"], receipt


def check_all(world: KilledWorld) -> None:
    """All of it. The office must have ended."""
    check_receipts(world)
    tariff = tariff_of(world.installation)
    assert tariff is not None
    with open_office_database(world.installation) as database:
        with database.read() as connection:
            for gate in world.gates:
                _check_taps(connection, gate)
            assert connection.execute(select(ALARM)).all() == []
            assert connection.execute(select(TAP_FRESH)).all() == []
        _check_prices(database)
        later = datetime.now(UTC) + timedelta(hours=6)  # nothing is open any more
        while price_due(database, tariff=tariff, now=lambda: later, new_id=lambda: secrets.token_hex(16)):
            pass
        with database.read() as connection:
            assert connection.execute(select(PRICING_DUE)).all() == []
        _check_prices(database)
        _check_against_engine(database, tariff, later)


def _check_taps(connection: Connection, gate: DrivenGate) -> None:
    """What its journal holds is at the office, each tap once; and it holds all that was acknowledged."""
    report = Installation.open(open_home(gate.home)).verify_journal()
    journal = {one.seq: one for one in read_journal(open_home(gate.home).journal, limit=10**6).taps}
    assert set(journal) == set(range(1, report.head.seq + 1))
    for tap in gate.taps:
        assert journal[tap["seq"]].hash.hex() == tap["hash"], "what append returned is what the journal holds"
    assert len(journal) - len(gate.taps) in range(gate.kills + 1), "at most one tap a kill was durable and not yet said"
    stored = _stored(connection, gate)
    assert [row.review for row in stored] == ["clear"] * len(stored)
    assert {(row.seq, row.hash, row.pass_id, row.at_us) for row in stored} == {
        (one.seq, one.hash, one.tap.pass_id.value, microseconds_of(one.tap.at)) for one in journal.values()
    }
    assert max(Counter((row.pass_id, row.at_us) for row in stored).values()) == 1
    assert gate.receipts[-1]["seq"] == report.head.seq


def _stored(connection: Connection, gate: DrivenGate) -> list[Row[Any]]:
    epoch_ids = connection.execute(select(GATE_EPOCH.c.epoch_id).where(GATE_EPOCH.c.gate_id == gate.name)).scalars()
    (epoch_id,) = epoch_ids  # nothing was lost here, so no gate begins another journal
    return list(connection.execute(select(TAP).where(TAP.c.epoch_id == epoch_id).order_by(TAP.c.seq)).all())


def _check_prices(database: Database) -> None:
    """Each tap is in one current journey, and what riders owe is what these cost."""
    with database.read() as connection:
        current = connection.execute(select(JOURNEY).where(JOURNEY.c.state != "superseded")).all()
        placed = Counter(tap for row in current for tap in json.loads(row.taps))
        assert placed == Counter(connection.execute(select(TAP.c.tap_id)).scalars().all())
        owed: defaultdict[str, int] = defaultdict(int)
        for row in current:
            assert (row.posting_id is None) == (row.state in _NOT_POSTED or row.amount_minor == 0)
            owed[row.account_id] += row.amount_minor if row.posting_id is not None else 0
        assert sum(owed.values()) > 0
        ledger = Ledger(connection)
        for account_id in connection.execute(select(ACCOUNT.c.account_id)).scalars():
            assert ledger.balance(rider_account(account_id)) == Money(-owed[account_id], "EUR")
        assert verify(connection).findings == ()
        trial = ledger.trial_balance()
        assert trial.debits("EUR") == trial.credits("EUR")


def _check_against_engine(database: Database, tariff: Tariff, now: datetime) -> None:
    """Priced at once from all taps, the journeys are those that came out of many pricings and kills."""
    with database.read() as connection:
        by_account: defaultdict[str, set[int]] = defaultdict(set)
        for tap_id, account_id in connection.execute(
            select(TAP.c.tap_id, PASS.c.account_id).join(PASS, PASS.c.pass_id == TAP.c.pass_id)
        ):
            by_account[account_id].add(tap_id)
        for account_id, tap_ids in by_account.items():
            journeys = price_taps(
                tariff, rider=Rider(None, tariff.media_id), taps=taps_of(connection, tap_ids), now=now
            )
            rows = connection.execute(
                select(JOURNEY.c.key, JOURNEY.c.state, JOURNEY.c.amount_minor).where(
                    JOURNEY.c.account_id == account_id, JOURNEY.c.state != "superseded"
                )
            )
            assert sorted(tuple(row) for row in rows) == sorted(
                (one.key, one.state.value, one.amount.minor) for one in journeys
            )
