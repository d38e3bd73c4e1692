"""Weeks of the simulator: they end as they must, seeds repeat them, and what is planted in them is found."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from simulation.city import City, Place
from simulation.week import Size, run_week
from simulation.wire import Answer, Wire
from structlog.testing import capture_logs

from openstile.journal import Direction
from openstile.journal.receipts import Receipt
from openstile.office.store.taps import TAP, TAP_FRESH

SMALL = Size(gates=10, riders=6, days=3)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the office logs of each request is not looked at here."""
    with capture_logs():
        yield


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """Two gates, a rider, and a ride that nobody has sent yet."""
    city = City(tmp_path, random.Random(1))
    gates = [
        city.add_gate("in", Place("bank", "tube"), Direction.IN),
        city.add_gate("out", Place("stratford", "tube"), Direction.OUT),
    ]
    rider = city.office.add_rider()
    for gate in gates:
        city.clock.at = city.clock.at.replace(minute=city.clock.at.minute + 20)
        assert gate.tap(rider)
    yield city
    city.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_week_ends_as_it_must(seed: int) -> None:
    outcome = run_week(seed, SMALL)
    assert outcome.faults == ()
    assert outcome.stored > 20
    assert outcome.lost > 10


def test_seed_repeats_its_week() -> None:
    first, second = (run_week(4, Size(gates=5, riders=2, days=1)) for _ in range(2))
    assert (first.mishaps, first.taps, first.requests) == (second.mishaps, second.taps, second.requests)


def test_city_without_mishaps_has_no_faults(city: City) -> None:
    city.settle()
    assert city.faults() == []
    assert len(city.reckoned()) == 1
    assert city.left() == []


def test_receipt_for_what_never_arrived_is_found(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    carry = Wire.request

    def forge(wire: Wire, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        gate = next(one for one in city.gates.values() if one.direction is Direction.OUT)
        head = gate.journal.head()
        receipt = Receipt(gate.gate_id, gate.journal.epoch, head.seq, head.hash)
        if gate.journal.epoch.hex() in url or gate.journal.epoch in body:
            return 200, {"content-type": "application/json"}, json.dumps(receipt.to_json()).encode()
        return carry(wire, method, url, headers, body)

    monkeypatch.setattr(Wire, "request", forge)
    city.settle()
    assert any("acknowledged, not stored" in fault for fault in city.faults())
    assert any("acknowledged, not stored" in fault for fault in city.faults_now())


def drop_a_tap(city: City) -> None:
    tap_id = min(city.office.taps)
    with city.office.database.write() as connection:
        connection.execute(TAP_FRESH.delete().where(TAP_FRESH.c.tap_id == tap_id))
        connection.execute(TAP.delete().where(TAP.c.tap_id == tap_id))


def forget_to_price_a_tap(city: City) -> None:
    with city.office.database.write() as connection:
        connection.execute(TAP_FRESH.delete().where(TAP_FRESH.c.tap_id == min(city.office.taps)))


@pytest.mark.parametrize(
    ("plant", "said"),
    [(drop_a_tap, "2 taps were stored, 1 are kept and 0 faded"), (forget_to_price_a_tap, "1 taps are in no journey")],
)
def test_tap_that_the_office_loses_is_found(city: City, plant: Callable[[City], None], said: str) -> None:
    for gate in city.gates.values():
        gate.sync()
    city.look()
    plant(city)
    city.settle()
    faults = city.faults()
    assert said in faults
    assert "1 riders paid something else than their rides cost" in faults
