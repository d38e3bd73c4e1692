"""Each tap reaches the office once: over lost requests and answers, restarts, restored copies, wrong clocks."""

import random
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.gate.uplink_office import OFFICE, LostError, Office, TurnedClock

from openstile.gate.fading import fade_trips
from openstile.gate.uplink import OfficeAnswerError, OfficeClient, OfficeRefusedError
from openstile.gate.uplink_keys import UplinkKeys
from openstile.gate.uplink_pace import PAUSE_S_MAX, Pace
from openstile.gate.uplink_sync import Uplink
from openstile.journal import Direction, GateKey, Journal, JournalBrokenError, Tap
from openstile.journal.batches import BatchError
from openstile.terms import GateId, OpenstileError, PassId

GATE = GateId("gate-1")
_KEPT = timedelta(hours=48)


class Gate:
    """A gate's folder and, while it runs, its journal and uplink."""

    def __init__(self, folder: Path, office: Office, clock: TurnedClock) -> None:
        self.folder, self.office, self.clock = folder, office, clock
        self.key = GateKey.open(folder / "gate.pem")
        self.keys = UplinkKeys(folder / "uplink.pem")
        self.keys.make()
        self.client = OfficeClient(
            office=OFFICE, gate=GATE, key=self.keys.current, transport=office, clock=clock, random=secrets.token_bytes
        )
        self.taps = 0
        self.begin()

    def begin(self) -> None:
        """The process begins."""
        self.journal = Journal.open(
            self.folder / "journal.db", key=self.key, gate=GATE, monotonic_ns=self.clock.monotonic_ns
        )
        self.uplink = Uplink(journal=self.journal, client=self.client, clock=self.clock, trips_kept=_KEPT, batch_taps=3)

    def restart(self) -> None:
        """The process ends and begins again; its monotonic clock is another one."""
        self.journal.close()
        self.clock.mono_ns = 10**9
        self.begin()

    def join(self) -> None:
        self.client.claim(token="claim-me", journal_key=self.key.public_key, epoch=self.journal.epoch)

    def tap(self, count: int = 1) -> list[bytes]:
        """Riders pass; returns their passes, of which no two are the same."""
        passes = []
        for _ in range(count):
            self.taps += 1
            self.clock.go(60)
            name = PassId(self.taps.to_bytes(16, "big"))
            self.journal.append(Tap(name, self.clock.now(), GATE, "adult", Direction.IN))
            passes.append(name.value)
        return passes

    def copy(self, name: str) -> Path:
        """A backup of the folder, as a file copy of a gate that is not running."""
        self.journal.close()
        aside = self.folder.parent / name
        shutil.copytree(self.folder, aside)
        self.begin()
        return aside

    def put_back(self, aside: Path) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)
        shutil.copytree(aside, self.folder)
        self.begin()


@pytest.fixture
def office() -> Office:
    return Office(GATE, TurnedClock())


@pytest.fixture
def gate(tmp_path: Path, office: Office) -> Iterator[Gate]:
    folder = tmp_path / "gate"
    folder.mkdir(mode=0o700)
    gate = Gate(folder, office, office.clock)
    gate.join()
    yield gate
    gate.journal.close()


def test_taps_are_sent_in_batches_and_receipted(gate: Gate, office: Office) -> None:
    passes = gate.tap(7)
    synced = gate.uplink.sync()
    assert (synced.sent, synced.receipted, synced.epoch_begun) == (7, gate.journal.head(), False)
    assert office.all_passes() == passes
    assert office.asked[1:] == ["GET /v1/gate/position", *["POST /v1/gate/batches"] * 3]
    more = gate.tap(1)
    assert gate.uplink.sync().sent == 1
    assert office.all_passes() == passes + more
    assert office.asked[5:] == ["POST /v1/gate/batches"], "the office is asked where it stands once only"
    assert gate.uplink.sync().sent == 0


def test_batches_tell_the_clocks_of_their_sending(gate: Gate, office: Office) -> None:
    gate.tap(1)
    gate.clock.go(30)
    gate.journal.close()
    gate.begin()
    gate.tap(1)
    gate.clock.go(5)
    gate.uplink.sync()
    assert gate.journal.mono_us() == 65_000_000
    assert [one.mono_us for one in reversed(gate.journal.taps())] == [60_000_000, 60_000_000]


@pytest.mark.parametrize("fault", ["request", "answer"])
@pytest.mark.parametrize("at", range(5))
def test_what_the_wire_loses_is_sent_again_and_arrives_once(gate: Gate, office: Office, fault: str, at: int) -> None:
    passes = gate.tap(7)
    office.lose = [""] * at + [fault]
    if at < 4:
        with pytest.raises(LostError):
            gate.uplink.sync()
    gate.uplink.sync()
    assert office.all_passes() == passes
    assert gate.journal.receipted() == gate.journal.head()


def test_wire_that_loses_at_random_loses_and_doubles_nothing(gate: Gate, office: Office) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance, passes = random.Random(seed), []
    for _ in range(60):
        passes += gate.tap(chance.randrange(5))
        office.lose = [chance.choice(["", "request", "answer"]) for _ in range(4)]
        try:
            gate.uplink.sync()
        except LostError:
            if chance.random() < 0.2:
                gate.restart()
        if chance.random() < 0.3:
            fade_trips(gate.journal, before=gate.clock.now(), unsent_before=gate.clock.now() - timedelta(days=14))
    office.lose = []
    gate.uplink.sync()
    assert office.all_passes() == passes, f"seed {seed}"


def test_answer_that_was_lost_before_a_restart_doubles_nothing(gate: Gate, office: Office) -> None:
    passes = gate.tap(2)
    office.lose = ["", "answer"]
    with pytest.raises(LostError):
        gate.uplink.sync()
    gate.restart()
    passes += gate.tap(1)
    assert gate.uplink.sync().sent == 1
    assert office.all_passes() == passes


def test_office_that_lost_taps_gets_them_again(gate: Gate, office: Office) -> None:
    passes = gate.tap(6)
    gate.uplink.sync()
    known = office.epochs[gate.journal.epoch]
    del known.hashes[3:], known.passes[2:]  # restored from its own copy: tap 2 is the last it holds
    passes += gate.tap(1)
    synced = gate.uplink.sync()  # the office answers with a gap, and says where it stands
    assert (synced.epoch_begun, office.all_passes()) == (False, passes)
    assert gate.journal.receipted().seq == 7


def test_office_that_lost_what_has_faded_here_gets_the_rest_in_a_new_epoch(gate: Gate, office: Office) -> None:
    passes = gate.tap(4)
    gate.uplink.sync()
    fade_trips(gate.journal, before=gate.clock.now(), unsent_before=gate.clock.now() - timedelta(days=14))
    old = gate.journal.epoch
    known = office.epochs[old]
    del known.hashes[3:], known.passes[2:]
    passes += gate.tap(2)
    assert gate.uplink.sync().epoch_begun
    assert office.all_passes() == [*passes[:2], *passes[3:]]
    new = office.epochs[gate.journal.epoch]
    assert (new.after, new.reason) == ({"epoch": old.hex(), "seq": 3}, "new")


def test_office_that_lost_an_epoch_is_told_of_it_again(gate: Gate, office: Office) -> None:
    passes = gate.tap(2)
    gate.uplink.sync()
    office.epochs.clear()
    passes += gate.tap(1)
    assert not gate.uplink.sync().epoch_begun
    assert office.all_passes() == passes


def test_gate_restored_from_a_copy_goes_on_in_a_new_epoch(gate: Gate, office: Office) -> None:
    passes = gate.tap(4)
    gate.uplink.sync()
    aside = gate.copy("aside")
    passes += gate.tap(4)
    gate.uplink.sync()
    old = gate.journal.epoch
    gate.put_back(aside)
    passes += gate.tap(2)
    synced = gate.uplink.sync()
    assert synced.epoch_begun
    assert office.all_passes() == passes
    assert gate.journal.epoch != old
    new = office.epochs[gate.journal.epoch]
    assert (new.after, new.reason) == ({"epoch": old.hex(), "seq": 4}, "restored")
    assert gate.journal.receipted() == gate.journal.head()


def test_restored_gate_that_has_overtaken_the_office_is_seen_by_its_hashes(gate: Gate, office: Office) -> None:
    passes = gate.tap(3)
    aside = gate.copy("aside")
    passes += gate.tap(2)
    gate.uplink.sync()
    gate.put_back(aside)
    passes += gate.tap(9)
    assert gate.uplink.sync().epoch_begun
    assert sorted(office.all_passes()) == sorted(passes)
    assert len(office.all_passes()) == 14


def test_restored_gate_with_nothing_new_sends_nothing_twice(gate: Gate, office: Office) -> None:
    passes = gate.tap(3)
    aside = gate.copy("aside")
    gate.uplink.sync()
    gate.put_back(aside)
    assert not gate.uplink.sync().epoch_begun, "what the office holds is the same as here"
    gate.tap(0)
    assert office.all_passes() == passes


def test_restored_gate_carries_times_that_the_office_can_still_correct(gate: Gate, office: Office) -> None:
    gate.tap(2)
    aside = gate.copy("aside")
    gate.tap(1)
    gate.uplink.sync()
    gate.put_back(aside)
    gate.tap(2)
    before = {one.tap.pass_id: (one.run, one.mono_us) for one in gate.journal.taps()}
    run = gate.journal.run
    gate.uplink.sync()
    assert gate.journal.run == run
    assert all((one.run, one.mono_us) == before[one.tap.pass_id] for one in gate.journal.taps())


def test_copy_whose_taps_the_office_has_forgotten_is_not_paid_twice(gate: Gate, office: Office) -> None:
    """Restored days later: taps 1 to 4 are the office's, faded there; only what was tapped since is sent."""
    passes = gate.tap(2)
    gate.uplink.sync()
    gate.tap(2)
    aside = gate.copy("aside")
    gate.uplink.sync()
    gate.clock.go(5 * 86_400)
    late = gate.tap(3)
    gate.uplink.sync()
    office.epochs[gate.journal.epoch].faded_through = 4
    gate.put_back(aside)
    late += gate.tap(2)
    assert gate.uplink.sync().epoch_begun
    assert office.all_passes()[len(passes) + 2 :] == late


@pytest.mark.parametrize("lost", range(2, 9))
def test_new_epoch_that_is_cut_short_doubles_nothing(gate: Gate, office: Office, lost: int) -> None:
    passes = gate.tap(3)
    aside = gate.copy("aside")
    passes += gate.tap(3)
    gate.uplink.sync()
    gate.put_back(aside)
    passes += gate.tap(4)
    office.lose = [""] * (lost - 2) + ["answer"]
    with pytest.raises(LostError):
        gate.uplink.sync()
    gate.restart()
    gate.uplink.sync()
    assert sorted(office.all_passes()) == sorted(passes)
    assert len(office.epochs) == 2


def test_two_gates_of_one_identity_end_in_epochs_of_their_own(gate: Gate, office: Office, tmp_path: Path) -> None:
    passes = gate.tap(2)
    twin = Gate(gate.copy("twin"), office, gate.clock)
    gate.uplink.sync()
    twin.uplink.sync()
    passes += gate.tap(2)
    gate.uplink.sync()
    twin.taps = 100
    passes += twin.tap(2)
    assert twin.uplink.sync().epoch_begun, "the office answered that this is a fork"
    passes += gate.tap(1)
    assert not gate.uplink.sync().epoch_begun
    assert sorted(office.all_passes()) == sorted(passes)
    twin.journal.close()


def test_locked_gate_keeps_its_taps_and_says_why(gate: Gate, office: Office) -> None:
    passes = gate.tap(2)
    office.locked = True
    with pytest.raises(OfficeRefusedError, match=r"gate-locked.*its taps stay here"):
        gate.uplink.sync()
    office.locked = False
    gate.uplink.sync()
    assert office.all_passes() == passes


def test_gate_with_a_wrong_clock_signs_by_the_offices_and_taps_by_its_own(gate: Gate, office: Office) -> None:
    office.clock = TurnedClock()
    office.clock.wall += timedelta(days=300)
    passes = gate.tap(2)
    gate.uplink.sync()
    assert office.all_passes() == passes
    assert all(abs(one.tap.at - gate.clock.now()) < timedelta(hours=1) for one in gate.journal.taps())
    asked = len(office.asked)
    gate.tap(1)
    gate.uplink.sync()
    assert len(office.asked) == asked + 1, "the difference was learned"


def test_key_that_the_office_does_not_know_is_refused_in_one_line(gate: Gate, office: Office) -> None:
    office.keys.clear()
    with pytest.raises(OfficeRefusedError, match=r"401 \(bad-signature\)") as caught:
        gate.uplink.sync()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b""),
        (200, {}, b"<html>"),
        (200, {}, b"null"),
        (200, {}, b"\xff" * 100),
        (200, {}, b"[" * 100_000),
        (200, {}, b"9" * 100_000),
        (200, {}, b'{"gate": "gate-2", "epoch": "' + b"00" * 16 + b'", "seq": 0, "hash": "' + b"00" * 32 + b'"}'),
        (200, {}, b'{"gate": "gate-1", "epoch": "' + b"00" * 16 + b'", "seq": 0, "hash": "' + b"00" * 32 + b'"}'),
        (204, {}, b""),
        (302, {"Location": "https://elsewhere.example"}, b""),
        (401, {"Date": "never"}, b"{}"),
        (401, {"Date": "Sat, 01 Jan 0000 00:00:00 GMT"}, b"{}"),
        (401, {"Date": "Sat, 31 Dec 9999 23:59:59 -2300"}, b"{}"),
        (404, {}, b'{"type": "urn:openstile:problem:unknown-epoch"}'),
        (409, {}, b'{"type": "urn:openstile:problem:gap"}'),
        (500, {}, b"x" * 10_000_000),
        (503, {}, b'{"type": 7}'),
    ],
)
def test_answer_that_no_office_gives_is_an_error_and_loses_nothing(
    gate: Gate, office: Office, answer: tuple[int, dict[str, str], bytes]
) -> None:
    passes = gate.tap(2)
    office.tamper = lambda _: answer
    with pytest.raises(OpenstileError):
        gate.uplink.sync()
    office.tamper = lambda right: right
    gate.uplink.sync()
    assert office.all_passes() == passes


def test_office_that_never_takes_anything_is_not_asked_for_ever(gate: Gate, office: Office) -> None:
    gate.tap(2)
    begun = office.request("GET", *_asked_for_position(gate))
    office.tamper = lambda _: begun
    with pytest.raises(OfficeAnswerError, match="stands elsewhere"):
        gate.uplink.sync()
    assert gate.journal.receipted().seq == 0


def _asked_for_position(gate: Gate) -> tuple[str, dict[str, str], bytes]:
    from openstile.journal.requests import sign_request

    url = f"{OFFICE}/v1/gate/position?epoch={gate.journal.epoch.hex()}"
    headers = sign_request(key=gate.keys.current(), method="GET", url=url, headers={}, body=b"",
                           now=gate.clock.now(), nonce="ab" * 16)  # fmt: skip
    return url, headers, b""


def test_broken_journal_sends_nothing_behind_the_fault(gate: Gate, office: Office) -> None:
    gate.tap(5)
    connection = gate.journal._connection
    connection.execute("DROP TRIGGER tap_unchanged")
    connection.execute("UPDATE tap SET product = 'child' WHERE seq = 4")
    with pytest.raises((JournalBrokenError, BatchError), match="tap 4"):
        gate.uplink.sync()
    assert len(office.all_passes()) == 3


def test_sync_ends_between_batches_when_it_is_told_to(gate: Gate) -> None:
    gate.tap(7)
    answers = iter([False, True])
    assert gate.uplink.sync(lambda: next(answers)).sent == 3
    assert gate.uplink.sync().sent == 4


def test_taps_fade_after_the_receipt_and_unsent_ones_after_the_longest_wait(gate: Gate, office: Office) -> None:
    gate.tap(2)
    gate.uplink.sync()
    gate.tap(2)
    gate.clock.go(3 * 86_400)

    def fade() -> int:
        now = gate.clock.now()
        fade_trips(gate.journal, before=now - _KEPT, unsent_before=now - timedelta(days=14))
        return gate.journal.faded_through().seq

    assert fade() == 2, "older than the retention, but the office does not hold the others"
    office.lose = ["request"]
    with pytest.raises(LostError):
        gate.uplink.sync()
    assert fade() == 2
    gate.uplink.sync()
    assert fade() == 4
    lost = gate.tap(1)
    gate.clock.go(13 * 86_400)
    assert fade() == 4
    gate.clock.go(86_401)
    assert fade() == 5, "after keep_days it goes unsent"
    kept = gate.tap(1)
    assert gate.uplink.sync().epoch_begun
    assert lost[0] not in office.all_passes()
    assert office.all_passes()[-1] == kept[0]


def test_key_changes_without_a_gap(gate: Gate, office: Office) -> None:
    old = gate.keys.current()
    new = gate.keys.change(gate.client, epoch=gate.journal.epoch)
    assert new.public_key == gate.keys.current().public_key != old.public_key
    assert len(office.keys) == 2
    office.keys = {kid: key for kid, key in office.keys.items() if key == new.public_key}
    gate.tap(1)
    assert gate.uplink.sync().sent == 1
    assert not gate.keys.is_changing


@pytest.mark.parametrize("fault", ["request", "answer"])
@pytest.mark.parametrize("old_key_ends", [False, True])
def test_key_change_that_is_cut_short_is_ended_later(
    gate: Gate, office: Office, fault: str, *, old_key_ends: bool
) -> None:
    old = gate.keys.current().public_key
    office.lose = [fault]
    with pytest.raises(LostError):
        gate.keys.change(gate.client, epoch=gate.journal.epoch)
    assert gate.keys.is_changing
    assert gate.keys.current().public_key == old
    if old_key_ends and fault == "answer":
        office.keys = {kid: key for kid, key in office.keys.items() if key != old}
    gate.keys.change(gate.client, epoch=gate.journal.epoch)
    assert gate.keys.current().public_key != old
    assert gate.keys.current().public_key in office.keys.values()
    assert not gate.keys.is_changing


def test_key_change_that_the_office_refuses_leaves_the_key(gate: Gate, office: Office) -> None:
    old = gate.keys.current().public_key
    office.locked = True
    with pytest.raises(OfficeRefusedError):
        gate.keys.change(gate.client, epoch=gate.journal.epoch)
    assert gate.keys.current().public_key == old


def test_claim_token_works_once(gate: Gate, office: Office) -> None:
    with pytest.raises(OfficeRefusedError, match=r"claim-refused.*ask the operator for another"):
        gate.join()


def test_bundle_is_asked_for_by_its_name(gate: Gate, office: Office) -> None:
    assert gate.client.bundle(None) is None, "there is none yet"
    office.bundle = b"bundle"
    got = gate.client.bundle(None)
    assert got is not None
    assert (got.data, got.etag) == (b"bundle", '"1"')
    assert gate.client.bundle(got.etag) is None
    office.tamper = lambda _: (304, {}, b"")
    assert gate.client.bundle('"1"') is None


def _steady(value: float) -> Callable[[], float]:
    return lambda: value


def test_pauses_grow_while_it_fails_and_are_short_again_after() -> None:
    pace = Pace(5, _steady(0.999999))
    assert pace.pause_s(failed=False) == 5
    assert [round(pace.pause_s(failed=True)) for _ in range(8)] == [10, 20, 40, 80, 160, 300, 300, 300]
    assert pace.pause_s(failed=False) == 5
    assert pace.pause_s(failed=True) == pytest.approx(10)
    assert Pace(5, _steady(0)).pause_s(failed=True) == 5
    assert Pace(3600, _steady(0.999999)).pause_s(failed=True) > PAUSE_S_MAX
