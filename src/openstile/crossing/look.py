"""Looking at the rider: frames in, one comparison with one reference out, until a frame suffices or time is up."""

from collections.abc import Callable, Iterator

from openstile.crossing.advice import Advice
from openstile.crossing.policy import Policy
from openstile.crossing.reasons import Reason
from openstile.crossing.refusal import RefusedError
from openstile.crossing.stopwatch import Stopwatch
from openstile.face import Comparison, FaceEngine, Frame, Template, compare, extract_template, locate
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
) -> None:
    """Return when a frame shows the owner of `reference`; raise `RefusedError` when time, frames or tries are used up.

    The reason is what was wrong with the last frame; once a face was compared and differed, it is that. Each frame is
    dropped before the next is read. `tell` hears what the rider can do, when several frames in a row ask for it.
    """
    started_ns = clock.monotonic_ns()
    comparisons = 0
    reason = Reason.NO_FACE
    advice = Advice(tell)
    while comparisons < policy.comparisons_max and clock.monotonic_ns() - started_ns < policy.look_ms_max * 1_000_000:
        with watch.step("frame"):
            frame = _next(frames)
        if frame is None:
            break
        seen = _compare_frame(frame, reference, engine, policy, watch)
        if isinstance(seen, FaceFault):
            reason = reason if comparisons else Reason(seen.value)
            advice.note(FEEDBACK[seen])
            continue
        if seen.mated:
            return
        comparisons += 1
        reason = Reason.FACE_DOES_NOT_MATCH
    raise RefusedError(reason)


def _next(frames: Iterator[Frame]) -> Frame | None:
    try:
        return next(frames, None)
    except CameraLostError:
        raise RefusedError(Reason.CAMERA_LOST) from None


def _compare_frame(
    frame: Frame, reference: Template, engine: FaceEngine, policy: Policy, watch: Stopwatch
) -> Comparison | FaceFault:
    with watch.step("locate"):
        faces = locate(engine, frame)
        height, width = frame.pixels.shape[:2]
        rider = choose_rider(faces, frame_width=width, frame_height=height, zone=policy.zone)
    if isinstance(rider, FaceFault):
        return rider
    with watch.step("quality"):
        quality = assess(frame, rider, limits=policy.quality)
    if quality.fault is not None:
        return quality.fault
    with watch.step("template"):
        probe = extract_template(engine, frame, rider)
    with watch.step("compare"):
        return compare(engine=engine, probe=probe, reference=reference, distance_max=policy.distance_max)
