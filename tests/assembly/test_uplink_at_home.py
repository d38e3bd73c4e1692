"""Joining, syncing, changing the key and running beside a gate's loop, on a real home."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from tests.gate.uplink_office import OFFICE, LostError, Office, TurnedClock

from openstile.assembly.home import open_home
from openstile.assembly.running import Keeper
from openstile.assembly.settings_text import DEFAULT_SETTINGS
from openstile.assembly.uplink import change_key, join, open_uplink, uplink_status
from openstile.assembly.uplink_keeping import UplinkKeeper, uplink_keeper
from openstile.assembly.wire import Installation
from openstile.gate.uplink import OfficeRefusedError
from openstile.journal import Direction, Journal, Tap
from openstile.journal.requests import key_id
from openstile.terms import BadInputError, GateId, PassId

GATE = GateId("gate-1")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def office(clock: TurnedClock) -> Office:
    return Office(GATE, clock)


@pytest.fixture
def here(tmp_path: Path, clock: TurnedClock) -> Installation:
    return Installation.open(open_home(tmp_path / "home"), clock=clock)


def _tap(journal: Journal, clock: TurnedClock, number: int) -> bytes:
    name = PassId(number.to_bytes(16, "big"))
    clock.go(60)
    journal.append(Tap(name, clock.now(), GATE, "adult", Direction.IN))
    return name.value


def _with_settings(here: Installation, **changes: str) -> Installation:
    text = DEFAULT_SETTINGS
    for name, value in changes.items():
        assert f"\n{name} = " in text
        head, _, rest = text.partition(f"\n{name} = ")
        text = f"{head}\n{name} = {value}\n{rest.partition(chr(10))[2]}"
    here.home.settings.write_text(text)
    return Installation.open(here.home, clock=here.clock)


def test_gate_joins_once_and_says_where_it_stands(here: Installation, office: Office, clock: TurnedClock) -> None:
    alone = uplink_status(here)
    assert (alone.office, alone.joined, alone.kid, alone.epoch) == (None, False, None, None)
    kid = join(here, f"{OFFICE}/", "claim-me", transport=office)
    assert list(office.keys) == [kid]
    assert json.loads(here.home.uplink.read_text()) == {"office": OFFICE}
    assert (here.home.uplink.stat().st_mode & 0o777, here.home.uplink_key.stat().st_mode & 0o777) == (0o600, 0o600)
    with here.open_journal() as journal:
        passes = [_tap(journal, clock, number) for number in (1, 2)]
        assert uplink_status(here).waiting == 2
        with open_uplink(here, journal, transport=office) as uplink:
            assert uplink.sync().sent == 2
    status = uplink_status(here)
    assert office.all_passes() == passes
    assert (status.office, status.joined, status.kid, status.key_changing) == (OFFICE, True, kid, False)
    assert (status.head_seq, status.receipted_seq, status.waiting) == (2, 2, 0)


@pytest.mark.parametrize("fault", ["request", "answer"])
def test_joining_that_was_cut_short_is_done_again_with_the_same_token(
    here: Installation, office: Office, fault: str
) -> None:
    office.lose = [fault]
    with pytest.raises(LostError):
        join(here, OFFICE, "claim-me", transport=office)
    assert not uplink_status(here).joined
    kid = join(here, OFFICE, "claim-me", transport=office)
    assert list(office.keys) == [kid]
    assert uplink_status(here).joined


def test_wrong_token_joins_nothing(here: Installation, office: Office) -> None:
    with pytest.raises(OfficeRefusedError, match="claim-refused"):
        join(here, OFFICE, "guessed", transport=office)
    assert (office.keys, uplink_status(here).joined) == ({}, False)


@pytest.mark.parametrize(
    "address",
    ["office.example", "ftp://office.example", "https://office.example/gates", "https://u:p@office.example",
     "http://office.example", "https://office.example?x", "https://", ""],
)  # fmt: skip
def test_address_that_is_no_offices_is_refused(here: Installation, office: Office, address: str) -> None:
    with pytest.raises(BadInputError):
        join(here, address, "claim-me", transport=office)
    assert office.asked == []


def test_gate_of_one_office_joins_no_other(here: Installation, office: Office) -> None:
    join(here, OFFICE, "claim-me", transport=office)
    with pytest.raises(BadInputError, match="this gate has joined"):
        join(here, "https://other.example", "claim-me", transport=office)
    differs = _with_settings(here, office='"https://other.example"')
    with pytest.raises(BadInputError, match="correct one of them"):
        uplink_status(differs)
    with pytest.raises(BadInputError, match="correct one of them"):
        join(differs, OFFICE, "claim-me", transport=office)


def test_office_that_is_named_but_not_joined_is_said(here: Installation, office: Office) -> None:
    named = _with_settings(here, office=f'"{OFFICE}"')
    with named.open_journal() as journal:
        with pytest.raises(BadInputError, match="openstile uplink join"):
            open_uplink(named, journal, transport=office).__enter__()
        with pytest.raises(BadInputError, match="openstile uplink join"):
            change_key(named, transport=office)


def test_file_that_names_no_office_is_one_clear_line(here: Installation) -> None:
    here.home.uplink.parent.mkdir(mode=0o700)
    for content in (b"", b"[]", b"{}", b'{"office": 7}', b'{"office": ""}', b"\xff", b"[" * 5000):
        here.home.uplink.write_bytes(content)
        with pytest.raises(BadInputError, match="remove it and join again"):
            uplink_status(here)


def test_taps_of_a_gate_with_an_office_wait_for_it_and_others_do_not(
    here: Installation, office: Office, clock: TurnedClock
) -> None:
    with here.open_journal() as journal:
        _tap(journal, clock, 1)
    clock.go(3 * 86_400)
    assert here.fade_journal().taps == 1
    join(here, OFFICE, "claim-me", transport=office)
    with here.open_journal() as journal:
        _tap(journal, clock, 2)
    clock.go(3 * 86_400)
    assert here.fade_journal().taps == 0
    assert _with_settings(here, keep_days="2").fade_journal().taps == 1
    assert here.loop_times().unsent_kept == timedelta(days=14)


def test_key_changes_while_the_gate_runs(here: Installation, office: Office, clock: TurnedClock) -> None:
    old = join(here, OFFICE, "claim-me", transport=office)
    with here.open_journal() as journal, open_uplink(here, journal, transport=office) as uplink:
        _tap(journal, clock, 1)
        uplink.sync()
        new = change_key(here, transport=office)
        assert new != old == next(iter(office.keys))
        del office.keys[old]
        _tap(journal, clock, 2)
        assert uplink.sync().sent == 1


def test_change_of_the_key_that_was_cut_short_is_ended_by_the_next_sync(
    here: Installation, office: Office, clock: TurnedClock
) -> None:
    old = join(here, OFFICE, "claim-me", transport=office)
    office.lose = ["answer"]
    with pytest.raises(LostError):
        change_key(here, transport=office)
    assert uplink_status(here).key_changing
    del office.keys[old]
    with here.open_journal() as journal, open_uplink(here, journal, transport=office) as uplink:
        _tap(journal, clock, 1)
        assert uplink.sync().sent == 1
    status = uplink_status(here)
    assert (status.key_changing, status.kid) == (False, *office.keys)
    assert status.kid == key_id(next(iter(office.keys.values())))


@contextmanager
def _kept(here: Installation, office: Office) -> Iterator[tuple[Journal, UplinkKeeper]]:
    with here.open_journal() as journal, uplink_keeper(here, journal, transport=office) as keeper:
        assert keeper is not None
        yield journal, keeper


def test_keeper_syncs_when_it_is_time_and_less_often_while_that_fails(
    here: Installation, office: Office, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    join(here, OFFICE, "claim-me", transport=office)
    with _kept(here, office) as (journal, keeper):
        passes = [_tap(journal, clock, 1)]
        keeper.sync(lambda: False)
        assert office.all_passes() == passes
        passes.append(_tap(journal, clock, 2))
        clock.go(-57)
        keeper.sync(lambda: False)
        assert len(office.all_passes()) == 1, "not before 5 s"
        clock.go(3)
        office.lose = ["request"] * 4
        with caplog.at_level(logging.ERROR):
            for _ in range(3000):
                keeper.sync(lambda: False)
                clock.go(0.1)
        assert office.all_passes() == passes
        assert len([one for one in caplog.records if "taps stay here" in one.message]) == 1
        assert office.lose == []


def test_keeper_outlives_what_nobody_foresaw(
    here: Installation, office: Office, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    join(here, OFFICE, "claim-me", transport=office)

    def broken(answer: object) -> tuple[int, dict[str, str], bytes]:
        raise ZeroDivisionError

    office.tamper = broken
    with _kept(here, office) as (_, keeper), caplog.at_level(logging.ERROR):
        keeper.sync(lambda: False)
    assert "ZeroDivisionError" in caplog.text


def test_gate_that_works_alone_has_no_uplink(here: Installation, office: Office) -> None:
    with here.open_journal() as journal, uplink_keeper(here, journal, transport=office) as keeper:
        assert keeper is None
    assert office.asked == []


def test_bundle_that_is_none_is_refused_and_taps_go_on(
    here: Installation, office: Office, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    join(here, OFFICE, "claim-me", transport=office)
    office.bundle = b"not a bundle"
    with _kept(here, office) as (journal, keeper), caplog.at_level(logging.ERROR):
        for number in (1, 2):
            _tap(journal, clock, number)
            clock.go(600)
            keeper.sync(lambda: False)
    assert len(office.all_passes()) == 2
    assert "BundleRefusedError" in caplog.text or "bundle" in caplog.text


def test_running_gate_has_a_third_thread_for_the_office(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, done = Event(), Event()
    here.ensure_keys()
    monkeypatch.setattr("openstile.assembly.running.LOOK_EVERY_S", 0.01)

    def sync(stop: object) -> None:
        asked.set()
        done.wait(5)

    fetcher = here.fetcher()
    try:
        with Keeper(here, fetcher, sync).beside():
            assert asked.wait(10)
            done.set()
    finally:
        fetcher.close()
