"""Looking at the rider: frames in, comparisons with one reference, until one suffices or time
is up; and with them the attack check of the same face."""

from collections.abc import Callable, Iterator

from openstile.crossing.advice import Advice
from openstile.crossing.attack import AttackCheck
from openstile.crossing.policy import Policy
from openstile.crossing.reasons import Reason
from openstile.crossing.refusal import RefusedError
from openstile.crossing.stopwatch import Stopwatch
from openstile.face import Comparison, FaceEngine, Frame, LocatedFace, Template, compare, extract_template
from openstile.face.attack.fusion import Outcome
from openstile.face.attack.kit import AttackKit
from openstile.face.faults import FaceFault
from openstile.face.feedback import FEEDBACK, Feedback
from openstile.face.quality import assess
from openstile.face.sources import CameraLostError
from openstile.face.zone import locate_rider
from openstile.terms.instants import Clock


def look(
    *,
    frames: Iterator[Frame],
    reference: Template,
    engine: FaceEngine,
    policy: Policy,
    clock: Clock,
    watch: Stopwatch,
    tell: Callable[[Feedback], None],
    kit: AttackKit,
) -> None:
    """Return when the owner of `reference` was seen, and the attack check let its clip of the same face pass; raise
    `RefusedError` when it did not, or time, frames or tries are used up.

    The reason is what was wrong with the last frame; once a face was compared and differed, it is that. Each frame is
    dropped before the next is read. `tell` hears what the rider can do, when several frames in a row ask for it.
    """
    check = AttackCheck(kit, policy, clock)
    try:
        _Looking(reference, engine, policy, clock, watch, Advice(tell), check).run(frames)
    finally:
        check.close()


class _Looking:
    """One look, and what was found out so far of the face that is in view now."""

    def __init__(
        self,
        reference: Template,
        engine: FaceEngine,
        policy: Policy,
        clock: Clock,
        watch: Stopwatch,
        advice: Advice,
        check: AttackCheck,
    ) -> None:
        self._reference, self._engine, self._policy = reference, engine, policy
        self._clock, self._watch, self._advice, self._check = clock, watch, advice, check
        self._reason = Reason.NO_FACE
        self._comparisons = 0
        self._mated = False

    def run(self, frames: Iterator[Frame]) -> None:
        limit_ns = self._clock.monotonic_ns() + self._policy.look_ms_max * 1_000_000
        while self._goes_on(limit_ns):
            self._check.light()
            with self._watch.step("frame"):
                frame = _next(frames)
            if frame is None:
                break
            if self._see(frame):
                return
        if not self._mated:
            raise RefusedError(self._reason)
        if self._check.decides:
            raise RefusedError(Reason.LIVENESS_UNSURE)

    def _goes_on(self, limit_ns: int) -> bool:
        if self._mated:
            limit_ns = self._check.limit_ns(limit_ns)
        return self._comparisons < self._policy.comparisons_max and self._clock.monotonic_ns() < limit_ns

    def _see(self, frame: Frame) -> bool:
        """Whether the rider is let through now. Where detectors are only counted, an owner who goes on is let through
        at once: no clip is worth a refusal then.
        """
        rider = self._locate(frame)
        if isinstance(rider, FaceFault):
            if self._is_owner_who_may_leave():
                return True
            self._check.lose()
            self._mated = False
            self._note(rider)
            return False
        if not self._is_same_face(frame, rider):
            if self._is_owner_who_may_leave():
                return True
            self._mated = False
        compared_now = not self._mated
        if compared_now and not self._is_mated(frame, rider):
            return False
        return self._is_settled(frame, rider, compared_now=compared_now)

    def _is_owner_who_may_leave(self) -> bool:
        return self._mated and not self._check.decides

    def _locate(self, frame: Frame) -> LocatedFace | FaceFault:
        with self._watch.step("locate"):
            return locate_rider(self._engine, frame, self._policy.zone)

    def _is_same_face(self, frame: Frame, rider: LocatedFace) -> bool:
        if self._policy.attack_mode == "off" or (self._policy.attack_mode == "monitor" and frame.taken_ns == 0):
            return True
        with self._watch.step("attack"):
            return self._check.see(frame, rider)

    def _is_settled(self, frame: Frame, rider: LocatedFace, *, compared_now: bool) -> bool:
        """Whether a face that matched is let through now; False while its clip is not complete.

        The clip follows a face by its place alone, so where it decides, the face at its end is compared as well: a
        picture of the owner cannot be shown first and then give way to a living stranger.
        """
        if not self._check.waits:
            return True
        with self._watch.step("attack"):
            outcome = self._check.outcome()
        if outcome is Outcome.DENY:
            raise RefusedError(Reason.ATTACK_SUSPECTED)
        if outcome is Outcome.RETRY:
            raise RefusedError(Reason.LIVENESS_UNSURE)
        if outcome is None:
            return False
        return compared_now or not self._check.decides or self._is_mated(frame, rider)

    def _is_mated(self, frame: Frame, rider: LocatedFace) -> bool:
        """Whether this frame shows the owner. One that cannot be compared leaves open what is known of the face."""
        compared = self._compare(frame, rider)
        if isinstance(compared, FaceFault):
            self._note(compared)
            return False
        self._mated = compared.mated
        if not self._mated:
            self._check.lose()
            self._comparisons += 1
            self._reason = Reason.FACE_DOES_NOT_MATCH
        return self._mated

    def _note(self, fault: FaceFault) -> None:
        self._reason = self._reason if self._comparisons else Reason(fault.value)
        self._advice.note(FEEDBACK[fault])

    def _compare(self, frame: Frame, rider: LocatedFace) -> Comparison | FaceFault:
        with self._watch.step("quality"):
            quality = assess(frame, rider, limits=self._policy.quality)
        if quality.fault is not None:
            return quality.fault
        with self._watch.step("template"):
            probe = extract_template(self._engine, frame, rider)
        with self._watch.step("compare"):
            return compare(
                engine=self._engine, probe=probe, reference=self._reference, distance_max=self._policy.distance_max
            )


def _next(frames: Iterator[Frame]) -> Frame | None:
    try:
        return next(frames, None)
    except CameraLostError:
        raise RefusedError(Reason.CAMERA_LOST) from None
