"""Gates with real journals and uplinks, which stop, are restored from copies, and have full disks."""

import random
import shutil
from datetime import timedelta
from pathlib import Path

from openstile.gate.fading import fade_trips
from openstile.gate.uplink import OfficeClient
from openstile.gate.uplink_keys import UplinkKeys
from openstile.gate.uplink_sync import Uplink
from openstile.journal import Direction, GateKey, Journal, JournalError, Tap
from openstile.terms import GateId, PassId
from openstile.terms.limits import JOURNAL_BYTES_MAX
from simulation.clocks import GateClock, TrueClock
from simulation.truth import TapKey, Truth
from simulation.wire import Wire

OFFICE = "https://office.example"
TRIPS_KEPT = timedelta(hours=48)
_KEEP = timedelta(days=14)
_FULL_BYTES = 4096 * 40


class SimulatedGate:
    """One gate. Its disk is a folder; its process ends and begins; its uplink goes through the wire."""

    def __init__(
        self, folder: Path, gate_id: GateId, direction: Direction, *, true: TrueClock, wire: Wire, truth: Truth,
        chance: random.Random,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.gate_id = gate_id
        self.direction = direction
        self.clock = GateClock(true)
        self.chance = chance
        self.offline = False
        self.believes_wrongly = False
        """Whether the office has lost what it gave receipts for, and this gate did not ask since."""
        self._truth = truth
        self._acked = (b"", 0)
        self._copy: Path | None = None
        self._bytes_max = JOURNAL_BYTES_MAX
        folder.mkdir(mode=0o700, parents=True)
        self.key = GateKey.open(folder / "gate.pem")
        self.keys = UplinkKeys(folder / "uplink.pem")
        self.keys.make()
        self.client = OfficeClient(
            office=OFFICE, gate=gate_id, key=self.keys.current, transport=wire, clock=self.clock,
            random=chance.randbytes,
        )  # fmt: skip
        self._begin()

    def join(self, token: str) -> None:
        """Claims the gate at the office."""
        self.client.claim(token=token, journal_key=self.key.public_key, epoch=self.journal.epoch)

    def tap(self, pass_id: PassId) -> bool:
        """A rider is admitted: only if the journal takes the tap, for the barrier opens behind it."""
        at = self.clock.now()
        try:
            self.journal.append(Tap(pass_id, at, self.gate_id, "single", self.direction))
        except JournalError:
            return False
        self._truth.journaled(TapKey(self.gate_id, pass_id, at), self.clock.true.at)
        return True

    def sync(self) -> None:
        """One sync; what the office then holds of this journal is acknowledged."""
        if self.offline:
            return
        try:
            self.uplink.sync()
            self.believes_wrongly = False
        finally:
            self._tell_receipted()

    def restart(self) -> None:
        """The process is killed and begins again; now and then the whole machine."""
        self.journal.close()
        if self.chance.random() < 0.5:
            self.clock.boot()
        self._begin()

    @property
    def has_copy(self) -> bool:
        """Whether a copy of the disk is there."""
        return self._copy is not None

    def change_key(self) -> None:
        """A new uplink key follows the present one."""
        self.keys.change(self.client, epoch=self.journal.epoch)

    def renew_key(self) -> None:
        """A new uplink key that follows none: the office has retired the one that came back with a copy."""
        for left in self.folder.glob("uplink*.pem"):
            left.unlink()
        self.keys.make()

    def make_copy(self) -> None:
        """A copy of the disk is put aside."""
        self.journal.close()
        self._copy = self.folder.with_name(f"{self.folder.name}-copy")
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self.folder, self._copy)
        self._begin()
        self._truth.copied(self.gate_id)

    def put_copy_back(self) -> bool:
        """The disk is lost and the copy takes its place; False where there is none."""
        if self._copy is None:
            return False
        self.journal.close()
        shutil.rmtree(self.folder)
        self._copy.rename(self.folder)
        self._copy = None
        self._truth.restored(self.gate_id)
        self.clock.boot()
        self._begin()
        return True

    def fill_disk(self, *, full: bool) -> None:
        """The disk has no room for more taps, or has it again."""
        self._bytes_max = _FULL_BYTES if full else JOURNAL_BYTES_MAX
        self.journal.close()
        self._begin()

    def fade(self) -> None:
        """Trips fade at the gate."""
        now, before = self.clock.now(), self.taps() if self.believes_wrongly else set()
        fade_trips(self.journal, before=now - TRIPS_KEPT, unsent_before=now - _KEEP)
        if before:
            self._truth.may_be_lost(before - self.taps())

    def taps(self) -> set[TapKey]:
        """What is on the disk."""
        return {TapKey(self.gate_id, one.tap.pass_id, one.tap.at) for one in self.journal.taps()}

    def _tell_receipted(self) -> None:
        """Tells the truth for which taps a receipt has come since it was last told."""
        through, (epoch, before) = self.journal.receipted().seq, self._acked
        if (epoch, before) == (self.journal.epoch, through):
            return
        taps = self.journal.taps()
        self._truth.acknowledged(
            self.gate_id, [TapKey(self.gate_id, one.tap.pass_id, one.tap.at) for one in taps if one.seq <= through]
        )
        self._acked = (self.journal.epoch, through)

    def _begin(self) -> None:
        self._truth.began_anew(self.gate_id)
        self.journal = Journal.open(
            self.folder / "journal.db", key=self.key, gate=self.gate_id, monotonic_ns=self.clock.monotonic_ns,
            bytes_max=self._bytes_max, random=self.chance.randbytes,
        )  # fmt: skip
        self.uplink = Uplink(
            journal=self.journal, client=self.client, clock=self.clock, trips_kept=TRIPS_KEPT, batch_taps=20
        )
