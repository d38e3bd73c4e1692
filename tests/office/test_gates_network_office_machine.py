"""Gates, a network and an office, whatever becomes of them: each tap counts once, money is right, trips are forgotten.

All pieces are the real ones (simulation.city); the model is simulation.truth.Truth, which is told what really happened.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from simulation.city import City, Place
from simulation.clocks import START
from simulation.gates import SimulatedGate
from simulation.office import DiskFault
from simulation.week import scratch
from simulation.wire import Fault
from structlog.testing import capture_logs

from openstile.gate.uplink import OfficeRefusedError
from openstile.journal import Direction

_DAYS_MAX = timedelta(days=11)
"""Gates keep what they cannot send for 14 days, and the office what nobody looks at; clocks are a day wrong at most."""

GATES = st.integers(0, 2)
RIDERS = st.integers(0, 1)
CLOCK_WRONG_S = st.sampled_from([-86_400, -7200, -130, -30, 0, 90, 600, 7200, 86_400])


class GatesNetworkOffice(RuleBasedStateMachine):
    """Three gates of two stops and a bus, two riders; `url` gives an empty database where it is not to be SQLite."""

    url: Callable[[], str] | None = None

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.ends = ExitStack()
        folder = self.ends.enter_context(scratch())
        self.city = City(folder, random.Random(seed), None if self.url is None else self.url())
        self.ends.callback(self.city.close)
        self.gates = (
            self.city.add_gate("in", Place("bank", "tube"), Direction.IN),
            self.city.add_gate("out", Place("stratford", "tube"), Direction.OUT),
            self.city.add_gate("bus", Place("aldgate", "bus"), Direction.IN),
        )
        self.riders = [self.city.office.add_rider() for _ in range(2)]

    # What riders and gates do.

    @rule(gate=GATES, rider=RIDERS)
    def tap(self, gate: int, rider: int) -> None:
        self.city.clock.at += timedelta(seconds=1, microseconds=1)  # whole seconds else: no two taps are at one time
        self.gates[gate].tap(self.riders[rider])

    @rule(rider=RIDERS, minutes=st.integers(1, 150))
    def ride(self, rider: int, minutes: int) -> None:
        self.tap(0, rider)
        self.city.clock.at += timedelta(minutes=minutes)
        self.tap(1, rider)

    @rule(gate=GATES)
    def sync(self, gate: int) -> None:
        self._asks(self.gates[gate], self.gates[gate].sync)

    @rule(gate=GATES)
    def change_key(self, gate: int) -> None:
        self._asks(self.gates[gate], self.gates[gate].change_key)

    # What becomes of requests.

    @rule(gate=GATES, faults=st.lists(st.sets(st.sampled_from(Fault), max_size=2), min_size=1, max_size=3))
    def sync_with_network_faults(self, gate: int, faults: list[set[Fault]]) -> None:
        """One set of faults for each request: where the office stands, and batches."""
        self.city.wire.planned = list(faults)
        self.sync(gate)

    @precondition(lambda self: self.city.wire.late)
    @rule(which=st.integers(0, 100), keep=st.booleans())
    def bring_late(self, which: int, keep: bool) -> None:
        late = self.city.wire.late
        self.city.wire.bring(which % len(late), keep=keep and len(late) < 5)

    # What becomes of machines.

    @rule(gate=GATES, ahead_s=CLOCK_WRONG_S)
    def jump_clock(self, gate: int, ahead_s: int) -> None:
        self.gates[gate].clock.ahead = timedelta(seconds=ahead_s)

    @rule(gate=GATES)
    def restart(self, gate: int) -> None:
        self.gates[gate].restart()

    @rule(gate=GATES)
    def copy_disk(self, gate: int) -> None:
        self.gates[gate].make_copy()

    @precondition(lambda self: any(gate.has_copy for gate in self.gates))
    @rule(gate=GATES)
    def put_copy_back(self, gate: int) -> None:
        self.gates[gate].put_copy_back()

    @rule(gate=GATES, full=st.booleans())
    def fill_disk(self, gate: int, full: bool) -> None:
        self.gates[gate].fill_disk(full=full)

    @rule(fault=st.sampled_from(DiskFault), gate=GATES)
    def sync_with_disk_fault(self, fault: DiskFault, gate: int) -> None:
        self.city.office.database.planned = fault
        self.sync(gate)

    @rule(fault=st.sampled_from(DiskFault))
    def price_with_disk_fault(self, fault: DiskFault) -> None:
        self.city.office.database.planned = fault
        self.city.tried(self.city.office.price)

    @rule()
    def back_office_up(self) -> None:
        self.city.make_backup()

    @rule()
    def restore_office(self) -> None:
        self.city.put_backup_back()

    # What the office does.

    @rule()
    def price(self) -> None:
        self.city.office.price()

    @rule()
    def review(self) -> None:
        self.city.review()

    @rule()
    def fade(self) -> None:
        self.city.fade()
        for gate in self.gates:
            gate.fade()  # behind the look of the office's fading: what it has is known

    @rule(hours=st.sampled_from([1, 3, 12, 30, 50]))
    def turn_clock(self, hours: int) -> None:
        if self.city.clock.at + timedelta(hours=hours) < START + _DAYS_MAX:
            self.city.clock.at += timedelta(hours=hours)

    # What must be true.

    @invariant()
    def each_tap_counts_once_and_money_is_what_journeys_cost(self) -> None:
        _expect_none(self.city.faults_now())

    def teardown(self) -> None:
        if not hasattr(self, "city"):
            return
        with self.ends:
            self.city.settle()
            _expect_none(self.city.faults())
            _expect_none(self.city.left())

    def _asks(self, gate: SimulatedGate, action: Callable[[], object]) -> None:
        """What does not work is tried again later; a gate whose key the office does not know is claimed anew."""
        try:
            self.city.tried(action)
        except OfficeRefusedError:
            self.city.tried(lambda: self.city.claim_anew(gate))
        self.city.wire.planned.clear()
        self.city.office.database.planned = None


def _expect_none(faults: list[str]) -> None:
    assert not faults, "; ".join(faults)


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=25, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )  # fmt: skip


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the office logs of each request is not looked at here."""
    with capture_logs():
        yield


def test_gates_network_and_office_agree_on_sqlite() -> None:
    run_state_machine_as_test(GatesNetworkOffice, settings=_settings(30))


def test_gates_network_and_office_agree_on_postgresql(request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgres_server")

    class OnPostgresql(GatesNetworkOffice):
        url = staticmethod(server.new_database)

    run_state_machine_as_test(OnPostgresql, settings=_settings(4))
