"""An installation wired up: real folders and keys, a clock that can be turned."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from tests.crossing.world import TurnedClock

from openstile.assembly.devices import SilentBarrier, barrier_of
from openstile.assembly.home import Home, open_home
from openstile.assembly.wire import Installation
from openstile.gate.barrier_http import HttpBarrier
from openstile.passes.claims import Assurance, Entitlement
from openstile.passes.pin import make_pin_reference
from openstile.terms import BadInputError


def _installation(home: Home, clock: TurnedClock) -> Installation:
    installation = Installation.open(home, clock=clock)
    installation.ensure_keys()
    return installation


def _cross(installation: Installation) -> bool:
    issued = installation.issue(
        entitlement=Entitlement("season"),
        reference=make_pin_reference("4711"),
        valid_for=timedelta(days=9),
        assurance=Assurance.SELF_ENROLLED,
    )
    with installation.open_lane(barrier=SilentBarrier()) as lane:
        return lane.present(issued.text, frames=iter(()), ask_pin=lambda: "4711").admitted


def test_trips_of_a_home_that_only_crosses_from_files_fade_too(tmp_path: Path) -> None:
    clock = TurnedClock()
    installation = _installation(open_home(tmp_path / "home"), clock)
    assert _cross(installation)
    clock.wall += timedelta(hours=48, seconds=1)
    assert _cross(installation)
    shown = installation.read_journal(limit=10)
    assert [entry.seq for entry in shown.taps] == [2]
    assert [(count.product, count.taps) for count in shown.faded] == [("season", 1)]
    assert installation.verify_journal().faded == 1


def test_keys_made_by_two_processes_at_once_are_made_once(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    errors: list[Exception] = []

    def make() -> None:
        try:
            _installation(home, TurnedClock())
        except BadInputError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(Installation.open(home).keys.list_keys(now=TurnedClock().now())) == 2


def test_lane_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    installation = Installation.open(open_home(tmp_path / "home"))
    with pytest.raises(BadInputError, match="holds no keys yet"), installation.open_lane():
        pass


def test_token_of_an_http_barrier_is_read_from_the_home(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    token.chmod(0o644)
    with pytest.raises(BadInputError, match="others can read it"):
        barrier_of("https://127.0.0.1/open", open_ms=100, token_file=token, announce=False)
    token.chmod(0o600)
    barrier = barrier_of("https://127.0.0.1/open", open_ms=100, token_file=token, announce=False)
    assert isinstance(barrier, HttpBarrier)
    barrier.close()
