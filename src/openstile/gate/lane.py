"""One lane of one gate: a crossing, then the tap, then the barrier. In that order.

A tap is durable before the barrier opens, so that a gate that loses power has recorded everyone it let in.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from openstile.crossing import Admit, Crossing, Reason, Refuse, cross
from openstile.crossing.history import AttemptBook
from openstile.crossing.reasons import RIDER_FAILED
from openstile.crossing.stopwatch import Stopwatch
from openstile.face import FaceEngine, Frame
from openstile.face.attack.evidence import Detector, Evidence
from openstile.face.attack.kit import AttackKit, FlashLight
from openstile.face.feedback import Feedback
from openstile.gate.barrier import Barrier, BarrierError
from openstile.gate.trust import Trust
from openstile.journal import Direction, Journal, JournalError, Tap
from openstile.passes import PassRefusedError, open_pass
from openstile.passes.claims import Audience
from openstile.passes.hardware_session import HardwareError
from openstile.terms.ids import GateId, PassId
from openstile.terms.instants import Clock
from openstile.terms.limits import PASSES_WATCHED_MAX

_log = logging.getLogger("openstile.gate")


@dataclass(frozen=True, slots=True)
class LaneIdentity:
    """Which gate this is, which way its barrier lets people through, and whose passes it takes."""

    gate: GateId
    direction: Direction
    audience: Audience


class Lane:
    """Decides, records and opens. Holds the gate's memory of passes; holds nothing of any face."""

    def __init__(
        self,
        *,
        identity: LaneIdentity,
        trust: Callable[[], Trust],
        load_engine: Callable[[], FaceEngine],
        journal: Journal,
        barrier: Barrier,
        clock: Clock,
        detectors: tuple[Callable[[], Detector], ...] = (),
    ) -> None:
        """`detectors` makes those of presentation attacks that the deployer adds, one each."""
        self._identity = identity
        self._trust = trust
        self._load_engine = load_engine
        self._journal = journal
        self._barrier = barrier
        self._clock = clock
        self._detectors = detectors
        self._attempts = AttemptBook()
        self._attempts_window_s = 0
        self._told_at: datetime | None = None
        self._not_let_through: OrderedDict[PassId, None] = OrderedDict()

    def present(
        self,
        presented: str | bytes,
        *,
        frames: Iterator[Frame],
        ask_pin: Callable[[], str | None],
        tell: Callable[[Feedback], None] = lambda feedback: None,
        light: FlashLight | None = None,
    ) -> Crossing:
        """One presented pass, one crossing. Returns when the barrier was opened or the refusal counted.

        `light`: a display in colours that may light the rider's face; None where there is none.
        Trust is asked for once: keys, lists and policy that change meanwhile hold from the next crossing on.
        """
        trust = self._trust()
        self._attempts_window_s, self._told_at = trust.policy.attempts_window_s, trust.told_at
        found: list[Evidence] = []
        try:
            crossing = cross(
                presented=presented,
                frames=frames,
                ask_pin=ask_pin,
                load_engine=self._load_engine,
                keyring=trust.keyring,
                statuses=trust.statuses,
                audience=self._identity.audience,
                policy=trust.policy,
                history=self,
                clock=self._clock,
                tell=tell,
                kit=AttackKit(light=light, extra=self._detectors, count=found.append),
            )
            if crossing.admitted:
                crossing = self._record_and_open(crossing)
        except JournalError as error:
            _log.error("%s", error)
            crossing = Crossing(Refuse(Reason.JOURNAL_UNAVAILABLE), None, None, 0, ())
        except HardwareError as error:
            _log.error("%s", error)
            crossing = Crossing(Refuse(Reason.KEYS_UNAVAILABLE), None, None, 0, ())
        if crossing.reason in RIDER_FAILED and crossing.pass_id is not None:
            self._attempts.add(crossing.pass_id, at_ns=self._clock.monotonic_ns())
        self._count(crossing.reason, found)
        return crossing

    def pass_id_in(self, presented: str) -> PassId | None:
        """Which pass this is, None when it does not open. Decides nothing, counts nothing and reads no frame."""
        trust = self._trust()
        try:
            return open_pass(
                presented=presented,
                keyring=trust.keyring,
                audience=self._identity.audience,
                now=self._clock.now(),
                clock_skew_s=trust.policy.clock_skew_s,
            ).pass_id
        except (PassRefusedError, HardwareError):
            return None

    def last_admitted(self, pass_id: PassId) -> datetime | None:
        """When this lane last let this pass through; None too when the barrier then failed to open."""
        return None if pass_id in self._not_let_through else self._journal.last_admitted(pass_id)

    def latest(self) -> datetime | None:
        """The instant of the newest tap that has not faded, or that of what this gate was told last if it is later."""
        known = [entry.tap.at for entry in self._journal.taps(limit=1)]
        return max([*known, *([self._told_at] if self._told_at else [])], default=None)

    def failed_attempts(self, pass_id: PassId) -> int:
        """Failed attempts of this pass since it was last admitted, within the policy's window."""
        return self._attempts.count(pass_id, at_ns=self._clock.monotonic_ns(), window_s=self._attempts_window_s)

    def _record_and_open(self, crossing: Crossing) -> Crossing:
        pass_id, product = crossing.pass_id, crossing.product
        assert pass_id is not None, "an admitted crossing has an opened pass"
        assert product is not None, "an admitted crossing has an opened pass"
        watch = Stopwatch(self._clock)
        with watch.step("journal"):
            self._journal.append(
                Tap(
                    pass_id=pass_id,
                    at=self._clock.now(),
                    gate=self._identity.gate,
                    product=product,
                    direction=self._identity.direction,
                    status_unsure=isinstance(crossing.decision, Admit) and crossing.decision.status_unsure,
                )
            )
        self._attempts.clear(pass_id)
        self._not_let_through.pop(pass_id, None)
        try:
            with watch.step("barrier"):
                self._barrier.open(self._identity.direction)
        except BarrierError as error:
            _log.error("%s", error)
            self._not_let_through[pass_id] = None
            if len(self._not_let_through) > PASSES_WATCHED_MAX:
                self._not_let_through.popitem(last=False)
            return crossing.then(watch.steps(), Refuse(Reason.BARRIER_UNAVAILABLE))
        return crossing.then(watch.steps(), crossing.decision)

    def _count(self, reason: Reason | None, found: list[Evidence]) -> None:
        """One more refusal, and one more outcome of each detector and clip, on this day. Nothing says whose crossing it
        was. All at once and after the barrier: a commit takes its time on a small disk, and no rider waits for it.
        """
        names = [evidence.counted_as for evidence in found] + ([] if reason is None else [reason.value])
        if not names:
            return
        try:
            self._journal.count_refusal(*names, at=self._clock.now())
        except JournalError as error:
            _log.error("not counted: %s: %s", ", ".join(names), error)
