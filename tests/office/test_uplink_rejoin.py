"""A gate that comes back from an old copy, whose uplink key the office has ended meanwhile, joins again."""

import logging
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.office.office_world import ORIGIN, OfficeWorld
from tests.office.sync_workshop import add_riders

from openstile.assembly.home import open_home
from openstile.assembly.uplink import change_key, join, open_uplink, uplink_status
from openstile.assembly.uplink_keeping import uplink_keeper
from openstile.assembly.wire import Installation
from openstile.gate.uplink import OfficeRefusedError
from openstile.gate.uplink_keys import UplinkKeys
from openstile.journal import Direction, Tap
from openstile.journal.requests import key_id
from openstile.office.store.taps import TAP
from openstile.terms import OpenstileError, PassId

Answer = tuple[int, Mapping[str, str], bytes]
CLAIM = "/v1/gates/claim"


class LostError(OpenstileError):
    """No answer came."""


@dataclass
class Wire:
    """Carries requests into the app. `lost` says of what comes next which requests and which answers get lost."""

    world: OfficeWorld
    lost: dict[str, list[str]] = field(default_factory=dict)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path = url.removeprefix(ORIGIN)
        fault = self.lost[path].pop(0) if self.lost.get(path) else ""
        if fault == "request":
            raise LostError("no answer came")
        answer = self.world.ask(method, path, content=body, headers=dict(headers))
        if fault == "answer":
            raise LostError("no answer came")
        return answer.status_code, dict(answer.headers), answer.content


@dataclass
class Place:
    """A gate's home, the office, and the wire between them."""

    world: OfficeWorld
    wire: Wire
    here: Installation
    riders: tuple[PassId, ...]
    folder: Path
    made: list[bytes] = field(default_factory=list)

    def token(self) -> str:
        answer = self.world.ask("POST", "/v1/gates/gate-1/claims", as_=self.world.staff(), json={})
        return str(answer.json()["token"])

    def tap_and_sync(self, count: int, *, sync: bool = True) -> None:
        with self.here.open_journal() as journal:
            for index in range(count):
                self.world.clock.turn(minutes=1)
                rider, now = self.riders[index % len(self.riders)], self.world.clock.now()
                journal.append(Tap(rider, now, self.here.settings.gate_id(), "adult", Direction.IN))
                self.made.append(rider.value)
            if sync:
                with open_uplink(self.here, journal, transport=self.wire) as uplink:
                    uplink.sync()

    def stored(self) -> list[bytes]:
        with self.world.office.database.read() as connection:
            return sorted(connection.execute(select(TAP.c.pass_id)).scalars())

    def join(self, token: str) -> str:
        return join(self.here, ORIGIN, token, transport=self.wire)


@pytest.fixture
def restored(world: OfficeWorld, tmp_path: Path) -> Place:
    """A gate whose home is that of an old copy: its key changed after the copy was made, and the old one has ended."""
    home = tmp_path / "home"
    here = Installation.open(open_home(home), clock=world.clock)
    with world.office.database.write() as connection:
        riders = add_riders(connection, 3)
    place = Place(world, Wire(world), here, tuple(riders), home)
    world.ask("POST", "/v1/gates", as_=world.staff(), json={"gate": "gate-1", "stop": "s1", "direction": "in"})
    place.join(place.token())
    place.tap_and_sync(4)
    shutil.copytree(home, tmp_path / "copy")
    change_key(here, transport=place.wire)
    place.tap_and_sync(3)
    world.clock.turn(days=3)
    shutil.rmtree(home)
    (tmp_path / "copy").rename(home)
    return place


def test_restored_gate_gets_a_new_key_when_it_joins_again(restored: Place) -> None:
    old = uplink_status(restored.here).kid
    with pytest.raises(OfficeRefusedError, match="openstile uplink join URL --token TOKEN"):
        restored.tap_and_sync(2)
    new = restored.join(restored.token())
    status = uplink_status(restored.here)
    assert (status.joined, status.kid, status.key_changing) == (True, new, False)
    assert new != old
    restored.tap_and_sync(2)
    assert restored.stored() == sorted(restored.made)


def test_joining_again_that_was_cut_short_is_done_again_with_the_same_token(restored: Place) -> None:
    token = restored.token()
    old = uplink_status(restored.here).kid
    for fault in (["answer"], ["", "request"], ["", "answer"]):
        restored.wire.lost = {CLAIM: fault}
        with pytest.raises(LostError):
            restored.join(token)
        assert uplink_status(restored.here).kid == old, "the present key stays until the claim worked"
    new = restored.join(token)
    assert (uplink_status(restored.here).key_changing, new != old) == (False, True)
    restored.tap_and_sync(1)
    assert restored.stored() == sorted(restored.made)


def test_claim_whose_answer_was_lost_is_ended_by_the_next_sync(restored: Place) -> None:
    restored.wire.lost = {CLAIM: ["", "answer"]}
    with pytest.raises(LostError):
        restored.join(restored.token())
    assert uplink_status(restored.here).key_changing
    restored.tap_and_sync(1)
    assert not uplink_status(restored.here).key_changing
    assert restored.stored() == sorted(restored.made)


def test_copy_with_a_change_of_the_key_under_way_joins_again(restored: Place) -> None:
    """The next key in the copy is one that the office took, and has ended since."""
    keys = UplinkKeys(restored.here.home.uplink_key)
    first = restored.join(restored.token())
    restored.wire.lost = {"/v1/gate/keys": ["answer"]}
    with pytest.raises(LostError):
        change_key(restored.here, transport=restored.wire)
    shutil.copytree(restored.folder, restored.folder.with_name("second"))
    restored.tap_and_sync(1)
    for _ in range(2):
        change_key(restored.here, transport=restored.wire)
        restored.world.clock.turn(days=3)
    shutil.rmtree(restored.folder)
    restored.folder.with_name("second").rename(restored.folder)
    assert (keys.is_changing, uplink_status(restored.here).kid) == (True, first)
    restored.join(restored.token())
    assert not keys.is_changing
    restored.tap_and_sync(1)
    assert restored.stored() == sorted(restored.made)


def test_wrong_token_leaves_the_keys_as_they_were(restored: Place) -> None:
    old = UplinkKeys(restored.here.home.uplink_key).current().public_key
    for token in ("A" * 52, secrets.token_hex(8)):
        with pytest.raises(OfficeRefusedError):
            restored.join(token)
    status = uplink_status(restored.here)
    assert (status.kid, status.key_changing) == (key_id(old), False)


def test_gate_that_is_admitted_keeps_its_key_when_it_joins_again(restored: Place) -> None:
    kid = restored.join(restored.token())
    assert restored.join(restored.token()) == kid


def test_log_and_status_of_a_restored_gate_say_what_to_do(restored: Place, caplog: pytest.LogCaptureFixture) -> None:
    restored.tap_and_sync(1, sync=False)
    with (
        restored.here.open_journal() as journal,
        uplink_keeper(restored.here, journal, transport=restored.wire) as keeper,
        caplog.at_level(logging.ERROR),
    ):
        assert keeper is not None
        keeper.sync(lambda: False)
        fault = uplink_status(restored.here).fault
        assert fault is not None
        for said in (caplog.text, fault):
            assert "does not take this gate's uplink key (any more)" in said
            assert (
                "ask the operator for a claim token, stop the gate, and openstile uplink join URL --token TOKEN" in said
            )
    restored.join(restored.token())
    assert uplink_status(restored.here).fault is None
