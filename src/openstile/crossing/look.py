"""Looking at the rider: frames in, comparisons with one reference, until one suffices or time
is up; and with them the attack check of the same face."""

from collections.abc import Callable, Iterator

from openstile.crossing.advice import Advice
from openstile.crossing.attack import AttackCheck
from openstile.crossing.policy import Policy
from openstile.crossing.reasons import Reason
from openstile.crossing.refusal import RefusedError
from openstile.crossing.stopwatch import Stopwatch
from openstile.face import Comparison, FaceEngine, Frame, LocatedFace, Template, compare, extract_template, locate
from openstile.face.attack.fusion import Outcome
from openstile.face.attack.kit import AttackKit
from openstile.face.faults import FaceFault
from openstile.face.feedback import FEEDBACK, Feedback
from openstile.face.quality import assess
from openstile.face.sources import CameraLostError
from openstile.face.zone import choose_rider
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
    check = AttackCheck(kit, policy)
    try:
        _look(frames, reference, engine, policy, clock, watch, tell, check)
    finally:
        check.close()


def _look(
    frames: Iterator[Frame],
    reference: Template,
    engine: FaceEngine,
    policy: Policy,
    clock: Clock,
    watch: Stopwatch,
    tell: Callable[[Feedback], None],
    check: AttackCheck,
) -> None:
    started_ns = clock.monotonic_ns()
    comparisons = 0
    mated = False
    reason = Reason.NO_FACE
    advice = Advice(tell)
    while comparisons < policy.comparisons_max and clock.monotonic_ns() - started_ns < policy.look_ms_max * 1_000_000:
        check.light()
        with watch.step("frame"):
            frame = _next(frames)
        if frame is None:
            break
        seen = _see_frame(frame, reference, engine, policy, watch, check, mated=mated)
        if isinstance(seen, FaceFault):
            mated = False
            reason = reason if comparisons else Reason(seen.value)
            advice.note(FEEDBACK[seen])
            continue
        mated = seen
        if not mated:
            comparisons += 1
            reason = Reason.FACE_DOES_NOT_MATCH
        elif _is_settled(check, watch):
            return
    if not mated:
        raise RefusedError(reason)
    if policy.attack_mode == "enforce":
        raise RefusedError(Reason.LIVENESS_UNSURE)


def _is_settled(check: AttackCheck, watch: Stopwatch) -> bool:
    """Whether a face that matched is let through now; False while its clip is not complete."""
    if not check.waits:
        return True
    with watch.step("attack"):
        outcome = check.outcome()
    if outcome is Outcome.DENY:
        raise RefusedError(Reason.ATTACK_SUSPECTED)
    if outcome is Outcome.RETRY:
        raise RefusedError(Reason.LIVENESS_UNSURE)
    return outcome is Outcome.PASS


def _next(frames: Iterator[Frame]) -> Frame | None:
    try:
        return next(frames, None)
    except CameraLostError:
        raise RefusedError(Reason.CAMERA_LOST) from None


def _see_frame(
    frame: Frame,
    reference: Template,
    engine: FaceEngine,
    policy: Policy,
    watch: Stopwatch,
    check: AttackCheck,
    *,
    mated: bool,
) -> bool | FaceFault:
    """Whether the rider's face is the owner's: `mated` as long as it is the same face, else by a comparison."""
    with watch.step("locate"):
        faces = locate(engine, frame)
        height, width = frame.pixels.shape[:2]
        rider = choose_rider(faces, frame_width=width, frame_height=height, zone=policy.zone)
    if isinstance(rider, FaceFault):
        check.lose()
        return rider
    if policy.attack_mode == "enforce" or (policy.attack_mode == "monitor" and frame.taken_ns > 0):
        with watch.step("attack"):
            mated = check.see(frame, rider) and mated
    if mated:
        return True
    compared = _compare(frame, rider, reference, engine, policy, watch)
    return compared if isinstance(compared, FaceFault) else compared.mated


def _compare(
    frame: Frame, rider: LocatedFace, reference: Template, engine: FaceEngine, policy: Policy, watch: Stopwatch
) -> Comparison | FaceFault:
    with watch.step("quality"):
        quality = assess(frame, rider, limits=policy.quality)
    if quality.fault is not None:
        return quality.fault
    with watch.step("template"):
        probe = extract_template(engine, frame, rider)
    with watch.step("compare"):
        return compare(engine=engine, probe=probe, reference=reference, distance_max=policy.distance_max)
