"""A gate's real uplink against the office's real API: what is lost, restored, copied or faded on the way."""

import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import literal, select
from tests.office.office_world import ORIGIN, START, OfficeWorld
from tests.office.sync_workshop import WorkClock, WorkGate, add_riders, alarm_kinds

from openstile.gate.uplink import OfficeClient, OfficeRefusedError
from openstile.gate.uplink_sync import Uplink
from openstile.journal.taps import microseconds_of
from openstile.office.store.fading import FADING
from openstile.office.store.gates import GATE_EPOCH
from openstile.office.store.journeys import PRICING_DUE
from openstile.office.store.taps import TAP, TAP_FRESH, TAP_HASH
from openstile.terms import OpenstileError, PassId

Answer = tuple[int, Mapping[str, str], bytes]


class LostError(OpenstileError):
    """No answer came."""


@dataclass
class Wire:
    """Carries requests into the app; loses the answers of those whose turn is in `lose`."""

    world: OfficeWorld
    lose: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append(url.removeprefix(ORIGIN).partition("?")[0])
        answer = self.world.ask(method, url.removeprefix(ORIGIN), content=body, headers=dict(headers))
        if len(self.asked) in self.lose:
            raise LostError("no answer came")
        return answer.status_code, dict(answer.headers), answer.content


@dataclass
class Line:
    """A gate, its wire, and the office at the other end."""

    world: OfficeWorld
    gate: WorkGate
    wire: Wire
    riders: tuple[PassId, ...]

    @classmethod
    def open(cls, world: OfficeWorld, folder: Path) -> "Line":
        clock = WorkClock(at=START)
        gate = WorkGate(folder / "north", clock=clock)
        with world.office.database.write() as connection:
            riders = add_riders(connection, 5)
        line = cls(world, gate, Wire(world), riders)
        operator = world.staff()
        world.ask("POST", "/v1/gates", as_=operator, json={"gate": "north-1", "stop": "s1", "direction": "in"})
        token = world.ask("POST", "/v1/gates/north-1/claims", as_=operator, json={}).json()["token"]
        line.client().claim(token=token, journal_key=gate.journal_key.public_key, epoch=gate.journal.epoch)
        return line

    def client(self) -> OfficeClient:
        return OfficeClient(
            office=ORIGIN, gate=self.gate.gate_id, key=lambda: self.gate.uplink_key, transport=self.wire,
            clock=self.gate.clock, random=secrets.token_bytes,
        )  # fmt: skip

    def uplink(self, batch_taps: int = 3) -> Uplink:
        return Uplink(
            journal=self.gate.journal, client=self.client(), clock=self.gate.clock, trips_kept=timedelta(hours=48),
            batch_taps=batch_taps,
        )  # fmt: skip

    def sync(self) -> None:
        """One sync of a process that has just begun; the office's clock shows what the gate's true one does."""
        self.world.clock.at = self.gate.clock.at
        self.uplink().sync()

    def stored(self) -> Counter[bytes]:
        with self.world.office.database.read() as connection:
            return Counter(connection.execute(select(TAP.c.pass_id)).scalars())

    def tap_some(self, count: int) -> Counter[bytes]:
        """Taps of riders in turn; what the office should have of them."""
        chosen = [self.riders[index % len(self.riders)] for index in range(count)]
        self.gate.tap(*chosen)
        return Counter(rider.value for rider in chosen)


@pytest.fixture
def line(world: OfficeWorld, tmp_path: Path) -> Iterator[Line]:
    line = Line.open(world, tmp_path)
    yield line
    line.gate.journal.close()


def test_taps_come_over_in_batches_each_once(line: Line) -> None:
    made = line.tap_some(8)
    line.sync()
    line.sync()
    assert line.stored() == made
    assert line.gate.journal.receipted() == line.gate.journal.head()
    assert line.wire.asked.count("/v1/gate/batches") == 3


@pytest.mark.parametrize("lost", range(1, 5))
def test_answer_that_was_lost_anywhere_doubles_nothing_and_loses_nothing(line: Line, lost: int) -> None:
    made = line.tap_some(8)
    line.wire.lose = {len(line.wire.asked) + lost}
    for _ in range(2):
        try:
            line.sync()
        except LostError:
            continue
    line.sync()
    assert line.stored() == made
    assert alarm_kinds(line.world.office.database) == {}


def test_gate_restored_from_a_copy_goes_on_in_a_new_journal(line: Line, tmp_path: Path) -> None:
    made = line.tap_some(4)
    line.sync()
    line.gate.journal.close()
    shutil.copytree(line.gate.folder, tmp_path / "copy")
    line.gate.start()
    made += line.tap_some(5)
    line.sync()
    line.gate.journal.close()
    line.gate.folder = tmp_path / "copy"
    line.gate.start()
    made += line.tap_some(3)
    line.sync()
    assert line.stored() == made
    assert alarm_kinds(line.world.office.database) == {"restored": 1}


def test_gate_whose_disk_was_copied_raises_the_alarm_and_loses_no_tap(line: Line, tmp_path: Path) -> None:
    made = line.tap_some(4)
    line.sync()
    line.gate.journal.close()
    shutil.copytree(line.gate.folder, tmp_path / "copy")
    line.gate.start()
    twin = WorkGate(tmp_path / "copy", clock=line.gate.clock, journal_key=line.gate.journal_key,
                    uplink_key=line.gate.uplink_key)  # fmt: skip
    made += line.tap_some(2)
    line.sync()
    first, line.gate = line.gate, twin
    made += line.tap_some(3)
    line.sync()
    first.journal.close()
    assert line.stored() == made
    assert alarm_kinds(line.world.office.database)["restored"] == 1


def test_taps_that_faded_before_the_office_was_known_do_not_hold_up_the_others(
    world: OfficeWorld, tmp_path: Path
) -> None:
    line = Line.open(world, tmp_path)
    line.tap_some(4)
    line.gate.clock.turn(days=20)
    line.gate.journal.fade(line.gate.clock.now() - timedelta(days=14))
    made = line.tap_some(3)
    line.sync()
    line.gate.journal.close()
    assert line.stored() == made
    assert alarm_kinds(world.office.database) == {"new_journal": 1}


def test_locked_gate_keeps_its_taps_until_it_is_unlocked(line: Line) -> None:
    made = line.tap_some(2)
    operator = line.world.staff()
    line.world.ask("POST", "/v1/gates/north-1/lock", as_=operator)
    with pytest.raises(OfficeRefusedError):
        line.sync()
    assert line.stored() == Counter()
    line.world.ask("POST", "/v1/gates/north-1/unlock", as_=operator)
    line.sync()
    assert line.stored() == made


def test_gate_without_new_taps_finds_out_that_the_office_came_back_from_a_backup(line: Line) -> None:
    made, gate, office = line.tap_some(4), line.gate, line.world.office.database
    uplink = line.uplink()
    uplink.sync()
    genesis = gate.journal.place(0)
    assert genesis is not None
    with office.write() as connection:  # the backup was made before the taps came
        for table in (TAP_FRESH, PRICING_DUE, TAP):
            connection.execute(table.delete())
        connection.execute(GATE_EPOCH.update().values(seq=0, hash=genesis.hash))
    for minutes in (30, 30):
        gate.clock.turn(minutes=minutes)
        line.world.clock.at = gate.clock.at
        uplink.sync()
    assert line.stored() == made


def put_back(line: Line, copy: Path) -> None:
    """The gate's disk is lost, and the copy takes its place."""
    line.gate.journal.close()
    shutil.rmtree(line.gate.folder)
    shutil.copytree(copy, line.gate.folder)
    line.gate.start()


def copied(line: Line, copy: Path) -> Path:
    """A copy of the gate's disk."""
    line.gate.journal.close()
    shutil.copytree(line.gate.folder, copy)
    line.gate.start()
    return copy


def restored_behind_its_next_journal(line: Line, folder: Path) -> tuple[Counter[bytes], Path]:
    """A gate that was restored, sent what it then had in its next journal, and has a copy of just before."""
    made = line.tap_some(3)
    line.sync()
    early = copied(line, folder / "early")
    made += line.tap_some(2)
    line.sync()
    put_back(line, early)
    made += line.tap_some(2)
    late = copied(line, folder / "late")
    line.sync()
    assert line.stored() == made
    return made, late


def reviews(line: Line) -> Counter[tuple[str, str | None]]:
    with line.world.office.database.read() as connection:
        return Counter((row.review, row.review_reason) for row in connection.execute(select(TAP)))


def test_gate_restored_to_before_its_present_journal_has_no_tap_counted_twice(line: Line, tmp_path: Path) -> None:
    made, late = restored_behind_its_next_journal(line, tmp_path)
    put_back(line, late)
    made += line.tap_some(1)
    line.sync()
    assert reviews(line) == {("clear", None): made.total(), ("rejected", "repeated"): 2}
    assert alarm_kinds(line.world.office.database) == {"restored": 2}


def test_tap_that_may_have_faded_in_another_journal_waits_for_review(line: Line, tmp_path: Path) -> None:
    _, late = restored_behind_its_next_journal(line, tmp_path)
    with line.world.office.database.write() as connection:
        left = select(TAP.c.tap_id, TAP.c.hash, literal(line.gate.clock.at.date()))
        connection.execute(TAP_HASH.insert().from_select(["tap_id", "hash", "day"], left))
        for table in (TAP_FRESH, PRICING_DUE, TAP):
            connection.execute(table.delete())
        faded_us = microseconds_of(line.gate.clock.at)
        connection.execute(FADING.insert().values(fading_id=1, faded_until_us=faded_us, rewritten_us=0))
    line.gate.clock.turn(minutes=1)
    put_back(line, late)
    line.tap_some(1)
    line.sync()
    assert reviews(line) == {("clear", None): 1, ("waiting", "repeated"): 2}
