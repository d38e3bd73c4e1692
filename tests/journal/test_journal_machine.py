"""Any order of tapping, sending, receipts, fading, new epochs, restarts and copies put back leaves a journal that
verifies and says what happened.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.journal.sample import GATE

from openstile.journal import Direction, GateKey, Journal, JournalError, Tap, verify_journal
from openstile.journal.batches import read_batch, verify_head
from openstile.journal.epochs import Origin, Reason, retired_of
from openstile.journal.sending import next_batch
from openstile.journal.taps import Head
from openstile.journal.view import read_sending
from openstile.terms import PassId

_KEY = GateKey.generate()
_TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 5), timezones=st.just(UTC))
_PASSES = tuple(PassId(bytes([number]) * 16) for number in range(4))
_TAPS = st.builds(
    Tap,
    pass_id=st.sampled_from(_PASSES),
    at=_TIMES,
    gate=st.just(GATE),
    product=st.sampled_from(["adult", "Ürün-π"]),
    direction=st.sampled_from(Direction),
)
_PLACES = st.floats(0, 1)
"""Where between the last tap that has faded and the end."""


@dataclass
class Chapter:
    """What one journal file should hold: its taps in full with their runs, and what is left of the others."""

    epoch: bytes = b""
    origin: Origin | None = None
    taps: list[tuple[Tap, int]] = field(default_factory=list)
    faded: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    receipted: int = 0
    run: int = 0

    @property
    def faded_through(self) -> int:
        return self.faded.total()

    @property
    def end(self) -> int:
        return self.faded_through + len(self.taps)

    def numbered(self) -> list[tuple[int, Tap, int]]:
        return [(seq, tap, run) for seq, (tap, run) in enumerate(self.taps, start=self.faded_through + 1)]

    def place(self, between: float) -> int:
        return self.faded_through + round(between * len(self.taps))

    def fade(self, goes: Callable[[int, Tap], bool]) -> int:
        """The newest tap that may go goes, and all in front of it; how many that are."""
        through = max((seq for seq, tap, _ in self.numbered() if goes(seq, tap)), default=self.faded_through)
        going = self.taps[: through - self.faded_through]
        self.taps = self.taps[len(going) :]
        self.faded.update((f"{tap.at:%Y-%m-%d}", tap.product, tap.direction.value) for tap, _ in going)
        return len(going)


class JournalMachine(RuleBasedStateMachine):
    """Compares a gate's journal files with plain lists of taps and counters."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp()) / "gate" / "journal.db"
        self.now = Chapter()
        self.retired: dict[bytes, Chapter] = {}
        self.copy: Chapter | None = None
        self.admitted: dict[PassId, tuple[int, datetime]] = {}
        """The number and time of each pass's last tap; number 0: it stayed behind in an earlier epoch."""

    @initialize()
    def begin(self) -> None:
        self.journal = Journal.open(self.path, key=_KEY, gate=GATE)
        assert self.now.run < self.journal.run <= self.now.run + 1024
        self.now.epoch, self.now.run = self.journal.epoch, self.journal.run
        self.admitted = {}
        self._admit()

    def _admit(self) -> None:
        self.admitted |= {tap.pass_id: (seq, tap.at) for seq, tap, _ in self.now.numbered()}

    def _head(self, seq: int) -> Head:
        head = self.journal.place(seq)
        assert head is not None
        return head

    @rule(tap=_TAPS)
    def append(self, tap: Tap) -> None:
        self.now.taps.append((tap, self.now.run))
        assert self.journal.append(tap).seq == self.now.end
        self.admitted[tap.pass_id] = (self.now.end, tap.at)

    @rule(at=_TIMES, reason=st.sampled_from(["no_face", "pin_wrong"]))
    def refuse(self, at: datetime, reason: str) -> None:
        self.now.refusals[f"{at:%Y-%m-%d}", reason] += 1
        self.journal.count_refusal(reason, at=at)

    @rule(between=_PLACES)
    def mark_receipted(self, between: float) -> None:
        """Forth, and back when the office lost some."""
        self.now.receipted = self.now.place(between)
        self.journal.mark_receipted(self._head(self.now.receipted))

    @rule(seq=st.integers(0, 20))
    def receipt_of_what_was_not_written_is_refused(self, seq: int) -> None:
        with pytest.raises(JournalError, match="another journal's tap"):
            self.journal.mark_receipted(Head(seq, b"another chain's hash of 32 bytes"))

    @rule(taps_max=st.integers(1, 4))
    def send(self, taps_max: int) -> None:
        """What the office is sent is what follows its receipt."""
        after = max(self.now.receipted, self.now.faded_through)
        data = next_batch(
            self.journal, after=self._head(after), now=datetime(2026, 1, 9, tzinfo=UTC), taps_max=taps_max
        )
        waiting = [(seq, tap, run) for seq, tap, run in self.now.numbered() if seq > after][:taps_max]
        assert (data is None) == (waiting == [])
        if data is not None:
            batch = read_batch(data, gate=GATE)
            verify_head(batch=batch, public_key=_KEY.public_key)
            assert [(one.seq, one.tap, one.run) for one in batch.taps] == waiting
            self.now.receipted = waiting[-1][0]
            self.journal.mark_receipted(Head(self.now.receipted, batch.head_hash))

    @rule(before=_TIMES)
    def fade(self, before: datetime) -> None:
        """A gate without an office waits for none."""
        self._fade(before, None)

    @rule(before=_TIMES, unsent_before=_TIMES)
    def fade_with_an_office(self, before: datetime, unsent_before: datetime) -> None:
        self._fade(before, unsent_before)

    def _fade(self, before: datetime, unsent_before: datetime | None) -> None:
        alone = before if unsent_before is None else min(before, unsent_before)
        receipted = self.now.receipted
        going = self.now.fade(lambda seq, tap: tap.at < alone or (tap.at < before and seq <= receipted))
        for epoch, chapter in list(self.retired.items()):
            chapter.fade(lambda _, tap: tap.at < before)
            if not chapter.taps:
                del self.retired[epoch]
        self.admitted = {
            name: (seq, at)
            for name, (seq, at) in self.admitted.items()
            if seq > self.now.faded_through or (seq == 0 and at >= before)
        }
        fading = self.journal.fade(before, unsent_before=unsent_before)
        assert (fading.taps, fading.through_seq, fading.erased) == (going, self.now.faded_through, True)

    @rule(between=_PLACES, reason=st.sampled_from(["restored", "new"]))
    def begin_epoch(self, between: float, reason: Reason) -> None:
        after, old = self.now.place(between), self.now
        self.journal.begin_epoch(after=self._head(after), reason=reason)
        self.retired[old.epoch] = old
        self.now = Chapter(
            epoch=self.journal.epoch,
            origin=Origin(old.epoch, after, reason),
            taps=[(tap, run) for seq, tap, run in old.numbered() if seq > after],
            refusals=old.refusals.copy(),
            run=old.run,
        )
        assert self.now.epoch != old.epoch
        self.admitted = {name: (0, at) for name, (_, at) in self.admitted.items()}
        self._admit()

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.begin()

    @rule()
    def make_a_copy(self) -> None:
        self.journal.close()
        shutil.copy(self.path, self.path.parent.parent / "copy.db")
        self.copy = deepcopy(self.now)
        self.begin()

    @precondition(lambda self: self.copy is not None)
    @rule()
    def put_the_copy_back(self) -> None:
        assert self.copy is not None
        self.journal.close()
        shutil.copy(self.path.parent.parent / "copy.db", self.path)
        self.now = deepcopy(self.copy)
        self.begin()

    @invariant()
    def says_what_happened(self) -> None:
        if not hasattr(self, "journal"):
            return
        self._holds(self.path, self.now)
        numbered = [(one.seq, one.tap, one.run) for one in reversed(self.journal.taps())]
        assert numbered == self.now.numbered()
        assert (self.journal.run, self.journal.origin()) == (self.now.run, self.now.origin)
        assert {tuple(count[:3]): count.taps for count in self.journal.faded()} == self.now.faded
        assert {tuple(count[:2]): count.refusals for count in self.journal.refusals()} == self.now.refusals
        last = {name: self.journal.last_admitted(name) for name in _PASSES}
        assert last == {name: self.admitted.get(name, (0, None))[1] for name in _PASSES}
        sending = read_sending(self.path)
        waiting = self.now.end - max(self.now.receipted, self.now.faded_through)
        assert (sending.receipted_seq, sending.waiting) == (self.now.receipted, waiting)

    @invariant()
    def earlier_epochs_keep_what_has_not_faded(self) -> None:
        names = [f"journal-{epoch.hex()}.db" for epoch in self.retired]
        assert sorted(path.name for path in retired_of(self.path)) == sorted(names)
        for name, chapter in zip(names, self.retired.values(), strict=True):
            self._holds(self.path.with_name(name), chapter)

    def _holds(self, path: Path, chapter: Chapter) -> None:
        report = verify_journal(path, public_key=_KEY.public_key)
        held = (report.epoch, report.taps, report.faded, report.head.seq)
        assert held == (chapter.epoch, len(chapter.taps), chapter.faded_through, chapter.end)

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.path.parent.parent)


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=timedelta(seconds=5), suppress_health_check=[HealthCheck.too_slow]
)
