"""Any order of tapping, fading, refusing and reopening leaves a journal that verifies and says what happened."""

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.journal.sample import GATE

from openstile.journal import Direction, GateKey, Journal, Tap, verify_journal
from openstile.terms import PassId

_KEY = GateKey.generate()
_TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 5), timezones=st.just(UTC))
_TAPS = st.builds(
    Tap,
    pass_id=st.integers(0, 3).map(lambda number: PassId(bytes([number]) * 16)),
    at=_TIMES,
    gate=st.just(GATE),
    product=st.sampled_from(["adult", "Ürün-π"]),
    direction=st.sampled_from(Direction),
)


class JournalMachine(RuleBasedStateMachine):
    """Compares a journal with a plain list of taps and a counter."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.kept: list[tuple[int, Tap]] = []
        self.faded: Counter[tuple[str, str, str]] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.seq = 0

    @initialize()
    def begin(self) -> None:
        self.journal = Journal.open(self.folder / "journal.db", key=_KEY, gate=GATE)

    @rule(tap=_TAPS)
    def append(self, tap: Tap) -> None:
        self.seq += 1
        assert self.journal.append(tap).seq == self.seq
        self.kept.append((self.seq, tap))

    @rule(before=_TIMES)
    def fade(self, before: datetime) -> None:
        through = max((seq for seq, tap in self.kept if tap.at < before), default=0)
        going = [tap for seq, tap in self.kept if seq <= through]
        self.kept = self.kept[len(going) :]
        self.faded.update((f"{tap.at:%Y-%m-%d}", tap.product, tap.direction.value) for tap in going)
        fading = self.journal.fade(before)
        assert (fading.taps, fading.erased) == (len(going), True)

    @rule(at=_TIMES, reason=st.sampled_from(["no_face", "pin_wrong"]))
    def refuse(self, at: datetime, reason: str) -> None:
        self.refusals[f"{at:%Y-%m-%d}", reason] += 1
        self.journal.count_refusal(reason, at=at)

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.begin()

    @invariant()
    def says_what_happened(self) -> None:
        if self.seq == 0:
            return
        report = verify_journal(self.folder / "journal.db", public_key=_KEY.public_key)
        assert (report.taps, report.faded, report.head.seq) == (len(self.kept), self.seq - len(self.kept), self.seq)
        assert [(one.seq, one.tap) for one in reversed(self.journal.taps())] == self.kept
        assert {tuple(count[:3]): count.taps for count in self.journal.faded()} == self.faded
        assert {tuple(count[:2]): count.refusals for count in self.journal.refusals()} == self.refusals
        for pass_id in {tap.pass_id for _, tap in self.kept}:
            newest = [tap.at for _, tap in self.kept if tap.pass_id == pass_id][-1]
            assert self.journal.last_admitted(pass_id) == newest

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=timedelta(seconds=5), suppress_health_check=[HealthCheck.too_slow]
)
